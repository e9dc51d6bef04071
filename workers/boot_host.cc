#include "workers/boot_host.h"

#include <algorithm>
#include <cctype>

#include "workers/ascii.h"
#include "workers/printable.h"

namespace jarvis::workers {

namespace {

bool is_label(std::string_view text) {
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-'; };
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), plain);
}

bool is_fqdn(std::string_view text) {
  int labels = 0;
  for (;; ++labels) {
    const std::size_t end = text.find('.');
    if (!is_label(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return labels > 0;
    text.remove_prefix(end + 1);
  }
}

std::string listed(const std::vector<std::string>& words) {
  std::string made;
  for (const std::string& word : words) made += (made.empty() ? "" : ", ") + word;
  return made;
}

}  // namespace

std::string boot_fqdn(const Call& call) {
  std::string fqdn = lower_case(call.clipboard.require("fqdn"));
  if (fqdn.size() > 253 || !is_fqdn(fqdn))
    throw Error(Kind::Usage, "fqdn: `" + printable(fqdn, 80) + "` is no full host name (RFC 1123)");
  return fqdn;
}

BootHost boot_host(const Call& call) {
  BootHost host;
  host.fqdn = boot_fqdn(call);
  host.hostname = call.clipboard.scalar("hostname").value_or(host.fqdn.substr(0, host.fqdn.find('.')));
  if (!is_label(host.hostname))
    throw Error(Kind::Usage, "hostname: `" + printable(host.hostname, 80) + "` is no host name (RFC 1123)");
  for (const std::string& text : call.clipboard.list("ipaddress")) {
    const auto address = IpAddress::parse(text);
    if (!address) throw Error(Kind::Usage, "ipaddress: `" + printable(text, 60) + "` is no IP address");
    if (address->v4() && host.address.empty()) host.address = address->text();
  }
  if (host.address.empty()) throw Error(Kind::Usage, "ipaddress: a host that boots from the network needs an IPv4 one");
  for (const std::string& text : call.clipboard.list("macaddrs")) {
    try {
      const MacAddress mac = MacAddress::parse(text);
      if (std::find(host.macs.begin(), host.macs.end(), mac) == host.macs.end()) host.macs.push_back(mac);
    } catch (Error& e) {
      throw e.within("macaddrs");
    }
  }
  if (host.macs.empty()) throw Error(Kind::Usage, "macaddrs: missing");
  return host;
}

std::string next_server(const Call& call) {
  const auto allowed = call.setting_list("NEXT_SERVERS");
  if (allowed.empty()) throw Error(Kind::Usage, "the configuration names no server to boot from (pxe.next_servers)");
  const auto wanted = call.clipboard.scalar("next-server");
  if (!wanted) {
    if (allowed.size() == 1) return allowed.front();
    throw Error(Kind::Usage, "next-server: missing; one of " + listed(allowed));
  }
  for (const std::string& one : allowed) {
    if (lower_case(one) == lower_case(*wanted)) return one;
  }
  throw Error(Kind::Refused, "refused: next-server `" + printable(*wanted, 80) +
                                 "` is none of the configuration's (pxe.next_servers): " + listed(allowed));
}

}  // namespace jarvis::workers
