// One connection to an LDAP server by OpenLDAP's libldap, bound and over verified TLS: what the client (ldap_client.h,
// whose header tells the rules) opens, also for each referral. Nothing else includes this.
#pragma once

#include <ldap.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "pipeline/error.h"
#include "workers/ldap_client.h"

namespace jarvis::workers {

constexpr std::chrono::seconds kAskLdapAgain{2};

struct CloseLdap {
  void operator()(LDAP* handle) const { ldap_unbind_ext(handle, nullptr, nullptr); }
};
using LdapHandle = std::unique_ptr<LDAP, CloseLdap>;
struct FreeLdapMessage {
  void operator()(LDAPMessage* message) const { ldap_msgfree(message); }
};
using LdapMessage = std::unique_ptr<LDAPMessage, FreeLdapMessage>;
struct FreeLdapUrl {
  void operator()(LDAPURLDesc* url) const { ldap_free_urldesc(url); }
};
using LdapUrl = std::unique_ptr<LDAPURLDesc, FreeLdapUrl>;

// Error(Usage) for what is no LDAP URL.
LdapUrl parse_ldap_uri(const std::string& uri);

// scheme://host:port, so that two ways to write one server are one.
std::string server_of(const LDAPURLDesc& url);

::timeval timeval_of(std::chrono::milliseconds time);

class LdapConnection {
 public:
  // Connects and binds; blocks. `listed`: the server is one of access.uris; another one is asked over TLS and
  // anonymously. Refers to `access`. Errors as ldap_client.h says.
  LdapConnection(const LdapAccess& access, const LDAPURLDesc& url, bool listed);
  ~LdapConnection();
  LdapConnection(const LdapConnection&) = delete;
  LdapConnection& operator=(const LdapConnection&) = delete;

  LDAP* handle() const { return handle_.get(); }
  const std::string& server() const { return server_; }

  // The next message of an operation (LDAP_MSG_ONE, LDAP_MSG_ALL). Blocks; Error(Transient) when it does not come in
  // time.
  LdapMessage answer(int id, int all);

  // What went wrong: a result code, and what the server said to it; without that, what the library has to say.
  pipeline::Error error(int code, const std::string& said = {}) const;

 private:
  class HandshakeLimit;

  void open(const LDAPURLDesc& url);
  void start_tls();
  void bind(const std::string& dn, const std::string& password);
  int result_of(const LdapMessage& message);
  std::string authorities() const;
  static int connected(LDAP*, Sockbuf* socket, LDAPURLDesc*, sockaddr*, ldap_conncb* watch);
  static void closed(LDAP*, Sockbuf*, ldap_conncb*) {}

  const LdapAccess& access_;
  std::string server_;
  ldap_conncb watch_;
  std::atomic<bool> is_over_ = false;
  LdapHandle handle_;
  std::unique_ptr<HandshakeLimit> limit_;
};

}  // namespace jarvis::workers
