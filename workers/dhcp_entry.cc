#include "workers/dhcp_entry.h"

#include <algorithm>
#include <charconv>

#include "workers/ascii.h"
#include "workers/ldap_name.h"
#include "workers/printable.h"

namespace jarvis::workers {

namespace {

// What a statement or an option is about: its first word.
std::string subject(std::string_view value) {
  return lower_case(value.substr(0, value.find_first_of(" \t=")));
}

int prefix_of(std::string_view range) {
  const std::size_t slash = range.find('/');
  int prefix = 32;
  if (slash != std::string_view::npos) std::from_chars(range.data() + slash + 1, range.data() + range.size(), prefix);
  return prefix;
}

std::string mask_of(int prefix) {
  std::string made;
  for (int octet = 0; octet < 4; ++octet, prefix -= 8) {
    const int bits = std::clamp(prefix, 0, 8);
    made += (octet == 0 ? "" : ".") + std::to_string(256 - (1 << (8 - bits)));
  }
  return made;
}

// As some programs write it: without leading zeros, which is another value to a directory.
std::string without_zeros(const std::string& mac) {
  std::string made;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    if (mac[i] != '0' || i % 3 != 0) made += mac[i];
  }
  return made;
}

const std::vector<std::string>& values_of(const LdapEntry& entry, const std::string& attribute) {
  static const std::vector<std::string> kNone;
  const auto found = entry.values.find(lower_case(attribute));
  return found == entry.values.end() ? kNone : found->second;
}

bool holds(const std::vector<std::string>& values, const std::string& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool has_class(const LdapEntry& entry, const char* name) {
  const auto& classes = values_of(entry, "objectClass");
  return std::any_of(classes.begin(), classes.end(),
                     [&](const auto& one) { return lower_case(one) == lower_case(name); });
}

}  // namespace

BootSubnet subnet_of(const std::vector<std::string>& subnets, const std::string& address) {
  const auto ip = IpAddress::parse(address);
  BootSubnet best;
  int longest = -1;
  for (const std::string& word : subnets) {
    const std::size_t equals = word.find('=');
    const std::string range = word.substr(0, equals);
    const auto parsed = AddressRange::parse(range);
    if (!ip || !parsed || equals == std::string::npos || !parsed->contains(*ip) || prefix_of(range) <= longest)
      continue;
    longest = prefix_of(range);
    best = {word.substr(equals + 1), mask_of(longest)};
  }
  if (longest < 0)
    throw Error(Kind::Usage, "ipaddress: " + address +
                                 " lies in no subnet of the configuration (pxe.subnets), so that " +
                                 "nobody knows its router and mask");
  return best;
}

LdapEntry dhcp_entry(const DhcpWish& wish, const std::string& dn) {
  LdapEntry entry;
  entry.dn = dn;
  entry.values["objectclass"] = {"top", "dhcpHost", "dhcpOptions"};
  entry.values["cn"] = {wish.host.fqdn};
  for (const MacAddress& mac : wish.host.macs) {
    if (entry.values["dhcphwaddress"].empty() || !wish.one_address_only)
      entry.values["dhcphwaddress"].push_back("ethernet " + mac.text());
  }
  entry.values["dhcpstatements"] = {"filename \"" + wish.loader + "\"", "fixed-address " + wish.host.address,
                                    "next-server " + wish.next_server, "use-host-decl-names on"};
  entry.values["dhcpoption"] = {"option-233 = \"" + wish.host.hostname + "\"", "routers " + wish.subnet.router,
                                "subnet-mask " + wish.subnet.mask};
  return entry;
}

std::vector<LdapChange> dhcp_changes(const LdapEntry& is, const LdapEntry& wanted) {
  if (!has_class(is, "dhcpHost"))
    throw Error(Kind::Permanent, printable(is.dn) + " is there, but is no dhcpHost: jarvis leaves it alone");
  std::vector<LdapChange> changes;
  if (!has_class(is, "dhcpOptions")) changes.push_back({"objectClass", {}, {"dhcpOptions"}});
  for (const char* attribute : {"dhcpHWAddress", "dhcpStatements", "dhcpOption"}) {
    const auto& had = values_of(is, attribute);
    const auto& want = values_of(wanted, attribute);
    const bool all_ours = std::string_view(attribute) == "dhcpHWAddress";
    LdapChange change{attribute, {}, {}};
    for (const std::string& value : had) {
      const bool ours = all_ours || std::any_of(want.begin(), want.end(),
                                                [&](const auto& one) { return subject(one) == subject(value); });
      if (ours && !holds(want, value)) change.remove.push_back(value);
    }
    for (const std::string& value : want) {
      if (!holds(had, value)) change.add.push_back(value);
    }
    if (!change.remove.empty() || !change.add.empty()) changes.push_back(std::move(change));
  }
  return changes;
}

std::string dhcp_filter(const BootHost& host) {
  std::string any =
      "(cn=" + filter_value(host.fqdn) + ")(dhcpStatements=fixed-address " + filter_value(host.address) + ")";
  for (const MacAddress& mac : host.macs) {
    for (const std::string& text : {mac.text(), without_zeros(mac.text())})
      any += "(dhcpHWAddress=ethernet " + filter_value(text) + ")";
  }
  return "(&(objectClass=dhcpHost)(|" + any + "))";
}

}  // namespace jarvis::workers
