#include "workers/ldap_client.h"

#include <ldap.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "pipeline/error.h"
#include "workers/address_range.h"
#include "workers/printable.h"

namespace jarvis::workers {

using namespace std::chrono_literals;
using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";
constexpr auto kAskAgain = 2s;
constexpr int kMostReferrals = 10;
constexpr int kDeepestReferral = 3;

struct Close {
  void operator()(LDAP* handle) const { ldap_unbind_ext(handle, nullptr, nullptr); }
};
using Handle = std::unique_ptr<LDAP, Close>;
struct FreeMessage {
  void operator()(LDAPMessage* message) const { ldap_msgfree(message); }
};
using Message = std::unique_ptr<LDAPMessage, FreeMessage>;
struct FreeUrl {
  void operator()(LDAPURLDesc* url) const { ldap_free_urldesc(url); }
};
using ParsedUri = std::unique_ptr<LDAPURLDesc, FreeUrl>;

ParsedUri parse_uri(const std::string& uri) {
  LDAPURLDesc* parsed = nullptr;
  if (ldap_url_parse(uri.c_str(), &parsed) != LDAP_URL_SUCCESS)
    throw Error(Kind::Usage, "`" + printable(uri) + "` is no LDAP URL");
  return ParsedUri(parsed);
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// scheme://host:port, so that two ways to write one server are one.
std::string server_of(const LDAPURLDesc& url) {
  const std::string scheme = url.lud_scheme;
  std::string host = url.lud_host == nullptr ? "" : lower(url.lud_host);
  if (scheme == "ldapi") return scheme + "://" + host;
  if (host.find(':') != std::string::npos && host.front() != '[') host = "[" + host + "]";
  return scheme + "://" + host + ":" + std::to_string(url.lud_port);
}

bool is_this_machine(const LDAPURLDesc& url) {
  if (std::strcmp(url.lud_scheme, "ldapi") == 0) return true;
  std::string host = url.lud_host == nullptr ? "" : lower(url.lud_host);
  if (host == "localhost") return true;
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  return address && special_purpose(*address) == "this machine";
}

::timeval timeval_of(std::chrono::milliseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {seconds.count(), std::chrono::microseconds(time - seconds).count()};
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

// libldap waits without a limit while TLS shakes hands: this cuts the connection when the time is up, unless it is
// destroyed before.
class HandshakeLimit {
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

// One connection, bound.
class Connection {
 public:
  Connection(const LdapAccess& access, const LDAPURLDesc& url, bool listed)
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

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  LDAP* handle() const { return handle_.get(); }
  const std::string& server() const { return server_; }

  // The next message of an operation. Error(Transient) when it does not come in time.
  Message answer(int id, int all) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(access_.deadline - std::chrono::steady_clock::now());
    ::timeval limit = timeval_of(std::clamp<std::chrono::milliseconds>(left, 0ms, access_.operation_limit));
    LDAPMessage* message = nullptr;
    const int kind = ldap_result(handle_.get(), id, all, &limit, &message);
    Message owned(message);
    if (kind == 0) throw error(LDAP_TIMEOUT);
    if (kind < 0) {
      int code = LDAP_SERVER_DOWN;
      ldap_get_option(handle_.get(), LDAP_OPT_RESULT_CODE, &code);
      throw error(code);
    }
    return owned;
  }

  Error error(int code, const std::string& said = {}) const {
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
    return made.retry_after(kAskAgain);
  }

 private:
  void open(const LDAPURLDesc& url) {
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

  void start_tls() {
    int id = 0;
    if (const int code = ldap_start_tls(handle_.get(), nullptr, nullptr, &id); code != LDAP_SUCCESS) throw error(code);
    const Message message = answer(id, LDAP_MSG_ALL);
    const int code = result_of(message);
    if (code == LDAP_PROTOCOL_ERROR || code == LDAP_UNWILLING_TO_PERFORM)
      throw Error(Kind::Permanent, server_ + " knows no StartTLS; use ldaps://");
    if (code != LDAP_SUCCESS) throw error(code);
    if (const int installed = ldap_install_tls(handle_.get()); installed != LDAP_SUCCESS) throw error(installed);
  }

  void bind(const std::string& dn, const std::string& password) {
    berval secret{static_cast<ber_len_t>(password.size()), const_cast<char*>(password.c_str())};
    int id = 0;
    const int code = ldap_sasl_bind(handle_.get(), dn.c_str(), LDAP_SASL_SIMPLE, &secret, nullptr, nullptr, &id);
    if (code != LDAP_SUCCESS) throw error(code);
    limit_.reset();
    const Message message = answer(id, LDAP_MSG_ALL);
    if (const int result = result_of(message); result != LDAP_SUCCESS) throw error(result);
  }

  int result_of(const Message& message) {
    int code = LDAP_OTHER;
    if (const int fault = ldap_parse_result(handle_.get(), message.get(), &code, nullptr, nullptr, nullptr, nullptr, 0);
        fault != LDAP_SUCCESS)
      throw error(fault);
    return code;
  }

  std::string authorities() const { return access_.ca_file.empty() ? kSystemAuthorities : access_.ca_file; }

  // Called by libldap when TCP is connected; TLS comes next.
  static int connected(LDAP*, Sockbuf* socket, LDAPURLDesc*, sockaddr*, ldap_conncb* watch) {
    auto& self = *static_cast<Connection*>(watch->lc_arg);
    ber_socket_t fd = -1;
    if (ber_sockbuf_ctrl(socket, LBER_SB_OPT_GET_FD, &fd) == 1)
      self.limit_ = std::make_unique<HandshakeLimit>(fd, self.access_.network_limit, self.is_over_);
    return 0;
  }
  static void closed(LDAP*, Sockbuf*, ldap_conncb*) {}

  const LdapAccess& access_;
  std::string server_;
  ldap_conncb watch_;
  std::atomic<bool> is_over_ = false;
  Handle handle_;
  std::unique_ptr<HandshakeLimit> limit_;
};

LdapEntry entry_of(LDAP* handle, LDAPMessage* message) {
  LdapEntry made;
  if (char* dn = ldap_get_dn(handle, message)) {
    made.dn = dn;
    ldap_memfree(dn);
  }
  BerElement* place = nullptr;
  for (char* name = ldap_first_attribute(handle, message, &place); name != nullptr;
       name = ldap_next_attribute(handle, message, place)) {
    const std::string attribute = name;
    auto& values = made.values[lower(attribute.substr(0, attribute.find(';')))];
    if (berval** found = ldap_get_values_len(handle, message, name)) {
      for (berval** one = found; *one != nullptr; ++one) values.emplace_back((*one)->bv_val, (*one)->bv_len);
      ldap_value_free_len(found);
    }
    ldap_memfree(name);
  }
  ber_free(place, 0);
  return made;
}

using Uris = std::vector<std::string>;

Uris take_uris(char** uris) {
  Uris made;
  for (char** one = uris; one != nullptr && *one != nullptr; ++one) made.emplace_back(*one);
  ldap_memvfree(reinterpret_cast<void**>(uris));
  return made;
}

// The list of changes as libldap wants it; refers to the caller's strings.
class Modifications {
 public:
  void add(int operation, const std::string& attribute, const std::vector<std::string>& values) {
    if (values.empty()) return;
    auto& pointers = pointers_.emplace_back();
    for (const std::string& value : values) {
      values_.push_back({static_cast<ber_len_t>(value.size()), const_cast<char*>(value.data())});
      pointers.push_back(&values_.back());
    }
    pointers.push_back(nullptr);
    LDAPMod& one = modifications_.emplace_back();
    one.mod_op = operation | LDAP_MOD_BVALUES;
    one.mod_type = const_cast<char*>(attribute.c_str());
    one.mod_bvalues = pointers.data();
  }

  LDAPMod** list() {
    list_.clear();
    for (LDAPMod& one : modifications_) list_.push_back(&one);
    list_.push_back(nullptr);
    return list_.data();
  }

 private:
  std::deque<berval> values_;
  std::deque<std::vector<berval*>> pointers_;
  std::deque<LDAPMod> modifications_;
  std::vector<LDAPMod*> list_;
};

class LibldapDirectory final : public Directory {
 public:
  explicit LibldapDirectory(LdapAccess access) : access_(std::move(access)) {
    for (const std::string& uri : access_.uris) listed_.insert(server_of(*parse_uri(uri)));
    std::string said;
    bool may_come_back = false;
    for (const std::string& uri : access_.uris) {
      try {
        connection_ = std::make_unique<Connection>(access_, *parse_uri(uri), true);
        return;
      } catch (const Error& e) {
        if (std::string_view(e.what()).find(": wrong credentials for ") != std::string_view::npos) throw;
        may_come_back = may_come_back || e.kind() == Kind::Transient;
        said += (said.empty() ? "" : "; ") + std::string(e.what());
      }
    }
    if (said.empty()) throw Error(Kind::Usage, "no LDAP server is configured");
    Error error(may_come_back ? Kind::Transient : Kind::Permanent, said);
    throw may_come_back ? error.retry_after(kAskAgain) : error;
  }

  const std::string& server() const override { return connection_->server(); }

  LdapFound search(const LdapSearch& search) override {
    LdapFound found;
    asked_.clear();
    search_at(*connection_, search, 0, found);
    return found;
  }

  void add(const LdapEntry& entry) override {
    Modifications all;
    for (const auto& [attribute, values] : entry.values) all.add(LDAP_MOD_ADD, attribute, values);
    write("adding", entry.dn, [&](LDAP* handle, const std::string& dn, int* id) {
      return ldap_add_ext(handle, dn.c_str(), all.list(), nullptr, nullptr, id);
    });
  }

  void modify(const std::string& dn, const std::vector<LdapChange>& changes) override {
    Modifications all;
    for (const LdapChange& change : changes) {
      all.add(LDAP_MOD_DELETE, change.attribute, change.remove);
      all.add(LDAP_MOD_ADD, change.attribute, change.add);
    }
    write("changing", dn, [&](LDAP* handle, const std::string& there, int* id) {
      return ldap_modify_ext(handle, there.c_str(), all.list(), nullptr, nullptr, id);
    });
  }

  void remove(const std::string& dn) override {
    write("removing", dn, [](LDAP* handle, const std::string& there, int* id) {
      return ldap_delete_ext(handle, there.c_str(), nullptr, nullptr, id);
    });
  }

 private:
  using Start = std::function<int(LDAP*, const std::string& dn, int* id)>;

  void write(const std::string& what, const std::string& dn, const Start& start) {
    try {
      write_at(*connection_, what, dn, start, 0);
    } catch (Error& e) {
      throw e.within(what + " " + printable(dn));
    }
  }

  void write_at(Connection& connection, const std::string& what, const std::string& dn, const Start& start, int depth) {
    int id = 0;
    if (const int code = start(connection.handle(), dn, &id); code != LDAP_SUCCESS) throw connection.error(code);
    const Message message = connection.answer(id, LDAP_MSG_ALL);
    int code = LDAP_OTHER;
    char* said = nullptr;
    char** uris = nullptr;
    ldap_parse_result(connection.handle(), message.get(), &code, nullptr, &said, &uris, nullptr, 0);
    const std::string detail = said == nullptr ? "" : said;
    ldap_memfree(said);
    const Uris referred = take_uris(uris);
    if (code == LDAP_REFERRAL) return follow_writing(referred, what, dn, start, depth + 1);
    if (code == LDAP_SUCCESS || (code == LDAP_NO_SUCH_OBJECT && what == "removing")) return;
    if (code == LDAP_NO_SUCH_OBJECT && what == "adding")
      throw Error(Kind::Permanent, connection.server() + ": the entry above it is not there");
    if (code == LDAP_NO_SUCH_OBJECT || code == LDAP_ALREADY_EXISTS || code == LDAP_NO_SUCH_ATTRIBUTE ||
        code == LDAP_TYPE_OR_VALUE_EXISTS) {
      Error changed(Kind::Transient,
                    connection.server() + ": somebody else has changed it (" + ldap_err2string(code) + ")");
      throw changed.retry_after(kAskAgain);
    }
    throw connection.error(code, detail);
  }

  // A replica names the server that takes writes. The credentials go to servers of the configuration only, and without
  // them no server should let us write: so only those are asked.
  void follow_writing(const Uris& uris, const std::string& what, const std::string& dn, const Start& start, int depth) {
    std::string said;
    for (const std::string& uri : uris) {
      const ParsedUri url = parse_uri(uri);
      const std::string server = server_of(*url);
      if (depth > kDeepestReferral || listed_.count(server) == 0) {
        said += (said.empty() ? "" : ", ") + printable(server);
        continue;
      }
      Connection connection(access_, *url, true);
      return write_at(connection, what, url->lud_dn != nullptr && *url->lud_dn != '\0' ? url->lud_dn : dn, start,
                      depth);
    }
    throw Error(
        Kind::Permanent,
        connection_->server() + " takes no writes and refers to " + (said.empty() ? "nobody" : said) +
            (depth > kDeepestReferral ? ": too many referrals" : ", which is not in the configuration (ldap.uri)"));
  }

  void search_at(Connection& connection, const LdapSearch& search, int depth, LdapFound& found) {
    std::vector<char*> attributes;
    for (const std::string& one : search.attributes) attributes.push_back(const_cast<char*>(one.c_str()));
    attributes.push_back(nullptr);
    ::timeval limit = timeval_of(access_.operation_limit);
    int id = 0;
    const int code = ldap_search_ext(connection.handle(), search.base.c_str(),
                                     search.subtree ? LDAP_SCOPE_SUBTREE : LDAP_SCOPE_BASE, search.filter.c_str(),
                                     attributes.data(), 0, nullptr, nullptr, &limit, search.most_entries + 1, &id);
    if (code != LDAP_SUCCESS) throw connection.error(code);
    std::vector<Uris> referrals;
    while (take(connection, search, id, found, referrals)) {
    }
    for (const Uris& uris : referrals) follow(uris, search, depth + 1, found);
  }

  // One message of a search; false when it was the last one.
  bool take(Connection& connection, const LdapSearch& search, int id, LdapFound& found, std::vector<Uris>& referrals) {
    const Message message = connection.answer(id, LDAP_MSG_ONE);
    LDAP* const handle = connection.handle();
    char** uris = nullptr;
    switch (ldap_msgtype(message.get())) {
      case LDAP_RES_SEARCH_ENTRY:
        if (found.entries.size() >= static_cast<std::size_t>(search.most_entries)) {
          found.more = true;
        } else {
          found.entries.push_back(entry_of(handle, message.get()));
        }
        return true;
      case LDAP_RES_SEARCH_REFERENCE:
        if (ldap_parse_reference(handle, message.get(), &uris, nullptr, 0) == LDAP_SUCCESS)
          referrals.push_back(take_uris(uris));
        return true;
      case LDAP_RES_SEARCH_RESULT:
        break;
      default:
        return true;  // of no interest (RFC 4511 section 4.13)
    }
    int code = LDAP_OTHER;
    char* said = nullptr;
    ldap_parse_result(handle, message.get(), &code, nullptr, &said, &uris, nullptr, 0);
    const std::string detail = said == nullptr ? "" : said;
    ldap_memfree(said);
    Uris referred = take_uris(uris);
    if (code == LDAP_REFERRAL) {
      referrals.push_back(std::move(referred));
    } else if (code == LDAP_SIZELIMIT_EXCEEDED) {
      found.more = true;
    } else if (code != LDAP_SUCCESS && code != LDAP_NO_SUCH_OBJECT) {
      throw connection.error(code, detail);
    }
    return false;
  }

  // The URLs are alternatives: the first that can be had is asked.
  void follow(const Uris& uris, const LdapSearch& search, int depth, LdapFound& found) {
    std::string said;
    bool may_come_back = false;
    for (const std::string& uri : uris) {
      try {
        follow(uri, search, depth, found);
        return;
      } catch (const Error& e) {
        may_come_back = may_come_back || e.kind() == Kind::Transient;
        said += (said.empty() ? "" : "; ") + std::string(e.what());
      }
    }
    Error error(may_come_back ? Kind::Transient : Kind::Permanent, "following a referral: " + said);
    throw may_come_back ? error.retry_after(kAskAgain) : error;
  }

  void follow(const std::string& uri, const LdapSearch& search, int depth, LdapFound& found) {
    const ParsedUri url = parse_uri(uri);
    const std::string server = server_of(*url);
    if (url->lud_host == nullptr || *url->lud_host == '\0' || std::strcmp(url->lud_scheme, "ldapi") == 0)
      throw Error(Kind::Permanent, "`" + printable(uri) + "` names no server");
    LdapSearch there = search;
    if (url->lud_dn != nullptr && *url->lud_dn != '\0') there.base = url->lud_dn;
    if (url->lud_filter != nullptr) there.filter = url->lud_filter;
    if (url->lud_scope == LDAP_SCOPE_BASE) there.subtree = false;
    if (depth > kDeepestReferral || static_cast<int>(asked_.size()) >= kMostReferrals)
      throw Error(Kind::Permanent, printable(server) + ": too many referrals");
    if (!asked_.insert(server + " " + lower(there.base)).second)
      throw Error(Kind::Permanent, printable(server) + " was referred to twice for " + printable(there.base));
    Connection connection(access_, *url, listed_.count(server) > 0);
    search_at(connection, there, depth, found);
  }

  LdapAccess access_;
  std::set<std::string> listed_;
  std::set<std::string> asked_;  // server and base of every referral followed
  std::unique_ptr<Connection> connection_;
};

}  // namespace

std::unique_ptr<Directory> open_directory(const LdapAccess& access) {
  ::signal(SIGPIPE, SIG_IGN);  // the library writes to connections that are gone
  ::setenv("LDAPNOINIT", "1",
           1);  // read by the library at its first use: no ldap.conf, no ~/.ldaprc, no LDAP* variables
  return std::make_unique<LibldapDirectory>(access);
}

std::vector<std::string> discover_ldap_servers(const std::string& domain) {
  char* found = nullptr;
  if (ldap_domain2hostlist(domain.c_str(), &found) != LDAP_SUCCESS || found == nullptr) {
    Error error(Kind::Transient, "no LDAP server is found for " + domain + " (SRV record _ldap._tcp." + domain + ")");
    throw error.retry_after(kAskAgain);
  }
  const std::string list = found;
  ldap_memfree(found);
  std::vector<std::string> uris;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(' ', begin), list.size());
    const std::string server = list.substr(begin, end - begin);
    if (!server.empty()) uris.push_back((server.ends_with(":636") ? "ldaps://" : "ldap://") + server);
    begin = end + 1;
  }
  return uris;
}

}  // namespace jarvis::workers
