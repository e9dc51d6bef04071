#include "providers/vmware_server.h"

#include <algorithm>

#include "providers/vmware_faults.h"
#include "workers/printable.h"

namespace jarvis::providers::vmware {

using pipeline::Error;
using pipeline::Kind;
using workers::Call;

namespace {

bool one_of(const std::string& what, std::initializer_list<const char*> all) {
  return std::any_of(all.begin(), all.end(), [&](const char* one) { return what == one; });
}

bool stands_on(const Disk& disk, const Volume& volume) {
  // Datastores of two datacenters may have one name.
  if (disk.datastore && disk.datastore != volume.datastore.self) return false;
  return disk.file == volume.file || std::find(disk.bases.begin(), disk.bases.end(), volume.file) != disk.bases.end();
}

}  // namespace

Server::Server(const Call& the_call)
    : call(the_call),
      session(the_call),
      inventory(session),
      tasks(session, inventory, the_call),
      volumes(session, tasks, the_call),
      notes(the_call.setting("DIR")) {}

const std::vector<Datacenter>& Server::datacenters() {
  if (datacenters_.empty()) datacenters_ = vmware::datacenters(inventory, session.service().root_folder);
  return datacenters_;
}

const Datacenter& Server::datacenter() {
  if (!datacenter_) {
    auto wanted = call.clipboard.scalar("datacenter");
    const std::string set = call.setting("DATACENTER", "");
    if (!wanted && !set.empty()) wanted = set;
    datacenter_ = the_datacenter(datacenters(), wanted, session.server());
  }
  return *datacenter_;
}

std::optional<Datacenter> Server::datacenter_of(const Reference& object) {
  for (Reference at = object; at;) {
    for (const Datacenter& one : datacenters())
      if (one.self == at || one.vm_folder == at) return one;
    const auto found = inventory.get(at, {"parent"});
    at = found ? found->reference("parent") : Reference();
  }
  return std::nullopt;
}

const std::vector<Vm>& Server::machines(bool again) {
  if (!machines_ || again) {
    machines_.emplace();
    for (const Object& one : inventory.list(session.service().root_folder, {{"VirtualMachine", listing_paths()}}))
      machines_->push_back(read_vm(one));
  }
  return *machines_;
}

void Server::must_be_readable(const Vm& vm) const {
  if (vm.readable) return;
  const std::string what = "vSphere has " + workers::printable(vm.name, 80) + " (" + vm.self.value + ")";
  if (one_of(vm.connection, {"inaccessible", "invalid", "orphaned"}))
    throw Error(Kind::Permanent, what + ", which is " + vm.connection + ": whose it is cannot be read");
  tasks.later(what + ", whose configuration is not there yet");
}

std::vector<Vm> Server::find(const std::string& fqdn) {
  std::vector<Reference> found;
  for (const Vm& vm : machines(true)) {
    if (vm.is_template) continue;
    const bool marked = vm.marks && vm.marks->fqdn == fqdn;
    if (!marked && vm.name != fqdn) continue;
    if (!marked && datacenters().size() > 1) {
      const auto where = datacenter_of(vm.parent);
      if (where && where->self != datacenter().self) continue;
    }
    must_be_readable(vm);
    found.push_back(vm.self);
  }
  std::vector<Vm> made;
  for (const Object& one : inventory.get(found, machine_paths())) {
    made.push_back(read_vm(one));
    must_be_readable(made.back());
  }
  return made;
}

std::optional<Vm> Server::machine(const std::string& id) {
  const auto found = inventory.get(Reference{"VirtualMachine", id}, machine_paths());
  if (!found) return std::nullopt;
  Vm vm = read_vm(*found);
  must_be_readable(vm);
  if (vm.is_template) return std::nullopt;
  return vm;
}

std::vector<Datastore> Server::datastores(const Reference& datacenter) {
  std::vector<Datastore> made;
  for (const Object& one :
       inventory.list(datacenter, {{"Datastore", {"name", "browser", "summary.accessible", "summary.freeSpace"}}})) {
    if (one.flag("summary.accessible"))
      made.push_back({one.self, one.reference("browser"), one.name(), one.number("summary.freeSpace")});
  }
  return made;
}

void Server::must_be_free(const std::vector<Volume>& wanted, const std::string& fqdn) {
  if (wanted.empty()) return;
  std::vector<std::string> paths = listing_paths();
  paths.emplace_back("config.hardware.device");
  for (const Object& one : inventory.list(session.service().root_folder, {{"VirtualMachine", paths}})) {
    const Vm vm = read_vm(one);
    if (vm.marks && vm.marks->fqdn == fqdn) continue;
    for (const Volume& volume : wanted) {
      if (std::none_of(vm.disks.begin(), vm.disks.end(), [&](const Disk& disk) { return stands_on(disk, volume); }))
        continue;
      throw Error(Kind::Refused, "volume " + workers::printable(volume.file, 160) +
                                     " of this host is attached to vmware " + workers::printable(vm.name, 80) + " (" +
                                     vm.self.value + "); jarvis takes it from nobody");
    }
  }
}

void Server::wait_until_idle(const Vm& vm) {
  for (const RunningTask& task : tasks.running(vm.recent_tasks)) {
    if (!one_of(task.what, {"powerOn", "powerOff", "reset", "suspend", "reconfigure", "destroy", "createVm", "clone"}))
      continue;
    if (!vm.question.empty())
      throw Error(Kind::Permanent, "vSphere asks about " + vm.name + " and waits for an answer in its client: " +
                                       workers::printable(vm.question, 200));
    try {
      (void)tasks.follow(task.self, "waiting for " + task.what);
    } catch (const Fault& e) {
      call.log(std::string("an earlier task ended: ") + e.what());
    }
  }
}

bool Server::changes_power(const Vm& vm) {
  const auto running = tasks.running(vm.recent_tasks);
  return std::any_of(running.begin(), running.end(), [](const RunningTask& task) {
    return one_of(task.what, {"powerOn", "powerOff", "reset", "suspend", "destroy"});
  });
}

std::vector<std::string> fixed_addresses(const workers::Clipboard& clipboard) {
  if (clipboard.has(kFixedAddress)) return clipboard.list(kFixedAddress);
  return clipboard.scalar("instance_id") ? std::vector<std::string>() : clipboard.list("ipaddress");
}

Machine as_machine(Server& server, const Vm& vm) {
  Machine made;
  made.id = vm.self.value;
  made.name = vm.name;
  made.marks = vm.marks;
  made.power = server.changes_power(vm) ? Power::Changing : vm.power == "poweredOn" ? Power::On : Power::Off;
  made.addresses = fixed_addresses(server.call.clipboard);
  if (made.addresses.empty()) made.addresses = vm.addresses;
  for (const Nic& nic : vm.nics)
    if (!nic.mac.empty()) made.macaddrs.push_back(nic.mac);
  made.created = vm.created;
  made.shown = std::to_string(vm.cpus) + (vm.cpus == 1 ? " CPU, " : " CPUs, ") + std::to_string(vm.memory_mb) +
               " MB, " + workers::printable(vm.guest_id, 60) + ", " + workers::printable(vm.file, 120);
  return made;
}

}  // namespace jarvis::providers::vmware
