#include "workers/ldap_client.h"

#include <ldap.h>
#include <signal.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <set>

#include "pipeline/error.h"
#include "workers/ascii.h"
#include "workers/ldap_connection.h"
#include "workers/printable.h"

namespace jarvis::workers {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr int kMostReferrals = 10;
constexpr int kDeepestReferral = 3;

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
    auto& values = made.values[lower_case(attribute.substr(0, attribute.find(';')))];
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
    for (const std::string& uri : access_.uris) listed_.insert(server_of(*parse_ldap_uri(uri)));
    std::string said;
    bool may_come_back = false;
    for (const std::string& uri : access_.uris) {
      try {
        connection_ = std::make_unique<LdapConnection>(access_, *parse_ldap_uri(uri), true);
        return;
      } catch (const Error& e) {
        if (std::string_view(e.what()).find(": wrong credentials for ") != std::string_view::npos) throw;
        may_come_back = may_come_back || e.kind() == Kind::Transient;
        said += (said.empty() ? "" : "; ") + std::string(e.what());
      }
    }
    if (said.empty()) throw Error(Kind::Usage, "no LDAP server is configured");
    Error error(may_come_back ? Kind::Transient : Kind::Permanent, said);
    throw may_come_back ? error.retry_after(kAskLdapAgain) : error;
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

  void write_at(LdapConnection& connection, const std::string& what, const std::string& dn, const Start& start,
                int depth) {
    int id = 0;
    if (const int code = start(connection.handle(), dn, &id); code != LDAP_SUCCESS) throw connection.error(code);
    const LdapMessage message = connection.answer(id, LDAP_MSG_ALL);
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
      throw changed.retry_after(kAskLdapAgain);
    }
    throw connection.error(code, detail);
  }

  // A replica names the server that takes writes. The credentials go to servers of the configuration only, and without
  // them no server should let us write: so only those are asked.
  void follow_writing(const Uris& uris, const std::string& what, const std::string& dn, const Start& start, int depth) {
    std::string said;
    for (const std::string& uri : uris) {
      const LdapUrl url = parse_ldap_uri(uri);
      const std::string server = server_of(*url);
      if (depth > kDeepestReferral || listed_.count(server) == 0) {
        said += (said.empty() ? "" : ", ") + printable(server);
        continue;
      }
      LdapConnection connection(access_, *url, true);
      return write_at(connection, what, url->lud_dn != nullptr && *url->lud_dn != '\0' ? url->lud_dn : dn, start,
                      depth);
    }
    throw Error(
        Kind::Permanent,
        connection_->server() + " takes no writes and refers to " + (said.empty() ? "nobody" : said) +
            (depth > kDeepestReferral ? ": too many referrals" : ", which is not in the configuration (ldap.uri)"));
  }

  void search_at(LdapConnection& connection, const LdapSearch& search, int depth, LdapFound& found) {
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
  bool take(LdapConnection& connection, const LdapSearch& search, int id, LdapFound& found,
            std::vector<Uris>& referrals) {
    const LdapMessage message = connection.answer(id, LDAP_MSG_ONE);
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
    throw may_come_back ? error.retry_after(kAskLdapAgain) : error;
  }

  void follow(const std::string& uri, const LdapSearch& search, int depth, LdapFound& found) {
    const LdapUrl url = parse_ldap_uri(uri);
    const std::string server = server_of(*url);
    if (url->lud_host == nullptr || *url->lud_host == '\0' || std::strcmp(url->lud_scheme, "ldapi") == 0)
      throw Error(Kind::Permanent, "`" + printable(uri) + "` names no server");
    LdapSearch there = search;
    if (url->lud_dn != nullptr && *url->lud_dn != '\0') there.base = url->lud_dn;
    if (url->lud_filter != nullptr) there.filter = url->lud_filter;
    if (url->lud_scope == LDAP_SCOPE_BASE) there.subtree = false;
    if (depth > kDeepestReferral || static_cast<int>(asked_.size()) >= kMostReferrals)
      throw Error(Kind::Permanent, printable(server) + ": too many referrals");
    if (!asked_.insert(server + " " + lower_case(there.base)).second)
      throw Error(Kind::Permanent, printable(server) + " was referred to twice for " + printable(there.base));
    LdapConnection connection(access_, *url, listed_.count(server) > 0);
    search_at(connection, there, depth, found);
  }

  LdapAccess access_;
  std::set<std::string> listed_;
  std::set<std::string> asked_;  // server and base of every referral followed
  std::unique_ptr<LdapConnection> connection_;
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
    throw error.retry_after(kAskLdapAgain);
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
