#include "workers/ldap_settings.h"

#include "workers/printable.h"

namespace jarvis::workers {

namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 10s;

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

// A name of the configuration, which may leave the base out.
std::string whole(const std::string& name, const LdapName& base) {
  const LdapName relative = LdapName::parse(name);
  return relative.lies_under(base) ? relative.text() : relative.text() + "," + base.text();
}

}  // namespace

LdapTree ldap_tree(const Call& call) {
  if (call.setting("LDAP_BASE", "").empty())
    throw Error(Kind::Usage, call.task.starts_with("spec:")
                                 ? "the configuration has no `ldap:` section, so that no LDAP name can be looked up"
                                 : "the configuration has no `ldap:` section");
  LdapName base = LdapName::parse(call.setting("LDAP_BASE"));
  LdapTree tree{base, whole(call.setting("LDAP_HOSTS", "ou=Hosts"), base),
                whole(call.setting("LDAP_DHCP", "cn=DHCP"), base),
                whole(call.setting("LDAP_OS_SETS", "ou=Operating Systems,ou=Sets"), base)};
  return tree;
}

LdapAccess ldap_access(const Call& call, const LdapTree& tree) {
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

}  // namespace jarvis::workers
