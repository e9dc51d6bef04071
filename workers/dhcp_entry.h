// A host's entry as ISC dhcpd reads it from a directory (dhcp.schema of ISC DHCP 4.4, contrib/ldap; classes dhcpHost
// and dhcpOptions), and what has to change in one that is there. Knows no directory. Pure.
#pragma once

#include <string>
#include <vector>

#include "workers/boot_host.h"
#include "workers/ldap_client.h"

namespace jarvis::workers {

// What the operator says of the network that a host stands in; nothing of it is guessed.
struct BootSubnet {
  std::string router, mask;
};

// Of "RANGE=ROUTER" words, the smallest range that holds the address. Error(Usage) when none does.
BootSubnet subnet_of(const std::vector<std::string>& subnets, const std::string& address);

struct DhcpWish {
  BootHost host;
  std::string loader;  // what the host loads: the file's name on next_server
  std::string next_server;
  BootSubnet subnet;
  bool one_address_only = false;  // the schema allows one dhcpHWAddress: the first, of the card that boots
};

LdapEntry dhcp_entry(const DhcpWish& wish, const std::string& dn);

// What makes `is` say what `wanted` says. Statements and options that jarvis does not write are the operator's, and
// stay. Empty: nothing to do. Error(Permanent) when `is` is no dhcpHost.
std::vector<LdapChange> dhcp_changes(const LdapEntry& is, const LdapEntry& wanted);

// Every entry that says something of this host: by name, by card, by address.
std::string dhcp_filter(const BootHost& host);

}  // namespace jarvis::workers
