#include "workers/menu_template.h"

#include <algorithm>
#include <cctype>

#include "pipeline/error.h"
#include "workers/printable.h"

namespace jarvis::workers {

using pipeline::Error;
using pipeline::Kind;

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

std::string names_of(const MenuValues& values) {
  std::string made;
  for (const auto& value : values) made += (made.empty() ? "" : ", ") + value.first;
  return made;
}

}  // namespace

std::string rendered(std::string_view menu, const MenuValues& values) {
  std::string made;
  for (std::size_t at = 0;;) {
    const std::size_t begin = menu.find("[%", at);
    made += menu.substr(at, begin == std::string_view::npos ? begin : begin - at);
    if (begin == std::string_view::npos) return made;
    const auto fault = [&](const std::string& text) {
      const auto line = 1 + std::count(menu.begin(), menu.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
      return Error(Kind::Usage, "line " + std::to_string(line) + ": " + text);
    };
    const std::size_t end = menu.find("%]", begin + 2);
    if (end == std::string_view::npos) throw fault("`[%` is not closed by `%]`");
    const std::string_view name = trimmed(menu.substr(begin + 2, end - begin - 2));
    const auto value = std::find_if(values.begin(), values.end(), [&](const auto& one) { return one.first == name; });
    if (value == values.end())
      throw fault("`[% " + printable(name, 60) + " %]` has no value; there are: " + names_of(values));
    made += value->second;
    at = end + 2;
  }
}

std::string template_file(std::string_view os) {
  std::string name;
  for (const char c : os) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) == 0 && std::string_view(" ._+-").find(c) == std::string_view::npos)
      throw Error(Kind::Usage, "os: `" + printable(os, 60) + "`: letters, digits, blanks and . _ + - are expected");
    name += c == ' ' ? '_' : static_cast<char>(std::tolower(byte));
  }
  if (name.empty()) throw Error(Kind::Usage, "os: is empty");
  return "install_" + name + ".tpl";
}

}  // namespace jarvis::workers
