// One vCenter or ESXi as the provider uses it: its session and what stands on that, and the machines found there.
// Owned by the provider, lives for one task. Blocks and throws as the session does.
#pragma once

#include "providers/vmware_machine.h"
#include "providers/vmware_notes.h"
#include "providers/vmware_place.h"
#include "providers/vmware_tasks.h"
#include "providers/vmware_volumes.h"

namespace jarvis::providers::vmware {

class Server {
 public:
  explicit Server(const workers::Call& call);

  const workers::Call& call;
  Session session;
  Inventory inventory;
  Tasks tasks;
  Volumes volumes;
  Notes notes;

  // Of the spec, else of the configuration, else the only one there is.
  const Datacenter& datacenter();
  const std::vector<Datacenter>& datacenters();
  // The datacenter that an object stands in; nothing if its parents cannot be seen.
  std::optional<Datacenter> datacenter_of(const Reference& object);

  // Every machine and template as a list has it (listing_paths()); asked once unless `again`.
  const std::vector<Vm>& machines(bool again = false);
  // Machines with this name in our datacenter, or with these marks anywhere; whole (machine_paths()).
  std::vector<Vm> find(const std::string& fqdn);
  // Nothing if it is gone or a template. A machine that vSphere cannot show is Transient, or Permanent if it will stay
  // so.
  std::optional<Vm> machine(const std::string& id);
  // Where volumes of a machine may lie: all datastores that can be read in this datacenter.
  std::vector<Datastore> datastores(const Reference& datacenter);

  // Error(Refused) naming who has one of these volumes of this host among its disks, switched on or not, unless it is
  // the host's own machine. Looks at the disks of all machines and templates that can be read.
  void must_be_free(const std::vector<Volume>& wanted, const std::string& fqdn);

  // Waits for what changes it: power, configuration, deletion. Whether that failed is for those who asked for it.
  void wait_until_idle(const Vm& vm);
  // A task at work that changes its power.
  bool changes_power(const Vm& vm);

 private:
  void must_be_readable(const Vm& vm) const;

  std::optional<Datacenter> datacenter_;
  std::vector<Datacenter> datacenters_;
  std::optional<std::vector<Vm>> machines_;
};

// As machine_tasks.h wants it. An address that the spec gives stands in place of what the tools report.
Machine as_machine(Server& server, const Vm& vm);
// Addresses that the spec gives: a clipboard's `ipaddress` that no machine gave.
std::vector<std::string> fixed_addresses(const workers::Clipboard& clipboard);
inline constexpr const char* kFixedAddress = "fixed_ipaddress";

}  // namespace jarvis::providers::vmware
