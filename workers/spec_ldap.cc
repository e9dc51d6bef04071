#include "workers/spec_ldap.h"

#include <algorithm>

#include "workers/host_entry.h"
#include "workers/ldap_client.h"
#include "workers/ldap_settings.h"
#include "workers/printable.h"

namespace jarvis::workers {

namespace {

constexpr std::size_t kMostNamed = 5;

LdapSearch search_of(const LdapName& name, const LdapTree& tree) {
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
std::string fault_of(LdapAccess access, const std::string& uri, const LdapTree& tree) {
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
  const LdapTree tree = ldap_tree(call);
  const LdapName name = LdapName::parse(call.clipboard.require("spec_name"));
  const LdapSearch search = search_of(name, tree);
  const LdapAccess access = ldap_access(call, tree);
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
  const LdapTree tree = ldap_tree(call);
  const LdapAccess access = ldap_access(call, tree);
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
