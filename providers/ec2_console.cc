#include "providers/ec2_console.h"

#include <sstream>

#include "pipeline/error.h"
#include "workers/openssh_key.h"
#include "workers/printable.h"

namespace jarvis::providers {

namespace {

constexpr std::string_view kBegin = "-----BEGIN SSH HOST KEY KEYS-----", kEnd = "-----END SSH HOST KEY KEYS-----";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::vector<std::string> last_lines(const std::string& console, std::size_t most) {
  std::vector<std::string> lines;
  for (const std::string& line : lines_of(console)) {
    if (!line.empty()) lines.push_back(workers::printable(line, 300));
  }
  if (lines.size() > most) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
  return lines;
}

std::vector<std::string> host_keys(const std::string& console) {
  std::vector<std::string> keys, block;
  bool within = false;
  for (const std::string& line : lines_of(console)) {
    // The kernel's own lines may stand before the markers on the same line.
    if (line.ends_with(kBegin)) {
      within = true;
      block.clear();
    } else if (line.ends_with(kEnd)) {
      if (within) keys = block;
      within = false;
    } else if (within) {
      try {
        workers::PublicKey key = workers::check_public_key(line);
        key.comment.clear();
        block.push_back(key.line());
      } catch (const pipeline::Error&) {
      }
    }
  }
  return keys;
}

}  // namespace jarvis::providers
