// What a test sees of processes, descriptors and files around it.
#pragma once

#include <dirent.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace jarvis::pipeline {

// Empty when it cannot be read: a process may end between the opening and the reading of its /proc entry, which an
// istreambuf_iterator tells by an exception, and an ostream does not.
inline std::string contents(const std::filesystem::path& file) {
  const std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Nobody collects the dead of a container at once: a corpse is not alive.
inline bool alive(pid_t pid) {
  const std::string stat = contents("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.find_first_of("ZX", name_end) != name_end + 2;
}

// How many descriptors this process has open.
inline int open_descriptors() {
  int count = -1;  // the directory's own
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), ::closedir);
  while (const dirent* entry = ::readdir(directory.get())) count += entry->d_name[0] != '.' ? 1 : 0;
  return count;
}

}  // namespace jarvis::pipeline
