#include "providers/linode_offers.h"

#include <doctest/doctest.h>

#include <functional>

#include "pipeline/error.h"
#include "providers/linode_spec.h"

using namespace jarvis::providers;
using jarvis::pipeline::Error;
using jarvis::pipeline::Kind;
using jarvis::workers::Clipboard;

namespace {

const std::vector<LinodeRegion> kRegions = {
    {"us-southeast", "Atlanta, GA", "ok", {"Linodes", "Metadata"}},
    {"us-east", "Newark, NJ", "ok", {"Linodes", "Metadata"}},
    {"ap-northeast", "Tokyo 2, JP", "ok", {"Linodes"}},
    {"us-lax", "Los Angeles, CA", "ok", {"Linodes", "Metadata"}},
    {"br-lax", "Los Angeles, BR", "ok", {"Linodes", "Metadata"}},
};

LinodeType type(const char* id, const char* label, std::int64_t memory, std::int64_t disk, double monthly,
                std::map<std::string, double> elsewhere = {}) {
  LinodeType made;
  made.id = id;
  made.label = label;
  made.memory = memory;
  made.disk = disk;
  made.price.monthly = monthly;
  made.price.elsewhere = std::move(elsewhere);
  return made;
}

const std::vector<LinodeType> kTypes = {
    type("g6-standard-2", "Linode 4GB", 4096, 81920, 24),
    type("g6-dedicated-2", "Dedicated 4GB", 4096, 81920, 36, {{"us-east", 20}}),
    type("g5-standard-2", "Old 4GB", 4096, 81920, 24),
    type("g6-nanode-1", "Nanode 1GB", 1024, 25600, 5),
    type("g6-standard-1", "Linode 2GB", 2048, 51200, 12),
};

LinodeImage image(const char* id, const char* label, const char* vendor, const char* created, bool deprecated,
                  bool cloud_init = true) {
  return {id, label, vendor, created, "available", 1500, deprecated, cloud_init};
}

const std::vector<LinodeImage> kImages = {
    image("linode/debian9", "Debian 9", "Debian", "2017", true),
    image("linode/debian12", "Debian 12", "Debian", "2023", false),
    image("linode/debian11", "Debian 11", "Debian", "2021", false),
    image("linode/alpine3.19", "Alpine 3.19", "Alpine", "2023", false, false),
    image("private/17", "golden", "", "2024", false),
    image("private/18", "golden", "", "2024", false),
};

// The id, or the error's text.
std::string picked(const std::function<std::string()>& pick) {
  try {
    return pick();
  } catch (const Error& e) {
    CHECK(e.kind() == Kind::Usage);
    return std::string("! ") + e.what();
  }
}

struct Case {
  const char* said;
  std::vector<std::string> parts;  // the whole, or "!" and what the refusal must say
};

void check(const std::string& got, const Case& c) {
  CAPTURE(c.said);
  CAPTURE(got);
  if (c.parts.front() != "!") {
    CHECK(got == c.parts.front());
    return;
  }
  REQUIRE(got.starts_with("! "));
  for (std::size_t i = 1; i < c.parts.size(); ++i) CHECK(got.find(c.parts[i]) != std::string::npos);
}

}  // namespace

TEST_CASE("regions as people write them") {
  for (const Case& c : std::vector<Case>{
           {"Atlanta", {"us-southeast"}},
           {"atlanta, ga", {"us-southeast"}},
           {"us-southeast", {"us-southeast"}},
           {"US-East", {"us-east"}},
           {"Tokyo", {"ap-northeast"}},
           {"Atlnta", {"!", "datacenter:", "`Atlnta`", "Atlanta, GA (us-southeast)"}},
           {"us-southwest", {"!", "us-southeast"}},
           {"Los Angeles", {"!", "us-lax", "br-lax", "by id"}},
           {"", {"!", "datacenter: missing"}},
       })
    check(picked([&] { return pick_region(kRegions, c.said).id; }), c);
}

TEST_CASE("types by memory, id and label") {
  for (const Case& c : std::vector<Case>{
           {"512", {"g6-nanode-1"}},
           {"1024", {"g6-nanode-1"}},
           {"1025", {"g6-standard-1"}},
           {"4096", {"g5-standard-2"}},  // as cheap as g6-standard-2, first by id
           {"g6-dedicated-2", {"g6-dedicated-2"}},
           {"nanode 1gb", {"g6-nanode-1"}},
           {"99999", {"!", "size:", "99999", "4096 MB"}},
           {"g6-nanode-2", {"!", "g6-nanode-1"}},
           {"1e3", {"!", "size:"}},
           {"-1", {"!", "size:"}},
           {"", {"!", "size: missing"}},
       })
    check(picked([&] { return pick_type(kTypes, c.said, kRegions[0], 0).id; }), c);
  // A region may have prices of its own, and disks want room.
  CHECK(pick_type(kTypes, "4096", kRegions[1], 0).id == "g6-dedicated-2");
  CHECK(pick_type(kTypes, "512", kRegions[0], 30000).id == "g6-standard-1");
  check(picked([&] { return pick_type(kTypes, "g6-nanode-1", kRegions[0], 30000).id; }),
        {"g6-nanode-1", {"!", "disks:", "30000", "25600"}});
}

TEST_CASE("images by label and id") {
  for (const Case& c : std::vector<Case>{
           {"Debian 12", {"linode/debian12"}},
           {"debian  12", {"linode/debian12"}},
           {"linode/debian11", {"linode/debian11"}},
           {"private/17", {"private/17"}},
           {"Debian12", {"!", "Debian 12 (linode/debian12)"}},
           {"Debian 13", {"!", "guestid:", "Debian 13", "Debian 12", "Debian 11"}},
           {"Debian 9", {"!", "deprecated", "Debian 12 (linode/debian12)"}},
           {"golden", {"!", "private/17", "private/18"}},
           {"", {"!", "guestid: missing"}},
       })
    check(picked([&] { return pick_image(kImages, c.said).id; }), c);
}

TEST_CASE("who can be handed a host key") {
  const auto said = [&](const LinodeRegion& region, const LinodeImage& one) {
    return picked([&] {
      check_user_data(kRegions, kImages, region, one);
      return std::string("well");
    });
  };
  CHECK(said(kRegions[0], kImages[1]) == "well");
  const std::string image_lacks = said(kRegions[0], kImages[3]);
  CHECK(image_lacks.find("no cloud-init") != std::string::npos);
  CHECK(image_lacks.find("Debian 12, Debian 11") != std::string::npos);
  CHECK(image_lacks.find("Debian 9") == std::string::npos);
  const std::string region_lacks = said(kRegions[2], kImages[1]);
  CHECK(region_lacks.find("no metadata service") != std::string::npos);
  CHECK(region_lacks.find("us-southeast, us-east") != std::string::npos);
}

TEST_CASE("what a spec may say") {
  struct Spec {
    const char* text;
    std::string wrong;  // empty: well
  };
  for (const Spec& c : {
           Spec{"disks: {opt: rest, swap: 512, root: 4096}", ""},
           {"disks: {root: rest}", ""},
           {"volumes: {data: 20}\nwipe: data\nrdns: yes", ""},
           {"disks: {opt: rest}", "root"},
           {"disks: {root: rest, opt: rest}", "`rest`"},
           {"disks: {root: 4 GB}", "`4 GB`"},
           {"disks: {root: 0}", "`0`"},
           {"disks: {root: 1, 'My Disk': 5}", "`My Disk`"},
           {"disks: {root: 1, a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1}", "9 of them"},
           {"volumes: {data: 9}", "10 to 10240"},
           {"volumes: {opt: 20}\ndisks: {root: 1, opt: rest}", "name of a disk too"},
           {"rdns: perhaps", "yes or no"},
       }) {
    CAPTURE(c.text);
    std::string wrong;
    try {
      const LinodeSpec spec = linode_spec_of(Clipboard::parse(std::string(c.text) + "\n"));
      if (!spec.disks.empty()) CHECK(spec.disks.front().name == "root");
      if (spec.disks.size() > 2) CHECK(spec.disks[1].is_swap());
    } catch (const Error& e) {
      wrong = e.what();
    }
    if (c.wrong.empty())
      CHECK(wrong == "");
    else
      CHECK(wrong.find(c.wrong) != std::string::npos);
  }
}
