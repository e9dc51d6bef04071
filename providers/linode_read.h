// What Linode's API v4 says, as values: the parts of its JSON that jarvis uses, each read from one object of the
// published description (v4.189). Malformed names what is missing or of another kind, and nothing of what was there
// besides. Pure.
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace jarvis::providers {

struct LinodeInstance {
  std::int64_t id = 0;
  std::string label, status, type, region, image, created;
  std::vector<std::string> addresses;  // public IPv4, then the IPv6 one
  std::vector<std::string> tags;
};

struct LinodeDisk {
  std::int64_t id = 0, size = 0;  // MB
  std::string label, status, filesystem;
};

struct LinodeDevice {
  bool is_volume = false;
  std::int64_t id = 0;
  bool operator==(const LinodeDevice&) const = default;
};

struct LinodeConfig {
  std::int64_t id = 0;
  std::string label, kernel, comments;
  std::map<std::string, LinodeDevice> devices;  // sda ... sdh
};

struct LinodeVolume {
  std::int64_t id = 0, size = 0;  // GB
  std::string label, status, region, created;
  std::string path;  // on its Linode; empty where the API does not say
  std::vector<std::string> tags;
  std::optional<std::int64_t> machine;
};

struct LinodeEvent {
  std::int64_t id = 0;
  std::string action, status, message;
  int percent = 0;
  bool under_way() const { return status == "scheduled" || status == "started"; }
};

struct LinodeRegion {
  std::string id, label, status;
  std::vector<std::string> capabilities;
};

struct LinodePrice {
  std::optional<double> monthly;
  std::map<std::string, double> elsewhere;  // by region
  std::optional<double> in(const std::string& region) const;
};

struct LinodeType {
  std::string id, label;
  std::int64_t memory = 0, disk = 0, cpus = 0;  // MB
  LinodePrice price;
};

struct LinodeImage {
  std::string id, label, vendor, created, status;
  std::int64_t size = 0;  // MB that a disk must have for it
  bool deprecated = false, cloud_init = false;
};

struct LinodeKernel {
  std::string id, label;
  bool deprecated = false;
};

struct LinodeAddress {
  std::string address, rdns;
};

class Malformed : public std::exception {
 public:
  explicit Malformed(std::string what) : what_(std::move(what)) {}
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

using Json = nlohmann::json;

void read(const Json& from, LinodeInstance& to);
void read(const Json& from, LinodeDisk& to);
void read(const Json& from, LinodeConfig& to);
void read(const Json& from, LinodeVolume& to);
void read(const Json& from, LinodeEvent& to);
void read(const Json& from, LinodeRegion& to);
void read(const Json& from, LinodeType& to);
void read(const Json& from, LinodeImage& to);
void read(const Json& from, LinodeKernel& to);
// Public addresses of the answer of .../ips, IPv4 first.
void read(const Json& from, std::vector<LinodeAddress>& to);
LinodePrice price_of(const Json& from);

// The object that the text is.
Json object_of(const std::string& text);
// One page of a list: its objects, and how many pages there are.
struct LinodePage {
  Json objects;
  int pages = 1;
};
LinodePage page_of(const std::string& text);
// "field: reason; reason" of an answer that is a refusal; nothing if it is no such answer.
std::optional<std::string> reasons_of(const std::string& text);

}  // namespace jarvis::providers
