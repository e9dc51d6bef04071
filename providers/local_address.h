// Which loopback address a new local host gets. Many states of one machine may draw from the same range, so nothing but
// the kernel decides: a candidate is tried by binding it, and again by the host's own sshd.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace jarvis::providers {

struct AddressRange {
  std::uint32_t network = 0;  // host byte order
  int prefix = 24;

  static AddressRange parse(std::string_view text);  // "127.0.64.0/24", or Error(Usage)
  std::string text() const;
  std::uint32_t size() const { return std::uint32_t{1} << (32 - prefix); }
};

// The n-th candidate (n < size) for this name, starting where its hash points. Empty for .0 and .255, which are left
// out.
std::string candidate(const AddressRange& range, std::string_view fqdn, std::uint32_t n);

// The first candidate that is not `taken` and can be bound at this moment. Does not keep it. Error(Permanent) when
// there is none or this machine has no such address.
std::string free_address(const AddressRange& range, std::string_view fqdn, std::uint16_t port,
                         const std::set<std::string>& taken);

// FNV-1a: the same on every machine and in every version.
std::uint64_t stable_hash(std::string_view text);

}  // namespace jarvis::providers
