// The specifications of a new machine, of a clone, and of what is changed on one that is off: XML in the order that the
// schema wants. Pure. Source: vSphere Web Services API 6.5, VirtualMachineConfigSpec, VirtualMachineCloneSpec.
#pragma once

#include "providers/vmware_machine.h"
#include "providers/vmware_place.h"

namespace jarvis::providers::vmware {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// What an adapter is connected to, as its `backing`: a standard portgroup, a distributed one or an NSX segment.
struct Backing {
  std::string type;
  Xml inner;
};

// vmxnet3, e1000e, e1000, pcnet32 -> the type of the device. Error(Usage) naming the key for another one.
std::string card_type(const std::string& nic_type);

struct NewMachine {
  std::string name, guest_id, disk_controller, card;
  std::int64_t cpus = 1, memory_mb = 0, disk_kb = 0;
  std::vector<Backing> adapters;
  Pairs extra;
};

// Arguments of CreateVM_Task and of CloneVM_Task.
Xml create_arguments(const NewMachine& machine, const Place& place);
struct Clone {
  std::string name;
  std::optional<std::int64_t> cpus, memory_mb;
  Pairs extra;
};
Xml clone_arguments(const Clone& clone, const Place& place);

// Elements `deviceChange` of a ReconfigVM_Task.
Xml new_disk(std::int64_t key, std::int64_t controller, std::int64_t unit, std::int64_t capacity_kb,
             const std::string& file, const Reference& datastore, bool exists);
Xml grown_disk(const Disk& disk, std::int64_t capacity_kb);
Xml removed_disk(const Disk& disk, bool delete_file);
// `number` from 0 on: of several in one call each has its own.
Xml new_card(const std::string& type, const Backing& backing, std::size_t number);
Xml moved_card(const Nic& nic, const Backing& backing);

// What cloud-init's VMware datasource reads (guestinfo.*), RFC 4648 encoded.
Pairs guest_info(const workers::Clipboard& clipboard, const std::string& instance_id);

}  // namespace jarvis::providers::vmware
