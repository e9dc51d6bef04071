// What a host has at EC2 besides its machine: data volumes, an elastic address, key pairs, all by our marks on them;
// and which of it goes with the machine. Knows no clipboard but the `wipe` that it is given.
#pragma once

#include <string>
#include <vector>

#include "providers/ec2_elastic.h"
#include "providers/ec2_volumes.h"
#include "providers/provider.h"

namespace jarvis::providers {

// What goes: with the machine alone what is of no use without it and the volumes that `wiped` names; of a step what its
// marks name.
struct Ec2Scope {
  Extent extent = Extent::Machine;
  std::vector<std::string> wiped;
  std::string run, step;

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

Ec2Belongings belongings_of(Ec2Api& api, const std::string& fqdn, const Ec2Scope& scope);

// Whether the volumes that are at this machine go when it is terminated.
void go_with_machine(Ec2Api& api, const Ec2Belongings& belongings, const std::string& machine, bool go);
// Addresses and key pairs, and the volumes that no machine has. False while one is still with a machine.
// going; Error(Refused) if it is with `standing` ones.
bool release(const workers::Call& call, Ec2Api& api, const Ec2Belongings& belongings);

}  // namespace jarvis::providers
