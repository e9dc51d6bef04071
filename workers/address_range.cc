#include "workers/address_range.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace jarvis::workers {

namespace {

struct Special {
  const char* range;
  const char* purpose;
};

// The first that fits names it.
constexpr Special kSpecial[] = {
    {"0.0.0.0/8", "this network"},
    {"10.0.0.0/8", "private"},
    {"100.64.0.0/10", "shared by a carrier"},
    {"127.0.0.0/8", "this machine"},
    {"169.254.0.0/16", "link-local"},
    {"172.16.0.0/12", "private"},
    {"192.0.0.0/24", "reserved for protocols"},
    {"192.0.2.0/24", "for documentation"},
    {"192.31.196.0/24", "AS112"},
    {"192.52.193.0/24", "AMT"},
    {"192.88.99.0/24", "a 6to4 relay"},
    {"192.168.0.0/16", "private"},
    {"192.175.48.0/24", "AS112"},
    {"198.18.0.0/15", "for benchmarks"},
    {"198.51.100.0/24", "for documentation"},
    {"203.0.113.0/24", "for documentation"},
    {"224.0.0.0/4", "multicast"},
    {"240.0.0.0/4", "reserved"},
    {"::1", "this machine"},
    {"::/128", "no address"},
    {"64:ff9b:1::/48", "a local translation"},
    {"100::/64", "for discarding"},
    {"fc00::/7", "private"},
    {"fe80::/10", "link-local"},
    {"ff00::/8", "multicast"},
    {"2001::/23", "reserved for protocols"},
    {"2001:db8::/32", "for documentation"},
    {"2002::/16", "6to4"},
    {"2620:4f:8000::/48", "AS112"},
    {"3fff::/20", "for documentation"},
};
constexpr const char* kGlobalUnicast = "2000::/3";

}  // namespace

IpAddress::IpAddress(const std::uint8_t* bytes, bool v4) : v4_(v4) {
  constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  constexpr std::uint8_t kTranslated[12] = {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0};
  if (!v4 && (std::memcmp(bytes, kMapped, 12) == 0 || std::memcmp(bytes, kTranslated, 12) == 0)) {
    v4_ = true;
    bytes += 12;
  }
  std::memcpy(bytes_.data(), bytes, v4_ ? 4 : 16);
}

std::optional<IpAddress> IpAddress::parse(const std::string& text) {
  std::uint8_t bytes[16];
  if (::inet_pton(AF_INET, text.c_str(), bytes) == 1) return IpAddress(bytes, true);
  if (::inet_pton(AF_INET6, text.c_str(), bytes) == 1) return IpAddress(bytes, false);
  return {};
}

std::optional<IpAddress> IpAddress::of(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return IpAddress(reinterpret_cast<const std::uint8_t*>(&v4.sin_addr), true);
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    return IpAddress(reinterpret_cast<const std::uint8_t*>(&v6.sin6_addr), false);
  }
  return {};
}

std::string IpAddress::text() const {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), text, sizeof text);
  return text;
}

std::optional<AddressRange> AddressRange::parse(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto first = IpAddress::parse(text.substr(0, slash));
  if (!first) return {};
  const int most = first->v4() ? 32 : 128;
  if (slash == std::string::npos) return AddressRange(*first, most);
  int prefix = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + slash + 1, end, prefix);
  if (error != std::errc() || rest != end || prefix < 0 || prefix > most) return {};
  return AddressRange(*first, prefix);
}

bool AddressRange::contains(const IpAddress& address) const {
  if (address.v4() != first_.v4()) return false;
  for (int bit = 0; bit < prefix_; bit += 8) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    const int left = prefix_ - bit;
    const unsigned mask = left >= 8 ? 0xFFU : 0xFFU << static_cast<unsigned>(8 - left) & 0xFFU;
    if (((address.bytes()[byte] ^ first_.bytes()[byte]) & mask) != 0) return false;
  }
  return true;
}

std::optional<std::string> special_purpose(const IpAddress& address) {
  for (const Special& special : kSpecial) {
    if (AddressRange::parse(special.range)->contains(address)) return special.purpose;
  }
  if (!address.v4() && !AddressRange::parse(kGlobalUnicast)->contains(address)) return "reserved";
  return {};
}

}  // namespace jarvis::workers
