#include "workers/mac_address.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "pipeline/error.h"
#include "workers/printable.h"

namespace jarvis::workers {

using pipeline::Error;
using pipeline::Kind;

namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> pairs(std::string_view digits) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < digits.size(); at += 2) parts.push_back(digits.substr(at, 2));
  return parts;
}

// The six octets in text; something else when it has none of the forms.
std::vector<std::string_view> octets_of(std::string_view text, std::string& joined) {
  for (const char separator : {':', '-'}) {
    if (text.find(separator) != std::string_view::npos) return split(text, separator);
  }
  if (text.find('.') == std::string_view::npos) return text.size() == 12 ? pairs(text) : std::vector{text};
  const auto thirds = split(text, '.');
  if (thirds.size() != 3) return {text};
  for (const std::string_view third : thirds) {
    if (third.size() != 4) return {text};
    joined += third;
  }
  return pairs(joined);
}

std::optional<std::uint8_t> octet(std::string_view digits) {
  std::uint8_t value = 0;
  const char* const end = digits.data() + digits.size();
  if (digits.empty() || digits.size() > 2) return {};
  const auto [read, error] = std::from_chars(digits.data(), end, value, 16);
  return error == std::errc() && read == end ? std::optional(value) : std::nullopt;
}

}  // namespace

MacAddress MacAddress::parse(std::string_view text) {
  const auto refuse = [&](const char* why) {
    return Error(Kind::Usage, "`" + printable(text, 60) + "` is no hardware address like 52:54:00:12:34:56: " + why);
  };
  std::string joined;
  const auto parts = octets_of(text, joined);
  MacAddress made;
  if (parts.size() != made.octets_.size()) throw refuse("six octets are expected");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto value = octet(parts[i]);
    if (!value) throw refuse("an octet is one or two hexadecimal digits");
    made.octets_[i] = *value;
  }
  if ((made.octets_[0] & 1U) != 0) throw refuse("it is the address of a group, not of a card");
  if (std::all_of(made.octets_.begin(), made.octets_.end(), [](auto one) { return one == 0; }))
    throw refuse("it is all zeros");
  return made;
}

std::string MacAddress::joined(char between) const {
  static const char* const kHex = "0123456789abcdef";
  std::string made;
  for (const std::uint8_t one : octets_) {
    if (!made.empty()) made += between;
    made += kHex[one >> 4U];
    made += kHex[one & 15U];
  }
  return made;
}

}  // namespace jarvis::workers
