#include <doctest/doctest.h>

#include "providers/vmware_create.h"
#include "providers/vmware_faults.h"
#include "providers/vmware_guest_ids.h"
#include "providers/vmware_machine.h"
#include "providers/vmware_names.h"
#include "providers/vmware_soap.h"
#include "providers/vmware_volumes.h"

using namespace jarvis;
using namespace jarvis::providers::vmware;
using pipeline::Error;
using pipeline::Kind;

namespace {

std::string said(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing";
}

std::string in_envelope(const std::string& body) {
  return R"(<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" )"
         R"(xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s:Body>)" +
         body + "</s:Body></s:Envelope>";
}

std::string fault_text(const std::string& detail, const std::string& words) {
  return in_envelope("<s:Fault><faultcode>ServerFaultCode</faultcode><faultstring>" + words + "</faultstring><detail>" +
                     detail + "</detail></s:Fault>");
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("vmware: what is written is escaped, and read by local names") {
  CHECK(Xml().leaf("name", "a<b>&\"c\"\r\n\x01").text() == "<name>a&lt;b&gt;&amp;&quot;c&quot;&#13;\n?</name>");
  const std::string text = envelope("Login", {"SessionManager", "ha<1"}, Xml().leaf("password", "p&w"));
  pugi::xml_document document;
  REQUIRE(document.load_string(text.c_str()));
  const pugi::xml_node call = child(document, "Envelope/Body/Login");
  CHECK(reference(call, "_this") == Reference{"SessionManager", "ha<1"});
  CHECK(providers::vmware::text(call, "password") == "p&w");

  REQUIRE(document.load_string(
      R"(<x:a xmlns:x="u" xmlns:i="v"><x:b i:type="x:Disk" type="VirtualMachine">vm-4</x:b><b>2</b></x:a>)"));
  const pugi::xml_node a = child(document, "a");
  CHECK(xsi_type(child(a, "b")) == "Disk");
  CHECK(reference(a, "b") == Reference{"VirtualMachine", "vm-4"});
  CHECK(children(a, "b").size() == 2);
  CHECK(number(a, "b", 7) == 7);
  CHECK_FALSE(child(a, "b/c"));
}

TEST_CASE("vmware: answers that are none") {
  struct Case {
    const char* name;
    std::string text;
  };
  const std::string good =
      in_envelope("<LoginResponse xmlns=\"urn:vim25\"><returnval><key>k</key></returnval></LoginResponse>");
  for (const Case& one : {Case{"nothing", ""}, Case{"HTML", "<html><body>503</body></html>"},
                          Case{"half", good.substr(0, good.size() / 2)}, Case{"JSON", "{\"a\": 1}"},
                          Case{"another answer", in_envelope("<LogoutResponse/>")}, Case{"no body", "<Envelope/>"}}) {
    CAPTURE(one.name);
    CHECK_FALSE(read_answer("Login", one.text));
    CHECK_FALSE(is_refusal(one.text));
  }
  const auto answer = read_answer("Login", good);
  REQUIRE(answer);
  CHECK(text(answer->returned(), "key") == "k");
}

TEST_CASE("vmware: faults are sentences") {
  struct Case {
    const char *name, *detail, *words, *sentence, *type;
    Kind kind;
  };
  for (const Case& one : {
           Case{"named by its type", "<InvalidLoginFault xsi:type=\"InvalidLogin\"/>", "Cannot complete login",
                "user or password is refused (InvalidLogin: Cannot complete login)", "InvalidLogin", Kind::Permanent},
           Case{"named by its element", "<NotAuthenticatedFault/>", "", "the session has ended (NotAuthenticated)",
                "NotAuthenticated", Kind::Transient},
           Case{"with what lacks",
                "<NoPermissionFault xsi:type=\"NoPermission\"><object type=\"Folder\">group-v3</object>"
                "<privilegeId>VirtualMachine.Inventory.Create</privilegeId></NoPermissionFault>",
                "no",
                "the right to do this is missing: privilege VirtualMachine.Inventory.Create on group-v3 (NoPermission: "
                "no)",
                "NoPermission", Kind::Permanent},
           Case{"without what lacks", "<NoPermissionFault/>", "", "the right to do this is missing (NoPermission)",
                "NoPermission", Kind::Permanent},
           Case{"space", "<f xsi:type=\"NoDiskSpace\"><file>x</file><datastore>ds1</datastore></f>", "",
                "not enough space on datastore ds1 (NoDiskSpace)", "NoDiskSpace", Kind::Permanent},
           Case{"power",
                "<f xsi:type=\"InvalidPowerState\"><requestedState>poweredOff</requestedState>"
                "<existingState>poweredOn</existingState></f>",
                "", "not in this power state: it must be poweredOff and is poweredOn (InvalidPowerState)",
                "InvalidPowerState", Kind::Permanent},
           Case{"busy", "<f xsi:type=\"TaskInProgress\"/>", "", "another task is at work on it (TaskInProgress)",
                "TaskInProgress", Kind::Transient},
           Case{"one of a family", "<f xsi:type=\"InsufficientStandbyResource\"/>", "",
                "not enough resources (InsufficientStandbyResource)", "InsufficientStandbyResource", Kind::Permanent},
           Case{"unknown", "<f xsi:type=\"NeverHeardOf\"/>", "Some words", "Some words (NeverHeardOf)", "NeverHeardOf",
                Kind::Permanent},
           Case{"nothing at all", "", "", "vSphere refuses it", "", Kind::Permanent},
           Case{"control characters", "<f xsi:type=\"A\nB\"/>", "one\ntwo", "one?two (A B)", "A B", Kind::Permanent},
       }) {
    CAPTURE(one.name);
    const std::string text = fault_text(one.detail, one.words);
    CHECK(is_refusal(text));
    try {
      (void)read_answer("Login", text);
      FAIL("no fault");
    } catch (const Fault& e) {
      CHECK(std::string(e.what()) == one.sentence);
      CHECK(e.type() == one.type);
      CHECK(e.kind() == one.kind);
    }
  }
  CHECK_FALSE(is_refusal(fault_text("<f xsi:type=\"SystemError\"/>", "A general system error occurred")));
  CHECK(words_of(fault_text("", "A general system error occurred")) == "A general system error occurred");
  CHECK_FALSE(words_of("<html/>"));
}

TEST_CASE("vmware: names are there exactly once") {
  CHECK(decoded_name("a%2fb%5Cc%25d%20e%") == "a/b\\c%d%20e%");
  const std::vector<Named> pools = {{"prod", "prod"}, {"web", "prod/web"}, {"web", "test/web"}};
  CHECK(the_one("resource_pool", "prod", pools, "C") == 0);
  CHECK(the_one("resource_pool", "test/web", pools, "C") == 2);
  struct Case {
    const char *name, *wanted, *sentence;
  };
  for (const Case& one : {
           Case{"a slip", "Prdo", "resource_pool: Prdo is not in C; did you mean prod?"},
           Case{"letters", "PROD", "resource_pool: PROD is not in C; did you mean prod?"},
           Case{"far off", "zzzzzz", "resource_pool: zzzzzz is not in C; there are prod, prod/web, test/web"},
           Case{"two", "web", "resource_pool: web fits 2 in C: prod/web, test/web; give its path"},
           Case{"empty", "", "resource_pool:  is not in C; there are prod, prod/web, test/web"},
       }) {
    CAPTURE(one.name);
    CHECK(said([&] { (void)the_one("resource_pool", one.wanted, pools, "C"); }) == one.sentence);
  }
  CHECK(said([&] { (void)the_one("datastore", "a", {}, "C"); }) == "datastore: a is not in C, which has none");
  CHECK(said([&] { (void)the_only("vmhost", pools, "C"); }) ==
        "vmhost: missing, and C has several: prod, prod/web, test/web");
  CHECK(said([&] { (void)the_only("vmhost", {}, "C"); }) == "vmhost: missing, and C has none to choose");
  CHECK(the_only("vmhost", {{"a", ""}}, "C") == 0);
  std::vector<Named> many;
  for (char c = 'a'; c <= 'j'; ++c) many.push_back({std::string(1, c), ""});
  CHECK(shown_names(many, 3) == "a, b, c and 7 more");
}

TEST_CASE("vmware: hardware by guest id") {
  const auto& ids = known_guest_ids();
  for (const char* id : {"debian12_64Guest", "ubuntu64Guest", "rhel9_64Guest", "otherLinux64Guest"})
    CHECK(std::find(ids.begin(), ids.end(), id) != ids.end());
  for (const std::string& id : ids) CHECK_MESSAGE(could_be_guest_id(id), id);
  CHECK(could_be_guest_id("debian14_64Guest"));
  CHECK_FALSE(could_be_guest_id("debian-12"));
  CHECK(usual_disk_controller("debian12_64Guest") == "ParaVirtualSCSIController");
  CHECK(usual_disk_controller("rhel5_64Guest") == "VirtualLsiLogicController");
  CHECK(usual_disk_controller("windows9Server64Guest") == "VirtualLsiLogicSASController");
  CHECK(card_type("vmxnet3") == "VirtualVmxnet3");
  CHECK(said([] { (void)card_type("ne2000"); }) == "nic_type: ne2000 is none of vmxnet3, e1000e, e1000, pcnet32");
}

TEST_CASE("vmware: the address where a guest can be reached") {
  struct Case {
    const char *name, *net, *primary;
    std::vector<std::string> addresses;
  };
  const auto card = [](const char* id, const std::vector<const char*>& addresses) {
    std::string made = "<GuestNicInfo>";
    for (const char* one : addresses) made += std::string("<ipAddress>") + one + "</ipAddress>";
    return made + "<deviceConfigId>" + id + "</deviceConfigId></GuestNicInfo>";
  };
  const std::string usual = card("4000", {"fe80::1", "2001:db8::5", "10.1.2.3"});
  const std::string docker = card("-1", {"172.17.0.1"}) + card("4000", {"10.1.2.3"});
  const std::string two = card("4000", {"10.1.2.3"}) + card("4001", {"10.9.9.9", "169.254.3.4"});
  for (const Case& one :
       {Case{"no tools", "", "", {}}, Case{"IPv4 first", usual.c_str(), "", {"10.1.2.3", "2001:db8::5"}},
        Case{"the primary first", two.c_str(), "10.9.9.9", {"10.9.9.9", "10.1.2.3"}},
        Case{"a primary of IPv6", usual.c_str(), "2001:db8::5", {"10.1.2.3", "2001:db8::5"}},
        Case{"a bridge in the guest", docker.c_str(), "", {"10.1.2.3"}}, Case{"link-local only", "", "169.254.1.1", {}},
        Case{"no address", "", "not-an-address", {}}}) {
    CAPTURE(one.name);
    pugi::xml_document document;
    document.load_string(("<val>" + std::string(one.net) + "</val>").c_str());
    CHECK(guest_addresses(child(document, "val"), one.primary) == one.addresses);
  }
}

TEST_CASE("vmware: volumes") {
  const std::string file = volume_file("ds1", "loki.example.org", "data");
  CHECK(file == "[ds1] jarvis-volumes/loki.example.org_data.vmdk");
  CHECK(volume_of(file) == std::make_pair(std::string("loki.example.org"), std::string("data")));
  for (const char* other : {"[ds1] loki/loki.vmdk", "[ds1] jarvis-volumes/loki.vmdk", "[ds1] jarvis-volumes/_data.vmdk",
                            "[ds1] jarvis-volumes/loki_data-flat.vmdk", "[ds1] jarvis-volumes/loki_data.iso", ""})
    CHECK_FALSE(volume_of(other));
  const auto wanted = [](const char* yaml) { return wanted_volumes(workers::Clipboard::parse(yaml)); };
  CHECK(wanted("volumes: {data: 20, log: '5'}\n").size() == 2);
  CHECK(wanted("fqdn: a\n").empty());
  for (const char* bad :
       {"volumes: {data: 0}\n", "volumes: {data: 20GB}\n", "volumes: {a/b: 1}\n", "volumes: {x-flat: 1}\n"})
    CHECK(contains(said([&] { (void)wanted(bad); }), "volumes: "));
}

TEST_CASE("vmware: where a guest finds a disk") {
  Disk root, data, other;
  root.key = 2000;
  root.on_scsi = data.on_scsi = other.on_scsi = true;
  data.key = 2001;
  data.unit = 1;
  data.uuid = "6000C29A-0b1c-2d3e-4f50-61728394A5B6";
  other.key = 2016;
  const std::string hex = "6000c29a0b1c2d3e4f5061728394a5b6";
  const std::vector<std::string> by_id = {"/dev/disk/by-id/wwn-0x" + hex, "/dev/disk/by-id/scsi-3" + hex};
  std::vector<std::string> all = by_id;
  all.emplace_back("/dev/disk/by-path/*-scsi-0:0:1:0");
  CHECK(device_paths(data, {root, data, other}) == all);
  other.unit = 1;  // of a second controller
  CHECK(device_paths(data, {root, data, other}) == by_id);
  other.on_scsi = false;
  CHECK(device_paths(data, {root, data, other}) == all);
  data.on_scsi = false;
  CHECK(device_paths(data, {root, data}) == by_id);
  data.uuid.clear();
  CHECK(device_paths(data, {root, data}).empty());
}

TEST_CASE("vmware: what is created is off, marked, and in the order of the schema") {
  Place place;
  place.datastore = {{"Datastore", "datastore-1"}, {}, "ds1", 0};
  place.pool = {"ResourcePool", "resgroup-1"};
  place.folder = {"Folder", "group-v1"};
  const auto in_order = [](const std::string& text, std::initializer_list<const char*> parts) {
    std::size_t at = 0;
    for (const char* part : parts) {
      const std::size_t found = text.find(part, at);
      CHECK_MESSAGE(found != std::string::npos, part);
      at = found == std::string::npos ? at : found;
    }
  };
  const Pairs extra = pairs_of({"loki.example.org", "r1", "r1.2"});
  NewMachine machine{"loki.example.org",
                     "debian12_64Guest",
                     "ParaVirtualSCSIController",
                     "VirtualVmxnet3",
                     2,
                     512,
                     1024,
                     {{"VirtualEthernetCardNetworkBackingInfo", Xml().leaf("deviceName", "VM Network")},
                      {"VirtualEthernetCardNetworkBackingInfo", Xml().leaf("deviceName", "Backend")}},
                     extra};
  const std::string made = create_arguments(machine, place).text();
  in_order(made, {"<config>",
                  "<name>loki.example.org<",
                  "<guestId>",
                  "<files>",
                  "[ds1]",
                  "<numCPUs>2<",
                  "<memoryMB>512<",
                  "\"ParaVirtualSCSIController\"",
                  "<fileOperation>create<",
                  "\"VirtualDisk\"",
                  "<capacityInKB>1024<",
                  "\"VirtualVmxnet3\"",
                  "<key>-103<",
                  "VM Network",
                  "\"VirtualVmxnet3\"",
                  "<key>-104<",
                  "Backend",
                  "<extraConfig",
                  "jarvis.fqdn",
                  "jarvis.run",
                  "jarvis.step",
                  "r1.2",
                  "</config>",
                  "<pool type=\"ResourcePool\">"});
  CHECK_FALSE(contains(made, "<host"));
  place.host = {"HostSystem", "host-1"};
  const std::string cloned = clone_arguments({"loki.example.org", 3, {}, extra}, place).text();
  in_order(cloned, {"<folder type=\"Folder\">group-v1<", "<name>loki.example.org<", "<spec><location><datastore",
                    "<pool", "<host", "</location><template>false<", "<config><numCPUs>3<", "<extraConfig",
                    "jarvis.step", "</config><powerOn>false</powerOn></spec>"});
  CHECK_FALSE(contains(cloned, "memoryMB"));
}

TEST_CASE("vmware: what cloud-init is handed carries no password") {
  const auto board =
      workers::Clipboard::parse("fqdn: loki.example.org\npassword: planted-secret\nsshpubkey: ssh-ed25519 AAAA\n");
  const Pairs pairs = guest_info(board, "loki.example.org-r1.2");
  REQUIRE(pairs.size() == 4);
  for (const auto& [key, value] : pairs) {
    CHECK(key.starts_with("guestinfo."));
    CHECK_FALSE(contains(value, "planted"));
    CHECK_FALSE(contains(value, "cGxhbnRlZ"));
  }
}
