#include "providers/ec2_volumes.h"

#include <algorithm>

#include "providers/ec2_patience.h"
#include "providers/ec2_types.h"

namespace jarvis::providers {

namespace {

using workers::Call;
using workers::Clipboard;
using workers::Error;
using workers::Kind;

constexpr int kMostGigabytes = 65536;

bool plain_name(const std::string& name) {
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string called(const Ec2Volume& volume) {
  return "volume " + tag_of(volume.tags, kVolumeTag) + " (" + volume.id + ")";
}

// EC2 takes volumes off a machine that is terminated, sooner or later; asked for, it is sooner.
void let_go(Ec2Api& api, const Ec2Volume& volume) {
  Query query("DescribeInstances");
  query.filter("instance-id", {volume.machine})
      .filter("instance-state-name", {"pending", "running", "stopping", "stopped"});
  std::string holder;
  api.pages(query, "reservationSet", 100, [&](const pugi::xml_node&) { holder = volume.machine; });
  if (!holder.empty())
    throw Error(Kind::Refused, called(volume) + " is with " + holder + "; jarvis does not take it away");
  Query off("DetachVolume");
  try {
    change_unless(api, off.set("VolumeId", volume.id), "IncorrectState");
  } catch (const Ec2Refusal& e) {
    if (!passes(e.code)) throw;
  }
}

// True when it is attached.
bool bring(const Call& call, Ec2Api& api, Ec2Instance& machine, const WantedVolume& wanted,
           const std::optional<Ec2Volume>& found, std::chrono::milliseconds poll) {
  if (!found) {
    const Marks marks{call.clipboard.require("fqdn"), call.run, call.step};
    const auto answer = api.change(create_volume(wanted, machine.zone, marks, machine.id));
    call.log("created volume " + wanted.name + " (" + text_at(answer->document_element(), "volumeId") + "), " +
             std::to_string(wanted.gigabytes) + " GB in " + machine.zone);
    return false;
  }
  if (found->machine == machine.id && found->attached == "attached") return true;
  if (found->state == "error") throw Error(Kind::Permanent, called(*found) + " could not be made: EC2 says `error`");
  if (found->state != "available") {  // on its way, or still with the machine before this one
    if (!found->machine.empty() && found->machine != machine.id) let_go(api, *found);
    return false;
  }
  if (found->zone != machine.zone)
    throw Error(Kind::Refused, called(*found) + " is in " + found->zone + ", and the machine in " + machine.zone);
  Query query("AttachVolume");
  const std::string device = free_device(machine);
  query.set("VolumeId", found->id).set("InstanceId", machine.id).set("Device", device);
  change_or_wait(api, query, poll);
  machine.disks.push_back({device, found->id, "attaching", false});
  call.log("attaching " + called(*found) + " as " + device);
  return false;
}

}  // namespace

std::vector<WantedVolume> wanted_volumes(const Clipboard& clipboard) {
  std::vector<WantedVolume> made;
  for (const auto& [name, size] : clipboard.map("volumes")) {
    const auto gigabytes = megabytes_of(size);
    if (!plain_name(name))
      throw Error(Kind::Usage, "volumes: `" + name + "` is no name for a volume: letters, digits, - and _, at most 63");
    if (!gigabytes || *gigabytes < 1 || *gigabytes > kMostGigabytes)
      throw Error(Kind::Usage, "volumes: " + name + ": `" + size + "` is no size in GB, 1 to 65536");
    made.push_back({name, *gigabytes});
  }
  return made;
}

std::string free_device(const Ec2Instance& machine) {
  for (char letter = 'f'; letter <= 'p'; ++letter) {
    std::string device = std::string("/dev/sd") + letter;
    const std::string other = std::string("/dev/xvd") + letter;
    const bool used = std::any_of(machine.disks.begin(), machine.disks.end(), [&](const Ec2Instance::Disk& disk) {
      return disk.device == device || disk.device == other;
    });
    if (!used) return device;
  }
  throw Error(Kind::Permanent, machine.id + " has a volume at each of /dev/sdf to /dev/sdp");
}

std::vector<std::string> device_paths(const Ec2Volume& volume) {
  std::string id = volume.id;
  std::erase(id, '-');
  std::vector<std::string> paths = {"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_" + id};
  std::string letter = volume.device.substr(volume.device.rfind('/') + 1);
  for (const std::string_view begin : {"xvd", "sd"}) {
    if (!letter.starts_with(begin)) continue;
    letter.erase(0, begin.size());
    paths.push_back("/dev/xvd" + letter);
    paths.push_back("/dev/sd" + letter);
    break;
  }
  return paths;
}

std::vector<Ec2Volume> volumes_of(Ec2Api& api, const std::string& fqdn) {
  Query query("DescribeVolumes");
  query.filter(std::string("tag:") + kFqdnTag, {fqdn});
  std::vector<Ec2Volume> found;
  api.pages(query, "volumeSet", 500, [&](const pugi::xml_node& item) {
    Ec2Volume volume = volume_of(item);
    if (volume.state != "deleting" && volume.state != "deleted") found.push_back(std::move(volume));
  });
  return found;
}

std::vector<Ec2Volume> volumes_with(Ec2Api& api, const std::vector<std::string>& ids) {
  std::vector<Ec2Volume> found;
  if (ids.empty()) return found;
  Query query("DescribeVolumes");
  query.filter("volume-id", ids);
  api.pages(query, "volumeSet", 500, [&](const pugi::xml_node& item) { found.push_back(volume_of(item)); });
  return found;
}

std::optional<Ec2Volume> named_volume(const std::vector<Ec2Volume>& volumes, const std::string& name) {
  std::optional<Ec2Volume> found;
  for (const Ec2Volume& volume : volumes) {
    if (tag_of(volume.tags, kVolumeTag) != name) continue;
    if (found)
      throw Error(Kind::Refused, "ec2 has two volumes " + name + " of this host: " + found->id + ", " + volume.id +
                                     "; jarvis touches neither");
    found = volume;
  }
  return found;
}

std::string zone_of_kept(const Clipboard& clipboard, const std::vector<Ec2Volume>& volumes) {
  const auto wanted = wanted_volumes(clipboard);
  const auto wiped = clipboard.list("wipe");
  std::string zone;
  for (const WantedVolume& one : wanted) {
    const auto there = named_volume(volumes, one.name);
    if (!there || contains(wiped, one.name)) continue;
    if (there->gigabytes != one.gigabytes)
      throw Error(Kind::Usage, "volumes: " + one.name + ": is kept and has " + std::to_string(there->gigabytes) +
                                   " GB, the spec says " + std::to_string(one.gigabytes) + "; `wipe: [" + one.name +
                                   "]` makes a new one");
    if (!zone.empty() && zone != there->zone)
      throw Error(Kind::Usage,
                  "volumes: those that are kept are in " + zone + " and " + there->zone + ": no machine can have both");
    zone = there->zone;
  }
  return zone;
}

std::vector<std::string> unknown_to_wipe(const Clipboard& clipboard, const std::vector<Ec2Volume>& volumes) {
  const auto wanted = wanted_volumes(clipboard);
  auto names = clipboard.list("wipe");
  std::erase_if(names, [&](const std::string& name) {
    return std::any_of(wanted.begin(), wanted.end(), [&](const auto& one) { return one.name == name; }) ||
           named_volume(volumes, name);
  });
  return names;
}

Query create_volume(const WantedVolume& volume, const std::string& zone, const Marks& marks,
                    const std::string& machine) {
  Tags tags = tags_of(marks);
  tags.front().second = marks.fqdn + "/" + volume.name;
  tags.emplace_back(kVolumeTag, volume.name);
  Query query("CreateVolume");
  query.set("AvailabilityZone", zone).set("Size", std::to_string(volume.gigabytes)).set("VolumeType", "gp3");
  query.set("ClientToken", volume_token(marks, volume.name, machine));
  return query.tags("volume", tags);
}

void attach_volumes(const Call& call, Ec2Api& api, const Ec2Instance& machine, std::chrono::milliseconds poll) {
  const auto wanted = wanted_volumes(call.clipboard);
  if (wanted.empty()) return;
  const auto there = volumes_of(api, call.clipboard.require("fqdn"));
  Ec2Instance with_disks = machine;
  int ready = 0;
  for (const WantedVolume& one : wanted)
    ready += bring(call, api, with_disks, one, named_volume(there, one.name), poll) ? 1 : 0;
  if (ready == static_cast<int>(wanted.size())) return;
  const std::string text = std::to_string(ready) + " of " + std::to_string(wanted.size()) + " volumes attached";
  call.progress(text);
  workers::not_yet(text, poll);
}

}  // namespace jarvis::providers
