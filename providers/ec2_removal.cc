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

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string made;
  for (const std::string& word : words) made += (made.empty() ? "" : between) + word;
  return made;
}

void must_be_free(const std::vector<std::string>& held) {
  if (!held.empty()) throw Error(Kind::Refused, joined(held, "; ") + "; jarvis does not take it away");
}

}  // namespace

void Ec2::remove(const Call& call, const Machine& machine, Extent extent) {
  Ec2Api& api = api_of(machine.id);
  const std::string fqdn = call.clipboard.require("fqdn");
  const Ec2Scope scope = scope_of(call, extent);
  Ec2Belongings left = belongings_of(api, fqdn, scope);
  auto held = take_out_held(fqdn, left);
  if (extent != Extent::Step) must_be_free(held);  // of what is taken back the rest goes all the same
  std::map<std::string, bool> turns;
  if (const auto now = instance_if_listed(machine.id)) {
    if (extent == Extent::Machine) must_lose_no_disk(machine, other_disks(api, *now, fqdn), scope);
    turns = turns_of(*now, volumes_of(api, fqdn), scope);
  }
  turn(api, machine.id, turns, false);
  try {
    Query end("TerminateInstances");
    change_unless(api, end.list("InstanceId", {machine.id}), "InvalidInstanceID.NotFound");
  } catch (const Ec2Refusal&) {
    turn(api, machine.id, turns, true);  // it stays, and somebody else may end it one day
    throw;
  }
  // Until EC2 says so the machine would be taken for one that is there, and kept by the next deploy.
  const auto gone = [&] {
    const auto now = instance_if_listed(machine.id);
    return !now || now->gone();
  };
  if (!wait_until(gone, poll(), kGoesWithin)) workers::not_yet(machine.id + " is not shutting down yet", poll());
  if (extent != Extent::Step) return;  // sweep() does the rest, and does it again after a crash
  const auto released = [&] {
    left = belongings_of(api, fqdn, scope);
    held = take_out_held(fqdn, left);
    return release(call, api, left);
  };
  if (!wait_until(released, poll(), kGoesWithin))
    throw Error(Kind::Permanent,
                machine.id + " is terminated and still has " + joined(left.lines(), ", ") + ": `destroy` deletes that");
  must_be_free(held);
}

std::vector<std::string> Ec2::belongings(const Call& call, const Machine& machine, Extent extent) {
  if (call.plan) must_be_deletable(machine);
  const std::string fqdn = call.clipboard.require("fqdn");
  const Ec2Scope scope = scope_of(call, extent);
  auto found = belongings_of(api_of(machine.id), fqdn, scope);
  must_be_free(take_out_held(fqdn, found));
  // Its root volume is the machine itself, and its other disks are told as such.
  std::erase_if(found.volumes, [&](const Ec2Volume& volume) {
    return volume.machine == machine.id && tag_of(volume.tags, kVolumeTag).empty();
  });
  const auto others = other_disks(api_of(machine.id), instance(machine.id), fqdn);
  if (extent == Extent::Machine) must_lose_no_disk(machine, others, scope);
  std::vector<std::string> lines;
  for (const Ec2Disk& disk : others) {
    if (disk.dies_with_it || scope.extent == Extent::Machine || disk.ours) lines.push_back(disk.shown);
  }
  for (std::string& line : found.lines()) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> Ec2::left_behind(const Call& call, const Machine& machine, Extent extent) {
  const std::string fqdn = call.clipboard.require("fqdn");
  Ec2Api& api = api_of(machine.id);
  std::vector<std::string> lines;
  if (extent == Extent::All) {  // a redeploy leaves none
    for (const Ec2Disk& disk : other_disks(api, instance(machine.id), fqdn)) {
      if (!disk.dies_with_it && !disk.ours) lines.push_back(disk.shown);
    }
  }
  for (const Ec2Address& address : addresses_at(api, machine.id)) {
    if (tag_of(address.tags, kFqdnTag) != fqdn) lines.push_back(shown(address));
  }
  return lines;
}

void Ec2::must_lose_no_disk(const Machine& machine, const std::vector<Ec2Disk>& others, const Ec2Scope& scope) {
  for (const Ec2Disk& disk : others) {
    if (scope.wipes(disk.name)) continue;
    throw Error(Kind::Refused, disk.shown + " of ec2 " + machine.name + " (" + machine.id + ") would " +
                                   (disk.dies_with_it ? "go along with the machine" : "be left behind") +
                                   ", for it is no volume of this host: `wipe: [" + disk.name +
                                   "]` gives it up, and the tags jarvis:fqdn and jarvis:volume make it one");
  }
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

std::vector<std::string> Ec2::take_out_held(const std::string& fqdn, Ec2Belongings& belongings) {
  std::map<std::string, std::string> holders;  // by id, those that are asked for several times
  const auto holder = [&](const std::string& id) {
    if (id.empty()) return std::string();
    const auto [known, fresh] = holders.try_emplace(id);
    if (fresh) {
      const auto other = machine(id);
      const bool ours = other && other->marks && other->marks->fqdn == fqdn;  // or it was listed late
      if (other && !ours) known->second = other->id + " (" + other->name + ")";
    }
    return known->second;
  };
  std::vector<std::string> lines;
  std::erase_if(belongings.volumes, [&](const Ec2Volume& volume) {
    const std::string other = holder(volume.machine);
    if (!other.empty()) lines.push_back("volume " + volume.id + " of this host is with " + other);
    return !other.empty();
  });
  std::erase_if(belongings.addresses, [&](const Ec2Address& address) {
    const bool elsewhere = address.machine.empty() && !address.association.empty();  // a gateway, a load balancer
    const std::string other = elsewhere ? "network interface " + address.card : holder(address.machine);
    if (!other.empty())
      lines.push_back("address " + address.ip + " (" + address.id + ") of this host is with " + other);
    return !other.empty();
  });
  return lines;
}

void Ec2::sweep(const Call& call, Extent extent) {
  const std::string fqdn = call.clipboard.require("fqdn");
  const Ec2Scope scope = scope_of(call, extent);
  std::string going, told_of;
  // Of a machine that is there belongings() has told what it has in its region.
  if (call.plan && !found_.empty()) told_of = regions_.at(found_.front().id);
  std::vector<std::string> held;
  bool all = true;
  for (const std::string& region : account_.regions()) {
    if (region == told_of) continue;
    Ec2Api& api = account_.in(region);
    Ec2Belongings left = belongings_of(api, fqdn, scope);
    for (std::string& line : take_out_held(fqdn, left)) held.push_back(std::move(line));
    if (call.plan) {
      for (const std::string& line : left.lines()) call.change("delete " + line);
      continue;
    }
    Query query("DescribeInstances");
    query.filter(std::string("tag:") + kFqdnTag, {fqdn}).filter("instance-state-name", {"shutting-down"});
    api.pages(query, "reservationSet", 200, [&](const pugi::xml_node& reservation) {
      for (const auto& item : reservation.child("instancesSet").children("item")) going = instance_of(item).id;
    });
    all = release(call, api, left) && all;
  }
  if (going.empty() && all) return must_be_free(held);
  if (going.empty()) going = "its volumes";
  call.progress("waiting for EC2 to let go of " + going);
  workers::not_yet("EC2 has not let go of " + going + " yet", poll());
}

}  // namespace jarvis::providers
