// What the tests of the workers share: a private directory, files, stderr set aside, a call made by hand.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "workers/worker.h"

namespace jarvis::tests {

// 0700, removed with everything in it.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "jarvis-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string text() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline std::string read_text(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

inline void write_text(const std::string& path, const std::string& text, ::mode_t mode = 0600) {
  std::ofstream(path, std::ios::binary) << text;
  std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
}

// Descriptor 2 goes to a file while this lives.
class SetAsideStderr {
 public:
  SetAsideStderr() : before_(::dup(2)) {
    const int fd = ::open((dir_ / "stderr").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(fd, 2);
    ::close(fd);
  }
  ~SetAsideStderr() {
    ::dup2(before_, 2);
    ::close(before_);
  }
  SetAsideStderr(const SetAsideStderr&) = delete;
  SetAsideStderr& operator=(const SetAsideStderr&) = delete;

  std::string text() const { return read_text(dir_ / "stderr"); }

 private:
  TempDir dir_;
  int before_;
};

inline workers::Call call_of(const std::string& task, const std::string& clipboard, bool plan = false) {
  return {task, "run1", "step1", 1, plan, workers::Clipboard::parse(clipboard)};
}

// What `work` throws: its kind and text, or a failed test.
template <typename Work>
pipeline::Error error_of(Work work) {
  try {
    work();
  } catch (const pipeline::Error& e) {
    return e;
  }
  throw std::runtime_error("nothing was thrown");
}

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace jarvis::tests
