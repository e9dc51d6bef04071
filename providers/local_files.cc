#include "providers/local_files.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>

#include "pipeline/error.h"

namespace jarvis::providers {

using pipeline::system_error;

void Descriptor::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error("making a pipe");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Descriptor open_directory(int parent, const std::string& name) {
  Descriptor directory(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory && errno != ENOENT) throw system_error("opening " + name);
  return directory;
}

void make_directory(int parent, const std::string& name, mode_t mode) {
  if (::mkdirat(parent, name.c_str(), mode) != 0) {
    if (errno == EEXIST) return;
    throw system_error("making " + name);
  }
  if (::fchmodat(parent, name.c_str(), mode, 0) != 0) throw system_error("setting the mode of " + name);
}

std::optional<std::string> read_small(int directory, const std::string& name) {
  const Descriptor file(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return std::nullopt;
    throw system_error("opening " + name);
  }
  constexpr std::size_t kMost = 65536;
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error("reading " + name);
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kMost) throw pipeline::Error(pipeline::Kind::Permanent, name + " is larger than 64 KiB");
  }
}

std::optional<long> read_number(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char buffer[32];
  const ssize_t n = file ? ::read(file.get(), buffer, sizeof buffer) : -1;
  long value = 0;
  if (n <= 0 || std::from_chars(buffer, buffer + n, value).ec != std::errc()) return std::nullopt;
  return value;
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void replace_file(int directory, const std::string& name, std::string_view text, bool durable) {
  const std::string beside = "." + name + ".new";
  Descriptor file(::openat(directory, beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) throw system_error("writing " + name);
  while (!text.empty()) {
    const ssize_t n = ::write(file.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error("writing " + name);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (durable && ::fsync(file.get()) != 0) throw system_error("writing " + name + " to the disk");
  if (::renameat(directory, beside.c_str(), directory, name.c_str()) != 0) throw system_error("replacing " + name);
  if (durable && ::fsync(directory) != 0) throw system_error("writing the directory of " + name + " to the disk");
}

void remove_tree(const std::string& path) {
  std::error_code failed;
  for (int round = 0; round < 5; ++round) {
    std::filesystem::remove_all(path, failed);
    if (!std::filesystem::exists(std::filesystem::symlink_status(path))) return;
  }
  throw pipeline::Error(pipeline::Kind::Permanent, "removing " + path + ": " + failed.message());
}

std::string random_text(std::size_t length, std::string_view alphabet) {
  std::string text;
  // Bytes beyond the last whole multiple of the alphabet are thrown away: every character is equally likely.
  const std::size_t usable = 256 - 256 % alphabet.size();
  while (text.size() < length) {
    unsigned char bytes[64];
    const ssize_t n = ::getrandom(bytes, sizeof bytes, 0);
    if (n < 0) throw system_error("reading random bytes");
    for (ssize_t i = 0; i < n && text.size() < length; ++i) {
      if (bytes[i] < usable) text += alphabet[bytes[i] % alphabet.size()];
    }
  }
  return text;
}

}  // namespace jarvis::providers
