// Ec2: the end of machines and of what they had, and what is said of it beforehand.
#include <algorithm>

#include "providers/ec2_patience.h"
#include "providers/ec2_provider.h"

namespace jarvis::providers {

using pipeline::Error;
using pipeline::Kind;
using namespace std::chrono_literals;

namespace {

constexpr auto kGoesWithin = 20s;

Ec2Scope scope_of(const workers::Call& call, Extent extent) {
  return {extent, call.clipboard.list("wipe"), call.run, call.step};
}

}  // namespace

void Ec2::remove(const Call& call, const Machine& machine, Extent extent) {
  Ec2Api& api = api_of(machine.id);
  const std::string fqdn = call.clipboard.require("fqdn");
  const Ec2Scope scope = scope_of(call, extent);
  const Ec2Belongings going = belongings_of(api, fqdn, scope);
  go_with_machine(api, going, machine.id, true);
  try {
    Query end("TerminateInstances");
    change_unless(api, end.list("InstanceId", {machine.id}), "InvalidInstanceID.NotFound");
  } catch (const Ec2Refusal&) {
    go_with_machine(api, going, machine.id, false);  // it stays, and somebody else may end it one day
    throw;
  }
  // Until EC2 says so the machine would be taken for one that is there, and kept by the next deploy.
  const auto gone = [&] {
    const auto now = instance_if_listed(machine.id);
    return !now || now->gone();
  };
  if (!wait_until(gone, poll(), kGoesWithin)) workers::not_yet(machine.id + " is not shutting down yet", poll());
  if (extent != Extent::Step) return;  // sweep() does the rest, and does it again after a crash
  const auto released = [&] { return release(call, api, belongings_of(api, fqdn, scope)); };
  if (wait_until(released, poll(), kGoesWithin)) return;
  std::string left;
  for (const std::string& line : belongings_of(api, fqdn, scope).lines()) left += (left.empty() ? "" : ", ") + line;
  if (!left.empty())
    throw Error(Kind::Permanent, machine.id + " is terminated and still has " + left + ": `destroy` deletes that");
}

std::vector<std::string> Ec2::belongings(const Call& call, const Machine& machine, Extent extent) {
  if (call.plan) must_be_deletable(machine);
  auto found = belongings_of(api_of(machine.id), call.clipboard.require("fqdn"), scope_of(call, extent));
  // Its root volume is the machine itself.
  std::erase_if(found.volumes, [&](const Ec2Volume& volume) {
    return volume.machine == machine.id && tag_of(volume.tags, kVolumeTag).empty();
  });
  return found.lines();
}

void Ec2::must_be_deletable(const Machine& machine) {
  Ec2Api& api = api_of(machine.id);
  Query query("DescribeInstanceAttribute");
  const auto answer = api.look(query.set("InstanceId", machine.id).set("Attribute", "disableApiTermination"));
  if (text_at(answer->document_element(), "disableApiTermination/value") == "true")
    throw Error(Kind::Permanent,
                "ec2 " + machine.name + " (" + machine.id + ") is protected from termination (disableApiTermination)");
  for (const char* action : {"StopInstances", "TerminateInstances"}) {
    Query could(action);
    api.dry_run(could.list("InstanceId", {machine.id}));
  }
}

void Ec2::sweep(const Call& call, Extent extent) {
  const std::string fqdn = call.clipboard.require("fqdn");
  const Ec2Scope scope = scope_of(call, extent);
  std::string going, held;
  for (const std::string& region : account_.regions()) {
    Ec2Api& api = account_.in(region);
    if (call.plan) {
      for (const std::string& line : belongings_of(api, fqdn, scope).lines()) call.change("delete " + line);
      continue;
    }
    Query query("DescribeInstances");
    query.filter(std::string("tag:") + kFqdnTag, {fqdn}).filter("instance-state-name", {"shutting-down"});
    api.pages(query, "reservationSet", 200, [&](const pugi::xml_node& reservation) {
      for (const auto& item : reservation.child("instancesSet").children("item")) going = instance_of(item).id;
    });
    const Ec2Belongings left = belongings_of(api, fqdn, scope);
    for (const Ec2Volume& volume : left.volumes) {
      const auto other = volume.machine.empty() ? std::nullopt : machine(volume.machine);
      const bool ours = other && other->marks && other->marks->fqdn == fqdn;  // it was listed late
      if (other && !ours)
        throw Error(Kind::Refused, "volume " + volume.id + " of this host is with " + other->id + " (" + other->name +
                                       "); jarvis does not take it away");
    }
    if (!release(call, api, left)) held = "its volumes";
  }
  if (!going.empty()) held = going;
  if (held.empty()) return;
  call.progress("waiting for EC2 to let go of " + held);
  workers::not_yet("EC2 has not let go of " + held + " yet", poll());
}

}  // namespace jarvis::providers
