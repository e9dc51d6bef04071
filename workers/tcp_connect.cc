#include "workers/tcp_connect.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "pipeline/error.h"

namespace jarvis::workers {

using pipeline::Error;
using pipeline::Kind;

namespace {

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

Address address_of(const std::string& text, int port) {
  Address made;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (port < 1 || port > 65535)
    throw Error(Kind::Usage, "ssh_port: " + std::to_string(port) + " is no port (1 to 65535)");
  const auto network_port = htons(static_cast<std::uint16_t>(port));
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = network_port;
    std::memcpy(&made.bytes, &v4, made.size = sizeof v4);
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = network_port;
    std::memcpy(&made.bytes, &v6, made.size = sizeof v6);
  } else {
    throw Error(Kind::Usage, "ipaddress: `" + text + "` is no IPv4 or IPv6 address");
  }
  return made;
}

Error refusal(const std::string& place, int number) {
  if (number == ECONNREFUSED) return {Kind::Transient, place + " refuses the connection"};
  return {Kind::Transient, place + " is not reachable: " + std::strerror(number)};
}

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

std::string place_of(const std::string& address, int port) {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

bool wait_for(int fd, short events, Deadline deadline) {
  // sshd has Nagle's algorithm on while nobody types: without our acknowledgement at once its next packet waits 40 ms.
  // The kernel leaves this mode by itself, so it is asked for before each wait.
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd one{fd, events, 0};
    const int n = ::poll(&one, 1, static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0)));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) throw pipeline::system_error("poll");
    if (n == 0) return false;
  }
}

Socket connect_tcp(const std::string& address, int port, std::chrono::milliseconds limit) {
  const Deadline deadline = std::chrono::steady_clock::now() + limit;
  const Address to = address_of(address, port);
  const std::string place = place_of(address, port);
  Socket socket(::socket(to.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) throw pipeline::system_error("making a socket for " + place);
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to.bytes), to.size) == 0) return socket;
  if (errno != EINPROGRESS) throw refusal(place, errno);
  if (!wait_for(socket.get(), POLLOUT, deadline)) {
    throw Error(Kind::Transient, place + " does not answer (" + std::to_string(limit.count()) + " ms)");
  }
  int number = 0;
  socklen_t size = sizeof number;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &number, &size) != 0) number = errno;
  if (number != 0) throw refusal(place, number);
  return socket;
}

}  // namespace jarvis::workers
