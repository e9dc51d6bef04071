// What a clipboard and the operator's configuration together say of a host that boots from the network: checked once,
// so that nothing after it has to think of quotes, blanks and slashes. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "workers/address_range.h"
#include "workers/mac_address.h"
#include "workers/worker.h"

namespace jarvis::workers {

struct BootHost {
  std::string hostname;          // one label (RFC 1123)
  std::string fqdn;              // lower case
  std::string address;           // IPv4, the first of `ipaddress` that is one: pxelinux and DHCP know no other here
  std::vector<MacAddress> macs;  // the first is the card that boots

  std::string domain() const { return fqdn.substr(fqdn.find('.') + 1); }
};

// Error(Usage) naming the key that is wrong or missing.
std::string boot_fqdn(const Call& call);
BootHost boot_host(const Call& call);

// The server that hosts load from: `next-server` of the clipboard, else the only one that the configuration names.
// Error(Refused) for one that is not among pxe.next_servers (DESIGN 4.3), Error(Usage) when it is not said.
std::string next_server(const Call& call);

}  // namespace jarvis::workers
