#include "providers/vmware_provider.h"

#include <time.h>

#include <algorithm>

#include "providers/vmware_faults.h"
#include "workers/printable.h"

namespace jarvis::providers::vmware {

using pipeline::Error;
using pipeline::Kind;
using workers::Call;
using workers::Clipboard;
using workers::printable;

namespace {

constexpr long kGuestShutdown = 90;  // seconds that a guest gets to shut itself down

std::string datastore_of(const std::string& file) {
  const std::size_t end = file.find(']');
  return file.starts_with("[") && end != std::string::npos ? file.substr(1, end - 1) : std::string();
}

const Disk* root_disk(const Vm& vm) {
  for (const Disk& disk : vm.disks)
    if (!volume_of(disk.file)) return &disk;
  return nullptr;
}

std::string shown_gigabytes(std::int64_t kb) {
  return std::to_string(kb / (1024L * 1024)) + " GB";
}

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string name_of(const Disk& disk) {
  return printable(disk.label.empty() ? disk.file : disk.label, 120);
}

std::string unattached(const Volume& volume) {
  return "volume " + printable(volume.file, 160) + ", attached to nothing";
}

// What jarvis did not make goes with nobody's machine unless the spec says so.
void must_be_given_up(const Vm& vm, const std::vector<OtherDisk>& disks, const std::vector<std::string>& wipe) {
  for (const auto& [disk, foreign] : disks) {
    const std::string name = name_of(disk);
    if (!foreign || among(wipe, name)) continue;
    throw Error(Kind::Refused, "disk " + name + " of vmware " + vm.name + " (" + printable(disk.file, 160) + ", " +
                                   shown_gigabytes(disk.capacity_kb) +
                                   ") would go along with the machine, for it is no volume: detaching it keeps it, "
                                   "`wipe: [" +
                                   name + "]` gives it up");
  }
}

}  // namespace

const std::string& Vmware::name() const {
  static const std::string kName = "vmware";
  return kName;
}

std::vector<Machine> Vmware::find(const std::string& fqdn) {
  std::vector<Machine> made;
  for (const Vm& vm : server_.find(fqdn)) made.push_back(as_machine(server_, vm));
  return made;
}

std::optional<Machine> Vmware::machine(const std::string& id) {
  const auto vm = server_.machine(id);
  return vm ? std::optional(as_machine(server_, *vm)) : std::nullopt;
}

Vm Vmware::require(const std::string& id) {
  auto vm = server_.machine(id);
  if (!vm) throw Error(Kind::Permanent, "vSphere's machine " + id + " is gone");
  return std::move(*vm);
}

Recipe Vmware::resolve(const Clipboard& clipboard) {
  return making_.resolve(clipboard);
}

void Vmware::ask(const Call& /*call*/) {
  making_.ask();
}

Machine Vmware::create(const Call& /*call*/, const Marks& marks) {
  const Reference made = making_.create(marks);
  return as_machine(server_, require(made.value));
}

Machine Vmware::complete(const Call& call, Machine machine) {
  Vm vm = require(machine.id);
  making_.await_creation(vm);
  server_.wait_until_idle(vm);
  vm = require(machine.id);
  if (vm.power == "poweredOff" && making_.resolved()) making_.complete(vm);
  if (boot_ == Boot::Yes && vm.power != "poweredOn") power_on(call, machine);
  return as_machine(server_, require(machine.id));
}

std::vector<std::string> Vmware::differences(const Clipboard& clipboard, const Machine& machine) {
  std::vector<std::string> lines;
  const Vm vm = require(machine.id);
  const auto compare = [&](const char* key, const std::string& has) {
    const auto wanted = clipboard.scalar(key);
    if (wanted && *wanted != has) lines.push_back(std::string(key) + " " + has + ", not " + printable(*wanted, 60));
  };
  compare("num_cpus", std::to_string(vm.cpus));
  compare("size", std::to_string(vm.memory_mb));
  const auto guestid = clipboard.scalar("guestid");
  const auto& ids = known_guest_ids();
  if (guestid && std::find(ids.begin(), ids.end(), *guestid) != ids.end()) compare("guestid", vm.guest_id);
  if (const Disk* root = root_disk(vm)) compare("disksize", std::to_string(root->capacity_kb));
  const auto networks = clipboard.list("nic_network");
  for (std::size_t i = 0; i < networks.size(); ++i) {
    const std::string has = i < vm.nics.size() ? network_of(vm.nics[i]) : "is not there";
    if (!has.empty() && has != networks[i])
      lines.push_back((networks.size() > 1 ? "nic_network of adapter " + std::to_string(i + 1) + " " : "nic_network ") +
                      has + ", not " + printable(networks[i], 60));
  }
  for (const auto& one : wanted_volumes(clipboard)) {
    const std::string& name = one.first;
    const auto found = std::find_if(vm.disks.begin(), vm.disks.end(), [&](const Disk& disk) {
      const auto volume = volume_of(disk.file);
      return volume && volume->second == name;
    });
    if (found == vm.disks.end()) lines.push_back("no volume " + name);
  }
  return lines;
}

workers::Devices Vmware::devices(const Clipboard& clipboard, const Machine& machine) {
  workers::Devices made;
  const auto wanted = wanted_volumes(clipboard);
  if (wanted.empty()) return made;
  const std::string fqdn = clipboard.require("fqdn");
  const Vm vm = require(machine.id);
  for (const Disk& disk : vm.disks) {
    std::vector<std::string> files = disk.bases;  // of before its snapshots, too
    files.push_back(disk.file);
    for (const std::string& file : files) {
      const auto volume = volume_of(file);
      const bool ours = volume && volume->first == fqdn;
      if (ours &&
          std::any_of(wanted.begin(), wanted.end(), [&](const auto& one) { return one.first == volume->second; }))
        made[volume->second] = device_paths(disk, vm.disks);
    }
  }
  return made;
}

void Vmware::power_on(const Call& call, const Machine& machine) {
  Vm vm = require(machine.id);
  server_.wait_until_idle(vm);
  vm = require(machine.id);
  if (vm.power == "poweredOn") return;
  call.progress("starting " + vm.name);
  try {
    (void)server_.tasks.perform("PowerOnVM_Task", vm.self, Xml(), "starting " + vm.name);
  } catch (const Fault& e) {
    if (!e.is("InvalidPowerState") || require(machine.id).power != "poweredOn") throw;
  }
}

void Vmware::switch_off(const Vm& vm) {
  if (vm.power == "poweredOff") return;
  try {
    (void)server_.tasks.perform("PowerOffVM_Task", vm.self, Xml(), "powering off " + vm.name);
  } catch (const Fault& e) {
    if (!e.is("InvalidPowerState") || require(vm.self.value).power != "poweredOff") throw;
  }
}

void Vmware::power_off(const Call& call, const Machine& machine) {
  Vm vm = require(machine.id);
  server_.wait_until_idle(vm);
  vm = require(machine.id);
  const std::string note = vm.name + ".shutdown";
  if (vm.power == "poweredOn" && vm.tools_running) {
    const auto lines = server_.notes.read(note);
    const long now = static_cast<long>(::time(nullptr));
    const bool asked = lines.size() == 3 && lines[0] == machine.id && lines[1] == call.step;
    if (!asked) {
      try {
        (void)server_.session.call("ShutdownGuest", vm.self, Xml(), Repeat::Changes);
        server_.notes.write(note, {machine.id, call.step, std::to_string(now)});
        server_.tasks.later("the guest is shutting down");
      } catch (const Fault& e) {
        if (e.kind() == Kind::Transient) throw;
        call.log(std::string("the guest does not shut down by itself: ") + e.what());
      }
    } else if (now - std::strtol(lines[2].c_str(), nullptr, 10) < kGuestShutdown) {
      server_.tasks.later("the guest is shutting down");
    }
  }
  server_.notes.erase(note);
  switch_off(vm);
}

void Vmware::reboot(const Call& call, const Machine& machine) {
  const Vm vm = require(machine.id);
  server_.wait_until_idle(vm);
  if (vm.tools_running) {
    try {
      (void)server_.session.call("RebootGuest", vm.self, Xml(), Repeat::Changes);
      return;
    } catch (const Fault& e) {
      if (e.kind() == Kind::Transient) throw;
      call.log(std::string("the guest does not reboot by itself: ") + e.what());
    }
  }
  (void)server_.tasks.perform("ResetVM_Task", vm.self, Xml(), "resetting " + vm.name);
}

// A spec without volumes wants no right to look for some.
std::vector<Volume> Vmware::volumes_of(const Call& call, const Reference& datacenter) {
  const auto patience = call.clipboard.has("volumes") ? Unreadable::Fails : Unreadable::LeftOut;
  return server_.volumes.find(server_.datastores(datacenter), call.clipboard.require("fqdn"), patience);
}

Vmware::Fates Vmware::fates(const Call& call, const Vm& vm, Extent extent) {
  Fates made;
  const auto wipe = call.clipboard.list("wipe");
  const std::string fqdn = call.clipboard.require("fqdn");
  const auto goes = [&](const std::pair<std::string, std::string>& volume) {
    if (volume.first != fqdn) return false;
    if (extent == Extent::Step) return among(vm.made_volumes, volume.second);
    return extent == Extent::All || among(wipe, volume.second);
  };
  for (const Disk& disk : vm.disks) {
    const auto volume = volume_of(disk.file);
    if (volume) (goes(*volume) ? made.lost_disks : made.kept_disks).push_back(disk);
  }
  made.others = other_disks(vm);
  if (extent == Extent::Machine) must_be_given_up(vm, made.others, wipe);
  // Those that an interrupted redeploy left are attached to nothing.
  const bool none =
      !call.clipboard.has("volumes") && wipe.empty() && made.lost_disks.empty() && made.kept_disks.empty();
  if (none && extent != Extent::All) return made;
  const auto datacenter = server_.datacenter_of(vm.parent);
  if (!datacenter) return made;
  for (const Volume& volume : volumes_of(call, datacenter->self)) {
    const bool attached =
        std::any_of(vm.disks.begin(), vm.disks.end(), [&](const Disk& disk) { return disk.file == volume.file; });
    if (!attached && goes({volume.fqdn, volume.name})) made.lost.push_back(volume);
  }
  server_.must_be_free(made.lost, fqdn);
  return made;
}

std::vector<std::string> Vmware::belongings(const Call& call, const Machine& machine, Extent extent) {
  std::vector<std::string> lines;
  const Fates made = fates(call, require(machine.id), extent);
  for (const Disk& disk : made.lost_disks)
    lines.push_back("volume " + printable(disk.file, 160) + ", " + shown_gigabytes(disk.capacity_kb));
  for (const Volume& volume : made.lost) lines.push_back(unattached(volume));
  for (const OtherDisk& other : made.others) {
    lines.push_back("disk " + name_of(other.disk) + ", " + printable(other.disk.file, 160) + ", " +
                    shown_gigabytes(other.disk.capacity_kb));
  }
  return lines;
}

void Vmware::must_be_replaceable(const Call& call, const Machine& machine) {
  const Vm vm = require(machine.id);
  must_be_given_up(vm, other_disks(vm), call.clipboard.list("wipe"));
}

void Vmware::remove(const Call& call, const Machine& machine, Extent extent) {
  auto vm = server_.machine(machine.id);
  if (!vm) return;
  server_.wait_until_idle(*vm);
  vm = server_.machine(machine.id);
  if (!vm) return;
  const Fates made = fates(call, *vm, extent);
  if (vm->snapshots && !made.kept_disks.empty())
    throw Error(Kind::Permanent,
                vm->name + " has snapshots, with which its volumes cannot be kept: delete the snapshots first");
  switch_off(*vm);
  Xml changes;
  for (const Disk& disk : made.kept_disks) changes.add(removed_disk(disk, false));
  for (const Disk& disk : made.lost_disks) changes.add(removed_disk(disk, true));
  if (!changes.text().empty())
    (void)server_.tasks.perform("ReconfigVM_Task", vm->self, Xml().in("spec", changes),
                                "detaching volumes of " + vm->name);
  for (const Disk& disk : made.kept_disks) call.log("keeping volume " + disk.file);
  if (!made.lost.empty()) {
    const auto datacenter = server_.datacenter_of(vm->parent);
    for (const Volume& volume : made.lost) server_.volumes.remove(volume, datacenter->self);
  }
  try {
    (void)server_.tasks.perform("Destroy_Task", vm->self, Xml(), "deleting " + vm->name);
  } catch (const Fault& e) {
    if (!e.is("ManagedObjectNotFound")) throw;
  }
  for (const char* note : {".create", ".shutdown"}) server_.notes.erase(vm->name + note);
}

std::vector<std::pair<Volume, Reference>> Vmware::volumes_left(const Call& call, Extent extent) {
  std::vector<std::pair<Volume, Reference>> made;
  std::vector<Volume> all;
  const auto wipe = call.clipboard.list("wipe");
  if (extent != Extent::All && wipe.empty()) return made;
  for (const Datacenter& datacenter : server_.datacenters())
    for (Volume& volume : volumes_of(call, datacenter.self))
      if (extent == Extent::All || among(wipe, volume.name)) {
        all.push_back(volume);
        made.emplace_back(std::move(volume), datacenter.self);
      }
  server_.must_be_free(all, call.clipboard.require("fqdn"));
  return made;
}

std::vector<std::string> Vmware::left_over(const Call& call, Extent extent) {
  std::vector<std::string> lines;
  for (const auto& [volume, datacenter] : volumes_left(call, extent)) lines.push_back(unattached(volume));
  return lines;
}

void Vmware::remove_left_over(const Call& call, Extent extent) {
  for (const auto& [volume, datacenter] : volumes_left(call, extent)) {
    server_.volumes.remove(volume, datacenter);
    call.log("deleted volume " + volume.file);
  }
}

void Vmware::mark(const Machine& machine, const Marks& marks) {
  (void)server_.tasks.perform("ReconfigVM_Task", {"VirtualMachine", machine.id},
                              Xml().in("spec", extra_config(pairs_of(marks))), "marking " + machine.name);
}

std::string Vmware::network_of(const Nic& nic) {
  Reference network = reference(nic.backing, "network");
  const std::string group = text(nic.backing, "port/portgroupKey");
  if (!group.empty()) network = {"DistributedVirtualPortgroup", group};
  if (!network) return text(nic.backing, "deviceName");
  const auto found = server_.inventory.get(network, {"name"});
  return found ? found->name() : std::string();
}

void Vmware::describe(const Machine& machine, Clipboard& clipboard) {
  const Vm vm = require(machine.id);
  clipboard.set("guestid", vm.guest_id);
  clipboard.set_raw("num_cpus", std::to_string(vm.cpus));
  clipboard.set_raw("size", std::to_string(vm.memory_mb));
  if (const Disk* root = root_disk(vm)) clipboard.set_raw("disksize", std::to_string(root->capacity_kb));
  const auto set = [&](const char* key, const std::string& value) {
    if (!value.empty()) clipboard.set(key, value);
  };
  set("datastore", datastore_of(vm.file));
  std::vector<std::string> networks;
  for (const Nic& nic : vm.nics) networks.push_back(network_of(nic));
  const bool all_known = std::find(networks.begin(), networks.end(), "") == networks.end();
  if (networks.size() > 1 && all_known)
    clipboard.set_list("nic_network", networks);
  else if (!networks.empty())
    set("nic_network", networks.front());
  const auto datacenter = server_.datacenter_of(vm.parent);
  if (datacenter) set("datacenter", datacenter->name);
  // Where a cluster places its machines itself, it is the cluster that is named.
  const auto host = server_.inventory.get(vm.host, {"name", "parent"});
  const auto compute = host ? server_.inventory.get(host->reference("parent"), {"name"}) : std::optional<Object>();
  if (compute && compute->self.type == "ClusterComputeResource") {
    const auto cluster = server_.inventory.get(compute->self, {"configurationEx"});
    const bool drs = cluster && flag(cluster->node("configurationEx"), "drsConfig/enabled");
    set("vmhost", drs ? compute->name() : host->name());
  } else if (host) {
    set("vmhost", host->name());
  }
  const auto path = [&](Reference at, const Reference& top, const char* type) {
    std::string made;
    while (at && at != top && at.type == type) {
      const auto found = server_.inventory.get(at, {"name", "parent"});
      if (!found) return std::string();
      const Reference up = found->reference("parent");
      if (std::string(type) == "ResourcePool" && up.type != type) break;  // the root pool
      made = found->name() + (made.empty() ? "" : "/") + made;
      at = up;
    }
    return made;
  };
  if (datacenter) set("folder", path(vm.parent, datacenter->vm_folder, "Folder"));
  set("resource_pool", path(vm.pool, {}, "ResourcePool"));
}

std::vector<Owned> Vmware::owned() {
  std::vector<Reference> marked;
  for (const Vm& vm : server_.machines())
    if (vm.marks && !vm.is_template) marked.push_back(vm.self);
  std::vector<Owned> made;
  std::vector<Vm> machines;
  for (const Object& one : server_.inventory.get(marked, machine_paths())) {
    machines.push_back(read_vm(one));
    const Vm& vm = machines.back();
    if (!vm.marks) continue;
    const Machine shown = as_machine(server_, vm);
    made.push_back({"machine", shown.id, shown.name, *shown.marks, shown.created, shown.shown, "", {}});
  }
  for (const Datacenter& datacenter : server_.datacenters()) {
    for (const Volume& volume : server_.volumes.find(server_.datastores(datacenter.self), "", Unreadable::LeftOut)) {
      Owned one{"volume", volume.file, volume.fqdn + "_" + volume.name, {volume.fqdn, "", ""}, "", "", "", {}};
      one.shown = volume.file + " in " + datacenter.name;
      for (const Vm& vm : machines)
        for (const Disk& disk : vm.disks)
          if (disk.file == volume.file) one.machine = vm.self.value;
      made.push_back(std::move(one));
    }
  }
  return made;
}

std::vector<Offer> Vmware::offers() {
  std::vector<Offer> made;
  for (const Datacenter& datacenter : server_.datacenters()) {
    std::vector<Named> networks;
    std::string stores;
    std::vector<Offer> hosts;
    for (const Object& one : server_.inventory.list(
             datacenter.self, {{"HostSystem", {"name", "runtime.connectionState", "runtime.inMaintenanceMode"}},
                               {"Datastore", {"name", "summary.accessible", "summary.freeSpace"}},
                               {"Network", {"name"}}})) {
      if (one.self.type == "HostSystem") {
        const std::string state =
            one.flag("runtime.inMaintenanceMode") ? "in maintenance mode" : one.text("runtime.connectionState");
        hosts.push_back({"region", one.name(), datacenter.name + "/" + one.name(), "host, " + state, {}});
      } else if (one.self.type == "Datastore") {
        if (one.flag("summary.accessible"))
          stores += (stores.empty() ? "" : ", ") + one.name() + " (" +
                    shown_gigabytes(one.number("summary.freeSpace") / 1024) + " free)";
      } else {
        networks.push_back({one.name(), ""});
      }
    }
    made.push_back({"region",
                    datacenter.name,
                    datacenter.name,
                    "datacenter; datastores " + stores + "; networks " + shown_names(networks, 40),
                    {}});
    made.insert(made.end(), hosts.begin(), hosts.end());
  }
  for (const Vm& vm : server_.machines()) {
    if (!vm.is_template) continue;
    const auto where = server_.datacenter_of(vm.parent);
    made.push_back({"image", vm.name, vm.name, "template" + (where ? " in " + where->name : std::string()), {}});
  }
  return made;
}

}  // namespace jarvis::providers::vmware
