#include "providers/vmware_making.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "providers/vmware_faults.h"
#include "workers/printable.h"

namespace jarvis::providers::vmware {

using pipeline::Error;
using pipeline::Kind;
using workers::Clipboard;
using workers::printable;

namespace {

constexpr std::int64_t kKilo = 1024, kMega = kKilo * 1024, kGiga = kMega * 1024;
constexpr std::size_t kMostName = 80;      // characters of a machine's name
constexpr std::size_t kMostAdapters = 10;  // of a machine, in every version of vSphere

std::optional<std::int64_t> number_of(const Clipboard& clipboard, const char* key, std::int64_t least,
                                      std::int64_t most, std::int64_t multiple, const char* what) {
  const auto written = clipboard.scalar(key);
  if (!written) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(written->data(), written->data() + written->size(), value);
  if (fault != std::errc() || end != written->data() + written->size() || value < least || value > most ||
      value % multiple != 0) {
    throw Error(Kind::Usage, std::string(key) + ": " + printable(*written, 60) + " must be " + what + ", " +
                                 std::to_string(least) + " to " + std::to_string(most) +
                                 (multiple > 1 ? ", a multiple of " + std::to_string(multiple) : ""));
  }
  return value;
}

std::string gigabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", static_cast<double>(bytes) / static_cast<double>(kGiga));
  return text;
}

std::string now_text() {
  const time_t now = ::time(nullptr);
  tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::int64_t template_disks_kb(const Vm& source) {
  std::int64_t sum = 0;
  for (const Disk& disk : source.disks) sum += disk.capacity_kb;
  return sum;
}

// Of the disks after the first: those that a clone has are its own.
std::string more_disks_kb(const Vm& source) {
  std::string made;
  for (std::size_t i = 1; i < source.disks.size(); ++i)
    made += (made.empty() ? "" : " ") + std::to_string(source.disks[i].capacity_kb);
  return made;
}

}  // namespace

void Making::read_wanted(const Clipboard& clipboard) {
  wanted_.cpus = number_of(clipboard, "num_cpus", 1, 768, 1, "a number of CPUs");
  wanted_.memory_mb = number_of(clipboard, "size", 4, 25'165'824, 4, "memory in MB");
  wanted_.disk_kb = number_of(clipboard, "disksize", 1024, 65'011'712 * kKilo, 1, "a disk in KB");
  wanted_.volumes = wanted_volumes(clipboard);
  if (clipboard.list("nic_network").size() > kMostAdapters)
    throw Error(Kind::Usage, "nic_network: a machine has at most 10 network adapters");
  card_ = card_type(clipboard.scalar("nic_type").value_or("vmxnet3"));
}

std::vector<std::string> Making::template_names() {
  std::vector<std::string> names;
  for (const Vm& vm : server_.machines())
    if (vm.is_template) names.push_back(vm.name);
  return names;
}

// The machine or template of that name in our datacenter; nothing if there is none.
const Vm* Making::template_of(const std::string& guestid) {
  std::vector<const Vm*> found, machines;
  for (const Vm& vm : server_.machines()) {
    if (vm.name != guestid) continue;
    const auto where = server_.datacenter_of(vm.parent);
    if (where && where->self == server_.datacenter().self) (vm.is_template ? found : machines).push_back(&vm);
  }
  if (found.size() > 1) {
    throw Error(Kind::Usage, "guestid: datacenter " + server_.datacenter().name + " has " +
                                 std::to_string(found.size()) + " templates " + printable(guestid, 80) +
                                 ": rename all but one");
  }
  if (found.empty() && !machines.empty())
    throw Error(Kind::Usage, "guestid: " + printable(guestid, 80) +
                                 " is a machine and no template: convert it to one, or give an API guest id such as "
                                 "debian11_64Guest");
  return found.empty() ? nullptr : found.front();
}

void Making::resolve_clone(const Vm& source) {
  if (!server_.session.service().vcenter) {
    throw Error(Kind::Usage, "guestid: " + printable(source.name, 80) + " is a template, and a host by itself (" +
                                 server_.session.service().shown +
                                 ") does not clone: give an API guest id such as debian11_64Guest, or let `url` of "
                                 "providers.vmware name the vCenter");
  }
  const auto whole = server_.inventory.get(source.self, machine_paths());
  if (!whole) throw Error(Kind::Permanent, "guestid: template " + printable(source.name, 80) + " is gone");
  source_ = read_vm(*whole);
  guest_ = {source_->guest_id, ""};
  cpus_ = wanted_.cpus.value_or(source_->cpus);
  memory_mb_ = wanted_.memory_mb.value_or(source_->memory_mb);
  disk_kb_ = template_disks_kb(*source_);
  if (!wanted_.disk_kb) return;
  if (source_->disks.empty())
    throw Error(Kind::Usage, "disksize: template " + printable(source_->name, 80) + " has no disk");
  const std::int64_t root = source_->disks.front().capacity_kb;
  if (*wanted_.disk_kb < root) {
    throw Error(Kind::Usage, "disksize: " + std::to_string(*wanted_.disk_kb) + " is less than the disk of template " +
                                 printable(source_->name, 80) + ", " + std::to_string(root) + " (KB)");
  }
  disk_kb_ += *wanted_.disk_kb - root;
}

GuestKind Making::kind_of(const std::string& guestid, const Reference& environment) {
  return guest_kind(server_.session, environment, guestid, template_names(), "datacenter " + server_.datacenter().name);
}

void Making::resolve_new(const Clipboard& clipboard, const std::string& guestid) {
  guest_ = kind_of(guestid, place_.environment);
  for (const char* key : {"disksize", "size"}) (void)clipboard.require(key);
  cpus_ = wanted_.cpus.value_or(1);
  memory_mb_ = *wanted_.memory_mb;
  disk_kb_ = *wanted_.disk_kb;
}

Recipe Making::resolve(const Clipboard& clipboard) {
  const std::string fqdn = clipboard.require("fqdn");
  if (fqdn.size() > kMostName)
    throw Error(Kind::Usage, "fqdn: longer than the " + std::to_string(kMostName) + " characters of a machine's name");
  const std::string guestid = clipboard.require("guestid");
  read_wanted(clipboard);
  const Datacenter datacenter = server_.datacenter();
  const Vm* source = template_of(guestid);
  if (source != nullptr) resolve_clone(*source);
  // A template that is gone is told as that, not as a machine from scratch that lacks a host and more.
  if (source == nullptr && !could_be_guest_id(guestid)) (void)kind_of(guestid, {});
  Asked asked{datacenter.name,
              clipboard.scalar("vmhost"),
              clipboard.scalar("folder"),
              clipboard.scalar("resource_pool"),
              clipboard.scalar("datastore"),
              clipboard.list("nic_network"),
              source == nullptr,
              source_ ? source_->host : Reference()};
  place_ = find_place(server_.inventory, datacenter, asked);
  if (source == nullptr) resolve_new(clipboard, guestid);
  resolved_ = true;
  Recipe recipe;
  recipe.shown = std::to_string(cpus_) + (cpus_ == 1 ? " CPU, " : " CPUs, ") + std::to_string(memory_mb_) +
                 " MB, disk " + gigabytes(disk_kb_ * kKilo) + ", in " + place_.shown() + ", " +
                 (source_ ? "from template " : "for ") + printable(guestid, 80);
  return recipe;
}

// Of the spec's volumes, those that an earlier machine of the host left, anywhere in the datacenter: one that cannot be
// attached there is no reason to make an empty one.
std::vector<Volume> Making::volumes_there() {
  std::vector<Volume> made;
  for (Volume& volume :
       server_.volumes.find(server_.datastores(place_.datacenter.self), server_.call.clipboard.require("fqdn"))) {
    const std::string begin = "volumes: " + volume.name + " is there, ";
    if (std::none_of(wanted_.volumes.begin(), wanted_.volumes.end(),
                     [&](const auto& one) { return one.first == volume.name; }))
      continue;
    for (const Volume& other : made)
      if (other.name == volume.name)
        throw Error(Kind::Permanent, begin + "twice: " + other.file + " and " + volume.file + "; remove the wrong one");
    if (std::none_of(place_.datastores.begin(), place_.datastores.end(),
                     [&](const Datastore& one) { return one.self == volume.datastore.self; })) {
      throw Error(Kind::Permanent, begin + volume.file + ", on a datastore that " +
                                       (place_.host ? place_.host_name : place_.compute_name) + " does not mount");
    }
    made.push_back(std::move(volume));
  }
  server_.must_be_free(made, server_.call.clipboard.require("fqdn"));
  return made;
}

std::int64_t Making::bytes_of_new_volumes() {
  if (wanted_.volumes.empty()) return 0;
  const auto there = volumes_there();
  std::int64_t sum = 0;
  for (const auto& [name, size] : wanted_.volumes) {
    const std::string& wanted = name;
    if (std::none_of(there.begin(), there.end(), [&](const Volume& one) { return one.name == wanted; }))
      sum += size * kGiga;
  }
  return sum;
}

void Making::must_have_space() {
  const std::int64_t disk = disk_kb_ * kKilo, swap = memory_mb_ * kMega, volumes = bytes_of_new_volumes();
  const std::int64_t needed = disk + swap + volumes;
  if (needed <= place_.datastore.free_bytes) return;
  throw Error(Kind::Permanent, "datastore " + place_.datastore.name + " has " + gigabytes(place_.datastore.free_bytes) +
                                   " free, and " + gigabytes(needed) + " are needed: disk " + gigabytes(disk) +
                                   ", memory's swap file " + gigabytes(swap) +
                                   (volumes > 0 ? ", volumes " + gigabytes(volumes) : "") +
                                   "; make space, ask for less, or name another `datastore`");
}

// vCenter alone knows rights by object; a bare ESXi says no in the call itself.
void Making::must_have_rights() {
  if (!server_.session.service().vcenter || !server_.session.service().authorization_manager) return;
  struct Right {
    Reference object;
    std::string shown;
    std::vector<std::string> privileges;
  };
  std::vector<std::string> of_folder = {"VirtualMachine.Config.AdvancedConfig", "VirtualMachine.Config.AddNewDisk",
                                        "VirtualMachine.Interact.PowerOn", "VirtualMachine.Interact.PowerOff",
                                        "VirtualMachine.Inventory.Delete"};
  of_folder.emplace_back(source_ ? "VirtualMachine.Inventory.CreateFromExisting" : "VirtualMachine.Inventory.Create");
  std::vector<Right> rights = {
      {place_.folder, "folder " + place_.folder_name, of_folder},
      {place_.pool, "resource pool " + place_.pool_name, {"Resource.AssignVMToPool"}},
      {place_.datastore.self, "datastore " + place_.datastore.name, {"Datastore.AllocateSpace"}}};
  for (const Network& network : place_.networks)
    rights.push_back({network.self, "network " + network.name, {"Network.Assign"}});
  if (source_)
    rights.push_back({source_->self, "template " + source_->name, {"VirtualMachine.Provisioning.DeployTemplate"}});
  std::string lacking;
  for (const Right& right : rights) {
    Xml arguments;
    arguments.ref("entity", right.object).leaf("sessionId", server_.session.key());
    for (const std::string& privilege : right.privileges) arguments.leaf("privId", privilege);
    const int generation = server_.session.generation();
    const Answer answer = server_.session.call(
        "HasPrivilegeOnEntities", server_.session.service().authorization_manager, arguments, Repeat::Looks);
    if (generation != server_.session.generation())
      throw Error(Kind::Transient, "the session ended while its privileges were asked for");
    for (const pugi::xml_node& entity : children(answer.response, "returnval"))
      for (const pugi::xml_node& one : children(entity, "privAvailability"))
        if (!flag(one, "isGranted"))
          lacking += (lacking.empty() ? "" : ", ") + text(one, "privId") + " on " + right.shown;
  }
  if (!lacking.empty())
    throw Error(Kind::Permanent,
                server_.session.user() + " lacks privileges at " + server_.session.server() + ": " + lacking);
}

void Making::ask() {
  must_have_space();
  must_have_rights();
}

Backing Making::backing(const Network& network) {
  if (network.self.type == "DistributedVirtualPortgroup") {
    const auto group = server_.inventory.get(network.self, {"key", "config.distributedVirtualSwitch"});
    const auto dvs = group ? server_.inventory.get(group->reference("config.distributedVirtualSwitch"), {"uuid"})
                           : std::optional<Object>();
    if (!dvs) throw Error(Kind::Permanent, "nic_network: the switch of " + network.name + " cannot be read");
    return {"VirtualEthernetCardDistributedVirtualPortBackingInfo",
            Xml().in("port", Xml().leaf("switchUuid", dvs->text("uuid")).leaf("portgroupKey", group->text("key")))};
  }
  if (network.self.type == "OpaqueNetwork") {
    const auto found = server_.inventory.get(network.self, {"summary"});
    if (!found) throw Error(Kind::Permanent, "nic_network: " + network.name + " cannot be read");
    return {"VirtualEthernetCardOpaqueNetworkBackingInfo",
            Xml()
                .leaf("opaqueNetworkId", text(found->node("summary"), "opaqueNetworkId"))
                .leaf("opaqueNetworkType", text(found->node("summary"), "opaqueNetworkType"))};
  }
  return {"VirtualEthernetCardNetworkBackingInfo", Xml().leaf("deviceName", network.name).ref("network", network.self)};
}

void Making::await_creation(const Vm& vm) {
  const auto lines = server_.notes.read(vm.name + ".create");
  if (lines.size() < 3 || lines[0] != server_.call.step) return;
  if (!server_.tasks.running({Reference{"Task", lines[2]}}).empty()) server_.tasks.later("creating " + vm.name);
  server_.notes.erase(vm.name + ".create");
}

// An earlier attempt of this step got as far as asking: what it asked for may still be under way.
void Making::await_earlier(const std::string& note, const Marks& marks) {
  const auto lines = server_.notes.read(note);
  if (lines.size() < 2 || lines[0] != marks.step) return;
  const std::string what = "creating " + marks.fqdn;
  if (lines.size() > 2) {
    const auto running = server_.tasks.running({Reference{"Task", lines[2]}});
    if (!running.empty()) server_.tasks.later(what);
    server_.notes.erase(note);
    return;
  }
  // Its answer was lost. Whether one of these is ours nobody tells; they end soon.
  const Reference on{source_ ? "VirtualMachine" : "Folder", lines[1]};
  for (const RunningTask& task : server_.tasks.running())
    if ((task.what == "createVm" || task.what == "clone") && task.entity == on)
      server_.tasks.later(what + ", asked for before");
  server_.notes.erase(note);
}

// Somebody has the name. Ours if it carries the marks of this host; not listed yet if nothing can be seen of it.
Reference Making::taken_name(const Fault& fault, const Marks& marks) {
  const auto there = server_.find(marks.fqdn);
  for (const Vm& vm : there)
    if (vm.marks && vm.marks->fqdn == marks.fqdn) return vm.self;
  if (!there.empty()) {
    throw Error(Kind::Refused, "vSphere has a machine " + marks.fqdn + " (" + there.front().self.value +
                                   ") that is not jarvis's: `adopt " + marks.fqdn +
                                   "` takes it over, or give the host another name");
  }
  const std::string folder = place_.folder_name;
  for (const Object& one : server_.inventory.list(
           place_.datacenter.vm_folder, {{"Folder", {"name", "parent"}}, {"VirtualApp", {"name", "parent"}}})) {
    if (one.name() == marks.fqdn && one.reference("parent") == place_.folder)
      throw Error(Kind::Permanent, "the name " + marks.fqdn + " belongs to a folder or vApp in folder " + folder);
  }
  for (const Vm& vm : server_.machines()) {
    if (vm.is_template && vm.name == marks.fqdn && vm.parent == place_.folder)
      throw Error(Kind::Permanent, "the name " + marks.fqdn + " belongs to a template in folder " + folder);
  }
  server_.tasks.later(std::string(fault.what()) + ": it is taken and not listed yet");
}

// A creation that fails leaves nothing, as a rule.
void Making::take_back(const Marks& marks, const Fault& fault) {
  std::string text = fault.what();
  for (const Vm& vm : server_.find(marks.fqdn)) {
    if (!vm.marks || vm.marks->step != marks.step) continue;
    (void)server_.tasks.perform("Destroy_Task", vm.self, Xml(), "removing what was left of " + marks.fqdn);
    text += "; what this step created (" + vm.self.value + ") is removed";
  }
  throw Error(fault.kind(), text);
}

Reference Making::create(const Marks& marks) {
  const std::string note = marks.fqdn + ".create";
  await_earlier(note, marks);
  must_have_space();
  Pairs extra = pairs_of(marks);
  extra.emplace_back("jarvis.created", now_text());
  extra.emplace_back("disk.EnableUUID", "TRUE");  // the guest sees which disk is which, see device_paths()
  if (source_ && source_->disks.size() > 1) extra.emplace_back("jarvis.disks", more_disks_kb(*source_));
  for (auto& pair : guest_info(server_.call.clipboard, marks.fqdn + "-" + marks.step)) extra.push_back(std::move(pair));
  std::vector<Backing> adapters;
  for (const Network& network : place_.networks) adapters.push_back(backing(network));
  const Reference asked = source_ ? source_->self : place_.folder;
  const Xml arguments = source_ ? clone_arguments({marks.fqdn, wanted_.cpus, wanted_.memory_mb, extra}, place_)
                                : create_arguments({marks.fqdn, guest_.id, guest_.disk_controller, card_, cpus_,
                                                    memory_mb_, disk_kb_, adapters, extra},
                                                   place_);
  server_.notes.write(note, {marks.step, asked.value});
  try {
    const Reference task = server_.tasks.start(source_ ? "CloneVM_Task" : "CreateVM_Task", asked, arguments);
    server_.notes.write(note, {marks.step, asked.value, task.value});
    Reference made = server_.tasks.finish(task, "creating " + marks.fqdn);
    server_.notes.erase(note);
    return made;
  } catch (const Fault& e) {
    server_.notes.erase(note);
    if (e.is("DuplicateName")) return taken_name(e, marks);
    if (e.kind() == Kind::Transient) throw;
    take_back(marks, e);
  }
}

}  // namespace jarvis::providers::vmware
