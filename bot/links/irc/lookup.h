// A name turned into addresses without blocking the link: getaddrinfo() has no time limit of its own.
#pragma once

#include <netdb.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "pipeline/unique_fd.h"

namespace jarvis::bot::links::irc {

struct Address {
  int family = 0;
  sockaddr_storage bytes{};
  socklen_t size = 0;

  std::string text() const;  // "192.0.2.7", "2001:db8::7"
};

class Lookup {
 public:
  // Starts at once, in a thread that is left to itself when nobody waits any more.
  Lookup(const std::string& host, int port);

  int fd() const;  // readable when done
  bool done() const;
  // In the resolver's order (RFC 6724), once done. Throws std::runtime_error "HOST: why not".
  std::vector<Address> addresses() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace jarvis::bot::links::irc
