#include "workers/dhcp_entry.h"

#include <doctest/doctest.h>

#include "tests/workers/scratch.h"

using namespace jarvis::workers;
using jarvis::pipeline::Kind;
using jarvis::tests::error_of;
using jarvis::tests::holds;
using Values = std::vector<std::string>;

namespace {

DhcpWish wish() {
  return {{"loki",
           "loki.websages.com",
           "10.20.0.7",
           {MacAddress::parse("0:1a:4:b:5:c"), MacAddress::parse("52:54:00:0a:0b:01")}},
          "pxelinux.install",
          "boot.websages.com",
          {"10.20.0.254", "255.255.255.0"},
          false};
}

// Text of the changes, one value a line.
std::string text_of(const std::vector<LdapChange>& changes) {
  std::string made;
  for (const LdapChange& change : changes) {
    for (const std::string& value : change.remove) made += change.attribute + " -" + value + "\n";
    for (const std::string& value : change.add) made += change.attribute + " +" + value + "\n";
  }
  return made;
}

}  // namespace

TEST_CASE("the entry has the shape that users hold") {
  const LdapEntry entry = dhcp_entry(wish(), "cn=loki.websages.com,cn=DHCP,dc=websages,dc=com");
  CHECK(entry.values.at("objectclass") == Values{"top", "dhcpHost", "dhcpOptions"});
  CHECK(entry.values.at("cn") == Values{"loki.websages.com"});
  CHECK(entry.values.at("dhcphwaddress") == Values{"ethernet 00:1a:04:0b:05:0c", "ethernet 52:54:00:0a:0b:01"});
  CHECK(entry.values.at("dhcpstatements") == Values{"filename \"pxelinux.install\"", "fixed-address 10.20.0.7",
                                                    "next-server boot.websages.com", "use-host-decl-names on"});
  CHECK(entry.values.at("dhcpoption") ==
        Values{"option-233 = \"loki\"", "routers 10.20.0.254", "subnet-mask 255.255.255.0"});
  DhcpWish one = wish();
  one.one_address_only = true;
  CHECK(dhcp_entry(one, "cn=x").values.at("dhcphwaddress") == Values{"ethernet 00:1a:04:0b:05:0c"});
}

TEST_CASE("what changes in an entry that is there") {
  const LdapEntry wanted = dhcp_entry(wish(), "cn=x");
  CHECK(dhcp_changes(wanted, wanted).empty());
  LdapEntry is = wanted;
  is.values["objectclass"] = {"TOP", "DHCPHost"};
  is.values["dhcphwaddress"] = {"ethernet 52:54:00:0a:0b:01", "ethernet 52:54:00:0a:0b:02"};
  is.values["dhcpstatements"] = {"filename \"pxelinux.0\"", "Fixed-Address 10.20.0.7", "next-server boot.websages.com",
                                 "allow booting", "use-host-decl-names\toff"};
  is.values["dhcpoption"] = {"option-233=\"loki\"", "routers 10.20.0.254", "domain-name \"x\"",
                             "subnet-mask 255.0.0.0"};
  CHECK(text_of(dhcp_changes(is, wanted)) ==
        "objectClass +dhcpOptions\n"
        "dhcpHWAddress -ethernet 52:54:00:0a:0b:02\n"
        "dhcpHWAddress +ethernet 00:1a:04:0b:05:0c\n"
        "dhcpStatements -filename \"pxelinux.0\"\n"
        "dhcpStatements -Fixed-Address 10.20.0.7\n"
        "dhcpStatements -use-host-decl-names\toff\n"
        "dhcpStatements +filename \"pxelinux.install\"\n"
        "dhcpStatements +fixed-address 10.20.0.7\n"
        "dhcpStatements +use-host-decl-names on\n"
        "dhcpOption -option-233=\"loki\"\n"
        "dhcpOption -subnet-mask 255.0.0.0\n"
        "dhcpOption +option-233 = \"loki\"\n"
        "dhcpOption +subnet-mask 255.255.255.0\n");
  is.values["objectclass"] = {"top", "dhcpGroup"};
  CHECK(holds(error_of([&] { dhcp_changes(is, wanted); }).what(), "is no dhcpHost"));
}

TEST_CASE("router and mask come from the smallest subnet that holds the address") {
  const Values subnets = {"10.0.0.0/8=10.0.0.1", "10.20.0.0/23=10.20.1.254", "10.20.0.0/16=10.20.255.1",
                          "192.168.1.128/25=192.168.1.129"};
  struct Case {
    const char* address;
    const char* router;
    const char* mask;
  };
  for (const Case& c : {Case{"10.20.1.7", "10.20.1.254", "255.255.254.0"},
                        {"10.20.2.7", "10.20.255.1", "255.255.0.0"},
                        {"10.21.2.7", "10.0.0.1", "255.0.0.0"},
                        {"192.168.1.200", "192.168.1.129", "255.255.255.128"}}) {
    CAPTURE(c.address);
    CHECK(subnet_of(subnets, c.address).router == c.router);
    CHECK(subnet_of(subnets, c.address).mask == c.mask);
  }
  for (const char* nowhere : {"192.168.1.7", "11.0.0.1"}) {
    CAPTURE(nowhere);
    CHECK(holds(error_of([&] { subnet_of(subnets, nowhere); }).what(), "lies in no subnet"));
  }
  CHECK(error_of([&] { subnet_of({}, "10.0.0.1"); }).kind() == Kind::Usage);
}

TEST_CASE("whose entries are looked for") {
  DhcpWish one = wish();
  one.host.macs.pop_back();
  CHECK(dhcp_filter(one.host) ==
        "(&(objectClass=dhcpHost)(|(cn=loki.websages.com)(dhcpStatements=fixed-address 10.20.0.7)"
        "(dhcpHWAddress=ethernet 00:1a:04:0b:05:0c)(dhcpHWAddress=ethernet 0:1a:4:b:5:c)))");
}
