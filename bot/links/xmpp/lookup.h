// Finds the addresses of an XMPP server without blocking the caller: the system's resolver works in a thread of its
// own, which is left behind when it takes too long. The domain's SRV records `_xmpp-client._tcp` (RFC 6120, 3.2.1),
// else the domain itself at port 5222; or a host and port that the configuration names.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

namespace jarvis::bot::links::xmpp {

struct Address {
  sockaddr_storage to{};
  socklen_t length = 0;
  std::string text;  // for people: 192.0.2.1:5222
};

struct Found {
  std::vector<Address> addresses;  // in the order in which to try them
  std::string why;                 // a sentence, when there are none
};

class Lookup {
 public:
  // `host` empty: by the SRV records of `domain`. `dns`: "address:port" of a name server instead of the system's.
  // Throws std::system_error when no thread can be made.
  Lookup(const std::string& domain, const std::string& host, int port, const std::string& dns);
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  int fd() const;  // readable when it is done
  Found take();    // once, after that

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // with the thread, whoever lives longer
};

}  // namespace jarvis::bot::links::xmpp
