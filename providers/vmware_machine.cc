#include "providers/vmware_machine.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "providers/vmware_guest_ids.h"
#include "providers/vmware_volumes.h"
#include "workers/address_range.h"
#include "workers/ascii.h"

namespace jarvis::providers::vmware {

namespace {

constexpr const char* kFqdn = "config.extraConfig[\"jarvis.fqdn\"]";
constexpr const char* kRun = "config.extraConfig[\"jarvis.run\"]";
constexpr const char* kStep = "config.extraConfig[\"jarvis.step\"]";
constexpr const char* kCreated = "config.extraConfig[\"jarvis.created\"]";
constexpr const char* kVolumes = "config.extraConfig[\"jarvis.volumes\"]";
constexpr const char* kDisks = "config.extraConfig[\"jarvis.disks\"]";

bool is_card(const std::string& type) {
  static const char* const kCards[] = {"VirtualE1000",        "VirtualE1000e",           "VirtualPCNet32",
                                       "VirtualVmxnet",       "VirtualVmxnet2",          "VirtualVmxnet3",
                                       "VirtualVmxnet3Vrdma", "VirtualSriovEthernetCard"};
  return std::find(std::begin(kCards), std::end(kCards), type) != std::end(kCards);
}

void read_devices(pugi::xml_node devices, Vm& vm) {
  std::set<std::int64_t> scsi;
  for (const pugi::xml_node& device : children(devices, "VirtualDevice"))
    if (is_scsi_controller(xsi_type(device))) scsi.insert(number(device, "key"));
  for (const pugi::xml_node& device : children(devices, "VirtualDevice")) {
    const std::string type = xsi_type(device);
    if (type == "VirtualDisk") {
      Disk disk;
      disk.key = number(device, "key");
      disk.controller = number(device, "controllerKey");
      disk.unit = number(device, "unitNumber");
      disk.capacity_kb = number(device, "capacityInKB");
      disk.label = text(device, "deviceInfo/label");
      disk.file = text(device, "backing/fileName");
      disk.uuid = text(device, "backing/uuid");
      disk.on_scsi = scsi.contains(disk.controller);
      for (auto base = child(device, "backing/parent"); base; base = child(base, "parent"))
        disk.bases.push_back(text(base, "fileName"));
      disk.datastore = reference(device, "backing/datastore");
      disk.device = device;
      vm.disks.push_back(disk);
    } else if (is_card(type)) {
      vm.nics.push_back({number(device, "key"), type, text(device, "macAddress"), device, child(device, "backing")});
    }
  }
}

}  // namespace

const std::vector<std::string>& listing_paths() {
  static const std::vector<std::string> kPaths = {
      "name", "parent", "runtime.powerState", "runtime.connectionState", "config.template", kFqdn, kRun,
      kStep,  kCreated};
  return kPaths;
}

const std::vector<std::string>& machine_paths() {
  static const std::vector<std::string> kPaths = [] {
    std::vector<std::string> made = listing_paths();
    for (const char* path :
         {"runtime.host", "resourcePool", "config.guestId", "config.files.vmPathName", "config.hardware.numCPU",
          "config.hardware.memoryMB", "config.hardware.device", "guest.toolsRunningStatus", "guest.ipAddress",
          "guest.net", "recentTask", kVolumes, kDisks, "runtime.question", "snapshot"})
      made.emplace_back(path);
    return made;
  }();
  return kPaths;
}

Vm read_vm(const Object& object) {
  Vm vm;
  vm.object = object;
  vm.self = object.self;
  vm.parent = object.reference("parent");
  vm.host = object.reference("runtime.host");
  vm.pool = object.reference("resourcePool");
  vm.name = object.name();
  vm.readable = static_cast<bool>(object.node("config.template"));
  vm.is_template = object.flag("config.template");
  vm.power = object.text("runtime.powerState");
  vm.connection = object.text("runtime.connectionState");
  const auto mark = [&](const char* path) { return text(object.node(path), "value"); };
  if (const std::string fqdn = mark(kFqdn); !fqdn.empty()) {
    vm.marks = Marks{fqdn, mark(kRun), mark(kStep)};
    vm.created = mark(kCreated);
  }
  std::istringstream volumes(mark(kVolumes));
  for (std::string name; volumes >> name;) vm.made_volumes.push_back(name);
  std::istringstream disks(mark(kDisks));
  for (std::int64_t kb = 0; disks >> kb;) vm.made_disks_kb.push_back(kb);
  vm.guest_id = object.text("config.guestId");
  vm.file = object.text("config.files.vmPathName");
  vm.cpus = object.number("config.hardware.numCPU");
  vm.memory_mb = object.number("config.hardware.memoryMB");
  read_devices(vm.object.node("config.hardware.device"), vm);
  vm.tools_running = object.text("guest.toolsRunningStatus") == "guestToolsRunning";
  vm.addresses = guest_addresses(object.node("guest.net"), object.text("guest.ipAddress"));
  vm.question = text(object.node("runtime.question"), "text");
  vm.snapshots = static_cast<bool>(object.node("snapshot"));
  vm.recent_tasks = object.references("recentTask");
  return vm;
}

std::vector<OtherDisk> other_disks(const Vm& vm) {
  std::vector<OtherDisk> made;
  std::vector<std::int64_t> own = vm.made_disks_kb;
  bool first = true;
  for (const Disk& disk : vm.disks) {
    if (volume_of(disk.file)) continue;
    if (std::exchange(first, false)) continue;
    const auto found = std::find(own.begin(), own.end(), disk.capacity_kb);
    made.push_back({disk, found == own.end()});
    if (found != own.end()) own.erase(found);
  }
  return made;
}

std::vector<std::string> device_paths(const Disk& disk, const std::vector<Disk>& all) {
  std::vector<std::string> paths;
  std::string hex = workers::lower_case(disk.uuid);
  std::erase(hex, '-');
  if (!hex.empty()) paths = {"/dev/disk/by-id/wwn-0x" + hex, "/dev/disk/by-id/scsi-3" + hex};
  const auto same = [&](const Disk& other) {
    return other.on_scsi && other.unit == disk.unit && other.key != disk.key;
  };
  if (disk.on_scsi && std::none_of(all.begin(), all.end(), same))
    paths.push_back("/dev/disk/by-path/*-scsi-0:0:" + std::to_string(disk.unit) + ":0");
  return paths;
}

std::vector<std::string> guest_addresses(pugi::xml_node net, const std::string& primary) {
  std::vector<std::string> v4, v6;
  const auto add = [&](const std::string& written) {
    const auto address = workers::IpAddress::parse(written);
    if (!address || workers::special_purpose(*address).value_or("") == "link-local") return;
    const std::string shown = address->text();
    auto& family = address->v4() ? v4 : v6;
    if (std::find(family.begin(), family.end(), shown) == family.end()) family.push_back(shown);
  };
  add(primary);
  for (const pugi::xml_node& card : children(net, "GuestNicInfo")) {
    if (number(card, "deviceConfigId", 0) < 0) continue;  // a bridge or tunnel inside the guest
    for (const pugi::xml_node& address : children(card, "ipAddress")) add(text(address));
  }
  v4.insert(v4.end(), v6.begin(), v6.end());
  return v4;
}

Xml extra_config(const std::vector<std::pair<std::string, std::string>>& pairs) {
  Xml made;
  for (const auto& [key, value] : pairs)
    made.typed("extraConfig", "OptionValue", Xml().leaf("key", key).any("value", "xsd:string", value));
  return made;
}

std::vector<std::pair<std::string, std::string>> pairs_of(const Marks& marks) {
  return {{"jarvis.fqdn", marks.fqdn}, {"jarvis.run", marks.run}, {"jarvis.step", marks.step}};
}

}  // namespace jarvis::providers::vmware
