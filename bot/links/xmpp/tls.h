// TLS over a connected, non-blocking socket, as a client, by GnuTLS: version 1.2 or 1.3, the server's certificate
// always verified, against the CA file that is given, else the system's, and for the name that is given (dNSName
// entries, RFC 6125; XMPP's own otherName entries are not looked at). gloox's own TLS is not used: its priority string
// ends at 1.2. Borrows the socket. Never blocks. Functions that need the other side first say so by `Want`.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace jarvis::bot::links::xmpp {

class Tls {
 public:
  enum class Want { Nothing, Read, Write };
  // Failures are permanent; `why` says in a sentence what failed, of a certificate: which and how.
  struct Failure {
    std::string why;
    bool certificate = false;
  };

  // Throws Failure when the CA file cannot be used.
  Tls(int socket, const std::string& name, const std::string& ca_file);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // Goes on with the handshake; Nothing: it is done, the peer is who it should be. Throws Failure.
  Want shake_hands();
  // Appends what is there to `into`, at most about 64 KiB; false at the peer's end. Throws Failure.
  bool read(std::string& into);
  // Sends from the front of `from` and removes what was taken; Nothing: all of it. Throws Failure.
  Want write(std::string& from);
  void say_bye();

  std::string version() const;  // e.g. TLS1.3

 private:
  struct Session;
  std::unique_ptr<Session> session_;
};

}  // namespace jarvis::bot::links::xmpp
