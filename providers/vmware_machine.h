// A virtual machine as the property collector tells it, read into what the provider needs. Pure but for the paths that
// a caller must ask for. Knows no task. Source: vSphere Web Services API 6.5, VirtualMachine.
#pragma once

#include "providers/provider.h"
#include "providers/vmware_inventory.h"

namespace jarvis::providers::vmware {

struct Disk {
  std::int64_t key = 0, controller = 0, unit = 0, capacity_kb = 0;
  std::string label;               // "Hard disk 1", as the client shows it
  std::string file;                // "[datastore1] loki/loki.vmdk"
  std::string uuid;                // of its backing
  bool on_scsi = false;            // its controller is one
  std::vector<std::string> bases;  // files of before its snapshots, that it stands on
  Reference datastore;
  pugi::xml_node device;
};

struct Nic {
  std::int64_t key = 0;
  std::string type, mac;
  pugi::xml_node device, backing;
};

struct Vm {
  Object object;  // owns the nodes
  Reference self, parent, host, pool;
  std::string name;
  bool readable = false;  // its configuration is there: not while it is being made, nor on a lost datastore
  bool is_template = false;
  std::optional<Marks> marks;
  std::string created;     // as our own mark says
  std::string power;       // poweredOn poweredOff suspended
  std::string connection;  // connected disconnected inaccessible invalid orphaned
  // From here on only with the paths of machine_paths().
  std::string guest_id, file;
  std::int64_t cpus = 0, memory_mb = 0;
  std::vector<Disk> disks;
  std::vector<Nic> nics;
  bool tools_running = false, snapshots = false;
  std::string question;                              // what vSphere asks a person about it, and waits for
  std::vector<std::string> addresses, made_volumes;  // volumes that were made with it, not found
  std::vector<std::int64_t> made_disks_kb;           // of the disks after the first that its template brought along
  std::vector<Reference> recent_tasks;
};

const std::vector<std::string>& listing_paths();
const std::vector<std::string>& machine_paths();
Vm read_vm(const Object& object);
// What of a machine is neither its first disk nor a volume, and goes with it; `foreign`: nor of its template, so
// somebody put it there.
struct OtherDisk {
  Disk disk;
  bool foreign = false;
};
std::vector<OtherDisk> other_disks(const Vm& vm);
// Where the guest finds one of a machine's disks, the surest first: by its uuid, which the guest is shown if
// disk.EnableUUID is TRUE in extraConfig; by its unit of a SCSI controller, if no disk of another one has the same.
std::vector<std::string> device_paths(const Disk& disk, const std::vector<Disk>& all);

// The addresses that VMware tools report, fit for being reached: of the machine's own adapters, IPv4 first, no
// link-local ones; the one the tools call the primary before others of its family.
std::vector<std::string> guest_addresses(pugi::xml_node net, const std::string& primary);

// Our marks and whatever else is written into extraConfig, as a list of `extraConfig` elements.
Xml extra_config(const std::vector<std::pair<std::string, std::string>>& pairs);
std::vector<std::pair<std::string, std::string>> pairs_of(const Marks& marks);

}  // namespace jarvis::providers::vmware
