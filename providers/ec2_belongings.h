// What a host has at EC2 besides its machine: data volumes, an elastic address, key pairs, all by our marks on them;
// and which of it goes with the machine. Knows no clipboard but the `wipe` that it is given.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "providers/ec2_elastic.h"
#include "providers/ec2_volumes.h"
#include "providers/provider.h"

namespace jarvis::providers {

// What goes: with the machine alone the key pair and what `wiped` names; of a step what its marks name; else all.
struct Ec2Scope {
  Extent extent = Extent::Machine;
  std::vector<std::string> wiped;
  std::string run, step;

  bool wipes(const std::string& name) const;
  bool takes_volume(const Tagged& tags) const;
  bool takes_address(const Tagged& tags) const;
  bool takes_key_pair(const Tagged& tags) const;

 private:
  bool of_this_step(const Tagged& tags) const;
};

struct Ec2Belongings {
  std::vector<Ec2Volume> volumes;
  std::vector<Ec2Address> addresses;
  std::vector<std::string> key_pairs;  // names

  bool empty() const { return volumes.empty() && addresses.empty() && key_pairs.empty(); }
  std::vector<std::string> lines() const;
};

std::string shown(const Ec2Address& address);  // "elastic address 203.0.113.7 (eipalloc-1)"
Ec2Belongings belongings_of(Ec2Api& api, const std::string& fqdn, const Ec2Scope& scope);

// A disk of a machine that is neither its root nor a data volume of the host: an image brought it along, or somebody
// attached it.
struct Ec2Disk {
  std::string name;  // "sdh", of /dev/sdh: what `wipe` calls it
  std::string shown;
  bool ours = false;          // by our tags: what a machine is made with carries them
  bool dies_with_it = false;  // DeleteOnTermination
};
std::vector<Ec2Disk> other_disks(Ec2Api& api, const Ec2Instance& machine, const std::string& fqdn);

// What has to become of DeleteOnTermination so that just what is to go does: true or false by device, where it is the
// other now. `volumes`: all with the marks of this host. Pure.
std::map<std::string, bool> turns_of(const Ec2Instance& machine, const std::vector<Ec2Volume>& volumes,
                                     const Ec2Scope& scope);
// Makes it so, or as it was before.
void turn(Ec2Api& api, const std::string& machine, const std::map<std::string, bool>& turns, bool back);
// Addresses and key pairs, and the volumes that no machine has. False while one is still with a machine.
bool release(const workers::Call& call, Ec2Api& api, const Ec2Belongings& belongings);

}  // namespace jarvis::providers
