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

}  // namespace

bool Ec2Scope::of_this_step(const Tagged& tags) const {
  return tag_of(tags, kRunTag) == run && tag_of(tags, kStepTag) == step;
}

bool Ec2Scope::takes_volume(const Tagged& tags) const {
  if (extent == Extent::All) return true;
  if (extent == Extent::Step) return of_this_step(tags);
  const std::string name = tag_of(tags, kVolumeTag);
  return name.empty() || std::find(wiped.begin(), wiped.end(), name) != wiped.end();
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
  for (const Ec2Address& address : addresses) made.push_back("elastic address " + address.ip + " (" + address.id + ")");
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

void go_with_machine(Ec2Api& api, const Ec2Belongings& belongings, const std::string& machine, bool go) {
  for (const Ec2Volume& volume : belongings.volumes) {
    // Its root volume goes with it in any case.
    if (volume.machine != machine || tag_of(volume.tags, kVolumeTag).empty()) continue;
    Query query("ModifyInstanceAttribute");
    query.set("InstanceId", machine).set("BlockDeviceMapping.1.DeviceName", volume.device);
    query.set("BlockDeviceMapping.1.Ebs.DeleteOnTermination", go ? "true" : "false");
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
