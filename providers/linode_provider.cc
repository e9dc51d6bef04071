#include "providers/linode_provider.h"

#include <algorithm>
#include <charconv>

#include "providers/linode_names.h"
#include "providers/linode_offers.h"
#include "providers/user_data.h"
#include "workers/printable.h"

namespace jarvis::providers {

using workers::Call;
using workers::Clipboard;
using workers::Error;
using workers::Kind;

namespace {

constexpr std::int64_t kSwapOfAnImage = 512;  // what Linode lays out beside an image's disk

std::int64_t number_of(const std::string& id) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (fault != std::errc() || end != id.data() + id.size() || number < 1)
    throw Error(Kind::Usage, "instance_id: `" + workers::printable(id, 40) + "` is no id of a Linode");
  return number;
}

Power power_of(const std::string& status) {
  if (status == "running") return Power::On;
  return status == "offline" || status == "stopped" ? Power::Off : Power::Changing;
}

std::int64_t disk_of(const LinodeSpec& spec) {
  std::int64_t all = 0;
  for (const DiskWish& one : spec.disks) all += one.size > 0 ? one.size : 1;
  return all;
}

bool allows(const std::string& scopes, const std::string& room, bool writing) {
  if (scopes.empty()) return true;  // Linode does not say
  for (std::size_t begin = 0; begin < scopes.size();) {
    const std::size_t end = std::min(scopes.find_first_of(" ,", begin), scopes.size());
    const std::string one = scopes.substr(begin, end - begin);
    if (one == "*" || one == room + ":read_write" || (!writing && one == room + ":read_only")) return true;
    begin = end + 1;
  }
  return false;
}

template <typename T>
void drop_repeated(std::vector<T>& all) {  // a list that changed between two pages says some twice
  std::stable_sort(all.begin(), all.end(), [](const T& a, const T& b) { return a.id < b.id; });
  all.erase(std::unique(all.begin(), all.end(), [](const T& a, const T& b) { return a.id == b.id; }), all.end());
}

}  // namespace

LinodeProvider::LinodeProvider(const Call& call)
    : known_{call.clipboard.scalar("fqdn").value_or(""), call.run, call.step},
      plan_(call.plan),
      api_(call),
      events_(api_, call) {}

std::string LinodeProvider::name_for(const std::string& fqdn) const {
  return linode_label(fqdn);
}

Machine LinodeProvider::shown(const LinodeInstance& instance) const {
  Machine made;
  made.id = std::to_string(instance.id);
  made.name = instance.label;
  made.marks = marks_of(instance.tags, known_);
  made.power = power_of(instance.status);
  made.addresses = instance.addresses;
  made.created = instance.created;
  made.shown = instance.type + " in " + instance.region + (instance.image.empty() ? "" : ", " + instance.image);
  return made;
}

std::vector<Machine> LinodeProvider::find(const std::string& fqdn) {
  auto instances =
      api_.instances({{"+or", Json::array({{{"label", linode_label(fqdn)}}, {{"tags", linode_tag("fqdn", fqdn)}}})}});
  drop_repeated(instances);
  std::vector<Machine> made;
  for (const LinodeInstance& one : instances) {
    made.push_back(shown(one));
    const auto& marks = made.back().marks;
    created_ = created_ || (!plan_ && marks && marks->fqdn == known_.fqdn && marks->step == known_.step);
  }
  return made;
}

std::optional<Machine> LinodeProvider::machine(const std::string& id) {
  const auto instance = api_.instance(number_of(id));
  return instance ? std::optional(shown(*instance)) : std::nullopt;
}

LinodeInstance LinodeProvider::fresh(const Machine& machine) {
  auto instance = api_.instance(number_of(machine.id));
  if (!instance) throw Error(Kind::Transient, "linode " + machine.name + " (" + machine.id + ") is not there any more");
  return std::move(*instance);
}

const LinodeProvider::Resolved& LinodeProvider::resolved(const Clipboard& clipboard) {
  if (resolved_) return *resolved_;
  Resolved made;
  made.spec = linode_spec_of(clipboard);
  const auto regions = api_.regions();
  const auto images = api_.images();
  made.region = pick_region(regions, made.spec.datacenter);
  made.image = pick_image(images, made.spec.guestid);
  check_user_data(regions, images, made.region, made.image);
  const std::int64_t room = made.spec.disks.empty() ? made.image.size + kSwapOfAnImage : disk_of(made.spec);
  made.type = pick_type(api_.types(), made.spec.size, made.region, room);
  for (const DiskWish& disk : made.spec.disks) {
    if (disk.name == kRootDisk && disk.size > 0 && disk.size < made.image.size) {
      throw Error(Kind::Usage, "disks: root: " + std::to_string(disk.size) + " MB are too few for " + made.image.id +
                                   ", which needs " + std::to_string(made.image.size));
    }
  }
  if (!made.spec.volumes.empty() && !can(made.region, "Block Storage"))
    throw Error(Kind::Usage, "volumes: " + made.region.label + " (" + made.region.id + ") has no block storage");
  made.kernel = made.spec.kernel.empty() ? kDefaultKernel : pick_kernel(api_.kernels(), made.spec.kernel).id;
  resolved_ = std::move(made);
  return *resolved_;
}

Recipe LinodeProvider::resolve(const Clipboard& clipboard) {
  // While it is on its way nobody wants the lists again at each look; what lacks a part asks for them, see resolved().
  if (created_) return {};
  const Resolved& wish = resolved(clipboard);
  Recipe recipe;
  recipe.shown = wish.type.id + " (" + std::to_string(wish.type.cpus) + " CPU, " + std::to_string(wish.type.memory) +
                 " MB) in " + wish.region.id + " from " + wish.image.id;
  recipe.monthly = wish.type.price.in(wish.region.id);
  if (wish.spec.volumes.empty()) return recipe;
  std::int64_t size = 0;
  for (const VolumeWish& volume : wish.spec.volumes) {
    recipe.shown += ", volume " + volume.name + " of " + std::to_string(volume.size) + " GB";
    size += volume.size;
  }
  const auto price = api_.volume_price().in(wish.region.id);
  if (recipe.monthly && price)
    *recipe.monthly += *price * static_cast<double>(size);
  else
    recipe.monthly = std::nullopt;  // half a price is a wrong one
  return recipe;
}

// What Linode tells without creating: who the token is and what it may, whether region and type can be had. How many
// Linodes the account may still have it does not tell; that is learnt from the refusal ("Account Limit reached").
void LinodeProvider::ask(const Call& call) {
  const Resolved& wish = resolved(call.clipboard);
  const LinodeRights rights = api_.rights();
  const std::string token = "the token of providers: linode: token_file ";
  if (rights.restricted) {
    throw Error(Kind::Permanent, token +
                                     "is that of a restricted user; Linode lets such users set no tags, by which "
                                     "jarvis knows its machines: use one of an unrestricted user");
  }
  std::string lacking;
  const auto need = [&](const char* room, bool writing) {
    if (!allows(rights.scopes, room, writing))
      lacking += std::string(lacking.empty() ? "" : " ") + room + (writing ? ":read_write" : ":read_only");
  };
  need("linodes", true);
  need("images", false);
  need("events", false);
  need("volumes", !wish.spec.volumes.empty());
  if (wish.spec.rdns) need("ips", true);
  if (!lacking.empty()) throw Error(Kind::Permanent, token + "lacks the scope " + lacking);
  if (!wish.region.status.empty() && wish.region.status != "ok") {
    throw Error(Kind::Permanent,
                "linode says of " + wish.region.id + ": " + workers::printable(wish.region.status, 40));
  }
  if (!api_.available(wish.region.id, wish.type.id).value_or(true))
    throw Error(Kind::Permanent, "linode has no " + wish.type.id + " left in " + wish.region.id);
}

Json LinodeProvider::installation(const Clipboard& clipboard) {
  Json body = {{"image", resolved(clipboard).image.id}, {"root_pass", clipboard.require("password")}};
  std::vector<std::string> keys;
  for (const char* key : {"sshpubkey", "ssh_login_pubkey"}) {
    for (const std::string& line : clipboard.list(key)) keys.push_back(line);
  }
  if (!keys.empty()) body["authorized_keys"] = keys;
  return body;
}

std::string LinodeProvider::user_data_of(const Clipboard& clipboard) const {
  return base64(user_data(clipboard));
}

Machine LinodeProvider::create(const Call& call, const Marks& marks) {
  const Resolved& wish = resolved(call.clipboard);
  Json body = {{"label", linode_label(marks.fqdn)},
               {"region", wish.region.id},
               {"type", wish.type.id},
               {"tags", linode_tags(marks)},
               {"metadata", {{"user_data", user_data_of(call.clipboard)}}}};
  if (wish.spec.disks.empty()) body.update(installation(call.clipboard));
  // Booted by the creating call if nothing has to be made first.
  body["booted"] = wish.spec.disks.empty() && wish.spec.volumes.empty() && own_volumes(marks.fqdn).empty();
  if (const auto made = api_.create_instance(body)) return shown(*made);
  for (const Machine& one : find(marks.fqdn)) {
    if (one.marks && one.marks->fqdn == marks.fqdn && one.marks->step == marks.step) return one;
  }
  // Whoever has it is judged when it is listed; a second one is never made.
  events_.again("the label " + linode_label(marks.fqdn) + " is taken at linode, maybe by a machine not listed yet");
}

Machine LinodeProvider::complete(const Call& call, Machine machine) {
  LinodeInstance now;
  now.id = number_of(machine.id);
  now.label = machine.name;
  const auto events = events_.wait_until_idle(now);
  LinodeEvents::must_not_have_failed(now, events, "linode_create");
  now = fresh(machine);  // after its events: what they said has ended shows in it
  if (now.status == "deleting") events_.again("linode " + now.label + " is being deleted");
  const Power power = power_of(now.status);
  if (power == Power::Changing) events_.again("linode " + now.label + " is " + workers::printable(now.status, 40));
  const bool created_by_this_step =
      machine.marks && machine.marks->step == call.step && !old_root_of(now.tags).has_value();
  if (created_by_this_step) LinodeEvents::must_not_have_failed(now, events, "disk_create");
  if (!linode_spec_of(call.clipboard).disks.empty()) lay_out(call, now);
  make_volumes(call, now);
  if (power != Power::On) power_on(call, shown(now));
  now = fresh(machine);
  if (power_of(now.status) != Power::On)
    events_.again("linode " + now.label + " is " + workers::printable(now.status, 40));
  return shown(now);
}

std::vector<std::string> LinodeProvider::unlike(const Resolved& wish, const LinodeInstance& instance) {
  std::vector<std::string> lines;
  if (instance.region != wish.region.id)
    lines.push_back("datacenter: it is in " + instance.region + ", the spec means " + wish.region.id);
  // Another type of the same memory may be the cheapest by now: no reason to move.
  if (instance.type != wish.type.id) {
    std::int64_t memory = -1;
    for (const LinodeType& one : api_.types()) {
      if (one.id == instance.type) memory = one.memory;
    }
    const bool by_id = wish.spec.size.find_first_not_of("0123456789") != std::string::npos;
    if (by_id || memory != wish.type.memory)
      lines.push_back("size: it is a " + instance.type + ", the spec means " + wish.type.id);
  }
  return lines;
}

std::vector<std::string> LinodeProvider::differences(const Clipboard& clipboard, const Machine& machine) {
  const LinodeInstance now = fresh(machine);
  const Resolved& wish = resolved(clipboard);
  std::vector<std::string> lines = unlike(wish, now);
  if (!now.image.empty() && now.image != wish.image.id)
    lines.push_back("guestid: it was made from " + now.image + ", the spec means " + wish.image.id);
  if (wish.spec.disks.empty() || power_of(now.status) == Power::Off)
    return lines;  // what lacks is made, see complete()
  const auto disks = api_.disks(now.id);
  for (const DiskWish& disk : wish.spec.disks) {
    const auto found =
        std::find_if(disks.begin(), disks.end(), [&](const LinodeDisk& one) { return one.label == disk.name; });
    if (found == disks.end())
      lines.push_back("disks: it has no disk " + disk.name);
    else if (disk.size > 0 && found->size != disk.size)
      lines.push_back("disks: " + disk.name + " has " + std::to_string(found->size) + " MB, the spec means " +
                      std::to_string(disk.size));
  }
  return lines;
}

std::vector<std::string> LinodeProvider::lacking(const Clipboard& clipboard, const Machine& machine) {
  const LinodeInstance now = fresh(machine);
  const LinodeSpec spec = linode_spec_of(clipboard);
  std::vector<std::string> lines;
  const auto disks = spec.disks.empty() ? std::vector<LinodeDisk>() : api_.disks(now.id);
  for (const DiskWish& wish : spec.disks) {
    if (std::none_of(disks.begin(), disks.end(), [&](const LinodeDisk& one) { return one.label == wish.name; }))
      lines.push_back("disk " + wish.name);
  }
  const std::string fqdn = clipboard.require("fqdn");
  const auto volumes = spec.volumes.empty() ? std::vector<LinodeVolume>() : own_volumes(fqdn);
  for (const VolumeWish& wish : spec.volumes) {
    const std::string label = volume_label(fqdn, wish.name);
    if (std::none_of(volumes.begin(), volumes.end(), [&](const LinodeVolume& one) { return one.label == label; }))
      lines.push_back("volume " + wish.name + " (" + std::to_string(wish.size) + " GB)");
  }
  return lines;
}

void LinodeProvider::act(const LinodeInstance& now, const std::string& what, const Json& body) {
  try {
    api_.act(now.id, what, body);
  } catch (const Error& e) {
    const std::string status = fresh(shown(now)).status;
    if (e.kind() != Kind::Permanent || status == now.status) throw;
    events_.again("linode " + now.label + " is " + workers::printable(status, 40));
  }
}

void LinodeProvider::power_on(const Call& call, const Machine& machine) {
  const LinodeInstance now = fresh(machine);
  if (power_of(now.status) == Power::On) return;
  if (power_of(now.status) == Power::Changing)
    events_.again("linode " + now.label + " is " + workers::printable(now.status, 40));
  call.progress("powering on linode " + now.label);
  events_.follow(now, "linode_boot", [&] {
    const auto configs = api_.configs(now.id);
    const LinodeConfig* config = booted_config(configs);
    if (config == nullptr)
      throw Error(Kind::Permanent,
                  "linode " + now.label + " has no configuration profile to boot: `redeploy` makes it");
    act(now, "boot", {{"config_id", config->id}});
  });
}

void LinodeProvider::power_off(const Call& call, const Machine& machine) {
  const LinodeInstance now = fresh(machine);
  if (power_of(now.status) == Power::Off) return;
  call.progress("powering off linode " + now.label);
  events_.follow(now, "linode_shutdown", [&] { act(now, "shutdown", nullptr); });
}

void LinodeProvider::reboot(const Call& call, const Machine& machine) {
  const LinodeInstance now = fresh(machine);
  call.progress("rebooting linode " + now.label);
  events_.follow(now, "linode_reboot", [&] { act(now, "reboot", Json::object()); });
}

void LinodeProvider::mark(const Machine& machine, const Marks& marks) {
  api_.set_tags(number_of(machine.id), with_marks(fresh(machine).tags, marks));
}

// Disks are not described: those that an image brought along are laid out again by it, and any other is kept, or a
// redeploy refuses.
void LinodeProvider::describe(const Machine& machine, Clipboard& clipboard) {
  const LinodeInstance now = fresh(machine);
  const auto set = [&](const char* key, const std::string& value) {
    if (!clipboard.scalar(key) && !value.empty()) clipboard.set(key, value);
  };
  set("guestid", now.image);
  set("datacenter", now.region);
  set("size", now.type);
}

void LinodeProvider::remove(const Call& call, const Machine& machine, Extent extent) {
  const LinodeInstance now = fresh(machine);
  const std::vector<LinodeVolume> volumes = volumes_that_go(call, now, extent);
  // In one go, since who asks again would begin anew.
  if (extent == Extent::Step) return take_back(now, volumes);
  if (now.status != "deleting") {
    (void)belongings(call, machine, extent);  // disks that must stay are in the way
    // Volumes first: once the machine is gone nobody asks for them.
    for (const LinodeVolume& volume : volumes) delete_volume(volume);
    call.progress("deleting linode " + now.label);
    api_.delete_instance(now.id);
  }
  if (api_.instance(now.id)) events_.again("linode " + now.label + " is being deleted");
}

std::vector<Owned> LinodeProvider::owned() {
  std::vector<Owned> all;
  const auto types = api_.types();
  const auto price_in = [&](const LinodeInstance& one) -> std::optional<double> {
    for (const LinodeType& type : types) {
      if (type.id == one.type) return type.price.in(one.region);
    }
    return std::nullopt;
  };
  auto instances = api_.instances({});
  drop_repeated(instances);
  for (const LinodeInstance& one : instances) {
    const Machine machine = shown(one);
    if (!machine.marks) continue;
    all.push_back(
        {"machine", machine.id, machine.name, *machine.marks, machine.created, machine.shown, "", price_in(one)});
  }
  auto volumes = api_.volumes({});
  drop_repeated(volumes);
  const LinodePrice price = volumes.empty() ? LinodePrice() : api_.volume_price();
  for (const LinodeVolume& one : volumes) {
    const auto marks = marks_of(one.tags, known_);
    if (!marks) continue;
    const auto gigabyte = price.in(one.region);
    all.push_back({"volume", std::to_string(one.id), one.label, *marks, one.created,
                   std::to_string(one.size) + " GB in " + one.region, one.machine ? std::to_string(*one.machine) : "",
                   gigabyte ? std::optional(*gigabyte * static_cast<double>(one.size)) : std::nullopt});
  }
  return all;
}

std::vector<Offer> LinodeProvider::offers() {
  std::vector<Offer> all;
  for (const LinodeRegion& one : api_.regions()) {
    all.push_back({"region", one.id, one.label,
                   can(one, "Metadata") ? "" : "no metadata service: jarvis makes no hosts there", std::nullopt});
  }
  for (const LinodeType& one : api_.types()) {
    all.push_back({"type", one.id, one.label,
                   std::to_string(one.cpus) + " CPU, " + std::to_string(one.memory) + " MB, disk " +
                       std::to_string(one.disk) + " MB",
                   one.price.monthly});
  }
  for (const LinodeImage& one : api_.images()) {
    all.push_back({"image", one.id, one.label,
                   one.deprecated   ? "deprecated"
                   : one.cloud_init ? ""
                                    : "no cloud-init: jarvis makes no hosts of it",
                   std::nullopt});
  }
  return all;
}

std::string LinodeProvider::kernel_of(const Clipboard& clipboard) {
  const std::string said = linode_spec_of(clipboard).kernel;
  return said.empty() ? kDefaultKernel : pick_kernel(api_.kernels(), said).id;
}

void LinodeProvider::set_kernel(const Call& call, const Machine& machine) {
  const LinodeInstance now = fresh(machine);
  const std::string kernel = kernel_of(call.clipboard);
  const auto configs = api_.configs(now.id);
  const LinodeConfig* config = booted_config(configs);
  if (config == nullptr) throw Error(Kind::Permanent, "linode " + now.label + " has no configuration profile");
  if (config->kernel == kernel) return call.plan ? void() : call.log("the kernel is " + kernel + " already");
  const std::string text = "the kernel of linode " + now.label + " from " + config->kernel + " to " + kernel;
  if (call.plan) return call.change("change " + text);
  api_.update_config(now.id, config->id, {{"kernel", kernel}});
  call.log("changed " + text + ", from the next boot on");
}

void LinodeProvider::set_rdns(const Call& call, const Machine& machine) {
  if (!linode_spec_of(call.clipboard).rdns) {
    if (!call.plan) call.log("the spec does not ask for reverse DNS");
    return;
  }
  const std::string fqdn = call.clipboard.require("fqdn");
  for (const LinodeAddress& one : api_.addresses(number_of(machine.id))) {
    if (one.rdns == fqdn) continue;
    if (call.plan) {
      call.change("set the reverse DNS of " + one.address + " to " + fqdn);
      continue;
    }
    api_.set_rdns(one.address, fqdn);
    call.log("the reverse DNS of " + one.address + " is " + fqdn);
  }
}

const LinodeConfig* booted_config(const std::vector<LinodeConfig>& configs) {
  const LinodeConfig* first = nullptr;
  for (const LinodeConfig& one : configs) {
    if (one.label == kConfigLabel) return &one;
    if (first == nullptr || one.id < first->id) first = &one;
  }
  return first;
}

}  // namespace jarvis::providers
