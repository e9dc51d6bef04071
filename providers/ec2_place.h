// Where a machine goes: region, zone, subnet, network and security groups, from what a spec and the configuration name.
// Asks EC2 whether they are there; Error(Usage) names the nearest that are.
#pragma once

#include <string>
#include <vector>

#include "providers/ec2_account.h"

namespace jarvis::providers {

struct Ec2Place {
  std::string region;
  std::string zone;    // empty: EC2 chooses
  std::string subnet;  // empty: the zone's default one
  std::vector<std::string> groups;

  std::string shown() const { return zone.empty() ? region : zone; }
};

// `datacenter` of a spec: a region of the account's, a zone of one (us-east-1a, use1-az1), or empty for the first
// region. A zone is not looked up here. Pure.
Ec2Place named_place(const std::string& datacenter, const std::vector<std::string>& regions);

// named_place(), looked up, with subnet and groups. `bound`: the zone where kept volumes are; empty for none.
Ec2Place place_of(const workers::Clipboard& clipboard, Ec2Account& account, Ec2Place named, const std::string& bound);
// A zone of the region that is open.
std::string any_zone(Ec2Api& api);

}  // namespace jarvis::providers
