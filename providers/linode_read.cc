#include "providers/linode_read.h"

namespace jarvis::providers {

namespace {

const Json& field(const Json& from, const char* name) {
  if (!from.is_object()) throw Malformed("no object of Linode's API");
  const auto found = from.find(name);
  if (found == from.end()) throw Malformed(std::string("an object of Linode's API without `") + name + "`");
  return *found;
}

[[noreturn]] void wrong_kind(const char* name) {
  throw Malformed(std::string("an object of Linode's API whose `") + name + "` is of another kind");
}

std::string text(const Json& from, const char* name) {
  const Json& found = field(from, name);
  if (!found.is_string()) wrong_kind(name);
  return found.get<std::string>();
}

// One that may be null or left out.
std::string text_or_none(const Json& from, const char* name) {
  const auto found = from.find(name);
  if (found == from.end() || found->is_null()) return {};
  if (!found->is_string()) wrong_kind(name);
  return found->get<std::string>();
}

std::int64_t whole(const Json& from, const char* name) {
  const Json& found = field(from, name);
  if (!found.is_number_integer()) wrong_kind(name);
  return found.get<std::int64_t>();
}

bool flag(const Json& from, const char* name) {
  const Json& found = field(from, name);
  if (!found.is_boolean()) wrong_kind(name);
  return found.get<bool>();
}

const Json& array(const Json& from, const char* name) {
  const Json& found = field(from, name);
  if (!found.is_array()) wrong_kind(name);
  return found;
}

std::vector<std::string> texts(const Json& from, const char* name) {
  std::vector<std::string> made;
  for (const Json& one : array(from, name)) {
    if (!one.is_string()) wrong_kind(name);
    made.push_back(one.get<std::string>());
  }
  return made;
}

// Times come without a zone and are UTC.
std::string time_of(const Json& from) {
  const std::string said = text(from, "created");
  return said.ends_with('Z') ? said : said + "Z";
}

// 192.168.128.0/17 is Linode's private network.
bool is_private(const std::string& address) {
  return address.starts_with("192.168.");
}

std::string without_length(const std::string& address) {
  return address.substr(0, address.find('/'));
}

void add_address(const Json& from, std::vector<LinodeAddress>& to) {
  to.push_back({text(from, "address"), text_or_none(from, "rdns")});
}

}  // namespace

std::optional<double> LinodePrice::in(const std::string& region) const {
  const auto found = elsewhere.find(region);
  return found != elsewhere.end() ? std::optional(found->second) : monthly;
}

void read(const Json& from, LinodeInstance& to) {
  to.id = whole(from, "id");
  to.label = text(from, "label");
  to.status = text(from, "status");
  to.type = text_or_none(from, "type");
  to.region = text(from, "region");
  to.image = text_or_none(from, "image");
  to.created = time_of(from);
  to.tags = texts(from, "tags");
  for (const std::string& address : texts(from, "ipv4")) {
    if (!is_private(address)) to.addresses.push_back(address);
  }
  const std::string ipv6 = text_or_none(from, "ipv6");
  if (!ipv6.empty()) to.addresses.push_back(without_length(ipv6));
}

void read(const Json& from, LinodeDisk& to) {
  to.id = whole(from, "id");
  to.size = whole(from, "size");
  to.label = text(from, "label");
  to.status = text(from, "status");
  to.filesystem = text(from, "filesystem");
}

void read(const Json& from, LinodeConfig& to) {
  to.id = whole(from, "id");
  to.label = text(from, "label");
  to.kernel = text_or_none(from, "kernel");
  to.comments = text_or_none(from, "comments");
  const Json& devices = field(from, "devices");
  if (!devices.is_object()) wrong_kind("devices");
  for (const auto& [slot, device] : devices.items()) {
    if (!device.is_object()) continue;  // an empty slot is null
    for (const char* kind : {"disk_id", "volume_id"}) {
      const auto id = device.find(kind);
      if (id == device.end() || id->is_null()) continue;
      to.devices[slot] = {std::string(kind) == "volume_id", whole(device, kind)};
    }
  }
}

void read(const Json& from, LinodeVolume& to) {
  to.id = whole(from, "id");
  to.size = whole(from, "size");
  to.label = text(from, "label");
  to.status = text(from, "status");
  to.region = text(from, "region");
  to.created = time_of(from);
  to.path = text_or_none(from, "filesystem_path");
  to.tags = texts(from, "tags");
  if (!field(from, "linode_id").is_null()) to.machine = whole(from, "linode_id");
}

void read(const Json& from, LinodeEvent& to) {
  to.id = whole(from, "id");
  to.action = text(from, "action");
  to.status = text(from, "status");
  to.message = text_or_none(from, "message");
  const auto percent = from.find("percent_complete");
  if (percent != from.end() && percent->is_number()) to.percent = percent->get<int>();
}

void read(const Json& from, LinodeRegion& to) {
  to.id = text(from, "id");
  to.label = text(from, "label");
  to.status = text_or_none(from, "status");
  to.capabilities = texts(from, "capabilities");
}

LinodePrice price_of(const Json& from) {
  LinodePrice made;
  const auto monthly = [](const Json& price) -> std::optional<double> {
    const auto found = price.is_object() ? price.find("monthly") : price.end();
    return price.is_object() && found != price.end() && found->is_number() ? std::optional(found->get<double>())
                                                                           : std::nullopt;
  };
  const auto price = from.find("price");
  if (price != from.end()) made.monthly = monthly(*price);
  const auto elsewhere = from.find("region_prices");
  if (elsewhere == from.end() || !elsewhere->is_array()) return made;
  for (const Json& one : *elsewhere) {
    if (const auto said = monthly(one)) made.elsewhere[text(one, "id")] = *said;
  }
  return made;
}

void read(const Json& from, LinodeType& to) {
  to.id = text(from, "id");
  to.label = text(from, "label");
  to.memory = whole(from, "memory");
  to.disk = whole(from, "disk");
  to.cpus = whole(from, "vcpus");
  to.price = price_of(from);
}

void read(const Json& from, LinodeImage& to) {
  to.id = text(from, "id");
  to.label = text(from, "label");
  to.vendor = text_or_none(from, "vendor");
  to.created = text_or_none(from, "created");
  to.status = text_or_none(from, "status");
  to.size = whole(from, "size");
  to.deprecated = flag(from, "deprecated");
  for (const std::string& one : texts(from, "capabilities")) to.cloud_init = to.cloud_init || one == "cloud-init";
}

void read(const Json& from, LinodeKernel& to) {
  to.id = text(from, "id");
  to.label = text(from, "label");
  to.deprecated = flag(from, "deprecated");
}

void read(const Json& from, std::vector<LinodeAddress>& to) {
  for (const Json& one : array(field(from, "ipv4"), "public")) add_address(one, to);
  const auto ipv6 = from.find("ipv6");
  if (ipv6 == from.end() || !ipv6->is_object()) return;
  const auto slaac = ipv6->find("slaac");
  if (slaac != ipv6->end() && slaac->is_object()) add_address(*slaac, to);
}

Json object_of(const std::string& text) {
  Json made = Json::parse(text, nullptr, false);
  if (made.is_discarded()) throw Malformed("no JSON");
  if (!made.is_object()) throw Malformed("no JSON object");
  return made;
}

LinodePage page_of(const std::string& text) {
  const Json page = object_of(text);
  LinodePage made{array(page, "data"), static_cast<int>(whole(page, "pages"))};
  if (made.pages < 0 || made.pages > 10'000) wrong_kind("pages");
  return made;
}

std::optional<std::string> reasons_of(const std::string& text) {
  const Json said = Json::parse(text, nullptr, false);
  const auto errors = said.is_object() ? said.find("errors") : said.end();
  if (!said.is_object() || errors == said.end() || !errors->is_array()) return std::nullopt;
  std::string made;
  for (const Json& one : *errors) {
    if (!one.is_object()) continue;
    const auto reason = one.find("reason");
    if (reason == one.end() || !reason->is_string()) continue;
    const auto field = one.find("field");
    if (!made.empty()) made += "; ";
    if (field != one.end() && field->is_string() && !field->get<std::string>().empty())
      made += field->get<std::string>() + ": ";
    made += reason->get<std::string>();
  }
  return made.empty() ? std::nullopt : std::optional(made);
}

}  // namespace jarvis::providers
