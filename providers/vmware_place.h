// Where a machine would stand: datacenter, host or cluster, resource pool, folder, datastore and network, each by the
// name that the spec gives. Never a random choice: a name must be there exactly once and fit the others; what is not
// given must be clear (the only one; the template's own host or cluster; a cluster's own root pool; the datacenter's
// own folder). One rule chooses: without `datastore` it is the one with most free space of those that the host mounts.
// Asks the inventory and changes nothing; throws Error(Usage) naming key, value and the nearest offered,
// Error(Permanent) for what is there but not usable.
#pragma once

#include "providers/vmware_inventory.h"
#include "providers/vmware_names.h"

namespace jarvis::providers::vmware {

struct Asked {
  std::optional<std::string> datacenter, vmhost, folder, resource_pool, datastore;
  std::vector<std::string> networks;  // `nic_network`, one for each adapter
  bool needs_network = true;          // a clone may keep its template's
  Reference near;                     // the host of its template: where a clone goes unless told
};

struct Datacenter {
  Reference self, vm_folder;
  std::string name;
};

struct Network {
  Reference self;
  std::string name;
};

struct Datastore {
  Reference self, browser;
  std::string name;
  std::int64_t free_bytes = 0;
};

struct Place {
  Datacenter datacenter;
  Reference compute, host, pool, folder, environment;  // no host: the cluster chooses
  std::string compute_name, host_name, pool_name, folder_name;
  Datastore datastore;
  std::vector<Datastore> datastores;  // all that can be reached from there
  std::vector<Network> networks;      // of the adapters, in their order; none: as the template has them

  std::string shown() const;  // "dc1/esx1, datastore1"
};

std::vector<Datacenter> datacenters(Inventory& inventory, const Reference& root);
// The one of this name, or the only one.
Datacenter the_datacenter(const std::vector<Datacenter>& all, const std::optional<std::string>& wanted,
                          const std::string& server);

Place find_place(Inventory& inventory, const Datacenter& datacenter, const Asked& asked);

}  // namespace jarvis::providers::vmware
