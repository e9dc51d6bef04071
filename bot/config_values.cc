#include "bot/config_values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace jarvis::bot {

namespace {

constexpr double kYearInMs = 366.0 * 24 * 3600 * 1000;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The number at the start of `text` (digits, at most one point) and what follows it.
struct Measured {
  std::string_view number, unit;
};
Measured split_unit(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
  return {text.substr(0, end), text.substr(end)};
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  in_addr address{};
  if (host == "localhost" || host == "[::1]") return true;
  return ::inet_pton(AF_INET, std::string(host).c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24U) == 127;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double milliseconds;
  };
  static constexpr std::array<Unit, 6> kUnits = {
      {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  const auto [number, unit] = split_unit(text);
  double value = 0;
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), value, std::chars_format::fixed);
  if (number.empty() || !is_digit(number.front()) || !is_digit(number.back())) return {};
  if (error != std::errc() || end != number.data() + number.size()) return {};
  for (const Unit& known : kUnits) {
    if (known.name != unit) continue;
    const double milliseconds = value * known.milliseconds;
    if (milliseconds > kYearInMs) return {};
    return std::chrono::milliseconds(std::llround(milliseconds));
  }
  return {};
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  struct Unit {
    std::string_view name;
    unsigned shift;
  };
  static constexpr std::array<Unit, 5> kUnits = {{{"", 0}, {"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}}};
  const auto [number, unit] = split_unit(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (number.empty() || error != std::errc() || end != number.data() + number.size()) return {};
  for (const Unit& known : kUnits) {
    if (known.name != unit) continue;
    if (value > (UINT64_MAX >> known.shift)) return {};
    return value << known.shift;
  }
  return {};
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::optional<std::string> wrong_with_loopback_range(std::string_view range) {
  const std::string shape = "must be a range like 127.0.64.0/24";
  const std::size_t slash = range.find('/');
  if (slash == std::string_view::npos) return shape;
  in_addr parsed{};
  const auto bits = parse_number(range.substr(slash + 1));
  if (::inet_pton(AF_INET, std::string(range.substr(0, slash)).c_str(), &parsed) != 1 || !bits) return shape;
  if (*bits < 8 || *bits > 30) return "the prefix must be from /8 to /30";
  const std::uint32_t address = ntohl(parsed.s_addr);
  if ((address >> 24U) != 127) return "must lie within 127.0.0.0/8: local hosts answer on this machine only";
  const std::uint32_t mask = 0xffffffffU << (32U - static_cast<unsigned>(*bits));
  if ((address & ~mask) != 0) {
    in_addr first{};
    first.s_addr = htonl(address & mask);
    char text[INET_ADDRSTRLEN];
    if (::inet_ntop(AF_INET, &first, text, sizeof text) == nullptr) return shape;
    return "does not start at its first address, did you mean " + std::string(text) + "/" + std::to_string(*bits) + "?";
  }
  return {};
}

std::optional<std::string> wrong_with_url(std::string_view url) {
  const bool https = url.substr(0, 8) == "https://";
  const bool http = url.substr(0, 7) == "http://";
  if (!https && !http) return "must begin with https://";
  const std::string_view rest = url.substr(https ? 8 : 7);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return "must not hold blanks or control characters";
  }
  // Not echoed, and never stored: a password in a URL ends up in logs.
  if (authority.find('@') != std::string_view::npos) return "must not hold a user name or password";
  const std::size_t colon = authority.rfind(':');
  const bool bracket_after = colon != std::string_view::npos && authority.find(']', colon) != std::string_view::npos;
  const std::string_view host = bracket_after ? authority : authority.substr(0, colon);
  if (host.empty()) return "names no host";
  if (http && !is_loopback_host(host)) return "http:// is for this machine only, use https://";
  return {};
}

std::optional<std::string> wrong_with_address_range(std::string_view range) {
  const std::size_t slash = range.find('/');
  const std::string first(range.substr(0, slash));
  std::array<std::uint8_t, 16> bytes{};
  const bool v4 = ::inet_pton(AF_INET, first.c_str(), bytes.data()) == 1;
  if (!v4 && ::inet_pton(AF_INET6, first.c_str(), bytes.data()) != 1)
    return "must be an address range like 10.0.0.0/8 or fd00::/8";
  if (slash == std::string_view::npos) return {};
  const auto bits = parse_number(range.substr(slash + 1));
  const int most = v4 ? 32 : 128;
  if (!bits || *bits < 0 || *bits > most) return "the prefix must be from /0 to /" + std::to_string(most);
  return {};
}

std::optional<std::string> wrong_with_url_pattern(std::string_view pattern) {
  const std::size_t scheme = pattern.find("://");
  const std::size_t path = scheme == std::string_view::npos ? scheme : pattern.find('/', scheme + 3);
  if (path == std::string_view::npos) return "must be a pattern like https://gist.github.com/*, with a path";
  std::string_view host = pattern.substr(scheme + 3, path - scheme - 3);
  if (host.ends_with(":*")) host.remove_suffix(2);
  // Elsewhere it would let a stranger's name begin like a known one: gist.github.com* also fits gist.github.com.evil.
  const std::size_t star = host.rfind('*');
  if (star != std::string_view::npos && (star != 0 || (host.size() > 1 && host[1] != '.' && host[1] != ':')))
    return "a * in the host stands for whole parts in front: https://*.example.org/*";
  if (pattern.find_first_of("?#", scheme + 3) < path) return "must be a pattern like https://gist.github.com/*";
  std::string plain(pattern);
  std::replace(plain.begin(), plain.end(), '*', 'x');
  return wrong_with_url(plain);
}

std::optional<std::string> wrong_with_ldap_uri(std::string_view uri) {
  const std::size_t scheme = uri.find("://");
  const std::string_view name = uri.substr(0, scheme == std::string_view::npos ? 0 : scheme);
  if (name != "ldap" && name != "ldaps" && name != "ldapi") return "must begin with ldaps://, ldap:// or ldapi://";
  for (const char c : uri) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return "must not hold blanks or control characters";
  }
  const std::string_view rest = uri.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.find('@') != std::string_view::npos) return "must not hold a user name or password";
  const std::string_view below = authority.size() < rest.size() ? rest.substr(authority.size() + 1) : "";
  if (authority.empty() && name == "ldaps") return "names no host";
  if (!authority.empty() && !below.empty()) return "ends after host and port; the tree is `base`";
  return {};
}

std::optional<std::string> wrong_with_domain(std::string_view domain) {
  if (domain.empty() || domain.size() > 253) return "must have 1 to 253 characters";
  for (std::size_t begin = 0; begin <= domain.size();) {
    const std::size_t dot = std::min(domain.find('.', begin), domain.size());
    const std::string_view label = domain.substr(begin, dot - begin);
    if (label.empty()) return "must not have a dot at an end or two in a row";
    if (label.size() > 63) return "has a part of more than 63 characters";
    if (label.front() == '-' || label.back() == '-') return "has a part that begins or ends with a hyphen";
    for (const char c : label) {
      if (!is_letter(c) && !is_digit(c) && c != '-') return "must hold letters, digits, hyphens and dots only";
    }
    begin = dot + 1;
  }
  return {};
}

bool is_module_name(std::string_view text) {
  if (text.empty() || text.size() > 64 || !is_letter(text.front())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; });
}

bool is_task_name(std::string_view text) {
  if (text.empty() || text.size() > 64 || !(is_letter(text.front()) || is_digit(text.front()) || text.front() == '_')) {
    return false;
  }
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; });
}

bool is_module_and_task(std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && is_module_name(text.substr(0, colon)) &&
         is_task_name(text.substr(colon + 1));
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace jarvis::bot
