// A redeploy in place: the same Linode, id and address, its root made anew.
//
// How a step that is asked again knows how far it came: before anything goes, the marks of this step are written on the
// machine together with the id of the root disk of before (`old-root:ID`), in one call. While that disk is there, what
// has to go is still going; the root goes last. Once it is gone, what lacks is made. A machine that has this step's
// marks but no old root was created by this step.
//
// Without `disks:` Linode's own rebuild replaces all disks at once and takes new user data. With them it would take the
// data disks along, so root and swap are deleted and made one by one. User data cannot be changed then: the host shows
// the key that they have carried since it was made, which stands in the comments of its configuration profile and goes
// to `ssh_host_keys`. It serves the first login only.
#include <algorithm>

#include "providers/linode_names.h"
#include "providers/linode_provider.h"
#include "workers/printable.h"

namespace jarvis::providers {

using workers::Call;
using workers::Error;
using workers::Kind;

namespace {

constexpr const char* kNoDisk = "none";

std::string text_of(const LinodeDisk& disk) {
  return "disk " + disk.label + " (" + std::to_string(disk.size) + " MB)";
}

// What the machine boots from: what its profile says, else the disk of that name.
const LinodeDisk* root_of(const std::vector<LinodeDisk>& disks, const std::vector<LinodeConfig>& configs) {
  std::int64_t id = 0;
  if (const LinodeConfig* config = booted_config(configs)) {
    const auto first = config->devices.find("sda");
    if (first != config->devices.end() && !first->second.is_volume) id = first->second.id;
  }
  for (const LinodeDisk& one : disks) {
    if (id != 0 ? one.id == id : one.label == kRootDisk) return &one;
  }
  return nullptr;
}

}  // namespace

LinodeProvider::Rebuilding LinodeProvider::rebuilding(const Call& call, const LinodeInstance& machine) {
  const Resolved& wish = resolved(call.clipboard);
  std::string unlike_text;
  for (const std::string& line : unlike(wish, machine)) unlike_text += (unlike_text.empty() ? "" : "; ") + line;
  if (!unlike_text.empty()) {
    throw Error(Kind::Refused, "linode " + machine.label + " cannot be redeployed in place: " + unlike_text +
                                   ". `destroy` and `deploy` make it there, or put the spec back");
  }
  Rebuilding what;
  what.disks = api_.disks(machine.id);
  const auto configs = api_.configs(machine.id);
  const LinodeDisk* root = root_of(what.disks, configs);
  const bool in_parts = !wish.spec.disks.empty();
  std::vector<LinodeDisk> kept;
  for (const LinodeDisk& one : what.disks) {
    if (root != nullptr && one.id == root->id) continue;
    const bool goes = one.filesystem == "swap" || wish.spec.wipes(one.label);
    (goes ? what.going : kept).push_back(one);
  }
  if (root != nullptr) what.going.push_back(*root);
  if (!in_parts && !kept.empty()) {
    throw Error(Kind::Refused, text_of(kept.front()) + " of linode " + machine.label +
                                   " would be lost: write `disks:` to keep it, or `wipe: [" + kept.front().label +
                                   "]` to give it up");
  }
  if (in_parts && root != nullptr) {
    what.host_key = handed_over_host_key(configs);
    if (root->label != kRootDisk || what.host_key.empty()) {
      throw Error(Kind::Refused, "linode " + machine.label +
                                     " was not laid out by `disks:` of jarvis, so it cannot be redeployed with them: "
                                     "`destroy` and `deploy` make it anew");
    }
  }
  what.volumes = volumes_that_go(call, machine, Extent::Machine);
  return what;
}

std::vector<std::string> LinodeProvider::rebuild_lines(const Call& call, const Machine& machine) {
  const LinodeInstance now = fresh(machine);
  const Rebuilding what = rebuilding(call, now);
  std::vector<std::string> lines;
  for (const LinodeDisk& one : what.going) lines.push_back("delete " + text_of(one));
  for (const LinodeVolume& one : what.volumes)
    lines.push_back("delete volume " + one.label + " (" + std::to_string(one.size) + " GB)");
  for (const std::string& name : resolved(call.clipboard).spec.wipe) {
    const std::string label = volume_label(call.clipboard.require("fqdn"), name);
    if (std::none_of(what.going.begin(), what.going.end(), [&](const LinodeDisk& one) { return one.label == name; }) &&
        std::none_of(what.volumes.begin(), what.volumes.end(),
                     [&](const LinodeVolume& one) { return one.label == label; })) {
      throw Error(Kind::Usage,
                  "wipe: linode " + now.label + " has no disk and no volume `" + workers::printable(name, 40) + "`");
    }
  }
  return lines;
}

// Everything that has to go, the root last.
void LinodeProvider::clear(const Call& call, const LinodeInstance& machine, const Rebuilding& what) {
  power_off(call, shown(machine));
  for (const LinodeVolume& one : what.volumes) delete_volume(one);
  if (!resolved(call.clipboard).spec.disks.empty()) {
    for (const LinodeDisk& one : what.going) delete_disk(machine, one);
    return;
  }
  Json body = installation(call.clipboard);
  body["metadata"] = {{"user_data", user_data_of(call.clipboard)}};
  body["booted"] = false;  // complete() boots it when its volumes are on the new profile
  call.progress("rebuilding linode " + machine.label);
  events_.follow(machine, "linode_rebuild", [&] { api_.act(machine.id, "rebuild", body); });
}

bool LinodeProvider::is_rebuilding(const Machine& machine) {
  return old_root_of(fresh(machine).tags).has_value();
}

Machine LinodeProvider::rebuild(Call& call, const Machine& machine) {
  LinodeInstance now = fresh(machine);
  if (now.status == "deleting") events_.again("linode " + now.label + " is being deleted");
  (void)events_.wait_until_idle(now);
  now = fresh(machine);
  auto old_root = old_root_of(now.tags);
  const bool begun = old_root && machine.marks && machine.marks->step == call.step;
  if (!begun) {
    const Rebuilding what = rebuilding(call, now);
    ask(call);
    old_root = what.going.empty() ? kNoDisk : std::to_string(what.going.back().id);
    const Marks marks{call.clipboard.require("fqdn"), call.run, call.step};
    std::vector<std::string> tags = with_marks(now.tags, marks);
    tags.push_back(old_root_tag(*old_root));
    api_.set_tags(now.id, tags);
    call.log("rebuilding linode " + now.label + " (" + machine.id + ") from " + resolved(call.clipboard).image.id);
  }
  const bool in_parts = !resolved(call.clipboard).spec.disks.empty();
  const auto disks = api_.disks(now.id);
  const bool there = std::any_of(disks.begin(), disks.end(),
                                 [&](const LinodeDisk& one) { return std::to_string(one.id) == *old_root; });
  if (there || (!in_parts && disks.empty())) clear(call, now, rebuilding(call, now));
  if (in_parts) {
    const std::string host_key = handed_over_host_key(api_.configs(now.id));
    if (!host_key.empty()) {
      call.clipboard.set_list("ssh_host_keys", {host_key});
      call.clipboard.set("ssh_user_data_key", host_key);
      call.clipboard.erase("ssh_host_private_key");
    }
  }
  return complete(call, machine);
}

}  // namespace jarvis::providers
