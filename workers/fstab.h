// The file /etc/fstab, as far as mounting data disks asks. Pure.
#pragma once

#include <string>
#include <vector>

namespace jarvis::workers {

struct FstabLine {
  std::string device, path;  // without quotes around what follows UUID=
};

// Those that mount something; comments and lines cut short are left out.
std::vector<FstabLine> fstab_lines(const std::string& text);

// The line of a data disk: a boot goes on without it, ext file systems are checked before they are mounted.
std::string fstab_line(const std::string& uuid, const std::string& path, const std::string& type);

}  // namespace jarvis::workers
