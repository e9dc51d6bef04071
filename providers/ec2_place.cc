#include "providers/ec2_place.h"

#include <algorithm>

#include "providers/ec2_answer.h"
#include "providers/ec2_nearest.h"
#include "workers/ascii.h"

namespace jarvis::providers {

namespace {

using workers::Clipboard;
using workers::Error;
using workers::Kind;
using workers::lower_case;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// Its id is the account's own name for it (us-east-1a) or the one that all accounts share (use1-az1).
std::string looked_up_zone(Ec2Api& api, const std::string& zone) {
  const auto answer = api.look(Query("DescribeAvailabilityZones"));
  std::vector<std::string> open;
  for (const auto& item : answer->document_element().child("availabilityZoneInfo").children("item")) {
    std::string name = text_at(item, "zoneName");
    if (name != zone && text_at(item, "zoneId") != zone) {
      open.push_back(name);
      continue;
    }
    const std::string state = text_at(item, "zoneState");
    if (state == "available" || state.empty()) return name;
    throw Error(Kind::Usage, "datacenter: zone " + name + " is " + state);
  }
  throw Error(Kind::Usage,
              "datacenter: " + zone + " is no zone of " + api.region() + "; " + nearest_of(zone, open, "nearest:"));
}

struct Subnet {
  std::string id, zone, vpc;
};

Subnet looked_up_subnet(Ec2Api& api, const std::string& wanted) {
  Query query("DescribeSubnets");
  const bool by_id = wanted.starts_with("subnet-");
  query.filter(by_id ? "subnet-id" : "tag:Name", {wanted});
  std::vector<Subnet> found;
  api.pages(query, "subnetSet", 100, [&](const pugi::xml_node& item) {
    found.push_back({text_at(item, "subnetId"), text_at(item, "availabilityZone"), text_at(item, "vpcId")});
  });
  if (found.size() == 1) return found.front();
  const std::string named = "subnet: " + wanted + (by_id ? "" : " (a Name, since it does not begin with subnet-)");
  if (found.empty()) throw Error(Kind::Usage, named + " is not there in " + api.region());
  std::vector<std::string> ids;
  ids.reserve(found.size());
  for (const Subnet& one : found) ids.push_back(one.id);
  throw Error(Kind::Usage, named + " is the name of several: " + joined(ids));
}

std::string default_network(Ec2Api& api) {
  Query query("DescribeVpcs");
  query.filter("is-default", {"true"});
  std::string id;
  api.pages(query, "vpcSet", 100, [&](const pugi::xml_node& item) { id = text_at(item, "vpcId"); });
  return id;
}

std::vector<std::string> looked_up_groups(Ec2Api& api, const std::vector<std::string>& wanted,
                                          const std::string& network) {
  std::vector<std::string> ids, offered;
  std::vector<std::pair<std::string, std::string>> there;  // name, id
  Query query("DescribeSecurityGroups");
  query.filter("vpc-id", {network});
  api.pages(query, "securityGroupInfo", 500, [&](const pugi::xml_node& item) {
    there.emplace_back(text_at(item, "groupName"), text_at(item, "groupId"));
    offered.push_back(there.back().first);
  });
  for (const std::string& name : wanted) {
    const auto found = std::find_if(there.begin(), there.end(),
                                    [&](const auto& one) { return one.first == name || one.second == name; });
    if (found == there.end())
      throw Error(Kind::Usage, "security_groups: " + name + " is not there in network " + network + " of " +
                                   api.region() + "; " + nearest_of(name, offered, "nearest:"));
    ids.push_back(found->second);
  }
  return ids;
}

}  // namespace

Ec2Place named_place(const std::string& datacenter, const std::vector<std::string>& regions) {
  Ec2Place place;
  const std::string wanted = lower_case(datacenter);
  if (wanted.empty()) {
    place.region = regions.front();
    return place;
  }
  for (const std::string& region : regions) {
    if (!wanted.starts_with(region)) continue;
    const char next = wanted.size() == region.size() ? '\0' : wanted[region.size()];
    if (next >= '0' && next <= '9') continue;  // us-east-1 is not the beginning of us-east-10
    place.region = region;
    if (next != '\0') place.zone = wanted;
    return place;
  }
  if (const std::size_t at = wanted.find("-az"); at != std::string::npos && wanted.find('-') == at) {
    // use1-az1 says its region in short: what is looked up there is not found if it is of another one.
    place.region = regions.front();
    place.zone = wanted;
    return place;
  }
  throw Error(Kind::Usage, "datacenter: " + datacenter + " is in no region of the configuration (" + joined(regions) +
                               "); `providers: ec2: regions:` adds one");
}

Ec2Place place_of(const Clipboard& clipboard, Ec2Account& account, Ec2Place place, const std::string& bound) {
  Ec2Api& api = account.in(place.region);
  if (!place.zone.empty()) place.zone = looked_up_zone(api, place.zone);
  // The configuration's subnet and groups are of its own region.
  const bool at_home = place.region == account.regions().front();
  const std::string wanted = clipboard.scalar("subnet").value_or(at_home ? account.subnet() : "");
  std::string network;
  if (!wanted.empty()) {
    const Subnet subnet = looked_up_subnet(api, wanted);
    if (!place.zone.empty() && subnet.zone != place.zone)
      throw Error(Kind::Usage, "datacenter: subnet " + wanted + " is in " + subnet.zone + ", not in " + place.zone);
    place.zone = subnet.zone;
    place.subnet = subnet.id;
    network = subnet.vpc;
  }
  if (!bound.empty()) {
    if (!place.zone.empty() && place.zone != bound)
      throw Error(Kind::Usage, "datacenter: the volumes of this host are in " + bound + ", so it cannot be in " +
                                   place.zone + "; `wipe` gives them up");
    place.zone = bound;
  }
  std::vector<std::string> groups = clipboard.list("security_groups");
  if (groups.empty() && at_home) groups = account.security_groups();
  if (network.empty()) network = default_network(api);
  if (network.empty())
    throw Error(Kind::Usage, place.region + " has no default network in this account: name a `subnet`");
  if (!groups.empty()) place.groups = looked_up_groups(api, groups, network);
  return place;
}

std::string any_zone(Ec2Api& api) {
  const auto answer = api.look(Query("DescribeAvailabilityZones"));
  for (const auto& item : answer->document_element().child("availabilityZoneInfo").children("item")) {
    if (text_at(item, "zoneState") == "available") return text_at(item, "zoneName");
  }
  throw Error(Kind::Permanent, "EC2 has no zone of " + api.region() + " open to this account");
}

}  // namespace jarvis::providers
