// TLS on a socket that does not block (OpenSSL). The server's certificate is always verified, and its name too: there
// is no way to leave that out. The environment (SSL_CERT_FILE) changes nothing.
#pragma once

#include <memory>
#include <string>

namespace jarvis::bot::links::irc {

struct TlsNames {
  std::string server;               // its name, sent (SNI) and verified; an address must be in the certificate
  std::string ca_file;              // whom to trust; empty: the system's authorities
  std::string cert_file, key_file;  // our own certificate and key (PEM), or empty
};

class Tls {
 public:
  enum class Progress { Done, WantsRead, WantsWrite, Ended };

  // The socket stays the caller's. std::runtime_error naming the file that is at fault; a key file must not be readable
  // by all.
  Tls(int fd, const TlsNames& names);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // None of these blocks. All throw std::runtime_error saying what is wrong with the connection or the certificate.
  Progress handshake();
  Progress read(char* bytes, std::size_t size, std::size_t& got);
  // Something has come that read() has not given out yet, and that poll(2) does not see.
  bool holds_more() const;
  Progress write(const char* bytes, std::size_t size, std::size_t& sent);

 private:
  struct Session;

  std::unique_ptr<Session> session_;
};

}  // namespace jarvis::bot::links::irc
