#include "providers/vmware_create.h"

#include "providers/user_data.h"
#include "workers/printable.h"

namespace jarvis::providers::vmware {

using pipeline::Error;
using pipeline::Kind;

namespace {

// Keys of devices that are not there yet are negative, and only tell them apart.
constexpr std::int64_t kNewController = -101, kNewDisk = -102, kNewCard = -103;

Xml change(const char* operation, const char* file_operation, const std::string& type, const Xml& device) {
  Xml made;
  made.leaf("operation", operation);
  if (file_operation != nullptr) made.leaf("fileOperation", file_operation);
  made.typed("device", type, device);
  return Xml().typed("deviceChange", "VirtualDeviceConfigSpec", made);
}

Xml file_backing(const std::string& file, const Reference& datastore, bool thin) {
  Xml made;
  made.leaf("fileName", file);
  if (datastore) made.ref("datastore", datastore);
  made.leaf("diskMode", "persistent");
  if (thin) made.flag("thinProvisioned", true);
  return made;
}

Xml connected() {
  return Xml().in("connectable",
                  Xml().flag("startConnected", true).flag("allowGuestControl", true).flag("connected", true));
}

// Old servers read the one, new ones the other; they must agree.
Xml capacity(std::int64_t kb) {
  return Xml().leaf("capacityInKB", kb).leaf("capacityInBytes", kb * 1024);
}

// The file of a disk that is there, unchanged.
Xml same_disk(const Disk& disk, std::int64_t capacity_kb) {
  Xml device;
  device.leaf("key", disk.key);
  device.typed("backing", xsi_type(child(disk.device, "backing")), file_backing(disk.file, disk.datastore, false));
  device.leaf("controllerKey", disk.controller).leaf("unitNumber", disk.unit).add(capacity(capacity_kb));
  return device;
}

}  // namespace

std::string card_type(const std::string& nic_type) {
  constexpr std::pair<const char*, const char*> kTypes[] = {{"vmxnet3", "VirtualVmxnet3"},
                                                            {"e1000e", "VirtualE1000e"},
                                                            {"e1000", "VirtualE1000"},
                                                            {"pcnet32", "VirtualPCNet32"}};
  for (const auto& [name, type] : kTypes)
    if (nic_type == name) return type;
  throw Error(Kind::Usage,
              "nic_type: " + workers::printable(nic_type, 80) + " is none of vmxnet3, e1000e, e1000, pcnet32");
}

Xml new_card(const std::string& type, const Backing& backing, std::size_t number) {
  Xml device;
  device.leaf("key", kNewCard - static_cast<std::int64_t>(number))
      .typed("backing", backing.type, backing.inner)
      .add(connected());
  device.leaf("addressType", "generated");
  return change("add", nullptr, type, device);
}

Xml moved_card(const Nic& nic, const Backing& backing) {
  Xml device;
  device.leaf("key", nic.key).typed("backing", backing.type, backing.inner).add(connected());
  device.leaf("controllerKey", number(nic.device, "controllerKey"))
      .leaf("unitNumber", number(nic.device, "unitNumber"));
  const std::string address_type = text(nic.device, "addressType");
  if (!address_type.empty()) device.leaf("addressType", address_type);
  if (!nic.mac.empty()) device.leaf("macAddress", nic.mac);
  return change("edit", nullptr, nic.type, device);
}

Xml new_disk(std::int64_t key, std::int64_t controller, std::int64_t unit, std::int64_t capacity_kb,
             const std::string& file, const Reference& datastore, bool exists) {
  Xml device;
  device.leaf("key", key).typed("backing", "VirtualDiskFlatVer2BackingInfo", file_backing(file, datastore, !exists));
  device.leaf("controllerKey", controller).leaf("unitNumber", unit);
  device.add(exists ? Xml().leaf("capacityInKB", 0) : capacity(capacity_kb));  // its file says how large it is
  return change("add", exists ? nullptr : "create", "VirtualDisk", device);
}

Xml grown_disk(const Disk& disk, std::int64_t capacity_kb) {
  return change("edit", nullptr, "VirtualDisk", same_disk(disk, capacity_kb));
}

Xml removed_disk(const Disk& disk, bool delete_file) {
  return change("remove", delete_file ? "destroy" : nullptr, "VirtualDisk", same_disk(disk, disk.capacity_kb));
}

Xml create_arguments(const NewMachine& machine, const Place& place) {
  Xml config;
  config.leaf("name", machine.name).leaf("guestId", machine.guest_id);
  config.in("files", Xml().leaf("vmPathName", "[" + place.datastore.name + "]"));
  config.leaf("numCPUs", machine.cpus).leaf("memoryMB", machine.memory_mb);
  config.add(change("add", nullptr, machine.disk_controller,
                    Xml().leaf("key", kNewController).leaf("busNumber", 0).leaf("sharedBus", "noSharing")));
  config.add(new_disk(kNewDisk, kNewController, 0, machine.disk_kb, "[" + place.datastore.name + "]",
                      place.datastore.self, false));
  for (std::size_t i = 0; i < machine.adapters.size(); ++i) config.add(new_card(machine.card, machine.adapters[i], i));
  config.add(extra_config(machine.extra));
  Xml made;
  made.in("config", config).ref("pool", place.pool);
  if (place.host) made.ref("host", place.host);
  return made;
}

Xml clone_arguments(const Clone& clone, const Place& place) {
  Xml location;
  location.ref("datastore", place.datastore.self).ref("pool", place.pool);
  if (place.host) location.ref("host", place.host);
  Xml config;
  if (clone.cpus) config.leaf("numCPUs", *clone.cpus);
  if (clone.memory_mb) config.leaf("memoryMB", *clone.memory_mb);
  config.add(extra_config(clone.extra));
  Xml spec;
  spec.in("location", location).flag("template", false).in("config", config).flag("powerOn", false);
  return Xml().ref("folder", place.folder).leaf("name", clone.name).in("spec", spec);
}

Pairs guest_info(const workers::Clipboard& clipboard, const std::string& instance_id) {
  workers::Clipboard metadata = workers::Clipboard::parse("{}");
  metadata.set("instance-id", instance_id);
  metadata.set("local-hostname", clipboard.require("fqdn"));
  return {{"guestinfo.metadata", base64(metadata.text())},
          {"guestinfo.metadata.encoding", "base64"},
          {"guestinfo.userdata", base64(user_data(clipboard))},
          {"guestinfo.userdata.encoding", "base64"}};
}

}  // namespace jarvis::providers::vmware
