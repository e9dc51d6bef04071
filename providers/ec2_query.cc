#include "providers/ec2_query.h"

#include <algorithm>
#include <cstdint>

#include "workers/http_url.h"

namespace jarvis::providers {

namespace {

constexpr std::size_t kMostStep = 24;  // characters of a step that a token shows

// FNV-1a, 64 bits: tells names apart, and protects nothing.
std::string digest(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  std::string made;
  for (unsigned shift = 64; shift > 0; shift -= 4) made += "0123456789abcdef"[hash >> (shift - 4) & 15U];
  return made;
}

std::string plain(std::string_view text) {
  std::string made(text.substr(0, kMostStep));
  for (char& c : made) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
    if (!fits) c = '-';
  }
  return made;
}

std::string token(const Marks& marks, const std::string& more) {
  return "jarvis-" + plain(marks.step) + "-" + digest(marks.fqdn + '\n' + marks.run + '\n' + marks.step + '\n' + more);
}

}  // namespace

Query& Query::set(std::string name, std::string value) {
  for (auto& [known, old] : parameters_) {
    if (known != name) continue;
    old = std::move(value);
    return *this;
  }
  parameters_.emplace_back(std::move(name), std::move(value));
  return *this;
}

Query& Query::list(const std::string& name, const std::vector<std::string>& values) {
  int number = 0;
  for (const std::string& value : values) set(name + "." + std::to_string(++number), value);
  return *this;
}

Query& Query::filter(const std::string& name, const std::vector<std::string>& values) {
  const std::string prefix = "Filter." + std::to_string(++filters_);
  set(prefix + ".Name", name);
  return list(prefix + ".Value", values);
}

Query& Query::tags(const std::string& resource_type, const Tags& tags) {
  const std::string prefix = "TagSpecification." + std::to_string(++tagged_);
  set(prefix + ".ResourceType", resource_type);
  int number = 0;
  for (const auto& [key, value] : tags) {
    const std::string tag = prefix + ".Tag." + std::to_string(++number);
    set(tag + ".Key", key);
    set(tag + ".Value", value);
  }
  return *this;
}

std::string Query::body() const {
  std::string made = "Action=" + workers::percent_encoded(action_) + "&Version=2016-11-15";
  for (const auto& [name, value] : parameters_)
    made += "&" + workers::percent_encoded(name) + "=" + workers::percent_encoded(value);
  return made;
}

Tags tags_of(const Marks& marks) {
  return {{"Name", marks.fqdn}, {kFqdnTag, marks.fqdn}, {kRunTag, marks.run}, {kStepTag, marks.step}};
}

std::string client_token(const Marks& marks, int generation) {
  return token(marks, "machine") + "-" + std::to_string(generation);
}

std::string volume_token(const Marks& marks, const std::string& volume, const std::string& machine) {
  return token(marks, "volume " + volume + '\n' + machine);
}

std::string key_pair_name(const std::string& fqdn, std::string_view public_key) {
  return "jarvis-" + fqdn.substr(0, 200) + "-" + digest(public_key);
}

}  // namespace jarvis::providers
