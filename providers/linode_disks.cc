// The layout of `disks:`: bare Linode, then each disk, then the configuration profile, found again by their labels.
#include <algorithm>
#include <set>

#include "providers/linode_provider.h"
#include "workers/printable.h"

namespace jarvis::providers {

using workers::Call;
using workers::Error;
using workers::Kind;

namespace {

constexpr const char* kFilesystem = "ext4";
constexpr const char* kHostKeyComment = "User data carries the host key ";

const LinodeDisk* named(const std::vector<LinodeDisk>& disks, const std::string& name) {
  const auto found = std::find_if(disks.begin(), disks.end(), [&](const LinodeDisk& one) { return one.label == name; });
  return found != disks.end() ? &*found : nullptr;
}

std::string slot_of(std::size_t number) {
  return std::string("sd") + static_cast<char>('a' + number);
}

// The root where it is booted from, and all others wherever they are: people may have moved them.
bool has_all(const std::map<std::string, LinodeDevice>& there, const std::map<std::string, LinodeDevice>& wanted) {
  const auto root = there.find(slot_of(0));
  if (root == there.end() || root->second != wanted.at(slot_of(0))) return false;
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& one) {
    return std::any_of(there.begin(), there.end(), [&](const auto& other) { return other.second == one.second; });
  });
}

Json as_json(const std::map<std::string, LinodeDevice>& devices) {
  Json made = Json::object();
  for (const auto& [slot, device] : devices) made[slot] = {{device.is_volume ? "volume_id" : "disk_id", device.id}};
  return made;
}

// Root, swap, data disks in the spec's order, then what else is there; volumes that the profile has keep on being
// there.
std::map<std::string, LinodeDevice> devices_of(const LinodeSpec& spec, const std::vector<LinodeDisk>& disks,
                                               const LinodeConfig* before) {
  std::vector<LinodeDevice> wanted;
  std::set<std::int64_t> taken;
  for (const DiskWish& wish : spec.disks) {
    const LinodeDisk* disk = named(disks, wish.name);
    if (disk == nullptr) continue;
    wanted.push_back({false, disk->id});
    taken.insert(disk->id);
  }
  for (const LinodeDisk& disk : disks) {
    if (!taken.contains(disk.id)) wanted.push_back({false, disk.id});
  }
  if (before != nullptr) {
    for (const auto& [slot, device] : before->devices) {
      if (device.is_volume) wanted.push_back(device);
    }
  }
  std::map<std::string, LinodeDevice> devices;
  for (std::size_t i = 0; i < wanted.size() && i < 8; ++i) devices[slot_of(i)] = wanted[i];
  return devices;
}

}  // namespace

void LinodeProvider::lay_out(const Call& call, const LinodeInstance& machine) {
  make_disks(call, machine);
  make_config(call, machine);
}

void LinodeProvider::make_disks(const Call& call, const LinodeInstance& machine) {
  const LinodeSpec spec = linode_spec_of(call.clipboard);
  for (bool asked = false;; asked = true) {
    const auto disks = api_.disks(machine.id);
    const DiskWish* missing = nullptr;
    std::int64_t later = 0;  // MB of those that come after it
    for (const DiskWish& wish : spec.disks) {
      const LinodeDisk* disk = named(disks, wish.name);
      if (disk != nullptr && disk->status != "ready" && machine.status == "offline")
        events_.again("disk " + wish.name + " of linode " + machine.label + " is " +
                      workers::printable(disk->status, 40));
      if (disk != nullptr && !asked && wish.size > 0 && disk->size != wish.size)
        call.log("disk " + wish.name + " has " + std::to_string(disk->size) + " MB and stays so");
      if (disk != nullptr) continue;
      if (missing == nullptr)
        missing = &wish;
      else
        later += wish.size;
    }
    if (missing == nullptr) return;
    if (machine.status != "offline") {
      throw Error(Kind::Refused, "linode " + machine.label + " runs without a disk " + missing->name +
                                     ", which the spec wants: `redeploy` makes it");
    }
    const Resolved& wish = resolved(call.clipboard);
    std::int64_t room = wish.type.disk - later;
    for (const LinodeDisk& disk : disks) room -= disk.size;
    const std::int64_t size = missing->size > 0 ? missing->size : room;
    if (size < 1 || size > room) {
      throw Error(Kind::Permanent, "disks: " + missing->name + " has no room on linode " + machine.label + ": " +
                                       std::to_string(std::max<std::int64_t>(room, 0)) + " MB are left of " +
                                       std::to_string(wish.type.disk));
    }
    Json body = {{"label", missing->name}, {"size", size}};
    if (missing->name == kRootDisk)
      body.update(installation(call.clipboard));
    else
      body["filesystem"] = missing->is_swap() ? "swap" : kFilesystem;
    call.progress("making disk " + missing->name + " of linode " + machine.label);
    api_.create_disk(machine.id, body);
  }
}

void LinodeProvider::make_config(const Call& call, const LinodeInstance& machine) {
  const LinodeSpec spec = linode_spec_of(call.clipboard);
  const auto configs = api_.configs(machine.id);
  const auto found =
      std::find_if(configs.begin(), configs.end(), [](const LinodeConfig& one) { return one.label == kConfigLabel; });
  const LinodeConfig* before = found != configs.end() ? &*found : nullptr;
  const auto devices = devices_of(spec, api_.disks(machine.id), before);
  if (before == nullptr) {
    // Linode changes user data by its own rebuild only, which takes the data disks along. So the key that they carry is
    // written where a later redeploy finds it (linode_rebuild.cc).
    std::string comment;
    for (const std::string& line : call.clipboard.list("ssh_host_keys")) {
      if (line.starts_with("ssh-ed25519 ") && call.clipboard.scalar("ssh_host_private_key"))
        comment = kHostKeyComment + line;
    }
    const Resolved& wish = resolved(call.clipboard);
    api_.create_config(machine.id, {{"label", kConfigLabel},
                                    {"comments", comment},
                                    {"kernel", wish.kernel},
                                    {"devices", as_json(devices)},
                                    {"root_device", "/dev/sda"}});
  } else if (!has_all(before->devices, devices)) {
    api_.update_config(machine.id, before->id, {{"devices", as_json(devices)}});
  }
}

workers::Devices disk_devices(const LinodeSpec& spec, const LinodeConfig& config,
                              const std::vector<LinodeDisk>& disks) {
  workers::Devices made;
  for (const DiskWish& wish : spec.disks) {
    const LinodeDisk* disk = named(disks, wish.name);
    if (disk == nullptr || wish.name == kRootDisk || wish.is_swap()) continue;
    for (const auto& [slot, device] : config.devices)
      if (!device.is_volume && device.id == disk->id) made[wish.name] = {"/dev/" + slot};
  }
  return made;
}

void LinodeProvider::delete_disk(const LinodeInstance& machine, const LinodeDisk& disk) {
  if (disk.status != "deleting") api_.delete_disk(machine.id, disk.id);
  for (const LinodeDisk& one : api_.disks(machine.id)) {
    if (one.id == disk.id) events_.again("disk " + disk.label + " of linode " + machine.label + " is being deleted");
  }
}

std::string handed_over_host_key(const std::vector<LinodeConfig>& configs) {
  for (const LinodeConfig& one : configs) {
    if (one.label == kConfigLabel && one.comments.starts_with(kHostKeyComment))
      return one.comments.substr(std::string(kHostKeyComment).size());
  }
  return {};
}

}  // namespace jarvis::providers
