#include "providers/ec2_belongings.h"

#include <algorithm>

#include "providers/ec2_patience.h"

namespace jarvis::providers {

namespace {

std::string called(const Ec2Volume& volume) {
  std::string name = tag_of(volume.tags, kVolumeTag);
  if (name.empty()) name = tag_of(volume.tags, "Name");
  return "volume " + name + " (" + volume.id + ", " + std::to_string(volume.gigabytes) + " GB)";
}

std::string short_name(const std::string& device) {
  return device.substr(device.rfind('/') + 1);
}

bool is_data(const Tagged& tags, const std::string& fqdn) {
  return tag_of(tags, kFqdnTag) == fqdn && !tag_of(tags, kVolumeTag).empty();
}

// Whether a disk is to go that goes or stays as it is now.
bool goes(const Ec2Instance& machine, const Ec2Instance::Disk& disk, const Ec2Volume* ours, const Ec2Scope& scope) {
  const bool is_root = disk.device == machine.root_device;
  if (ours != nullptr && is_root) return true;  // it is the machine itself
  if (ours != nullptr && !tag_of(ours->tags, kVolumeTag).empty()) return scope.takes_volume(ours->tags);
  if (ours != nullptr && scope.takes_volume(ours->tags)) return true;
  const bool wiped = scope.extent == Extent::Machine && !is_root && scope.wipes(short_name(disk.device));
  return disk.dies_with_it || wiped;
}

}  // namespace

std::string shown(const Ec2Address& address) {
  return "elastic address " + address.ip + " (" + address.id + ")";
}

bool Ec2Scope::of_this_step(const Tagged& tags) const {
  return tag_of(tags, kRunTag) == run && tag_of(tags, kStepTag) == step;
}

bool Ec2Scope::wipes(const std::string& name) const {
  return std::find(wiped.begin(), wiped.end(), name) != wiped.end();
}

bool Ec2Scope::takes_volume(const Tagged& tags) const {
  if (extent == Extent::All) return true;
  if (extent == Extent::Step) return of_this_step(tags);
  const std::string name = tag_of(tags, kVolumeTag);
  return !name.empty() && wipes(name);
}

bool Ec2Scope::takes_address(const Tagged& tags) const {
  return extent == Extent::All || (extent == Extent::Step && of_this_step(tags));
}

bool Ec2Scope::takes_key_pair(const Tagged& tags) const {
  return extent != Extent::Step || of_this_step(tags);
}

std::vector<std::string> Ec2Belongings::lines() const {
  std::vector<std::string> made;
  for (const Ec2Volume& volume : volumes) made.push_back(called(volume));
  for (const Ec2Address& address : addresses) made.push_back(shown(address));
  for (const std::string& name : key_pairs) made.push_back("key pair " + name);
  return made;
}

Ec2Belongings belongings_of(Ec2Api& api, const std::string& fqdn, const Ec2Scope& scope) {
  Ec2Belongings found;
  for (Ec2Volume& volume : volumes_of(api, fqdn)) {
    if (scope.takes_volume(volume.tags)) found.volumes.push_back(std::move(volume));
  }
  for (Ec2Address& address : addresses_of(api, fqdn)) {
    if (scope.takes_address(address.tags)) found.addresses.push_back(std::move(address));
  }
  Query keys("DescribeKeyPairs");
  keys.filter(std::string("tag:") + kFqdnTag, {fqdn});
  const auto answer = api.look(keys);
  for (const auto& item : answer->document_element().child("keySet").children("item")) {
    Tagged tags;
    for (const auto& tag : item.child("tagSet").children("item")) tags[text_at(tag, "key")] = text_at(tag, "value");
    if (scope.takes_key_pair(tags)) found.key_pairs.push_back(text_at(item, "keyName"));
  }
  return found;
}

std::vector<Ec2Disk> other_disks(Ec2Api& api, const Ec2Instance& machine, const std::string& fqdn) {
  std::vector<std::string> ids;
  for (const Ec2Instance::Disk& disk : machine.disks) {
    if (!disk.volume.empty() && disk.device != machine.root_device) ids.push_back(disk.volume);
  }
  std::vector<Ec2Disk> others;
  for (const Ec2Volume& volume : volumes_with(api, ids)) {
    if (is_data(volume.tags, fqdn)) continue;
    const auto disk = std::find_if(machine.disks.begin(), machine.disks.end(),
                                   [&](const Ec2Instance::Disk& one) { return one.volume == volume.id; });
    const std::string name = short_name(disk->device);
    others.push_back({name, "disk " + name + " (" + volume.id + ", " + std::to_string(volume.gigabytes) + " GB)",
                      tag_of(volume.tags, kFqdnTag) == fqdn, disk->dies_with_it});
  }
  return others;
}

std::map<std::string, bool> turns_of(const Ec2Instance& machine, const std::vector<Ec2Volume>& volumes,
                                     const Ec2Scope& scope) {
  std::map<std::string, bool> turns;
  for (const Ec2Instance::Disk& disk : machine.disks) {
    if (disk.volume.empty()) continue;
    const auto ours =
        std::find_if(volumes.begin(), volumes.end(), [&](const Ec2Volume& one) { return one.id == disk.volume; });
    const bool going = goes(machine, disk, ours == volumes.end() ? nullptr : &*ours, scope);
    if (going != disk.dies_with_it) turns[disk.device] = going;
  }
  return turns;
}

void turn(Ec2Api& api, const std::string& machine, const std::map<std::string, bool>& turns, bool back) {
  for (const auto& [device, goes] : turns) {
    Query query("ModifyInstanceAttribute");
    query.set("InstanceId", machine).set("BlockDeviceMapping.1.DeviceName", device);
    query.set("BlockDeviceMapping.1.Ebs.DeleteOnTermination", goes != back ? "true" : "false");
    change_unless(api, query, "InvalidInstanceAttributeValue");  // it is just being detached
  }
}

bool release(const workers::Call& call, Ec2Api& api, const Ec2Belongings& belongings) {
  for (const Ec2Address& address : belongings.addresses) {
    release_address(api, address);
    call.log("released " + address.ip + " (" + address.id + ")");
  }
  for (const std::string& name : belongings.key_pairs) {
    Query remove("DeleteKeyPair");
    change_unless(api, remove.set("KeyName", name), "InvalidKeyPair");
  }
  bool all = true;
  for (const Ec2Volume& volume : belongings.volumes) {
    if (volume.state != "available" && volume.state != "error") {
      all = false;
      continue;
    }
    try {
      Query remove("DeleteVolume");
      change_unless(api, remove.set("VolumeId", volume.id), "InvalidVolume");
      call.log("deleted " + called(volume));
    } catch (const Ec2Refusal& e) {
      if (!passes(e.code)) throw;
      all = false;
    }
  }
  return all;
}

}  // namespace jarvis::providers
