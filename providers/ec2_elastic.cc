#include "providers/ec2_elastic.h"

#include <algorithm>
#include <optional>

#include "providers/ec2_nearest.h"
#include "providers/ec2_patience.h"
#include "workers/ascii.h"

namespace jarvis::providers {

namespace {

using workers::Call;
using workers::Clipboard;
using workers::Error;
using workers::Kind;
using workers::lower_case;

std::string called(const Ec2Address& address) {
  return "address " + address.ip + " (" + address.id + ")";
}

// The one to use; what else this step allocated goes back.
Ec2Address the_one(const Call& call, Ec2Api& api, std::vector<Ec2Address> found, const std::string& machine) {
  std::sort(found.begin(), found.end(), [&](const Ec2Address& a, const Ec2Address& b) {
    const bool mine_a = a.machine == machine, mine_b = b.machine == machine;
    return mine_a != mine_b ? mine_a : a.id < b.id;
  });
  for (std::size_t i = 1; i < found.size(); ++i) {
    if (tag_of(found[i].tags, kStepTag) != call.step || !found[i].association.empty())
      throw Error(Kind::Refused, "ec2 has several addresses of this host: " + found[0].id + ", " + found[i].id +
                                     "; jarvis touches none of them");
    release_address(api, found[i]);
    call.log("released " + called(found[i]) + ", which an answer that was lost had left over");
  }
  return found.front();
}

std::vector<Ec2Address> addresses_with(Ec2Api& api, const std::string& filter, const std::string& value) {
  Query query("DescribeAddresses");
  query.filter(filter, {value});
  const auto answer = api.look(query);
  std::vector<Ec2Address> found;
  for (const auto& item : answer->document_element().child("addressesSet").children("item"))
    found.push_back(address_of(item));
  return found;
}

// From the machine before this one, if that is gone.
void take_off(Ec2Api& api, const Ec2Address& address) {
  if (address.machine.empty())
    throw Error(Kind::Refused,
                called(address) + " is with network interface " + address.card + "; jarvis does not take it away");
  Query query("DescribeInstances");
  query.filter("instance-id", {address.machine});
  Ec2Instance other;
  api.pages(query, "reservationSet", 100, [&](const pugi::xml_node& reservation) {
    for (const auto& item : reservation.child("instancesSet").children("item")) other = instance_of(item);
  });
  if (!other.id.empty() && !other.gone())
    throw Error(Kind::Refused, called(address) + " is with " + other.id + " (" + tag_of(other.tags, "Name") +
                                   "); jarvis does not take it away");
  Query apart("DisassociateAddress");
  change_unless(api, apart.set("AssociationId", address.association), "InvalidAssociationID");
}

// How many the account may have in the region; nothing if EC2 does not tell.
std::optional<int> most_addresses(Ec2Api& api) {
  const std::string wanted = "vpc-max-elastic-ips";
  Query limits("DescribeAccountAttributes");
  limits.list("AttributeName", {wanted});
  const auto answer = api.look(limits);
  for (const auto& item : answer->document_element().child("accountAttributeSet").children("item")) {
    if (text_at(item, "attributeName") != wanted) continue;
    const int most = item.first_element_by_path("attributeValueSet/item/attributeValue").text().as_int();
    if (most > 0) return most;
  }
  return {};
}

}  // namespace

bool wants_elastic(const Clipboard& clipboard) {
  const auto value = clipboard.scalar("elastic");
  if (!value) return false;
  const std::string text = lower_case(*value);
  if (text == "yes" || text == "true") return true;
  if (text == "no" || text == "false") return false;
  throw Error(Kind::Usage, "elastic: `" + *value + "` is neither yes nor no");
}

std::vector<Ec2Address> addresses_of(Ec2Api& api, const std::string& fqdn) {
  return addresses_with(api, std::string("tag:") + kFqdnTag, fqdn);
}

std::vector<Ec2Address> addresses_at(Ec2Api& api, const std::string& machine) {
  return addresses_with(api, "instance-id", machine);
}

Query allocate_address(const Marks& marks) {
  Query query("AllocateAddress");
  query.set("Domain", "vpc");
  return query.tags("elastic-ip", tags_of(marks));
}

void release_address(Ec2Api& api, const Ec2Address& address) {
  if (!address.association.empty()) {
    Query apart("DisassociateAddress");
    change_unless(api, apart.set("AssociationId", address.association), "InvalidAssociationID");
  }
  Query release("ReleaseAddress");
  change_unless(api, release.set("AllocationId", address.id), "InvalidAllocationID");
}

bool associate_address(const Call& call, Ec2Api& api, const Ec2Instance& machine, std::chrono::milliseconds poll) {
  if (!wants_elastic(call.clipboard)) return false;
  const auto found = addresses_of(api, call.clipboard.require("fqdn"));
  Ec2Address address;
  if (found.empty()) {
    const auto answer = api.change(allocate_address({call.clipboard.require("fqdn"), call.run, call.step}));
    address = address_of(answer->document_element());
    call.log("allocated " + called(address));
  } else {
    address = the_one(call, api, found, machine.id);
  }
  if (address.machine == machine.id) return false;
  if (!address.association.empty()) take_off(api, address);
  Query query("AssociateAddress");
  query.set("AllocationId", address.id).set("InstanceId", machine.id).set("AllowReassociation", "false");
  change_or_wait(api, query, poll);
  call.log(called(address) + " is with " + machine.id);
  return true;
}

void ask_for_address(Ec2Api& api, const Marks& marks) {
  api.dry_run(allocate_address(marks));
  const auto most = most_addresses(api);
  if (!most) return;
  const auto all = api.look(Query("DescribeAddresses"));
  const auto items = all->document_element().child("addressesSet").children("item");
  const auto there = std::distance(items.begin(), items.end());
  if (there >= *most)
    throw Error(Kind::Permanent, "elastic: the account has " + std::to_string(there) + " of the " +
                                     std::to_string(*most) + " elastic addresses that it may have in " + api.region());
}

}  // namespace jarvis::providers
