// Block storage of a host: made with our tags, attached, kept by a redeploy, found again by tag and label.
#include <time.h>

#include <algorithm>

#include "providers/linode_names.h"
#include "providers/linode_provider.h"
#include "workers/printable.h"

namespace jarvis::providers {

using workers::Call;
using workers::Error;
using workers::Kind;

namespace {

constexpr int kMostSlots = 8;
constexpr auto kTakeBackLimit = std::chrono::seconds(120);

std::string named(const LinodeVolume& volume) {
  return "volume " + volume.label + " (" + std::to_string(volume.size) + " GB)";
}

Error held(const LinodeVolume& volume) {
  return {Kind::Refused, named(volume) + " of this host is attached to linode " +
                             std::to_string(volume.machine.value_or(0)) + "; jarvis takes it from nobody"};
}

void pause() {
  constexpr timespec kMoment{0, 500'000'000};
  ::nanosleep(&kMoment, nullptr);
}

}  // namespace

std::vector<LinodeVolume> LinodeProvider::own_volumes(const std::string& fqdn) {
  std::vector<LinodeVolume> made;
  for (LinodeVolume& one : api_.volumes({{"tags", linode_tag("fqdn", fqdn)}})) {
    const auto marks = marks_of(one.tags, known_);
    if (marks && marks->fqdn == fqdn) made.push_back(std::move(one));
  }
  return made;
}

// All of the host's: those of the spec, which are made, and others that it had, which are attached again.
void LinodeProvider::make_volumes(const Call& call, const LinodeInstance& machine) {
  const LinodeSpec spec = linode_spec_of(call.clipboard);
  const std::string fqdn = call.clipboard.require("fqdn");
  std::vector<LinodeVolume> there = own_volumes(fqdn);
  bool made = false;
  for (const VolumeWish& wish : spec.volumes) {
    const std::string label = volume_label(fqdn, wish.name);
    const auto found =
        std::find_if(there.begin(), there.end(), [&](const LinodeVolume& one) { return one.label == label; });
    if (found != there.end()) {
      if (found->size != wish.size) call.log(named(*found) + " stays as large as it is");
      continue;
    }
    call.progress("making volume " + wish.name + " of linode " + machine.label);
    const bool free = api_.create_volume({{"label", label},
                                          {"size", wish.size},
                                          {"region", machine.region},
                                          {"tags", linode_tags({fqdn, call.run, call.step})}});
    if (!free) {
      for (const LinodeVolume& one : api_.volumes({{"label", label}})) {
        if (!marks_of(one.tags, known_))
          throw Error(Kind::Refused, "linode has a " + named(one) + " that is not jarvis's, of the name that volume " +
                                         wish.name + " of " + fqdn + " would have");
      }
      events_.again("the label " + label + " is taken at linode, maybe by a volume not listed yet");
    }
    made = true;
  }
  if (made) there = own_volumes(fqdn);
  for (const LinodeVolume& one : there) {
    if (one.status != "active") events_.again(named(one) + " is " + workers::printable(one.status, 40));
    attach_volume(machine, one);
  }
}

void LinodeProvider::attach_volume(const LinodeInstance& machine, const LinodeVolume& volume) {
  if (volume.machine && *volume.machine != machine.id) throw held(volume);
  if (volume.region != machine.region) {
    throw Error(Kind::Permanent, named(volume) + " of this host is in " + volume.region + ", the host in " +
                                     machine.region + ": put `datacenter` back, or delete the volume");
  }
  if (!volume.machine) {
    const auto configs = api_.configs(machine.id);
    const LinodeConfig* config = booted_config(configs);
    Json body = {{"linode_id", machine.id}};
    if (config != nullptr) body["config_id"] = config->id;
    api_.attach_volume(volume.id, body);
    const auto now = api_.volumes_of(machine.id);
    if (std::none_of(now.begin(), now.end(), [&](const LinodeVolume& one) { return one.id == volume.id; }))
      events_.again(named(volume) + " is being attached to linode " + machine.label);
  }
  put_on_config(machine, volume);
}

// A profile that was made anew does not know it yet.
void LinodeProvider::put_on_config(const LinodeInstance& machine, const LinodeVolume& volume) {
  const auto configs = api_.configs(machine.id);
  const LinodeConfig* config = booted_config(configs);
  if (config == nullptr) return;
  Json devices = Json::object();
  for (const auto& [slot, device] : config->devices) {
    if (device.is_volume && device.id == volume.id) return;
    devices[slot] = {{device.is_volume ? "volume_id" : "disk_id", device.id}};
  }
  for (int i = 0; i < kMostSlots; ++i) {
    const std::string slot = std::string("sd") + static_cast<char>('a' + i);
    if (devices.contains(slot)) continue;
    devices[slot] = {{"volume_id", volume.id}};
    return api_.update_config(machine.id, config->id, {{"devices", devices}});
  }
  throw Error(Kind::Permanent, named(volume) + " finds no device free on linode " + machine.label);
}

std::string volume_device(const LinodeVolume& volume) {
  return volume.path.empty() ? "/dev/disk/by-id/scsi-0Linode_Volume_" + volume.label : volume.path;
}

workers::Devices LinodeProvider::devices(const Clipboard& clipboard, const Machine& machine) {
  const LinodeSpec spec = linode_spec_of(clipboard);
  workers::Devices made;
  if (spec.disks.empty() && spec.volumes.empty()) return made;
  const std::int64_t id = fresh(machine).id;
  if (!spec.disks.empty()) {
    const auto configs = api_.configs(id);
    const LinodeConfig* config = booted_config(configs);
    if (config != nullptr) made = disk_devices(spec, *config, api_.disks(id));
  }
  const std::string fqdn = clipboard.require("fqdn");
  const auto volumes = spec.volumes.empty() ? std::vector<LinodeVolume>() : own_volumes(fqdn);
  for (const VolumeWish& wish : spec.volumes) {
    for (const LinodeVolume& one : volumes)
      if (one.label == volume_label(fqdn, wish.name) && one.machine == id) made[wish.name] = {volume_device(one)};
  }
  return made;
}

void LinodeProvider::delete_volume(const LinodeVolume& volume) {
  if (volume.machine) {
    api_.detach_volume(volume.id);
    for (const LinodeVolume& one : api_.volumes({{"label", volume.label}})) {
      if (one.id == volume.id && one.machine) events_.again(named(volume) + " is being detached");
    }
  }
  api_.delete_volume(volume.id);
}

// Those of this host. What a step takes back is what it made: volumes of before stay. A destroy takes all, a redeploy
// those that `wipe` names.
std::vector<LinodeVolume> LinodeProvider::volumes_to_this(const Call& call, Extent extent) {
  const std::string fqdn = call.clipboard.require("fqdn");
  std::vector<std::string> wiped;
  for (const std::string& name : call.clipboard.list("wipe")) wiped.push_back(volume_label(fqdn, name));
  std::vector<LinodeVolume> going;
  for (LinodeVolume& one : own_volumes(fqdn)) {
    const bool goes = extent == Extent::Step
                          ? marks_of(one.tags, known_)->step == call.step
                          : extent == Extent::All || std::find(wiped.begin(), wiped.end(), one.label) != wiped.end();
    if (goes) going.push_back(std::move(one));
  }
  return going;
}

// Those on this machine or on none.
std::vector<LinodeVolume> LinodeProvider::volumes_that_go(const Call& call, const LinodeInstance& machine,
                                                          Extent extent) {
  auto going = volumes_to_this(call, extent);
  std::erase_if(going, [&](const LinodeVolume& one) { return one.machine && *one.machine != machine.id; });
  return going;
}

// Of a host without a machine. Whoever has one is not the host: refused.
std::vector<LinodeVolume> LinodeProvider::volumes_left(const Call& call, Extent extent) {
  if (extent == Extent::Machine && call.clipboard.list("wipe").empty()) return {};
  auto going = volumes_to_this(call, extent);
  for (const LinodeVolume& one : going)
    if (one.machine && api_.instance(*one.machine)) throw held(one);
  return going;
}

std::vector<std::string> LinodeProvider::left_over(const Call& call, Extent extent) {
  std::vector<std::string> lines;
  for (const LinodeVolume& one : volumes_left(call, extent)) lines.push_back(named(one));
  return lines;
}

void LinodeProvider::remove_left_over(const Call& call, Extent extent) {
  for (const LinodeVolume& one : volumes_left(call, extent)) {
    if (one.machine) events_.again(named(one) + " is being detached");  // its machine is gone already
    api_.delete_volume(one.id);
    call.log("deleted " + named(one));
  }
}

void LinodeProvider::take_back(const LinodeInstance& machine, const std::vector<LinodeVolume>& volumes) {
  if (machine.status != "deleting") api_.delete_instance(machine.id);
  if (volumes.empty()) return;
  // They come off by themselves when it is gone.
  const auto until = std::chrono::steady_clock::now() + kTakeBackLimit;
  while (api_.instance(machine.id)) {
    if (std::chrono::steady_clock::now() > until)
      throw Error(Kind::Permanent,
                  named(volumes.front()) + " is left: linode " + machine.label + " is still being deleted");
    pause();
  }
  for (const LinodeVolume& one : volumes) api_.delete_volume(one.id);
}

std::vector<std::string> LinodeProvider::belongings(const Call& call, const Machine& machine, Extent extent) {
  const LinodeInstance now = fresh(machine);
  const LinodeSpec spec = linode_spec_of(call.clipboard);
  const auto configs = api_.configs(now.id);
  const LinodeConfig* config = booted_config(configs);
  std::vector<std::string> lines;
  for (const LinodeDisk& one : api_.disks(now.id)) {
    bool is_root = one.label == kRootDisk;
    if (config != nullptr) {
      const auto first = config->devices.find("sda");
      is_root = first != config->devices.end() && !first->second.is_volume && first->second.id == one.id;
    }
    const bool is_data = !is_root && one.filesystem != "swap";
    if (is_data && extent == Extent::Machine && !spec.wipes(one.label)) {
      throw Error(Kind::Refused, "disk " + one.label + " of linode " + now.label +
                                     " would go along with the machine, for it is no volume: linode:rebuild keeps it, "
                                     "`wipe: [" +
                                     one.label + "]` gives it up");
    }
    lines.push_back("disk " + one.label + " (" + std::to_string(one.size) + " MB)");
  }
  for (const LinodeVolume& one : volumes_that_go(call, now, extent)) lines.push_back(named(one));
  return lines;
}

}  // namespace jarvis::providers
