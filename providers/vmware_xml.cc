#include "providers/vmware_xml.h"

#include <charconv>

namespace jarvis::providers::vmware {

// What XML 1.0 cannot hold at all (most control characters) becomes "?".
std::string escaped(std::string_view text) {
  std::string made;
  made.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        made += "&amp;";
        break;
      case '<':
        made += "&lt;";
        break;
      case '>':
        made += "&gt;";
        break;
      case '"':
        made += "&quot;";
        break;
      case '\r':
        made += "&#13;";
        break;
      case '\n':
      case '\t':
        made += c;
        break;
      default:
        made += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return made;
}

Xml& Xml::leaf(std::string_view name, std::string_view text) {
  text_.append("<").append(name).append(">").append(escaped(text)).append("</").append(name).append(">");
  return *this;
}

Xml& Xml::any(std::string_view name, std::string_view type, std::string_view text) {
  text_.append("<").append(name).append(" xsi:type=\"").append(type).append("\">").append(escaped(text));
  text_.append("</").append(name).append(">");
  return *this;
}

Xml& Xml::ref(std::string_view name, const Reference& reference) {
  text_.append("<").append(name).append(" type=\"").append(escaped(reference.type)).append("\">");
  text_.append(escaped(reference.value)).append("</").append(name).append(">");
  return *this;
}

Xml& Xml::in(std::string_view name, const Xml& inner) {
  text_.append("<").append(name).append(">").append(inner.text_).append("</").append(name).append(">");
  return *this;
}

Xml& Xml::typed(std::string_view name, std::string_view type, const Xml& inner) {
  text_.append("<").append(name).append(" xsi:type=\"").append(type).append("\">").append(inner.text_);
  text_.append("</").append(name).append(">");
  return *this;
}

Xml& Xml::add(const Xml& more) {
  text_ += more.text_;
  return *this;
}

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node child(pugi::xml_node node, std::string_view path) {
  while (node && !path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    pugi::xml_node found;
    for (pugi::xml_node one = node.first_child(); one && !found; one = one.next_sibling())
      if (local_name(one.name()) == name) found = one;
    node = found;
  }
  return node;
}

std::vector<pugi::xml_node> children(pugi::xml_node node, std::string_view name) {
  std::vector<pugi::xml_node> found;
  for (pugi::xml_node one = node.first_child(); one; one = one.next_sibling())
    if (local_name(one.name()) == name) found.push_back(one);
  return found;
}

std::vector<pugi::xml_node> elements(pugi::xml_node node) {
  std::vector<pugi::xml_node> found;
  for (pugi::xml_node one = node.first_child(); one; one = one.next_sibling())
    if (one.type() == pugi::node_element) found.push_back(one);
  return found;
}

std::string text(pugi::xml_node node) {
  return node.text().get();
}

std::string text(pugi::xml_node node, std::string_view path) {
  return text(child(node, path));
}

std::int64_t number(pugi::xml_node node, std::string_view path, std::int64_t otherwise) {
  const std::string written = text(node, path);
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(written.data(), written.data() + written.size(), value);
  return fault == std::errc() && end == written.data() + written.size() && !written.empty() ? value : otherwise;
}

bool flag(pugi::xml_node node, std::string_view path, bool otherwise) {
  const std::string written = text(node, path);
  return written.empty() ? otherwise : written == "true" || written == "1";
}

std::string xsi_type(pugi::xml_node node) {
  for (const pugi::xml_attribute& attribute : node.attributes()) {
    const std::string_view name = attribute.name();
    if (name.size() > 5 && name.substr(name.size() - 5) == ":type") return std::string(local_name(attribute.value()));
  }
  return {};
}

Reference reference(pugi::xml_node node) {
  return {node.attribute("type").value(), text(node)};
}

Reference reference(pugi::xml_node node, std::string_view path) {
  return reference(child(node, path));
}

}  // namespace jarvis::providers::vmware
