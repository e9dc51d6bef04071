// XML as vSphere's SOAP API writes and reads it: a writer that escapes, and look-ups that go by local names, since
// servers choose their own prefixes. Knows no method. Pure.
// Source: vSphere Web Services API 6.5 (WSDL vim25).
#pragma once

#include <cstdint>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace jarvis::providers::vmware {

// A managed object: {"VirtualMachine", "vm-42"}.
struct Reference {
  std::string type, value;

  explicit operator bool() const { return !value.empty(); }
  bool operator==(const Reference& other) const { return type == other.type && value == other.value; }
  bool operator!=(const Reference& other) const { return !(*this == other); }
  bool operator<(const Reference& other) const { return type != other.type ? type < other.type : value < other.value; }
};

class Xml {
 public:
  Xml& leaf(std::string_view name, std::string_view text);
  Xml& leaf(std::string_view name, std::int64_t number) { return leaf(name, std::to_string(number)); }
  Xml& flag(std::string_view name, bool value) { return leaf(name, value ? "true" : "false"); }
  // A leaf whose declared type is anyType.
  Xml& any(std::string_view name, std::string_view type, std::string_view text);
  Xml& ref(std::string_view name, const Reference& reference);
  Xml& in(std::string_view name, const Xml& inner);
  Xml& typed(std::string_view name, std::string_view type, const Xml& inner);  // with xsi:type
  Xml& add(const Xml& more);

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string escaped(std::string_view text);

std::string_view local_name(std::string_view name);
// The first child of that name; a path "a/b" goes down. An empty node if there is none.
pugi::xml_node child(pugi::xml_node node, std::string_view path);
std::vector<pugi::xml_node> children(pugi::xml_node node, std::string_view name);
std::vector<pugi::xml_node> elements(pugi::xml_node node);
std::string text(pugi::xml_node node);
std::string text(pugi::xml_node node, std::string_view path);
std::int64_t number(pugi::xml_node node, std::string_view path, std::int64_t otherwise = 0);
bool flag(pugi::xml_node node, std::string_view path, bool otherwise = false);
std::string xsi_type(pugi::xml_node node);  // without prefix; empty if it says none
Reference reference(pugi::xml_node node);   // {} of an empty node
Reference reference(pugi::xml_node node, std::string_view path);

}  // namespace jarvis::providers::vmware
