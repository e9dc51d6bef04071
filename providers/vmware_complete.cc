// What a machine that was just made still lacks: the rest of vmware_making.h.
#include <algorithm>
#include <set>

#include "providers/vmware_faults.h"
#include "providers/vmware_making.h"

namespace jarvis::providers::vmware {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr std::int64_t kKbOfGb = 1024L * 1024;
constexpr std::int64_t kUnits = 16, kOwnUnit = 7;  // of a SCSI controller; its own is taken

// Free places for disks, and new controllers where the old ones are full.
class Places {
 public:
  explicit Places(const Vm& vm) {
    for (const pugi::xml_node& device : children(vm.object.node("config.hardware.device"), "VirtualDevice")) {
      if (is_scsi_controller(xsi_type(device))) controllers_.push_back(number(device, "key"));
      if (child(device, "controllerKey"))
        taken_.insert({number(device, "controllerKey"), number(device, "unitNumber", -1)});
    }
    buses_ = controllers_.size();
  }

  std::pair<std::int64_t, std::int64_t> take(Xml& changes) {
    for (const std::int64_t controller : controllers_)
      for (std::int64_t unit = 0; unit < kUnits; ++unit)
        if (unit != kOwnUnit && taken_.insert({controller, unit}).second) return {controller, unit};
    if (buses_ == 4) throw Error(Kind::Permanent, "volumes: the machine's four SCSI controllers have no free place");
    const std::int64_t key = -200 - static_cast<std::int64_t>(buses_);
    changes.typed("deviceChange", "VirtualDeviceConfigSpec",
                  Xml()
                      .leaf("operation", "add")
                      .typed("device", "ParaVirtualSCSIController",
                             Xml()
                                 .leaf("key", key)
                                 .leaf("busNumber", static_cast<std::int64_t>(buses_++))
                                 .leaf("sharedBus", "noSharing")));
    controllers_.push_back(key);
    return take(changes);
  }

 private:
  std::vector<std::int64_t> controllers_;
  std::set<std::pair<std::int64_t, std::int64_t>> taken_;
  std::size_t buses_ = 0;
};

// Is this adapter connected there already?
bool connected_to(const Nic& nic, const Network& network) {
  return reference(nic.backing, "network") == network.self ||
         text(nic.backing, "port/portgroupKey") == network.self.value;
}

const Disk* volume_on(const Vm& vm, const std::string& fqdn, const std::string& name) {
  for (const Disk& disk : vm.disks) {
    const auto volume = volume_of(disk.file);
    if (volume && volume->first == fqdn && volume->second == name) return &disk;
  }
  return nullptr;
}

}  // namespace

Xml Making::lacking_volumes(const Vm& vm) {
  Xml changes;
  const std::string fqdn = server_.call.clipboard.require("fqdn");
  const bool all = std::all_of(wanted_.volumes.begin(), wanted_.volumes.end(),
                               [&](const auto& one) { return volume_on(vm, fqdn, one.first) != nullptr; });
  if (all) return changes;
  const auto there = volumes_there();
  Places places(vm);
  std::int64_t key = -300;
  std::string made;
  for (const auto& one : wanted_.volumes) {
    const std::string& name = one.first;
    if (volume_on(vm, fqdn, name) != nullptr) continue;
    const Volume* kept = nullptr;
    for (const Volume& volume : there)
      if (volume.name == name) kept = &volume;
    const auto [controller, unit] = places.take(changes);
    if (kept != nullptr) {
      server_.call.log("attaching volume " + kept->file + " again");
      changes.add(new_disk(key--, controller, unit, 0, kept->file, kept->datastore.self, true));
      continue;
    }
    if (made.empty()) server_.volumes.make_folder(place_.datastore, place_.datacenter.self);
    made += (made.empty() ? "" : " ") + name;
    changes.add(new_disk(key--, controller, unit, one.second * kKbOfGb, volume_file(place_.datastore.name, fqdn, name),
                         place_.datastore.self, false));
  }
  // What a failure may take back again, and what was there before.
  for (const std::string& name : vm.made_volumes) made += (made.empty() ? "" : " ") + name;
  if (!made.empty()) changes.add(extra_config({{"jarvis.volumes", made}}));
  return changes;
}

Xml Making::lacking_devices(const Vm& vm) {
  Xml changes;
  // What a template has beyond those that are asked for stays as it is.
  for (std::size_t i = 0; i < place_.networks.size(); ++i) {
    const Network& network = place_.networks[i];
    if (i >= vm.nics.size())
      changes.add(new_card(card_, backing(network), i));
    else if (!connected_to(vm.nics[i], network))
      changes.add(moved_card(vm.nics[i], backing(network)));
  }
  return changes.add(lacking_volumes(vm));  // last: it ends with extraConfig, which the schema has after all devices
}

// A disk that is there grows in a change of its own: in the one that attaches it its size is what the file says.
Xml Making::too_small(const Vm& vm) const {
  Xml changes;
  const std::string fqdn = server_.call.clipboard.require("fqdn");
  bool root = true;
  for (const Disk& disk : vm.disks) {
    std::int64_t wanted = 0;
    if (const auto volume = volume_of(disk.file)) {
      for (const auto& [name, size] : wanted_.volumes)
        if (volume->first == fqdn && volume->second == name) wanted = size * kKbOfGb;
    } else if (root) {
      wanted = wanted_.disk_kb.value_or(0);
      root = false;
    }
    if (disk.capacity_kb < wanted) changes.add(grown_disk(disk, wanted));
  }
  return changes;
}

void Making::reconfigure(const Vm& vm, const Xml& spec, const std::string& what) {
  server_.call.progress(what);
  (void)server_.tasks.perform("ReconfigVM_Task", vm.self, Xml().in("spec", spec), what);
}

void Making::complete(const Vm& vm) {
  Xml spec;
  if (wanted_.cpus && vm.cpus != *wanted_.cpus) spec.leaf("numCPUs", *wanted_.cpus);
  if (wanted_.memory_mb && vm.memory_mb != *wanted_.memory_mb) spec.leaf("memoryMB", *wanted_.memory_mb);
  spec.add(lacking_devices(vm));
  if (!spec.text().empty()) reconfigure(vm, spec, "setting up " + vm.name);
  const auto now = server_.machine(vm.self.value);
  if (!now) throw Error(Kind::Permanent, vm.name + " (" + vm.self.value + ") is gone");
  const Xml grown = too_small(*now);
  if (!grown.text().empty()) reconfigure(*now, grown, "growing disks of " + vm.name);
}

}  // namespace jarvis::providers::vmware
