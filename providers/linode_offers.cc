#include "providers/linode_offers.h"

#include <algorithm>

#include "pipeline/error.h"
#include "workers/printable.h"

namespace jarvis::providers {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr std::size_t kNearestNamed = 3;

// Lower case, one blank in place of several.
std::string folded(const std::string& text) {
  std::string made;
  for (const char c : text) {
    if (c == ' ' && (made.empty() || made.back() == ' ')) continue;
    made += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  while (!made.empty() && made.back() == ' ') made.pop_back();
  return made;
}

std::string city_of(const LinodeRegion& region) {
  return folded(region.label.substr(0, region.label.find(',')));
}

template <typename Offer>
std::string named(const Offer& offer) {
  return offer.label + " (" + offer.id + ")";
}

// The best of what a word could have meant: the id, the label, and the label's beginning of the same length.
template <typename Offer>
int distance(const Offer& offer, const std::string& said) {
  const std::string label = folded(offer.label);
  const std::string id = folded(offer.id);
  return std::min({pipeline::edit_distance(said, label), pipeline::edit_distance(said, id),
                   pipeline::edit_distance(said, label.substr(0, said.size())),
                   pipeline::edit_distance(said, id.substr(id.find('/') + 1))});
}

template <typename Offer>
[[noreturn]] void none_fits(const char* key, const std::string& said, const std::vector<const Offer*>& offered) {
  std::vector<const Offer*> ranked = offered;
  const std::string word = folded(said);
  std::stable_sort(ranked.begin(), ranked.end(),
                   [&](const Offer* a, const Offer* b) { return distance(*a, word) < distance(*b, word); });
  std::string nearest;
  for (std::size_t i = 0; i < ranked.size() && i < kNearestNamed; ++i)
    nearest += (nearest.empty() ? "" : ", ") + named(*ranked[i]);
  throw Error(Kind::Usage, std::string(key) + ": linode offers no `" + workers::printable(said, 80) + "`; " +
                               (nearest.empty() ? "it offers none at all" : "the nearest offered: " + nearest));
}

template <typename Offer>
[[noreturn]] void several_fit(const char* key, const std::string& said, const std::vector<const Offer*>& found) {
  std::string names;
  for (const Offer* one : found) names += (names.empty() ? "" : ", ") + named(*one);
  throw Error(Kind::Usage, std::string(key) + ": `" + workers::printable(said, 80) + "` may be any of " + names +
                               "; say which by id");
}

void must_be_said(const char* key, const std::string& said, const char* example) {
  if (said.empty()) throw Error(Kind::Usage, std::string(key) + ": missing; such as `" + example + "`");
}

template <typename Offer>
std::vector<const Offer*> pointers(const std::vector<Offer>& offered) {
  std::vector<const Offer*> made;
  for (const Offer& one : offered) made.push_back(&one);
  return made;
}

template <typename Offer, typename Fits>
std::vector<const Offer*> those(const std::vector<Offer>& offered, Fits fits) {
  std::vector<const Offer*> made;
  for (const Offer& one : offered) {
    if (fits(one)) made.push_back(&one);
  }
  return made;
}

// By id, else by label.
template <typename Offer>
std::vector<const Offer*> by_name(const std::vector<Offer>& offered, const std::string& said) {
  const std::string word = folded(said);
  auto found = those(offered, [&](const Offer& one) { return folded(one.id) == word; });
  if (found.empty()) found = those(offered, [&](const Offer& one) { return folded(one.label) == word; });
  return found;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 10 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_public(const LinodeImage& image) {
  return image.id.starts_with("linode/");
}

std::string with_cloud_init(const std::vector<LinodeImage>& images) {
  std::string names;
  for (const LinodeImage& one : images) {
    if (one.cloud_init && !one.deprecated && is_public(one)) names += (names.empty() ? "" : ", ") + one.label;
  }
  return names;
}

std::string with_metadata(const std::vector<LinodeRegion>& regions) {
  std::string names;
  for (const LinodeRegion& one : regions) {
    if (can(one, "Metadata")) names += (names.empty() ? "" : ", ") + one.id;
  }
  return names;
}

}  // namespace

bool can(const LinodeRegion& region, const std::string& capability) {
  return std::find(region.capabilities.begin(), region.capabilities.end(), capability) != region.capabilities.end();
}

const LinodeRegion& pick_region(const std::vector<LinodeRegion>& offered, const std::string& said) {
  must_be_said("datacenter", said, "Atlanta");
  const std::string word = folded(said);
  auto found = by_name(offered, said);
  if (found.empty()) found = those(offered, [&](const LinodeRegion& one) { return city_of(one) == word; });
  // "Tokyo" for "Tokyo 2, JP" as long as there is one of them.
  if (found.empty())
    found = those(offered, [&](const LinodeRegion& one) { return city_of(one).starts_with(word + " "); });
  if (found.empty()) none_fits("datacenter", said, pointers(offered));
  if (found.size() > 1) several_fit("datacenter", said, found);
  return *found.front();
}

const LinodeType& pick_type(const std::vector<LinodeType>& offered, const std::string& said, const LinodeRegion& region,
                            std::int64_t disk) {
  must_be_said("size", said, "1024");
  if (!is_number(said)) {
    const auto found = by_name(offered, said);
    if (found.empty()) none_fits("size", said, pointers(offered));
    if (found.size() > 1) several_fit("size", said, found);
    if (found.front()->disk < disk) {
      throw Error(Kind::Usage, "disks: " + std::to_string(disk) + " MB do not fit on " + named(*found.front()) +
                                   ", which has " + std::to_string(found.front()->disk));
    }
    return *found.front();
  }
  const std::int64_t memory = std::stoll(said);
  auto found = those(offered, [&](const LinodeType& one) { return one.memory >= memory && one.disk >= disk; });
  if (found.empty()) {
    const auto most = std::max_element(offered.begin(), offered.end(),
                                       [](const LinodeType& a, const LinodeType& b) { return a.memory < b.memory; });
    throw Error(Kind::Usage, "size: linode offers no type with " + said + " MB of memory" +
                                 (disk > 0 ? " and " + std::to_string(disk) + " MB of disk" : "") +
                                 (most == offered.end() ? std::string()
                                                        : "; the nearest offered: " + named(*most) + " with " +
                                                              std::to_string(most->memory) + " MB of memory and " +
                                                              std::to_string(most->disk) + " of disk"));
  }
  return **std::min_element(found.begin(), found.end(), [&](const LinodeType* a, const LinodeType* b) {
    constexpr double kUnknown = 1e9;
    const double price_a = a->price.in(region.id).value_or(kUnknown);
    const double price_b = b->price.in(region.id).value_or(kUnknown);
    return price_a != price_b ? price_a < price_b : a->id < b->id;
  });
}

const LinodeImage& pick_image(const std::vector<LinodeImage>& offered, const std::string& said) {
  must_be_said("guestid", said, "Debian 12");
  auto found = by_name(offered, said);
  if (found.size() > 1) {
    auto of_linode = found;
    of_linode.erase(std::remove_if(of_linode.begin(), of_linode.end(),
                                   [](const LinodeImage* one) { return !is_public(*one) || one->deprecated; }),
                    of_linode.end());
    if (of_linode.size() != 1) several_fit("guestid", said, found);
    found = of_linode;
  }
  if (found.empty()) none_fits("guestid", said, those(offered, [](const LinodeImage& one) { return !one.deprecated; }));
  const LinodeImage& image = *found.front();
  if (image.deprecated) {
    const LinodeImage* newest = nullptr;
    for (const LinodeImage& one : offered) {
      if (one.deprecated || one.vendor != image.vendor || !is_public(one) || !one.cloud_init) continue;
      if (newest == nullptr || newest->created < one.created) newest = &one;
    }
    throw Error(Kind::Usage, "guestid: " + named(image) + " is deprecated at linode" +
                                 (newest != nullptr ? "; newer: " + named(*newest) : ""));
  }
  if (image.status != "available" && !image.status.empty())
    throw Error(Kind::Usage,
                "guestid: " + named(image) + " cannot be used yet, it is " + workers::printable(image.status));
  return image;
}

void check_user_data(const std::vector<LinodeRegion>& regions, const std::vector<LinodeImage>& images,
                     const LinodeRegion& region, const LinodeImage& image) {
  const std::string why =
      "jarvis hands a new host its SSH key over as user data, so that it knows the host at the "
      "first login; ";
  if (!image.cloud_init) {
    throw Error(Kind::Usage,
                "guestid: " + why + named(image) +
                    " does not read user data (no cloud-init). Images that do: " + with_cloud_init(images));
  }
  if (!can(region, "Metadata")) {
    throw Error(Kind::Usage, "datacenter: " + why + named(region) +
                                 " has no metadata service. Regions that have one: " + with_metadata(regions));
  }
}

const LinodeKernel& pick_kernel(const std::vector<LinodeKernel>& offered, const std::string& said) {
  const auto found = by_name(offered, said);
  if (found.empty()) none_fits("kernel", said, those(offered, [](const LinodeKernel& one) { return !one.deprecated; }));
  if (found.size() > 1) several_fit("kernel", said, found);
  return *found.front();
}

}  // namespace jarvis::providers
