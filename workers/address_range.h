// IP addresses, ranges of them, and which of them are no hosts of the public Internet. Knows no resolver and no socket.
// Pure.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jarvis::workers {

// IPv4 or IPv6. An IPv4 address in IPv6 clothes (::ffff:0:0/96 of RFC 4291, 64:ff9b::/96 of RFC 6052) is taken for the
// IPv4 address that answers to it.
class IpAddress {
 public:
  static std::optional<IpAddress> parse(const std::string& text);
  // Nothing for another family than AF_INET and AF_INET6.
  static std::optional<IpAddress> of(const sockaddr& address);

  bool v4() const { return v4_; }
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }  // IPv4: the first four
  std::string text() const;

 private:
  IpAddress(const std::uint8_t* bytes, bool v4);

  std::array<std::uint8_t, 16> bytes_{};
  bool v4_ = false;
};

// "10.0.0.0/8", "fd00::/8"; a single address is a range of one.
class AddressRange {
 public:
  static std::optional<AddressRange> parse(const std::string& text);
  bool contains(const IpAddress& address) const;

 private:
  AddressRange(IpAddress first, int prefix) : first_(first), prefix_(prefix) {}

  IpAddress first_;
  int prefix_;
};

// What a special-purpose address is for ("this machine", "link-local"), nothing for one of the public Internet. The
// ranges are those of RFC 6890 and of what was registered since (IANA's special-purpose registries), multicast, and
// everything of IPv6 outside 2000::/3.
std::optional<std::string> special_purpose(const IpAddress& address);

}  // namespace jarvis::workers
