// What the configuration's `ldap:` section grants a module: which servers, as whom, and where things are in the tree.
// Blocks for the resolver only when the servers are to be found by SRV records.
#pragma once

#include <string>

#include "workers/ldap_client.h"
#include "workers/ldap_name.h"
#include "workers/worker.h"

namespace jarvis::workers {

struct LdapTree {
  LdapName base;
  std::string hosts;    // the whole name of the hosts' entry
  std::string dhcp;     // of what the DHCP server reads
  std::string os_sets;  // of the groups of hosts by operating system
};

// Error(Usage) when there is no such section.
LdapTree ldap_tree(const Call& call);
// With ten seconds for everything.
LdapAccess ldap_access(const Call& call, const LdapTree& tree);

}  // namespace jarvis::workers
