#include "workers/spec_ldap.h"

#include <algorithm>

#include "workers/host_entry.h"
#include "workers/ldap_client.h"
#include "workers/ldap_name.h"
#include "workers/printable.h"

namespace jarvis::workers {

namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 10s;
constexpr std::size_t kMostNamed = 5;

struct Tree {
  LdapName base;
  std::string hosts;  // the whole name of the hosts' entry
};

Tree tree_of(const Call& call) {
  if (call.setting("LDAP_BASE", "").empty())
    throw Error(Kind::Usage, "the configuration has no `ldap:` section, so that no LDAP name can be looked up");
  LdapName base = LdapName::parse(call.setting("LDAP_BASE"));
  const std::string hosts = call.setting("LDAP_HOSTS", "ou=Hosts");
  const LdapName relative = LdapName::parse(hosts);
  std::string whole = relative.lies_under(base) ? relative.text() : relative.text() + "," + base.text();
  return {std::move(base), std::move(whole)};
}

// The domain whose SRV records name the servers: of the dc parts of a name.
std::string domain_of(const LdapName& name) {
  std::string made;
  for (const Rdn& rdn : name.rdns()) {
    const std::string& type = rdn.front().first;
    if (type == "dc" || type == "DC") made += (made.empty() ? "" : ".") + rdn.front().second;
  }
  if (made.empty())
    throw Error(Kind::Usage, "ldap: no uri, and " + printable(name.text()) + " has no dc= to look for servers by");
  return made;
}

LdapAccess access_of(const Call& call, const Tree& tree) {
  LdapAccess access;
  access.deadline = std::chrono::steady_clock::now() + kLimit;
  access.starttls = call.setting("LDAP_STARTTLS", "yes") == "yes";
  access.ca_file = call.setting("LDAP_CA_FILE", "");
  access.bind_dn = call.setting("LDAP_BIND_DN", "");
  access.password = call.setting("LDAP_PASSWORD", "");
  constexpr std::string_view kNoServer = "ldap:///";  // ldap:///dc=websages,dc=com
  for (const std::string& uri : call.setting_list("LDAP_URI")) {
    if (!uri.starts_with(kNoServer)) {
      access.uris.push_back(uri);
      continue;
    }
    const std::string name = uri.substr(kNoServer.size());
    for (std::string& found : discover_ldap_servers(domain_of(name.empty() ? tree.base : LdapName::parse(name))))
      access.uris.push_back(std::move(found));
  }
  if (access.uris.empty()) access.uris = discover_ldap_servers(domain_of(tree.base));
  return access;
}

LdapSearch search_of(const LdapName& name, const Tree& tree) {
  LdapSearch search;
  search.attributes = host_attributes();
  if (name.rdns().size() == 1 && !name.lies_under(tree.base)) {
    search.base = tree.hosts;
    search.subtree = true;
    search.filter = filter_of(name.rdns().front());
    return search;
  }
  if (!name.lies_under(tree.base))
    throw Error(Kind::Refused, "refused: " + printable(name.text()) + " does not lie under " +
                                   printable(tree.base.text()) + " (ldap.base)");
  search.base = name.text();
  return search;
}

std::string named(const LdapFound& found) {
  std::string made;
  for (std::size_t i = 0; i < found.entries.size() && i < kMostNamed; ++i)
    made += (made.empty() ? "" : "; ") + printable(found.entries[i].dn);
  return made + (found.more || found.entries.size() > kMostNamed ? "; ..." : "");
}

// What is wrong with one server; empty: nothing.
std::string fault_of(LdapAccess access, const std::string& uri, const Tree& tree) {
  access.uris = {uri};
  try {
    LdapSearch search;
    search.base = tree.hosts;
    search.attributes = {"1.1"};  // none (RFC 4511 section 4.5.1.8)
    const auto directory = open_directory(access);
    if (!directory->search(search).entries.empty()) return {};
    return "it answers, but has no entry " + printable(tree.hosts) + " that jarvis may read";
  } catch (const Error& e) {
    return e.what();
  }
}

}  // namespace

void spec_ldap(Call& call) {
  const Tree tree = tree_of(call);
  const LdapName name = LdapName::parse(call.clipboard.require("spec_name"));
  const LdapSearch search = search_of(name, tree);
  const LdapAccess access = access_of(call, tree);
  const auto directory = open_directory(access);
  call.progress("asking " + directory->server());
  const LdapFound found = directory->search(search);
  if (found.entries.empty())
    throw Error(Kind::Permanent, search.subtree
                                     ? "no entry " + printable(name.text()) + " under " + printable(search.base)
                                     : "no entry " + printable(name.text()));
  if (found.entries.size() > 1 || found.more)
    throw Error(Kind::Permanent, printable(name.text()) + " is ambiguous: " + named(found) + "; give the whole name");
  call.clipboard.set("spec_text", spec_of(found.entries.front(), call.setting("DOMAIN", "")));
  call.clipboard.set("spec_source", found.entries.front().dn);
}

void spec_ldap_check(Call& call) {
  const Tree tree = tree_of(call);
  const LdapAccess access = access_of(call, tree);
  std::vector<std::pair<std::string, std::string>> told;
  for (const std::string& uri : access.uris) {
    const bool known = std::any_of(told.begin(), told.end(), [&](const auto& one) { return one.first == uri; });
    if (known) continue;
    const std::string fault = fault_of(access, uri, tree);
    told.emplace_back(uri, fault.empty() ? "ok" : fault);
  }
  call.clipboard.set_map("ldap_servers", told);
}

}  // namespace jarvis::workers
