#include "workers/address_range.h"

#include <doctest/doctest.h>
#include <netinet/in.h>

#include <cstring>

using namespace jarvis::workers;

TEST_CASE("which addresses are no hosts of the Internet") {
  struct Case {
    const char* address;
    const char* purpose;  // nullptr: public
  };
  for (const Case& c : {
           Case{"8.8.8.8", nullptr},
           {"1.0.0.0", nullptr},
           {"0.0.0.0", "this network"},
           {"0.255.255.255", "this network"},
           {"9.255.255.255", nullptr},
           {"10.0.0.0", "private"},
           {"10.255.255.255", "private"},
           {"11.0.0.0", nullptr},
           {"100.63.255.255", nullptr},
           {"100.64.0.0", "shared by a carrier"},
           {"100.127.255.255", "shared by a carrier"},
           {"100.128.0.0", nullptr},
           {"126.255.255.255", nullptr},
           {"127.0.0.1", "this machine"},
           {"127.255.255.255", "this machine"},
           {"169.254.169.254", "link-local"},
           {"169.253.0.1", nullptr},
           {"172.15.255.255", nullptr},
           {"172.16.0.0", "private"},
           {"172.31.255.255", "private"},
           {"172.32.0.0", nullptr},
           {"192.0.0.8", "reserved for protocols"},
           {"192.0.2.1", "for documentation"},
           {"192.88.99.1", "a 6to4 relay"},
           {"192.167.255.255", nullptr},
           {"192.168.0.1", "private"},
           {"198.17.255.255", nullptr},
           {"198.18.0.0", "for benchmarks"},
           {"198.19.255.255", "for benchmarks"},
           {"198.51.100.7", "for documentation"},
           {"203.0.113.7", "for documentation"},
           {"223.255.255.255", nullptr},
           {"224.0.0.1", "multicast"},
           {"240.0.0.1", "reserved"},
           {"255.255.255.255", "reserved"},
           {"2606:4700:4700::1111", nullptr},
           {"2a00::1", nullptr},
           {"::", "no address"},
           {"::1", "this machine"},
           {"::2", "reserved"},
           {"::127.0.0.1", "reserved"},
           {"::ffff:127.0.0.1", "this machine"},
           {"::ffff:169.254.169.254", "link-local"},
           {"::ffff:8.8.8.8", nullptr},
           {"64:ff9b::10.0.0.1", "private"},
           {"64:ff9b::8.8.8.8", nullptr},
           {"64:ff9b:1::8.8.8.8", "a local translation"},
           {"100::1", "for discarding"},
           {"2001::1", "reserved for protocols"},
           {"2001:2::1", "reserved for protocols"},
           {"2001:200::1", nullptr},
           {"2001:db8::1", "for documentation"},
           {"2002:7f00:1::", "6to4"},
           {"3fff::1", "for documentation"},
           {"4000::1", "reserved"},
           {"5f00::1", "reserved"},
           {"fc00::1", "private"},
           {"fdff::1", "private"},
           {"fe80::1", "link-local"},
           {"fec0::1", "reserved"},
           {"ff02::1", "multicast"},
       }) {
    CAPTURE(c.address);
    const auto address = IpAddress::parse(c.address);
    REQUIRE(address);
    CHECK(special_purpose(*address) == (c.purpose == nullptr ? std::nullopt : std::optional<std::string>(c.purpose)));
  }
}

TEST_CASE("ranges") {
  struct Case {
    const char* range;
    const char* address;
    bool in;
  };
  for (const Case& c : {Case{"10.0.0.0/8", "10.255.0.1", true},
                        {"10.0.0.0/8", "11.0.0.1", false},
                        {"127.77.3.0/25", "127.77.3.127", true},
                        {"127.77.3.0/25", "127.77.3.128", false},
                        {"192.0.2.7", "192.0.2.7", true},
                        {"192.0.2.7", "192.0.2.6", false},
                        {"192.0.2.7/32", "192.0.2.7", true},
                        {"0.0.0.0/0", "8.8.8.8", true},
                        {"0.0.0.0/0", "2a00::1", false},
                        {"10.0.0.0/8", "::ffff:10.1.1.1", true},
                        {"10.0.0.0/8", "64:ff9b::10.1.1.1", true},
                        {"fd00::/8", "fdab::1", true},
                        {"fd00::/8", "fc00::1", false},
                        {"::/0", "::1", true},
                        {"::1", "::1", true}}) {
    CAPTURE(c.range);
    CAPTURE(c.address);
    const auto range = AddressRange::parse(c.range);
    REQUIRE(range);
    CHECK(range->contains(*IpAddress::parse(c.address)) == c.in);
  }
  for (const char* none :
       {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "10/8", "fd00::/129", "localhost"}) {
    CAPTURE(none);
    CHECK_FALSE(AddressRange::parse(none));
  }
}

TEST_CASE("an address as a socket has it") {
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  const std::uint8_t bytes[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 1, 2, 3};
  std::memcpy(&mapped.sin6_addr, bytes, sizeof bytes);
  const auto address = IpAddress::of(reinterpret_cast<const sockaddr&>(mapped));
  REQUIRE(address);
  CHECK(address->text() == "10.1.2.3");
  sockaddr other{};
  other.sa_family = AF_UNIX;
  CHECK_FALSE(IpAddress::of(other));
}
