#include "workers/fstab.h"

#include <algorithm>
#include <sstream>

namespace jarvis::workers {

std::vector<FstabLine> fstab_lines(const std::string& text) {
  std::vector<FstabLine> lines;
  std::istringstream all(text);
  for (std::string written; std::getline(all, written);) {
    std::istringstream words(written);
    FstabLine line;
    if (!(words >> line.device >> line.path) || line.device.front() == '#') continue;
    std::erase(line.device, '"');
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string fstab_line(const std::string& uuid, const std::string& path, const std::string& type) {
  const bool ext = type == "ext2" || type == "ext3" || type == "ext4";
  return "UUID=" + uuid + " " + path + " " + type +
         (ext ? " noatime,errors=remount-ro,nofail 0 2" : " noatime,nofail 0 0") + "\n";
}

}  // namespace jarvis::workers
