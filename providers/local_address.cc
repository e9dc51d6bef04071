#include "providers/local_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "pipeline/error.h"
#include "providers/local_files.h"

namespace jarvis::providers {

namespace {

using pipeline::Error;
using pipeline::Kind;

constexpr std::uint32_t kMostCandidates = 65536;

std::string dotted(std::uint32_t address) {
  char text[INET_ADDRSTRLEN];
  const in_addr number{htonl(address)};
  return ::inet_ntop(AF_INET, &number, text, sizeof text);
}

// 0 or the errno of socket and bind. With SO_REUSEADDR, as sshd has it: only a listener is in the way.
int try_bind(const std::string& address, std::uint16_t port) {
  const Descriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe) return errno;
  const int yes = 1;
  ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &name.sin_addr);
  return ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 ? 0 : errno;
}

}  // namespace

std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

AddressRange AddressRange::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  AddressRange range;
  in_addr network{};
  const std::string address(text.substr(0, slash));
  bool good = slash != std::string_view::npos && ::inet_pton(AF_INET, address.c_str(), &network) == 1;
  if (good) {
    const auto [end, fault] = std::from_chars(text.data() + slash + 1, text.data() + text.size(), range.prefix);
    good = fault == std::errc() && end == text.data() + text.size() && range.prefix >= 8 && range.prefix <= 30;
  }
  if (!good) {
    throw Error(Kind::Usage,
                "addresses: '" + std::string(text) + "' is no range of addresses (as 127.0.64.0/24, /8 to /30)");
  }
  range.network = ntohl(network.s_addr) & (~std::uint32_t{0} << (32 - range.prefix));
  return range;
}

std::string AddressRange::text() const {
  return dotted(network) + "/" + std::to_string(prefix);
}

std::string candidate(const AddressRange& range, std::string_view fqdn, std::uint32_t n) {
  const auto start = static_cast<std::uint32_t>(stable_hash(fqdn) % range.size());
  const std::uint32_t address = range.network + (start + n) % range.size();
  const std::uint32_t last = address & 0xffU;
  return last == 0 || last == 255 ? std::string() : dotted(address);
}

std::string free_address(const AddressRange& range, std::string_view fqdn, std::uint16_t port,
                         const std::set<std::string>& taken) {
  const std::string where = range.text() + " port " + std::to_string(port);
  for (std::uint32_t n = 0; n < std::min(range.size(), kMostCandidates); ++n) {
    std::string address = candidate(range, fqdn, n);
    if (address.empty() || taken.count(address) > 0) continue;
    const int fault = try_bind(address, port);
    if (fault == 0) return address;
    if (fault == EADDRINUSE) continue;
    address += " of `addresses` " + where;
    throw pipeline::system_error("trying " + address, fault);
  }
  throw Error(Kind::Permanent,
              "every address of `addresses` " + where + " is in use; destroy a host, or configure a larger range");
}

}  // namespace jarvis::providers
