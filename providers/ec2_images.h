// Which image a spec's `guestid` means: an image's id, a name of the configuration's `images:`, or OWNER/PATTERN. Pure;
// asking for the images that fit is the caller's.
#pragma once

#include <optional>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "providers/ec2_query.h"

namespace jarvis::providers {

struct ImageAlias {
  std::string alias, owner, name;
};
// EC2_IMAGES, a YAML flow mapping `{Debian 12: {owner: '136693071363', name: 'debian-12-*'}}`; empty for no text.
std::vector<ImageAlias> image_aliases(const std::string& text);

// The DescribeImages that lists what may be meant. Error(Usage) names the nearest of `aliases`.
Query image_query(const std::string& guestid, const std::vector<ImageAlias>& aliases);
Query image_query(const ImageAlias& alias);

struct Ec2Image {
  std::string id, name, owner, architecture, created, state;
  std::string root_device, root_kind;  // root_kind: ebs, instance-store
  int root_gigabytes = 0;
  bool root_dies_with_it = true;
};
Ec2Image image_of(const pugi::xml_node& item);

// The newest that is available and of one of these architectures (all, if the list is empty); of two of one date the
// one whose id comes first.
std::optional<Ec2Image> newest_image(const std::vector<Ec2Image>& images,
                                     const std::vector<std::string>& architectures);
std::vector<std::string> architectures_of(const std::vector<Ec2Image>& images);

}  // namespace jarvis::providers
