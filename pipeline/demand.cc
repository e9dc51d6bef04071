#include "pipeline/demand.h"

#include <charconv>

namespace jarvis::pipeline {

// Lines: code, number of people, asker, approvers. Names hold no line ends: they are keys of a configuration file.
std::string Demand::text() const {
  std::string made = code + "\n" + std::to_string(needed) + "\n" + asker;
  for (const std::string& one : approvers) made += "\n" + one;
  return made;
}

Demand Demand::from(const std::string& text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n') lines.emplace_back();
    if (c != '\n') lines.back() += c;
  }
  Demand made;
  made.code = lines[0];
  if (lines.size() > 1) std::from_chars(lines[1].data(), lines[1].data() + lines[1].size(), made.needed);
  if (lines.size() > 2) made.asker = lines[2];
  if (lines.size() > 3) made.approvers.assign(lines.begin() + 3, lines.end());
  return made;
}

}  // namespace jarvis::pipeline
