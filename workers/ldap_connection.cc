#include "workers/ldap_connection.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "workers/address_range.h"
#include "workers/ascii.h"
#include "workers/printable.h"

namespace jarvis::workers {

using namespace std::chrono_literals;
using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

bool is_this_machine(const LDAPURLDesc& url) {
  if (std::strcmp(url.lud_scheme, "ldapi") == 0) return true;
  std::string host = url.lud_host == nullptr ? "" : lower_case(url.lud_host);
  if (host == "localhost") return true;
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  return address && special_purpose(*address) == "this machine";
}

void set(LDAP* handle, int option, const void* value) {
  const int code = ldap_set_option(handle, option, value);
  if (code != LDAP_OPT_SUCCESS)
    throw Error(Kind::Bug, "libldap refuses option " + std::to_string(option) + ": " + ldap_err2string(code));
}

bool passes(int code) {
  return code == LDAP_SERVER_DOWN || code == LDAP_TIMEOUT || code == LDAP_CONNECT_ERROR || code == LDAP_BUSY ||
         code == LDAP_UNAVAILABLE || code == LDAP_TIMELIMIT_EXCEEDED;
}

// What libldap's TLS library (GnuTLS) said, which is all there is to tell one failure from another. A certificate that
// is not accepted is an error of libldap's own, for which GnuTLS has no words.
enum class TlsFault { None, Cut, Certificate, Other };
TlsFault tls_fault(int code, const std::string& detail) {
  const auto says = [&](const char* part) { return detail.find(part) != std::string::npos; };
  if ((code != LDAP_CONNECT_ERROR && code != LDAP_SERVER_DOWN) || detail.empty()) return TlsFault::None;
  if (says("terminated") || says("pull function") || says("push function") || says("unavailable") || says("timed out"))
    return TlsFault::Cut;
  return says("unknown error code") || says("cert") || says("hostname") ? TlsFault::Certificate : TlsFault::Other;
}

}  // namespace

LdapUrl parse_ldap_uri(const std::string& uri) {
  LDAPURLDesc* parsed = nullptr;
  if (ldap_url_parse(uri.c_str(), &parsed) != LDAP_URL_SUCCESS)
    throw Error(Kind::Usage, "`" + printable(uri) + "` is no LDAP URL");
  return LdapUrl(parsed);
}

std::string server_of(const LDAPURLDesc& url) {
  const std::string scheme = url.lud_scheme;
  std::string host = url.lud_host == nullptr ? "" : lower_case(url.lud_host);
  if (scheme == "ldapi") return scheme + "://" + host;
  if (host.find(':') != std::string::npos && host.front() != '[') host = "[" + host + "]";
  return scheme + "://" + host + ":" + std::to_string(url.lud_port);
}

::timeval timeval_of(std::chrono::milliseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {seconds.count(), std::chrono::microseconds(time - seconds).count()};
}

// libldap waits without a limit while TLS shakes hands: this cuts the connection when the time is up, unless it is
// destroyed before.
class LdapConnection::HandshakeLimit {
 public:
  HandshakeLimit(int fd, std::chrono::milliseconds limit, std::atomic<bool>& is_over)
      : thread_([this, fd, limit, &is_over] {
          std::unique_lock lock(mutex_);
          if (ended_.wait_for(lock, limit, [this] { return done_; })) return;
          is_over = true;
          ::shutdown(fd, SHUT_RDWR);
        }) {}
  ~HandshakeLimit() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }
  HandshakeLimit(const HandshakeLimit&) = delete;
  HandshakeLimit& operator=(const HandshakeLimit&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
  std::thread thread_;
};

LdapConnection::LdapConnection(const LdapAccess& access, const LDAPURLDesc& url, bool listed)
    : access_(access), server_(server_of(url)), watch_{connected, closed, this} {
  const bool tls_from_start = std::strcmp(url.lud_scheme, "ldaps") == 0;
  const bool local = is_this_machine(url);
  const bool start_tls = std::strcmp(url.lud_scheme, "ldap") == 0 && (access.starttls || !listed);
  const bool with_password = listed && !access.bind_dn.empty();
  if (with_password && !tls_from_start && !start_tls && !local)
    throw Error(Kind::Usage, server_ + ": no password is sent without TLS; use ldaps:// or starttls: true");
  open(url);
  if (start_tls) this->start_tls();
  bind(with_password ? access.bind_dn : "", with_password ? access.password : "");
}

LdapConnection::~LdapConnection() = default;

LdapMessage LdapConnection::answer(int id, int all) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(access_.deadline - std::chrono::steady_clock::now());
  ::timeval limit = timeval_of(std::clamp<std::chrono::milliseconds>(left, 0ms, access_.operation_limit));
  LDAPMessage* message = nullptr;
  const int kind = ldap_result(handle_.get(), id, all, &limit, &message);
  LdapMessage owned(message);
  if (kind == 0) throw error(LDAP_TIMEOUT);
  if (kind < 0) {
    int code = LDAP_SERVER_DOWN;
    ldap_get_option(handle_.get(), LDAP_OPT_RESULT_CODE, &code);
    throw error(code);
  }
  return owned;
}

Error LdapConnection::error(int code, const std::string& said) const {
  std::string detail = said;
  char* text = nullptr;
  if (detail.empty() && ldap_get_option(handle_.get(), LDAP_OPT_DIAGNOSTIC_MESSAGE, &text) == LDAP_OPT_SUCCESS &&
      text != nullptr) {
    detail = text;
    ldap_memfree(text);
  }
  if (is_over_) code = LDAP_TIMEOUT;
  const std::string shown = detail.empty() ? "" : " (" + printable(detail) + ")";
  const TlsFault tls = tls_fault(code, detail);
  if (tls == TlsFault::Certificate)
    return {Kind::Permanent, server_ +
                                 ": its certificate is not accepted: for another name, out of date, or signed by "
                                 "none of the authorities in " +
                                 authorities()};
  if (tls == TlsFault::Other) return {Kind::Permanent, server_ + ": no TLS connection" + shown};
  if (code == LDAP_INVALID_CREDENTIALS)
    return {Kind::Permanent, server_ + ": wrong credentials for " + printable(access_.bind_dn)};
  if (!passes(code)) return {Kind::Permanent, server_ + ": " + ldap_err2string(code) + shown};
  const char* const what = code == LDAP_TIMEOUT ? "does not answer in time" : ldap_err2string(code);
  Error made(Kind::Transient, server_ + ": " + what + shown);
  return made.retry_after(kAskLdapAgain);
}

void LdapConnection::open(const LDAPURLDesc& url) {
  LDAP* made = nullptr;
  if (const int code = ldap_initialize(&made, server_.c_str()); code != LDAP_SUCCESS)
    throw Error(Kind::Usage, server_ + ": " + ldap_err2string(code));
  handle_.reset(made);
  const int version = LDAP_VERSION3;
  set(made, LDAP_OPT_PROTOCOL_VERSION, &version);
  set(made, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);  // followed here, by rules that the library does not know
  const ::timeval network = timeval_of(access_.network_limit);
  const ::timeval operation = timeval_of(access_.operation_limit);
  set(made, LDAP_OPT_NETWORK_TIMEOUT, &network);
  set(made, LDAP_OPT_TIMEOUT, &operation);
  set(made, LDAP_OPT_CONNECT_CB, &watch_);
  if (std::strcmp(url.lud_scheme, "ldapi") == 0) return;
  const int demand = LDAP_OPT_X_TLS_DEMAND;
  const int oldest = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
  const int client = 0;
  set(made, LDAP_OPT_X_TLS_CACERTFILE, authorities().c_str());
  set(made, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
  set(made, LDAP_OPT_X_TLS_PROTOCOL_MIN, &oldest);
  if (ldap_set_option(made, LDAP_OPT_X_TLS_NEWCTX, &client) != LDAP_OPT_SUCCESS)
    throw Error(Kind::Usage, authorities() + ": no certificates of authorities can be read from it");
}

void LdapConnection::start_tls() {
  int id = 0;
  if (const int code = ldap_start_tls(handle_.get(), nullptr, nullptr, &id); code != LDAP_SUCCESS) throw error(code);
  const LdapMessage message = answer(id, LDAP_MSG_ALL);
  const int code = result_of(message);
  if (code == LDAP_PROTOCOL_ERROR || code == LDAP_UNWILLING_TO_PERFORM)
    throw Error(Kind::Permanent, server_ + " knows no StartTLS; use ldaps://");
  if (code != LDAP_SUCCESS) throw error(code);
  if (const int installed = ldap_install_tls(handle_.get()); installed != LDAP_SUCCESS) throw error(installed);
}

void LdapConnection::bind(const std::string& dn, const std::string& password) {
  berval secret{static_cast<ber_len_t>(password.size()), const_cast<char*>(password.c_str())};
  int id = 0;
  const int code = ldap_sasl_bind(handle_.get(), dn.c_str(), LDAP_SASL_SIMPLE, &secret, nullptr, nullptr, &id);
  if (code != LDAP_SUCCESS) throw error(code);
  limit_.reset();
  const LdapMessage message = answer(id, LDAP_MSG_ALL);
  if (const int result = result_of(message); result != LDAP_SUCCESS) throw error(result);
}

int LdapConnection::result_of(const LdapMessage& message) {
  int code = LDAP_OTHER;
  if (const int fault = ldap_parse_result(handle_.get(), message.get(), &code, nullptr, nullptr, nullptr, nullptr, 0);
      fault != LDAP_SUCCESS)
    throw error(fault);
  return code;
}

std::string LdapConnection::authorities() const {
  return access_.ca_file.empty() ? kSystemAuthorities : access_.ca_file;
}

// Called by libldap when TCP is connected; TLS comes next.
int LdapConnection::connected(LDAP*, Sockbuf* socket, LDAPURLDesc*, sockaddr*, ldap_conncb* watch) {
  auto& self = *static_cast<LdapConnection*>(watch->lc_arg);
  ber_socket_t fd = -1;
  if (ber_sockbuf_ctrl(socket, LBER_SB_OPT_GET_FD, &fd) == 1)
    self.limit_ = std::make_unique<HandshakeLimit>(fd, self.access_.network_limit, self.is_over_);
  return 0;
}

}  // namespace jarvis::workers
