// A TCP connection with a timeout of its own: a wait loop without one hangs on a host that drops packets. Knows no SSH.
#pragma once

#include <chrono>
#include <string>

namespace jarvis::workers {

using Deadline = std::chrono::steady_clock::time_point;

// Owns one descriptor.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Socket& operator=(Socket&&) = delete;
  ~Socket();
  int get() const { return fd_; }

 private:
  int fd_;
};

// "127.0.0.1:22", "[::1]:22".
std::string place_of(const std::string& address, int port);

// Non-blocking and close-on-exec. Blocks until connected or the limit is over. Error(Transient) "PLACE refuses the
// connection" and the like; Error(Usage) for what is no numeric address.
Socket connect_tcp(const std::string& address, int port, std::chrono::milliseconds limit);

// Waits for poll(2) events of a connection. False when the deadline passed first.
bool wait_for(int fd, short events, Deadline deadline);

}  // namespace jarvis::workers
