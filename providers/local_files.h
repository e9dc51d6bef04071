// Small files and directories of the local provider: everything relative to an open directory, nothing inherited by
// children, modes as given whatever the umask. Knows no host. Throws Error(Permanent) with path and reason.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace jarvis::providers {

// Owns one file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Descriptor() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset(int fd = -1);

 private:
  int fd_;
};

struct Pipe {
  Descriptor read, write;
};
Pipe make_pipe();  // both ends close on exec

// Does not follow a symbolic link. Empty when there is nothing of that name.
Descriptor open_directory(int parent, const std::string& name);
void make_directory(int parent, const std::string& name, mode_t mode);  // well when it is there

// At most 64 KiB; nothing if the file is absent.
std::optional<std::string> read_small(int directory, const std::string& name);
// First token of a /proc or /sys file as a number, or nothing.
std::optional<long> read_number(const std::string& path);
// Never leaves a half-written file: written beside, renamed in. `durable`: survives a power cut too (fsync of file and
// directory).
void replace_file(int directory, const std::string& name, std::string_view text, bool durable);
void write_all(int fd, std::string_view text);  // gives up silently: for pipes whose reader may be gone

// Removes a whole tree without following links; well when it is gone. Asked again when somebody else removes it too.
void remove_tree(const std::string& path);

// From the system's random source.
std::string random_text(std::size_t length, std::string_view alphabet);
inline constexpr std::string_view kHex = "0123456789abcdef";
inline constexpr std::string_view kLettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

}  // namespace jarvis::providers
