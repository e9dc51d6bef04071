// Hardware addresses of Ethernet (EUI-48) as people and programs write them. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace jarvis::workers {

class MacAddress {
 public:
  // aa:bb:cc:dd:ee:ff, with - in place of :, octets of one digit (0:1a:4:b:5:c) too; aabb.ccdd.eeff; aabbccddeeff.
  // Error(Usage) for anything else, for all zeros, and for a group address, which no card has.
  static MacAddress parse(std::string_view text);

  std::string text() const { return joined(':'); }               // aa:bb:cc:dd:ee:ff
  std::string boot_file() const { return "01-" + joined('-'); }  // what pxelinux asks for first; 01 is Ethernet

  bool operator==(const MacAddress&) const = default;

 private:
  std::string joined(char between) const;

  std::array<std::uint8_t, 6> octets_{};
};

}  // namespace jarvis::workers
