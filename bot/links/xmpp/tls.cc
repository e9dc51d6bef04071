#include "bot/links/xmpp/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <ctime>

namespace jarvis::bot::links::xmpp {

struct Tls::Session {
  ~Session() {
    if (tls != nullptr) gnutls_deinit(tls);
    if (trust != nullptr) gnutls_certificate_free_credentials(trust);
  }
  gnutls_certificate_credentials_t trust = nullptr;
  gnutls_session_t tls = nullptr;
  std::string name;
  std::size_t pending = 0;  // bytes of a record that GnuTLS has taken but not sent
};

namespace {

constexpr std::size_t kRecord = 16384, kAtOnce = 65536;

Tls::Failure failure(const std::string& what, int code) {
  return {what + ": " + gnutls_strerror(code), false};
}

void check(int code, const std::string& what) {
  if (code < 0) throw failure(what, code);
}

// "subject `CN=x', issuer `CN=y', ..." of the server's own certificate, shortened to the two names.
std::string names_of(gnutls_session_t tls) {
  unsigned count = 0;
  const gnutls_datum_t* chain = gnutls_certificate_get_peers(tls, &count);
  gnutls_x509_crt_t certificate = nullptr;
  if (chain == nullptr || count == 0 || gnutls_x509_crt_init(&certificate) < 0) return "";
  std::string shown;
  if (gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER) >= 0) {
    char subject[256], issuer[256];
    std::size_t subject_size = sizeof subject, issuer_size = sizeof issuer;
    if (gnutls_x509_crt_get_dn(certificate, subject, &subject_size) >= 0 &&
        gnutls_x509_crt_get_issuer_dn(certificate, issuer, &issuer_size) >= 0) {
      shown = " (it is of " + std::string(subject) + ", issued by " + issuer + ")";
    }
  }
  gnutls_x509_crt_deinit(certificate);
  return shown;
}

std::string why_refused(gnutls_session_t tls, const std::string& name) {
  const unsigned status = gnutls_session_get_verify_cert_status(tls);
  const std::string which = "the server's certificate for " + name + " ";
  std::string why;
  if ((status & GNUTLS_CERT_UNEXPECTED_OWNER) != 0) {
    why = "is for another name";
  } else if ((status & GNUTLS_CERT_EXPIRED) != 0) {
    why = "has expired";
  } else if ((status & GNUTLS_CERT_NOT_ACTIVATED) != 0) {
    why = "is not valid yet";
  } else if ((status & GNUTLS_CERT_REVOKED) != 0) {
    why = "was revoked";
  } else if ((status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA)) != 0) {
    why = "was issued by an authority that we do not trust (ca_file)";
  } else {
    why = "is not valid";
    gnutls_datum_t text{};
    if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) >= 0) {
      why += ": " + std::string(reinterpret_cast<const char*>(text.data), text.size);
      gnutls_free(text.data);
    }
  }
  return which + why + names_of(tls);
}

}  // namespace

Tls::Tls(int socket, const std::string& name, const std::string& ca_file) : session_(std::make_unique<Session>()) {
  Session& s = *session_;
  s.name = name;
  check(gnutls_certificate_allocate_credentials(&s.trust), "TLS");
  const int loaded = ca_file.empty()
                         ? gnutls_certificate_set_x509_system_trust(s.trust)
                         : gnutls_certificate_set_x509_trust_file(s.trust, ca_file.c_str(), GNUTLS_X509_FMT_PEM);
  const std::string where = ca_file.empty() ? "the system's certificate authorities" : ca_file;
  check(loaded, where);
  if (loaded == 0) throw Failure{where + ": no certificate in it", false};
  check(gnutls_init(&s.tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL), "TLS");
  check(gnutls_set_default_priority_append(s.tls, "-VERS-TLS1.1:-VERS-TLS1.0:-VERS-DTLS-ALL", nullptr, 0), "TLS");
  check(gnutls_credentials_set(s.tls, GNUTLS_CRD_CERTIFICATE, s.trust), "TLS");
  check(gnutls_server_name_set(s.tls, GNUTLS_NAME_DNS, s.name.data(), s.name.size()), "TLS");
  gnutls_session_set_verify_cert(s.tls, s.name.c_str(), 0);
  gnutls_transport_set_int(s.tls, socket);
}

Tls::~Tls() = default;

Tls::Want Tls::shake_hands() {
  for (;;) {
    const int code = gnutls_handshake(session_->tls);
    if (code >= 0) return Want::Nothing;
    if (code == GNUTLS_E_AGAIN) return gnutls_record_get_direction(session_->tls) == 0 ? Want::Read : Want::Write;
    if (code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
      throw Failure{why_refused(session_->tls, session_->name), true};
    if (gnutls_error_is_fatal(code) != 0) throw failure("the TLS handshake failed", code);
  }
}

bool Tls::read(std::string& into) {
  char bytes[kRecord];
  for (std::size_t got = 0; got < kAtOnce;) {
    const ssize_t n = gnutls_record_recv(session_->tls, bytes, sizeof bytes);
    if (n == GNUTLS_E_AGAIN) return true;
    if (n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION) return false;  // with or without a TLS goodbye
    if (n < 0 && gnutls_error_is_fatal(static_cast<int>(n)) == 0) continue;
    if (n < 0) throw failure("the connection broke", static_cast<int>(n));
    into.append(bytes, static_cast<std::size_t>(n));
    got += static_cast<std::size_t>(n);
  }
  return true;
}

Tls::Want Tls::write(std::string& from) {
  Session& s = *session_;
  while (!from.empty()) {
    const std::size_t piece = s.pending != 0 ? s.pending : std::min(from.size(), kRecord);
    const ssize_t n =
        s.pending != 0 ? gnutls_record_send(s.tls, nullptr, 0) : gnutls_record_send(s.tls, from.data(), piece);
    if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) {
      s.pending = piece;
      return Want::Write;
    }
    if (n < 0) throw failure("the connection broke", static_cast<int>(n));
    s.pending = 0;
    from.erase(0, static_cast<std::size_t>(n));
  }
  return Want::Nothing;
}

void Tls::say_bye() {
  gnutls_bye(session_->tls, GNUTLS_SHUT_WR);
}

std::string Tls::version() const {
  return gnutls_protocol_get_name(gnutls_protocol_get_version(session_->tls));
}

}  // namespace jarvis::bot::links::xmpp
