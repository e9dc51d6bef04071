#include "providers/ec2_images.h"

#include <algorithm>

#include "providers/ec2_answer.h"
#include "providers/ec2_nearest.h"
#include "workers/ascii.h"
#include "workers/worker.h"

namespace jarvis::providers {

namespace {

using workers::Clipboard;
using workers::Error;
using workers::Kind;
using workers::lower_case;

bool is_image_id(const std::string& text) {
  return text.starts_with("ami-") && text.find_first_not_of("0123456789abcdef", 4) == std::string::npos;
}

// An account, or one of the names that stand for some.
bool is_owner(const std::string& text) {
  if (text == "self" || text == "amazon" || text == "aws-marketplace") return true;
  return text.size() == 12 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Query owner_query(const std::string& owner, const std::string& name) {
  Query query("DescribeImages");
  query.list("Owner", {owner}).filter("name", {name});
  return query;
}

}  // namespace

std::vector<ImageAlias> image_aliases(const std::string& text) {
  std::vector<ImageAlias> made;
  if (text.empty()) return made;
  const Clipboard table = Clipboard::parse(text);
  for (const std::string& alias : table.keys()) {
    ImageAlias one{alias, {}, {}};
    for (const auto& [key, value] : table.map(alias)) (key == "owner" ? one.owner : one.name) = value;
    made.push_back(one);
  }
  return made;
}

Query image_query(const ImageAlias& alias) {
  return owner_query(alias.owner, alias.name);
}

Query image_query(const std::string& guestid, const std::vector<ImageAlias>& aliases) {
  if (is_image_id(guestid)) {
    Query query("DescribeImages");
    return query.list("ImageId", {guestid});
  }
  for (const ImageAlias& alias : aliases) {
    if (lower_case(alias.alias) == lower_case(guestid)) return image_query(alias);
  }
  const std::size_t slash = guestid.find('/');
  const std::string owner = guestid.substr(0, slash);
  if (slash != std::string::npos && is_owner(owner)) return owner_query(owner, guestid.substr(slash + 1));
  std::vector<std::string> known;
  known.reserve(aliases.size());
  for (const ImageAlias& alias : aliases) known.push_back(alias.alias);
  throw Error(Kind::Usage, "guestid: " + guestid + " is no image that EC2 can be asked for; " +
                               nearest_of(guestid, known, "the configuration knows") +
                               "; else an id (ami-...) or OWNER/NAME-PATTERN");
}

Ec2Image image_of(const pugi::xml_node& item) {
  Ec2Image made;
  made.id = text_at(item, "imageId");
  made.name = text_at(item, "name");
  made.owner = text_at(item, "imageOwnerId");
  made.architecture = text_at(item, "architecture");
  made.created = text_at(item, "creationDate");
  made.state = text_at(item, "imageState");
  made.root_device = text_at(item, "rootDeviceName");
  made.root_kind = text_at(item, "rootDeviceType");
  for (const auto& disk : item.child("blockDeviceMapping").children("item")) {
    if (text_at(disk, "deviceName") != made.root_device) continue;
    made.root_gigabytes = disk.child("ebs").child("volumeSize").text().as_int();
    made.root_dies_with_it = text_at(disk, "ebs/deleteOnTermination") != "false";
  }
  return made;
}

std::optional<Ec2Image> newest_image(const std::vector<Ec2Image>& images,
                                     const std::vector<std::string>& architectures) {
  const Ec2Image* best = nullptr;
  for (const Ec2Image& image : images) {
    const bool fits = architectures.empty() ||
                      std::find(architectures.begin(), architectures.end(), image.architecture) != architectures.end();
    if (!fits || image.state != "available") continue;
    const bool better =
        best == nullptr || image.created > best->created || (image.created == best->created && image.id < best->id);
    if (better) best = &image;
  }
  if (best == nullptr) return {};
  return *best;
}

std::vector<std::string> architectures_of(const std::vector<Ec2Image>& images) {
  std::vector<std::string> made;
  for (const Ec2Image& image : images) {
    if (image.state == "available" && std::find(made.begin(), made.end(), image.architecture) == made.end())
      made.push_back(image.architecture);
  }
  return made;
}

}  // namespace jarvis::providers
