#include "providers/linode_names.h"

#include <algorithm>
#include <array>

#include "workers/digest.h"

namespace jarvis::providers {

namespace {

constexpr std::size_t kMostTag = 50;
constexpr std::size_t kTagDigest = 16;
constexpr std::size_t kLeastLabel = 3, kMostLabel = 64, kMostVolumeLabel = 32;
constexpr std::size_t kLabelDigest = 10;
constexpr std::array<const char*, 3> kKeys = {"fqdn", "run", "step"};
constexpr const char* kOldRoot = "old-root";

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_plain(char c) {
  return is_letter(c) || (c >= '0' && c <= '9');
}

// Begins with a letter, ends with a letter or digit; `marks` may stand between, none of them twice in a row.
bool is_label(const std::string& text, const std::string& marks, std::size_t least, std::size_t most) {
  if (text.size() < least || text.size() > most || !is_letter(text.front()) || !is_plain(text.back())) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_plain(text[i])) continue;
    if (marks.find(text[i]) == std::string::npos || text[i - 1] == text[i]) return false;
  }
  return true;
}

// Every character that may stand in a label, as often as it may.
std::string allowed_of(const std::string& text, const std::string& marks) {
  std::string made;
  for (const char c : text) {
    const char fit = is_plain(c) || marks.find(c) != std::string::npos ? c : '-';
    if (made.empty() && !is_letter(fit)) made += 'h';
    if (is_plain(fit) || made.back() != fit) made += fit;
  }
  return made.empty() ? "h" : made;
}

std::string cut(std::string text, std::size_t most) {
  if (text.size() > most) text.resize(most);
  while (text.size() > 1 && !is_plain(text.back())) text.pop_back();
  return text;
}

std::string digest_of(const std::string& text, std::size_t digits) {
  return workers::sha256_hex(text).substr(0, digits);
}

bool is_mark(const std::string& tag) {
  const std::string key = tag.substr(0, tag.find(':'));
  return tag.find(':') != std::string::npos &&
         (key == kOldRoot || std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end());
}

// The only one with this key; nothing if there is none or a second.
std::optional<std::string> only(const std::vector<std::string>& tags, const std::string& key) {
  std::optional<std::string> found;
  for (const std::string& tag : tags) {
    if (!tag.starts_with(key + ":")) continue;
    if (found) return std::nullopt;
    found = tag;
  }
  return found;
}

}  // namespace

std::string linode_tag(const std::string& key, const std::string& value) {
  std::string tag = key + ":" + value;
  if (tag.size() <= kMostTag) return tag;
  return tag.substr(0, kMostTag - kTagDigest - 1) + "~" + digest_of(value, kTagDigest);
}

std::vector<std::string> linode_tags(const Marks& marks) {
  return {linode_tag("fqdn", marks.fqdn), linode_tag("run", marks.run), linode_tag("step", marks.step)};
}

std::optional<Marks> marks_of(const std::vector<std::string>& tags, const Marks& known) {
  const std::array<const std::string*, 3> values = {&known.fqdn, &known.run, &known.step};
  std::array<std::string, 3> found;
  for (std::size_t i = 0; i < kKeys.size(); ++i) {
    const std::string key = kKeys[i];
    const auto tag = only(tags, key);
    if (!tag) return std::nullopt;
    found[i] = *tag == linode_tag(key, *values[i]) ? *values[i] : tag->substr(key.size() + 1);
  }
  return Marks{found[0], found[1], found[2]};
}

std::vector<std::string> with_marks(const std::vector<std::string>& tags, const Marks& marks) {
  std::vector<std::string> made = linode_tags(marks);
  for (const std::string& tag : tags) {
    if (!is_mark(tag)) made.push_back(tag);
  }
  return made;
}

std::string linode_label(const std::string& fqdn) {
  const std::string marks = "-_.";
  if (is_label(fqdn, marks, kLeastLabel, kMostLabel)) return fqdn;
  return cut(allowed_of(fqdn, marks), kMostLabel - kLabelDigest - 1) + "-" + digest_of(fqdn, kLabelDigest);
}

std::string volume_label(const std::string& fqdn, const std::string& name) {
  constexpr std::size_t kHost = 12, kName = 8;
  const std::string host = cut(allowed_of(fqdn.substr(0, fqdn.find('.')), "-_"), kHost);
  return cut(host + "-" + cut(allowed_of(name, "-_"), kName) + "-" + digest_of(fqdn + "\n" + name, kLabelDigest - 2),
             kMostVolumeLabel);
}

std::string old_root_tag(const std::string& disk) {
  return linode_tag(kOldRoot, disk);
}

std::optional<std::string> old_root_of(const std::vector<std::string>& tags) {
  const auto tag = only(tags, kOldRoot);
  return tag ? std::optional(tag->substr(std::string(kOldRoot).size() + 1)) : std::nullopt;
}

}  // namespace jarvis::providers
