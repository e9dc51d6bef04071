#include "providers/ec2_launch.h"

#include <algorithm>

#include "providers/ec2_elastic.h"
#include "providers/ec2_nearest.h"
#include "providers/ec2_patience.h"
#include "providers/ec2_type_cache.h"
#include "providers/user_data.h"

namespace jarvis::providers {

namespace {

using workers::Call;
using workers::Clipboard;
using workers::Error;
using workers::Kind;

constexpr std::size_t kMostUserData = 16384;
constexpr int kMostGenerations = 16;

std::string login_key(const Clipboard& clipboard) {
  for (const char* key : {"ssh_login_pubkey", "sshpubkey"}) {
    const auto lines = clipboard.list(key);
    if (!lines.empty()) return lines.front();
  }
  return {};
}

// EC2 takes RSA and ed25519 only; another one comes with the user data alone.
bool takes_key(const std::string& line) {
  return line.starts_with("ssh-ed25519 ") || line.starts_with("ssh-rsa ");
}

Query import_key_pair(const Ec2Launch& launch, const Marks& marks) {
  Query query("ImportKeyPair");
  query.set("KeyName", launch.key_name).set("PublicKeyMaterial", base64(launch.public_key));
  return query.tags("key-pair", tags_of(marks));
}

int disk_of(const Clipboard& clipboard, const Ec2Image& image) {
  const auto text = clipboard.scalar("disk");
  if (!text) return 0;
  const auto gigabytes = megabytes_of(*text);
  if (!gigabytes || *gigabytes < 1 || *gigabytes > 65536)
    throw Error(Kind::Usage, "disk: `" + *text + "` is no size in GB, 1 to 65536");
  if (*gigabytes < image.root_gigabytes)
    throw Error(Kind::Usage, "disk: " + *text + " GB is less than the " + std::to_string(image.root_gigabytes) +
                                 " GB of image " + image.id);
  if (image.root_kind != "ebs")
    throw Error(Kind::Usage, "disk: image " + image.id + " has no root volume whose size could be chosen");
  return *gigabytes;
}

Ec2Image chosen_image(const std::string& guestid, const Ec2Type& type, const std::vector<Ec2Image>& images) {
  if (const auto image = newest_image(images, type.architectures)) return *image;
  throw Error(Kind::Usage, "guestid: " + guestid + " is not there for " + type.id);
}

// The one machine of which this is true, in any state.
std::optional<Ec2Instance> the_machine(Ec2Api& api, const char* filter, const std::string& value) {
  Query query("DescribeInstances");
  query.filter(filter, {value});
  std::optional<Ec2Instance> found;
  api.pages(query, "reservationSet", 100, [&](const pugi::xml_node& reservation) {
    for (const auto& item : reservation.child("instancesSet").children("item")) found = instance_of(item);
  });
  return found;
}

// By a person or by our own clean-up; one that EC2 itself ended says why, and that is for whoever waits for it.
bool was_ended(const Ec2Instance& instance) {
  return instance.gone() && (instance.reason_code.empty() || instance.reason_code == "Client.UserInitiatedShutdown");
}

Ec2Instance made_by(const Ec2Api::Answer& answer, std::chrono::milliseconds poll) {
  Ec2Instance made = instance_of(answer->document_element().first_element_by_path("instancesSet/item"));
  if (!made.id.empty()) return made;
  Error error(Kind::Transient, "EC2 RunInstances answers without an instance");
  throw error.retry_after(poll);
}

// The machine of one token; nothing if the token's machine was terminated.
std::optional<Ec2Instance> run_once(Ec2Api& api, Query query, const std::string& token,
                                    std::chrono::milliseconds poll) {
  query.set("ClientToken", token);
  std::optional<Ec2Instance> made;
  try {
    made = made_by(change_or_wait(api, query, poll), poll);
    // A token that was used before may be answered as it was then.
    if (auto now = the_machine(api, "instance-id", made->id)) made = std::move(now);
  } catch (const Ec2Refusal& e) {
    if (e.code == "IdempotentInstanceTerminated") return {};
    if (e.code != "IdempotentParameterMismatch") throw;
    // An earlier attempt said something else (the newest image has changed since): what it made is the machine.
    made = the_machine(api, "client-token", token);
    if (!made) workers::not_yet("an earlier attempt of this step made a machine that EC2 does not list yet", poll);
  }
  if (was_ended(*made)) return {};
  return made;
}

}  // namespace

std::string Ec2Launch::shown() const {
  std::string text = type.shown() + " in " + place.shown() + " from " + image.name + " (" + image.id + ")";
  for (const WantedVolume& one : lacking)
    text += ", new volume " + one.name + " of " + std::to_string(one.gigabytes) + " GB";
  return text + (new_address ? ", new elastic address" : "");
}

Query Ec2Launch::query(const Marks& marks) const {
  Query made("RunInstances");
  made.set("ImageId", image.id).set("InstanceType", type.id).set("MinCount", "1").set("MaxCount", "1");
  if (!place.zone.empty()) made.set("Placement.AvailabilityZone", place.zone);
  if (!place.subnet.empty()) made.set("SubnetId", place.subnet);
  made.list("SecurityGroupId", place.groups);
  made.set("UserData", base64(user_data));
  made.set("InstanceInitiatedShutdownBehavior", "stop");
  made.set("MetadataOptions.HttpTokens", "required");
  if (image.root_kind == "ebs" && (disk > 0 || !image.root_dies_with_it)) {
    made.set("BlockDeviceMapping.1.DeviceName", image.root_device);
    made.set("BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true");
    const int gigabytes = disk > 0 ? disk : image.root_gigabytes;
    if (gigabytes > 0) made.set("BlockDeviceMapping.1.Ebs.VolumeSize", std::to_string(gigabytes));
  }
  return made.tags("instance", tags_of(marks)).tags("volume", tags_of(marks));
}

std::vector<Ec2Image> images_of(Ec2Api& api, const Query& query) {
  std::vector<Ec2Image> images;
  try {
    const auto answer = api.look(query);  // EC2 gives all that one owner has of one name at once
    for (const auto& item : answer->document_element().child("imagesSet").children("item"))
      images.push_back(image_of(item));
  } catch (const Ec2Refusal& e) {
    if (!e.code.starts_with("InvalidAMIID")) throw;
  }
  return images;
}

std::vector<Ec2Type> types_of(Ec2Account& account, const Ec2Place& place, const std::string& size) {
  std::vector<Ec2Type> types;
  if (!megabytes_of(size)) types = type_named(account.in(place.region), size);
  if (types.empty()) types = cached_types(account, place.region);
  if (place.zone.empty()) return types;
  Query query("DescribeInstanceTypeOfferings");
  query.set("LocationType", "availability-zone").filter("location", {place.zone});
  std::vector<std::string> ids;
  account.in(place.region).pages(query, "instanceTypeOfferingSet", 1000, [&](const pugi::xml_node& item) {
    ids.push_back(text_at(item, "instanceType"));
  });
  std::erase_if(types, [&](const Ec2Type& type) { return std::find(ids.begin(), ids.end(), type.id) == ids.end(); });
  return types;
}

Ec2Launch launch_of(const Clipboard& clipboard, Ec2Account& account) {
  const std::string fqdn = clipboard.require("fqdn");
  const std::string guestid = clipboard.require("guestid"), size = clipboard.require("size");
  Ec2Launch launch;
  const Query images_query = image_query(guestid, account.images());
  const Ec2Place named = named_place(clipboard.scalar("datacenter").value_or(""), account.regions());
  const auto wanted = wanted_volumes(clipboard);
  const bool elastic = wants_elastic(clipboard);
  Ec2Api& api = account.in(named.region);
  std::vector<Ec2Volume> volumes;
  if (!wanted.empty() || clipboard.has("wipe")) volumes = volumes_of(api, fqdn);
  launch.place = place_of(clipboard, account, named, zone_of_kept(clipboard, volumes));
  const auto images = images_of(api, images_query);
  const auto architectures = architectures_of(images);
  if (architectures.empty())
    throw Error(Kind::Usage, "guestid: " + guestid + ": EC2 offers no such image in " + api.region());
  launch.type = chosen_type(size, types_of(account, launch.place, size), architectures);
  launch.image = chosen_image(guestid, launch.type, images);
  launch.disk = disk_of(clipboard, launch.image);
  const std::string key = login_key(clipboard);
  if (takes_key(key)) {
    launch.public_key = key;
    launch.key_name = key_pair_name(fqdn, key);
  }
  launch.user_data = user_data(clipboard);
  if (launch.user_data.size() > kMostUserData)
    throw Error(Kind::Usage, "sshpubkey: the keys make user data of " + std::to_string(launch.user_data.size()) +
                                 " bytes, and EC2 takes at most 16384");
  for (const WantedVolume& one : wanted) {
    if (!named_volume(volumes, one.name)) launch.lacking.push_back(one);
  }
  launch.unknown_to_wipe = unknown_to_wipe(clipboard, volumes);
  launch.new_address = elastic && addresses_of(api, fqdn).empty();
  return launch;
}

Ec2Instance run_instance(const Call& call, Ec2Api& api, const Ec2Launch& launch, const Marks& marks,
                         std::chrono::milliseconds poll) {
  Query query = launch.query(marks);
  if (!launch.key_name.empty()) {
    // Its name holds a digest of the key: one of that name is this one.
    change_unless(api, import_key_pair(launch, marks), "InvalidKeyPair.Duplicate");
    query.set("KeyName", launch.key_name);
  }
  try {
    for (int generation = 0; generation < kMostGenerations; ++generation) {
      if (auto made = run_once(api, query, client_token(marks, generation), poll)) return std::move(*made);
      call.log("machine " + std::to_string(generation + 1) + " of this step is terminated");
    }
  } catch (const Error& e) {
    if (e.kind() != Kind::Transient && !launch.key_name.empty()) {
      Query remove("DeleteKeyPair");
      change_unless(api, remove.set("KeyName", launch.key_name), "InvalidKeyPair");
    }
    throw;
  }
  throw Error(Kind::Permanent, "each of the " + std::to_string(kMostGenerations) +
                                   " machines that this step made was terminated; `retry` does no good, `deploy` makes "
                                   "a new run");
}

void ask_for(Ec2Api& api, const Ec2Launch& launch, const Marks& marks) {
  api.dry_run(launch.query(marks));
  if (!launch.key_name.empty()) api.dry_run(import_key_pair(launch, marks));
  if (!launch.lacking.empty()) {
    const std::string zone = launch.place.zone.empty() ? any_zone(api) : launch.place.zone;
    for (const WantedVolume& one : launch.lacking) api.dry_run(create_volume(one, zone, marks, ""));
  }
  if (launch.new_address) ask_for_address(api, marks);
}

}  // namespace jarvis::providers
