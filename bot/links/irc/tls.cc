#include "bot/links/irc/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace jarvis::bot::links::irc {

namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

[[noreturn]] void fault(const std::string& what) {
  const unsigned long code = ERR_get_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  throw std::runtime_error(reason == nullptr ? what : what + ": " + reason);
}

bool is_address(const std::string& name) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, name.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

void need_private(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) throw std::runtime_error("cannot read " + file + ": " + std::strerror(errno));
  if ((status.st_mode & 07U) != 0) throw std::runtime_error(file + " is readable by all; chmod o= " + file);
}

// A key that asks for its passphrase would ask on jarvis's terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*own*/) {
  return 0;
}

}  // namespace

struct Tls::Session {
  std::unique_ptr<SSL_CTX, FreeContext> context{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<SSL, FreeSsl> ssl;
  std::string server;

  // What the last call, which returned `result`, waits for.
  Progress judge(int result, const std::string& what) {
    const int kept_errno = errno;
    switch (SSL_get_error(ssl.get(), result)) {
      case SSL_ERROR_NONE:
        return Progress::Done;
      case SSL_ERROR_WANT_READ:
        return Progress::WantsRead;
      case SSL_ERROR_WANT_WRITE:
        return Progress::WantsWrite;
      case SSL_ERROR_ZERO_RETURN:
        return Progress::Ended;
      case SSL_ERROR_SYSCALL:
        if (ERR_peek_error() == 0) {
          throw std::runtime_error(what + ": " +
                                   (kept_errno == 0 ? "the server closed the connection" : std::strerror(kept_errno)));
        }
        break;
      default:
        break;
    }
    const long verified = SSL_get_verify_result(ssl.get());
    if (verified != X509_V_OK) {
      ERR_clear_error();
      throw std::runtime_error("the certificate of " + server +
                               " is not accepted: " + X509_verify_cert_error_string(verified));
    }
    fault(what);
  }
};

Tls::Tls(int fd, const TlsNames& names) : session_(std::make_unique<Session>()) {
  ERR_clear_error();
  SSL_CTX* context = session_->context.get();
  if (context == nullptr) fault("TLS");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  const bool trusts = names.ca_file.empty() ? SSL_CTX_load_verify_dir(context, X509_get_default_cert_dir()) == 1
                                            : SSL_CTX_load_verify_file(context, names.ca_file.c_str()) == 1;
  if (!trusts) fault("ca_file " + (names.ca_file.empty() ? X509_get_default_cert_dir() : names.ca_file));
  if (!names.cert_file.empty()) {
    need_private(names.key_file);
    if (SSL_CTX_use_certificate_chain_file(context, names.cert_file.c_str()) != 1)
      fault("cert_file " + names.cert_file);
    if (SSL_CTX_use_PrivateKey_file(context, names.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
      fault("key_file " + names.key_file);
    }
  }
  session_->server = names.server;
  session_->ssl.reset(SSL_new(context));
  SSL* ssl = session_->ssl.get();
  if (ssl == nullptr || SSL_set_fd(ssl, fd) != 1) fault("TLS");
  if (is_address(names.server)) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), names.server.c_str()) != 1) fault("TLS");
  } else {
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (SSL_set1_host(ssl, names.server.c_str()) != 1 || SSL_set_tlsext_host_name(ssl, names.server.c_str()) != 1) {
      fault("TLS");
    }
  }
}

Tls::~Tls() = default;

Tls::Progress Tls::handshake() {
  ERR_clear_error();
  errno = 0;
  return session_->judge(SSL_connect(session_->ssl.get()), "TLS with " + session_->server);
}

Tls::Progress Tls::read(char* bytes, std::size_t size, std::size_t& got) {
  ERR_clear_error();
  errno = 0;
  got = 0;
  return session_->judge(SSL_read_ex(session_->ssl.get(), bytes, size, &got), "TLS");
}

bool Tls::holds_more() const {
  return SSL_has_pending(session_->ssl.get()) == 1;
}

Tls::Progress Tls::write(const char* bytes, std::size_t size, std::size_t& sent) {
  ERR_clear_error();
  errno = 0;
  sent = 0;
  return session_->judge(SSL_write_ex(session_->ssl.get(), bytes, size, &sent), "TLS");
}

}  // namespace jarvis::bot::links::irc
