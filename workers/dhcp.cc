#include "workers/dhcp.h"

#include <optional>

#include "workers/dhcp_entry.h"
#include "workers/ldap_settings.h"
#include "workers/printable.h"

namespace jarvis::workers {

namespace {

constexpr std::size_t kMostNamed = 5;

LdapSearch search_at(const std::string& base) {
  LdapSearch search;
  search.base = base;
  search.attributes = {"objectClass", "cn", "dhcpHWAddress", "dhcpStatements", "dhcpOption"};
  return search;
}

// The entry of that name, whatever it is.
std::optional<LdapEntry> entry_at(Directory& directory, const std::string& dn) {
  LdapFound found = directory.search(search_at(dn));
  if (found.entries.empty()) return {};
  return std::move(found.entries.front());
}

std::vector<std::string> values(Directory& directory, const std::string& base, const std::string& filter,
                                const std::string& attribute) {
  LdapSearch search;
  search.base = base;
  search.filter = filter;
  search.attributes = {attribute};
  for (const LdapEntry& entry : directory.search(search).entries) {
    for (const auto& [name, found] : entry.values) return found;
  }
  return {};
}

// dhcp.schema of ISC DHCP 4 has dhcpHWAddress SINGLE-VALUE, the one before it had not. The directory's own schema
// (RFC 4512 section 4.4) tells.
bool one_address_only(Directory& directory) {
  for (const std::string& place : values(directory, "", "(objectClass=*)", "subschemaSubentry")) {
    for (const std::string& type : values(directory, place, "(objectClass=subschema)", "attributeTypes")) {
      if (type.find("'dhcpHWAddress'") != std::string::npos) return type.find("SINGLE-VALUE") != std::string::npos;
    }
  }
  return false;
}

std::string named(const LdapFound& found) {
  std::string made;
  for (std::size_t i = 0; i < found.entries.size() && i < kMostNamed; ++i)
    made += (made.empty() ? "" : "; ") + printable(found.entries[i].dn);
  return made + (found.more || found.entries.size() > kMostNamed ? "; ..." : "");
}

std::string said(const LdapEntry& entry) {
  std::string made;
  for (const char* attribute : {"dhcphwaddress", "dhcpstatements", "dhcpoption"}) {
    const auto found = entry.values.find(attribute);
    if (found == entry.values.end()) continue;
    for (const std::string& value : found->second) made += (made.empty() ? "" : ", ") + value;
  }
  return made;
}

std::string said(const LdapChange& change) {
  std::string made = change.attribute + ":";
  for (const std::string& value : change.remove) made += " -" + printable(value);
  for (const std::string& value : change.add) made += " +" + printable(value);
  return made;
}

void put(const Call& call, Directory& directory, const LdapTree& tree, DhcpWish wish) {
  const std::string dn = "cn=" + name_value(wish.host.fqdn) + "," + tree.dhcp;
  const LdapName ours = LdapName::parse(dn);
  LdapSearch search = search_at(tree.dhcp);
  search.subtree = true;
  search.filter = dhcp_filter(wish.host);
  LdapFound found = directory.search(search);
  std::erase_if(found.entries, [&](const LdapEntry& entry) { return LdapName::parse(entry.dn).is(ours); });
  if (!found.entries.empty() || found.more)
    throw Error(Kind::Permanent, "the DHCP server would not know which entry to take for " + wish.host.fqdn +
                                     ": its name, card or address is also in " + named(found) +
                                     "; remove what is stale");
  if (wish.host.macs.size() > 1) {
    wish.one_address_only = one_address_only(directory);
    if (wish.one_address_only)
      call.log("the directory's schema allows one card per host: " + wish.host.macs.front().text() + ", which boots");
  }
  const LdapEntry wanted = dhcp_entry(wish, dn);
  const auto is = entry_at(directory, dn);
  if (!is) {
    if (call.plan) return call.change("add " + printable(dn) + ": " + said(wanted));
    directory.add(wanted);
    return call.progress(printable(dn) + " added: " + wish.loader);
  }
  const auto changes = dhcp_changes(*is, wanted);
  if (changes.empty()) return call.log(printable(is->dn) + " says so already");
  if (call.plan) {
    for (const LdapChange& change : changes) call.change("change " + printable(is->dn) + ", " + said(change));
    return;
  }
  directory.modify(is->dn, changes);
  call.progress(printable(is->dn) + " changed: " + wish.loader);
}

void boot(Call& call, const std::string& loader) {
  DhcpWish wish{boot_host(call), loader, next_server(call), {}, false};
  wish.subnet = subnet_of(call.setting_list("SUBNETS"), wish.host.address);
  const LdapTree tree = ldap_tree(call);
  const auto directory = open_directory(ldap_access(call, tree));
  call.progress("asking " + directory->server());
  put(call, *directory, tree, std::move(wish));
}

}  // namespace

void dhcp_install(Call& call) {
  boot(call, call.setting("INSTALL_LOADER", "pxelinux.install"));
}

void dhcp_local(Call& call) {
  boot(call, call.setting("LOCAL_LOADER", "pxelinux.0"));
}

void dhcp_remove(Call& call) {
  const LdapTree tree = ldap_tree(call);
  const std::string dn = "cn=" + name_value(boot_fqdn(call)) + "," + tree.dhcp;
  const auto directory = open_directory(ldap_access(call, tree));
  const auto is = entry_at(*directory, dn);
  if (!is) return call.log(printable(dn) + " is not there");
  (void)dhcp_changes(*is, *is);  // refuses what is no dhcpHost
  if (call.plan) return call.change("remove " + printable(dn));
  directory->remove(dn);
  call.progress(printable(dn) + " removed");
}

}  // namespace jarvis::workers
