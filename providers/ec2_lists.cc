// Ec2: what is there: differences from a spec, where volumes are, the spec of a machine that somebody else made, lists
// for people.
#include <algorithm>

#include "providers/ec2_provider.h"
#include "providers/ec2_type_cache.h"

namespace jarvis::providers {

using pipeline::Error;
using pipeline::Kind;

namespace {

// Which volumes people mean: not those that come and go with a machine.
bool is_data(const Ec2Instance& instance, const Ec2Instance::Disk& disk) {
  return !disk.volume.empty() && disk.device != instance.root_device && !disk.dies_with_it;
}

Query create_tags(const std::string& id, const Tags& tags) {
  Query query("CreateTags");
  query.list("ResourceId", {id});
  int number = 0;
  for (const auto& [key, value] : tags) {
    const std::string tag = "Tag." + std::to_string(++number);
    query.set(tag + ".Key", key).set(tag + ".Value", value);
  }
  return query;
}

std::string size_difference(const std::string& size, const std::string& id, const std::vector<Ec2Type>& types) {
  const auto megabytes = megabytes_of(size);
  if (!megabytes) return size == id ? "" : "size is " + id + ", not " + size;
  for (const Ec2Type& type : types) {
    if (type.id == id && type.megabytes < *megabytes)
      return "size is " + type.shown() + ", which is less than " + size + " MB";
  }
  return "";
}

Owned owned_of(const char* kind, const std::string& id, const Tagged& tags) {
  Owned made;
  made.kind = kind;
  made.id = id;
  made.name = tag_of(tags, "Name");
  made.marks = *marks_of(tags);
  return made;
}

void own_in(Ec2Api& api, std::vector<Owned>& list) {
  std::vector<std::string> come_and_go;
  Query machines("DescribeInstances");
  machines.filter("tag-key", {kFqdnTag});
  api.pages(machines, "reservationSet", 200, [&](const pugi::xml_node& reservation) {
    for (const auto& item : reservation.child("instancesSet").children("item")) {
      const Ec2Instance one = instance_of(item);
      if (one.gone() || !marks_of(one.tags)) continue;
      for (const auto& disk : one.disks) {
        if (!is_data(one, disk)) come_and_go.push_back(disk.volume);
      }
      Owned made = owned_of("machine", one.id, one.tags);
      made.created = one.created;
      made.shown = one.type + " in " + one.zone + ", " + one.state;
      list.push_back(std::move(made));
    }
  });
  Query volumes("DescribeVolumes");
  volumes.filter("tag-key", {kFqdnTag});
  api.pages(volumes, "volumeSet", 500, [&](const pugi::xml_node& item) {
    const Ec2Volume one = volume_of(item);
    const bool with_machine = std::find(come_and_go.begin(), come_and_go.end(), one.id) != come_and_go.end();
    if (with_machine || one.state.starts_with("delet") || !marks_of(one.tags)) return;
    Owned made = owned_of("volume", one.id, one.tags);
    made.created = one.created;
    made.machine = one.machine;
    made.shown = std::to_string(one.gigabytes) + " GB in " + one.zone + ", " + one.state;
    list.push_back(std::move(made));
  });
  Query addresses("DescribeAddresses");
  const auto answer = api.look(addresses.filter("tag-key", {kFqdnTag}));
  for (const auto& item : answer->document_element().child("addressesSet").children("item")) {
    const Ec2Address one = address_of(item);
    if (!marks_of(one.tags)) continue;
    Owned made = owned_of("address", one.id, one.tags);
    made.machine = one.machine;
    made.shown = one.ip + " in " + api.region();
    list.push_back(std::move(made));
  }
}

}  // namespace

std::vector<std::string> Ec2::differences(const Clipboard& clipboard, const Machine& machine) {
  const Ec2Instance now = instance(machine.id);
  const std::string region = api_of(machine.id).region();
  std::vector<std::string> lines;
  if (const auto size = clipboard.scalar("size")) {
    const bool by_id = !megabytes_of(*size);
    const std::string line =
        size_difference(*size, now.type, by_id ? std::vector<Ec2Type>() : type_named(api_of(machine.id), now.type));
    if (!line.empty()) lines.push_back(line);
  }
  if (const auto datacenter = clipboard.scalar("datacenter")) {
    const Ec2Place named = named_place(*datacenter, account_.regions());
    const bool by_name = named.zone.starts_with(named.region);
    if (named.region != region || (by_name && named.zone != now.zone))
      lines.push_back("datacenter is " + now.zone + ", not " + *datacenter);
  }
  if (const auto guestid = clipboard.scalar("guestid")) {
    const auto images = images_of(api_of(machine.id), image_query(*guestid, account_.images()));
    const bool known =
        std::any_of(images.begin(), images.end(), [&](const Ec2Image& one) { return one.id == now.image; });
    // An image that was withdrawn since is no difference: nobody can tell any more what it was.
    Query its_own("DescribeImages");
    if (!known && !images_of(api_of(machine.id), its_own.list("ImageId", {now.image})).empty())
      lines.push_back("guestid is " + now.image + ", not " + *guestid);
  }
  return lines;
}

std::vector<std::string> Ec2::lacking(const Clipboard& clipboard, const Machine& machine) {
  Ec2Api& api = api_of(machine.id);
  const std::string fqdn = clipboard.require("fqdn");
  std::vector<std::string> lines;
  if (wants_elastic(clipboard)) {
    const auto there = addresses_of(api, fqdn);
    if (there.empty())
      lines.emplace_back("an elastic address");
    else if (there.front().machine != machine.id)
      lines.push_back("the association with " + there.front().ip);
  }
  const auto wanted = wanted_volumes(clipboard);
  if (wanted.empty()) return lines;
  const auto there = volumes_of(api, fqdn);
  for (const WantedVolume& one : wanted) {
    const auto volume = named_volume(there, one.name);
    if (!volume)
      lines.push_back("volume " + one.name + " (" + std::to_string(one.gigabytes) + " GB)");
    else if (volume->machine != machine.id)
      lines.push_back("the attachment of volume " + one.name);
  }
  return lines;
}

workers::Devices Ec2::devices(const Clipboard& clipboard, const Machine& machine) {
  workers::Devices made;
  const auto wanted = wanted_volumes(clipboard);
  if (wanted.empty()) return made;
  const auto there = volumes_of(api_of(machine.id), clipboard.require("fqdn"));
  for (const WantedVolume& one : wanted) {
    const auto volume = named_volume(there, one.name);
    if (volume && volume->machine == machine.id) made[one.name] = device_paths(*volume);
  }
  return made;
}

// The machine alone: its disks and its addresses are whose they were, and may outlive it.
void Ec2::mark(const Machine& machine, const Marks& marks) {
  const Tags ours = {{kFqdnTag, marks.fqdn}, {kRunTag, marks.run}, {kStepTag, marks.step}};
  (void)api_of(machine.id).change(create_tags(machine.id, ours));
}

void Ec2::describe(const Machine& machine, Clipboard& clipboard) {
  Ec2Api& api = api_of(machine.id);
  const Ec2Instance now = instance(machine.id);
  clipboard.set("guestid", now.image);
  clipboard.set("datacenter", now.zone);
  clipboard.set("size", now.type);
  if (!now.subnet.empty()) clipboard.set("subnet", now.subnet);
  if (!now.groups.empty()) clipboard.set_list("security_groups", now.groups);
  // Of a machine that was jarvis's before; what somebody else made for it is in no spec.
  const std::string fqdn = clipboard.require("fqdn");
  std::vector<std::pair<std::string, std::string>> volumes;
  for (const Ec2Volume& volume : volumes_of(api, fqdn)) {
    const std::string name = tag_of(volume.tags, kVolumeTag);
    if (volume.machine == machine.id && !name.empty()) volumes.emplace_back(name, std::to_string(volume.gigabytes));
  }
  if (!volumes.empty()) clipboard.set_map("volumes", volumes);
  const auto addresses = addresses_of(api, fqdn);
  if (std::any_of(addresses.begin(), addresses.end(),
                  [&](const Ec2Address& address) { return address.machine == machine.id; }))
    clipboard.set_raw("elastic", "yes");
}

std::vector<Owned> Ec2::owned() {
  std::vector<Owned> list;
  for (const std::string& region : account_.regions()) own_in(account_.in(region), list);
  return list;
}

std::vector<Offer> Ec2::offers() {
  std::vector<Offer> list;
  const std::string home = account_.regions().front();
  for (const std::string& region : account_.regions()) {
    list.push_back({"region", region, region, region, {}});
    const auto zones = account_.in(region).look(Query("DescribeAvailabilityZones"));
    for (const auto& item : zones->document_element().child("availabilityZoneInfo").children("item")) {
      const std::string zone = text_at(item, "zoneName"), id = text_at(item, "zoneId");
      list.push_back({"region", zone, id, zone + " (" + id + "), " + text_at(item, "zoneState"), {}});
    }
  }
  for (const Ec2Type& type : cached_types(account_, home)) list.push_back({"type", type.id, type.id, type.shown(), {}});
  for (const ImageAlias& alias : account_.images()) {
    const auto images = images_of(account_.in(home), image_query(alias));
    for (const std::string& architecture : architectures_of(images)) {
      const auto image = newest_image(images, {architecture});
      list.push_back({"image", image->id, alias.alias, image->name + ", " + architecture + ", " + image->created, {}});
    }
  }
  return list;
}

}  // namespace jarvis::providers
