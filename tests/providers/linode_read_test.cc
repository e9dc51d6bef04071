#include "providers/linode_read.h"

#include <doctest/doctest.h>

#include "providers/linode_provider.h"

using namespace jarvis::providers;

namespace {

const char* kInstance = R"({"id": 7, "label": "loki", "status": "running", "type": "g6-nanode-1", "region": "us-east",
  "image": null, "created": "2024-01-02T03:04:05", "tags": ["web"], "ipv4": ["192.168.140.7", "203.0.113.7"],
  "ipv6": "2001:db8::7/128"})";

template <typename T>
std::string fault_of(const std::string& text) {
  try {
    T made;
    read(object_of(text), made);
    return "";
  } catch (const Malformed& e) {
    return e.what();
  }
}

std::string with(const std::string& from, const std::string& what, const std::string& by) {
  std::string text = from;
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("a Linode") {
  LinodeInstance made;
  read(object_of(kInstance), made);
  CHECK(made.id == 7);
  CHECK(made.image.empty());
  CHECK(made.created == "2024-01-02T03:04:05Z");
  CHECK(made.addresses == std::vector<std::string>{"203.0.113.7", "2001:db8::7"});
}

TEST_CASE("answers that are no answer") {
  struct Case {
    const char* name;
    std::string text, fault;
  };
  for (const Case& c : {
           Case{"HTML", "<html>Bad gateway</html>", "no JSON"},
           {"nothing", "", "no JSON"},
           {"half", std::string(kInstance).substr(0, 60), "no JSON"},
           {"a list", "[]", "no JSON object"},
           {"another object", "{}", "`id`"},
           {"id is text", with(kInstance, "\"id\": 7", "\"id\": \"7\""), "`id`"},
           {"id is half a number", with(kInstance, "\"id\": 7", "\"id\": 7.5"), "`id`"},
           {"no label", with(kInstance, "\"label\"", "\"lobel\""), "`label`"},
           {"tags are text", with(kInstance, "[\"web\"]", "\"web\""), "`tags`"},
           {"a tag is a number", with(kInstance, "[\"web\"]", "[4]"), "`tags`"},
           {"ipv6 is a list", with(kInstance, "\"2001:db8::7/128\"", "[]"), "`ipv6`"},
       }) {
    CAPTURE(c.name);
    const std::string fault = fault_of<LinodeInstance>(c.text);
    CAPTURE(fault);
    CHECK(fault.find(c.fault) != std::string::npos);
    CHECK(fault.find("loki") == std::string::npos);  // nothing of what was there
  }
}

TEST_CASE("pages") {
  CHECK(page_of(R"({"data": [{}, {}], "page": 1, "pages": 3, "results": 5})").pages == 3);
  for (const char* text : {R"({"data": {}, "pages": 1})", R"({"data": []})", R"({"data": [], "pages": -1})",
                           R"({"data": [], "pages": "2"})", R"({"data": [], "pages": 99999999})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(page_of(text), Malformed);
  }
}

TEST_CASE("configuration profiles") {
  LinodeConfig made;
  read(object_of(R"({"id": 3, "label": "jarvis", "kernel": "linode/grub2", "comments": null,
    "devices": {"sda": {"disk_id": 5, "volume_id": null}, "sdb": null, "sdc": {"disk_id": null, "volume_id": 9}}})"),
       made);
  CHECK(made.devices.size() == 2);
  CHECK(made.devices["sda"] == LinodeDevice{false, 5});
  CHECK(made.devices["sdc"] == LinodeDevice{true, 9});
}

TEST_CASE("where a host finds its disks and volumes") {
  LinodeSpec spec;
  spec.disks = {{"root", 1}, {"swap", 1}, {"opt", 1}, {"more", 1}, {"gone", 1}};
  std::vector<LinodeDisk> disks;
  for (const char* label : {"root", "swap", "more", "opt"}) {
    LinodeDisk& disk = disks.emplace_back();
    disk.id = static_cast<std::int64_t>(disks.size());
    disk.label = label;
  }
  LinodeConfig config;  // a volume may have the number of a disk
  config.devices = {{"sda", {false, 1}}, {"sdb", {false, 2}}, {"sdd", {false, 4}}, {"sde", {true, 4}}};
  CHECK(disk_devices(spec, config, disks) == jarvis::workers::Devices{{"opt", {"/dev/sdd"}}});
  LinodeVolume volume;
  volume.label = "loki-data";
  CHECK(volume_device(volume) == "/dev/disk/by-id/scsi-0Linode_Volume_loki-data");
  volume.path = "/dev/disk/by-id/scsi-0Linode_Volume_other";
  CHECK(volume_device(volume) == volume.path);
}

TEST_CASE("reasons of a refusal") {
  struct Case {
    const char* text;
    std::optional<std::string> reasons;
  };
  for (const Case& c : {
           Case{R"({"errors": [{"reason": "Linode busy."}]})", "Linode busy."},
           {R"({"errors": [{"field": "label", "reason": "Must be unique"}, {"reason": "No"}]})",
            "label: Must be unique; No"},
           {R"({"errors": []})", std::nullopt},
           {R"({"errors": [{"reason": 5}, 7]})", std::nullopt},
           {R"({"errors": "no"})", std::nullopt},
           {"<html>", std::nullopt},
           {"[]", std::nullopt},
       }) {
    CAPTURE(c.text);
    CHECK(reasons_of(c.text) == c.reasons);
  }
}

TEST_CASE("prices") {
  const LinodePrice price = price_of(object_of(
      R"({"price": {"hourly": 0.0075, "monthly": 5}, "region_prices": [{"id": "id-cgk", "hourly": 0.009, "monthly": 6}]})"));
  CHECK(price.in("us-east") == 5);
  CHECK(price.in("id-cgk") == 6);
  CHECK(!price_of(object_of("{}")).in("us-east"));
  CHECK(!price_of(object_of(R"({"price": {"monthly": null}})")).in("us-east"));
}
