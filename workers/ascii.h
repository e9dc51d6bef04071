// ASCII letters of names that are compared without regard to case (hosts, headers, attributes); no locale has a say.
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace jarvis::workers {

inline std::string lower_case(std::string_view text) {
  std::string made(text);
  for (char& c : made) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return made;
}

}  // namespace jarvis::workers
