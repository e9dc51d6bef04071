// EC2, the parts that decide: encoding, tokens, answers, images, types, places, volumes, the console. The calls are
// tested against a server (tests/scenarios/ec2).
#include <doctest/doctest.h>

#include <set>

#include "pipeline/error.h"
#include "providers/ec2_answer.h"
#include "providers/ec2_api.h"
#include "providers/ec2_belongings.h"
#include "providers/ec2_console.h"
#include "providers/ec2_images.h"
#include "providers/ec2_patience.h"
#include "providers/ec2_place.h"
#include "providers/ec2_query.h"
#include "providers/ec2_types.h"
#include "providers/ec2_volumes.h"
#include "tests/providers/http_script.h"
#include "tests/workers/scratch.h"

using namespace jarvis::providers;
using jarvis::pipeline::Clipboard;
using jarvis::pipeline::Error;
using jarvis::pipeline::Kind;
using jarvis::tests::answer;
using jarvis::tests::HttpScript;
using jarvis::tests::TempDir;

namespace {

// What it throws, with its kind in front; empty if it does not.
template <typename Function>
std::string fault(Function function) {
  try {
    (void)function();
  } catch (const Error& e) {
    return (e.kind() == Kind::Usage     ? "usage: "
            : e.kind() == Kind::Refused ? "refused: "
                                        : "other: ") +
           std::string(e.what());
  }
  return {};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

pugi::xml_node item_of(pugi::xml_document& document, const std::string& inner) {
  document.load_string(("<item>" + inner + "</item>").c_str());
  return document.document_element();
}

Ec2Type type(const std::string& id, int megabytes, int cpus, bool burstable, bool nitro,
             std::vector<std::string> architectures = {"x86_64"}, bool plain = true) {
  return {id, megabytes, cpus, burstable, nitro, plain, std::move(architectures)};
}

Ec2Image image(const std::string& id, const std::string& created, const std::string& architecture,
               const std::string& state = "available") {
  Ec2Image made;
  made.id = id;
  made.created = created;
  made.architecture = architecture;
  made.state = state;
  return made;
}

Ec2Volume volume(const std::string& id, const std::string& name, int gigabytes, const std::string& zone) {
  Ec2Volume made;
  made.id = id;
  made.gigabytes = gigabytes;
  made.zone = zone;
  made.tags = {{kFqdnTag, "loki.example.org"}, {kVolumeTag, name}};
  return made;
}

}  // namespace

TEST_CASE("ec2: a call is encoded as RFC 3986 wants it") {
  struct Row {
    const char* value;
    const char* encoded;
  };
  const Row rows[] = {
      {"plain-1._~", "plain-1._~"},
      {"a b", "a%20b"},
      {"a+b/c==", "a%2Bb%2Fc%3D%3D"},
      {"debian-12-*", "debian-12-%2A"},
      {"jarvis:fqdn", "jarvis%3Afqdn"},
      {"\xc3\xa4&x\n", "%C3%A4%26x%0A"},
      {"", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    Query query("DescribeTags");
    CHECK(query.set("V", row.value).body() == std::string("Action=DescribeTags&Version=2016-11-15&V=") + row.encoded);
  }
}

TEST_CASE("ec2: lists, filters and tags are numbered from 1, and a name stands once") {
  Query query("RunInstances");
  query.list("InstanceId", {"i-1", "i-2"}).filter("tag:Name", {"a"}).filter("state", {"b", "c"});
  query.tags("instance", {{"Name", "x"}}).tags("volume", {{"Name", "y"}});
  query.set("InstanceId.2", "i-3");
  CHECK(query.body() ==
        "Action=RunInstances&Version=2016-11-15&InstanceId.1=i-1&InstanceId.2=i-3"
        "&Filter.1.Name=tag%3AName&Filter.1.Value.1=a&Filter.2.Name=state&Filter.2.Value.1=b&Filter.2.Value.2=c"
        "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=x"
        "&TagSpecification.2.ResourceType=volume&TagSpecification.2.Tag.1.Key=Name&TagSpecification.2.Tag.1.Value=y");
}

TEST_CASE("ec2: what comes in pages is read to its end") {
  const auto page = [](const std::string& items, const std::string& more) {
    return answer("200 OK", "<DescribeVolumesResponse><volumeSet>" + items + "</volumeSet>" + more +
                                "</DescribeVolumesResponse>");
  };
  const std::string one = "<item><volumeId>vol-1</volumeId></item>", two = "<item><volumeId>vol-2</volumeId></item>";
  struct Row {
    const char* what;
    std::vector<std::string> answers;
    std::vector<std::string> expected, tokens;  // as they are sent
  };
  const Row rows[] = {
      {"one", {page(one + two, "")}, {"vol-1", "vol-2"}, {""}},
      {"an empty token is none", {page(one, "<nextToken/>"), page(two, "")}, {"vol-1"}, {""}},
      {"three, of which one is empty, as EC2's filters make them",
       {page(one, "<nextToken>a+/=</nextToken>"), page("", "<nextToken>b</nextToken>"), page(two, "<nextToken/>")},
       {"vol-1", "vol-2"},
       {"", "&NextToken=a%2B%2F%3D", "&NextToken=b"}},
      {"a page that is asked for again",
       {page(one, "<nextToken>a</nextToken>"), answer("503 Service Unavailable", ""), page(two, "")},
       {"vol-1", "vol-2"},
       {"", "&NextToken=a", "&NextToken=a"}},
  };
  const auto access_of = [](const TempDir& dir, const HttpScript& server) {
    Ec2Access access{"us-east-1", server.url(), {"AKIA", "secret", ""}, {}};
    access.http.pace = dir / "pace";
    access.http.per_second = access.http.burst = 100000;
    return access;
  };
  Query query("DescribeVolumes");
  query.filter("tag-key", {kFqdnTag});
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const TempDir dir;
    const HttpScript server(row.answers);
    Ec2Api api(access_of(dir, server));
    std::vector<std::string> ids;
    api.pages(query, "volumeSet", 500, [&](const pugi::xml_node& item) { ids.push_back(volume_of(item).id); });
    CHECK(ids == row.expected);
    const auto requests = server.requests();
    REQUIRE(requests.size() == row.tokens.size());
    for (std::size_t i = 0; i < requests.size(); ++i)
      CHECK(requests[i].ends_with(query.body() + "&MaxResults=500" + row.tokens[i]));
  }
  const TempDir dir;
  const HttpScript server({page(one, "<nextToken>round and round</nextToken>")});
  Ec2Api api(access_of(dir, server));
  CHECK(has(fault([&] {
              api.pages(query, "volumeSet", 500, [](const pugi::xml_node&) {});
              return 0;
            }),
            "other: EC2 DescribeVolumes: its pages have no end"));
}

TEST_CASE("ec2: a token is the step's, and its generation's") {
  const Marks one{"loki.example.org", "k3f9", "k3f9.4"};
  std::set<std::string> all;
  for (const Marks& marks : {one, Marks{"odin.example.org", "k3f9", "k3f9.4"},
                             Marks{"loki.example.org", "k3f8", "k3f9.4"}, Marks{"loki.example.org", "k3f9", "k3f9.5"},
                             Marks{"loki.example.org", "k3f9", std::string(300, '\xe4') + "\n"}}) {
    for (int generation = 0; generation < 16; ++generation) {
      const std::string token = client_token(marks, generation);
      CHECK(token == client_token(marks, generation));
      CHECK(token.size() <= 64);
      for (const char c : token) CHECK((c > 0x20 && c < 0x7f));
      all.insert(token);
    }
    all.insert(volume_token(marks, "data", "i-1"));
    all.insert(volume_token(marks, "data", "i-2"));
    all.insert(volume_token(marks, "logs", "i-1"));
    CHECK(volume_token(marks, "data", "i-1").size() <= 64);
  }
  CHECK(all.size() == 5 * 19);
  CHECK(client_token(one, 0) == "jarvis-k3f9.4-" + client_token(one, 0).substr(14, 16) + "-0");
  CHECK(key_pair_name("loki.example.org", "ssh-ed25519 A") != key_pair_name("loki.example.org", "ssh-ed25519 B"));
  CHECK(key_pair_name(std::string(253, 'a'), "x").size() <= 255);
}

TEST_CASE("ec2: what is no answer to the call is not read as one") {
  const char* const kBroken[] = {
      "",
      "<html><body>Sign in</body></html>",
      "<DescribeInstancesResponse><reservationSet>",
      "{\"reservations\": []}",
      "<DescribeVolumesResponse/>",
      "<?xml version=\"1.0\"?><Response><Errors/></Response>",
  };
  for (const char* text : kBroken) {
    CAPTURE(text);
    CHECK(read_answer(text, "DescribeInstances") == nullptr);
    CHECK_FALSE(read_fault(text));
  }
  CHECK(read_answer("<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"/>",
                    "DescribeInstances"));
}

TEST_CASE("ec2: refusals, in both shapes that there are") {
  const auto fault_of = [](const char* text) {
    const auto read = read_fault(text);
    return read ? read->code + "|" + read->message + "|" + read->request : "none";
  };
  CHECK(fault_of("<Response><Errors><Error><Code>AuthFailure</Code><Message>No.</Message></Error></Errors>"
                 "<RequestID>r-1</RequestID></Response>") == "AuthFailure|No.|r-1");
  CHECK(fault_of("<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Slow &amp; down</Message>"
                 "</Error><RequestId>r-2</RequestId></ErrorResponse>") == "Throttling|Slow & down|r-2");
  CHECK(fault_of("<Response><Errors><Error><Message>No code</Message></Error></Errors></Response>") == "none");
  for (const char* code : {"RequestLimitExceeded", "Throttling", "ServiceUnavailable", "Unavailable", "InternalError"})
    CHECK(is_temporary_code(code));
  for (const char* code :
       {"UnauthorizedOperation", "InstanceLimitExceeded", "VcpuLimitExceeded", "", "InvalidAMIID.NotFound"})
    CHECK_FALSE(is_temporary_code(code));
  CHECK(passes("InvalidInstanceID.NotFound"));
  CHECK_FALSE(passes("InvalidInstanceID.Malformed"));
  CHECK(is_credentials_code("RequestExpired"));
}

TEST_CASE("ec2: a machine as EC2 describes it") {
  pugi::xml_document document;
  const Ec2Instance read = instance_of(item_of(document, R"(
    <instanceId>i-1</instanceId><imageId>ami-1</imageId><instanceState><code>16</code><name>running</name></instanceState>
    <instanceType>t3.nano</instanceType><launchTime>2024-05-02T00:00:00.000Z</launchTime><rootDeviceName>/dev/xvda</rootDeviceName>
    <placement><availabilityZone>us-east-1a</availabilityZone></placement><privateIpAddress>10.0.0.5</privateIpAddress>
    <ipAddress>54.1.2.3</ipAddress><networkInterfaceSet><item><macAddress>02:00:00:00:00:01</macAddress>
    <privateIpAddress>10.0.0.5</privateIpAddress><ipv6AddressesSet><item><ipv6Address>2600:1f18::5</ipv6Address></item></ipv6AddressesSet>
    <association><publicIp>54.1.2.3</publicIp></association></item></networkInterfaceSet>
    <blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-1</volumeId><status>attached</status>
    <attachTime>2024-05-01T00:00:00.000Z</attachTime><deleteOnTermination>true</deleteOnTermination></ebs></item></blockDeviceMapping>
    <tagSet><item><key>Name</key><value>loki</value></item><item><key>jarvis:fqdn</key><value>loki.example.org</value></item></tagSet>)"));
  CHECK(read.addresses == std::vector<std::string>{"54.1.2.3", "10.0.0.5", "2600:1f18::5"});
  CHECK(read.macs == std::vector<std::string>{"02:00:00:00:00:01"});
  CHECK(read.created == "2024-05-01T00:00:00.000Z");  // a start is no creation
  CHECK(read.disks.at(0).dies_with_it);
  CHECK(marks_of(read.tags)->fqdn == "loki.example.org");
  CHECK_FALSE(marks_of({{"Name", "loki.example.org"}}));
  CHECK(instance_of(item_of(document, "<instanceId>i-2</instanceId>")).addresses.empty());
}

TEST_CASE("ec2: which images a guestid means") {
  const auto aliases =
      image_aliases("{Debian 12: {owner: '136693071363', name: 'debian-12-*'}, Mine: {owner: self, name: x}}");
  REQUIRE(aliases.size() == 2);
  struct Row {
    const char* guestid;
    const char* expected;
  };
  const Row rows[] = {
      {"Debian 12", "Owner.1=136693071363&Filter.1.Name=name&Filter.1.Value.1=debian-12-%2A"},
      {"debian 12", "Owner.1=136693071363&Filter.1.Name=name&Filter.1.Value.1=debian-12-%2A"},
      {"ami-0123456789abcdef0", "ImageId.1=ami-0123456789abcdef0"},
      {"amazon/al2023-ami-2*", "Owner.1=amazon&Filter.1.Name=name&Filter.1.Value.1=al2023-ami-2%2A"},
      {"099720109477/ubuntu/images/*",
       "Owner.1=099720109477&Filter.1.Name=name&Filter.1.Value.1=ubuntu%2Fimages%2F%2A"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.guestid);
    CHECK(image_query(row.guestid, aliases).body() ==
          std::string("Action=DescribeImages&Version=2016-11-15&") + row.expected);
  }
  for (const char* wrong : {"Debain 12", "ami-XYZ", "12345/x", "somebody/x", ""}) {
    CAPTURE(wrong);
    const std::string said = fault([&] { return image_query(wrong, aliases); });
    CHECK(said.starts_with("usage: guestid: "));
    CHECK(has(said, "Debian 12"));
  }
  CHECK(has(fault([] { return image_query("x", {}); }), "the configuration knows nothing"));
  CHECK(image_aliases("").empty());
}

TEST_CASE("ec2: the newest image of the type's architecture") {
  const std::vector<Ec2Image> images = {
      image("ami-3", "2024-01-01T00:00:00.000Z", "x86_64"),
      image("ami-9", "2024-03-01T00:00:00.000Z", "x86_64", "pending"),
      image("ami-2", "2024-02-01T00:00:00.000Z", "x86_64"),
      image("ami-1", "2024-02-01T00:00:00.000Z", "x86_64"),
      image("ami-8", "2024-05-01T00:00:00.000Z", "arm64"),
  };
  CHECK(newest_image(images, {"i386", "x86_64"})->id == "ami-1");
  CHECK(newest_image(images, {"arm64"})->id == "ami-8");
  CHECK(newest_image(images, {})->id == "ami-8");
  CHECK_FALSE(newest_image(images, {"x86_64_mac"}));
  CHECK(architectures_of(images) == std::vector<std::string>{"x86_64", "arm64"});
}

TEST_CASE("ec2: the type that a size means") {
  const std::vector<Ec2Type> types = {
      type("c6i.large", 4096, 2, false, true),
      type("t2.medium", 4096, 2, true, false),
      type("t4g.medium", 4096, 2, true, true, {"arm64"}),
      type("t3a.medium", 4096, 2, true, true),
      type("t3.medium", 4096, 2, true, true),
      type("t3.nano", 512, 2, true, true),
      type("t1.micro", 627, 1, true, false, {"i386", "x86_64"}, false),
      type("g5.xlarge", 600, 4, false, true, {"x86_64"}, false),
      type("x1.big", 99999, 64, false, true),
  };
  struct Row {
    const char* size;
    std::vector<std::string> architectures;
    const char* expected;
  };
  const Row rows[] = {
      {"512", {}, "t3.nano"},           {"513", {"x86_64"}, "t3.medium"},
      {"513", {"arm64"}, "t4g.medium"}, {"4096", {"x86_64", "arm64"}, "t3.medium"},
      {"5000", {"x86_64"}, "x1.big"},   {"t1.micro", {"x86_64"}, "t1.micro"},
      {"g5.xlarge", {}, "g5.xlarge"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.size);
    CHECK(chosen_type(row.size, types, row.architectures).id == row.expected);
  }
  CHECK(has(fault([&] { return chosen_type("t3.nanno", types, {}); }),
            "usage: size: t3.nanno is no instance type here; nearest: t3.nano"));
  CHECK(has(fault([&] { return chosen_type("100000", types, {}); }),
            "has 100000 MB; the largest is x1.big (64 CPUs, 99999 MB)"));
  CHECK(has(fault([&] { return chosen_type("t3.nano", types, {"arm64"}); }),
            "size: t3.nano runs x86_64, and the image is for arm64"));
  CHECK(has(fault([&] { return chosen_type("1", {}, {}); }), "no instance type here has 1 MB or any other size"));

  const auto again = types_in(text_of(types));
  REQUIRE(again);
  CHECK(text_of(*again) == text_of(types));
  for (const char* broken :
       {"", "jarvis-ec2-types-1\n", "jarvis-ec2-types-1\nt3.nano 512\nend\n", "something else\nend\n"})
    CHECK_FALSE(types_in(broken));
  CHECK_FALSE(types_in(text_of(types).substr(0, text_of(types).size() - 4)));  // the end was not written
}

TEST_CASE("ec2: the place that a datacenter means") {
  const std::vector<std::string> regions = {"us-east-1", "us-west-2", "us-east-10"};
  struct Row {
    const char* datacenter;
    const char* region;
    const char* zone;
  };
  const Row rows[] = {
      {"", "us-east-1", ""},
      {"us-west-2", "us-west-2", ""},
      {"us-west-2b", "us-west-2", "us-west-2b"},
      {"US-EAST-1A", "us-east-1", "us-east-1a"},
      {"us-east-10", "us-east-10", ""},
      {"us-east-1-bos-1a", "us-east-1", "us-east-1-bos-1a"},
      {"use1-az4", "us-east-1", "use1-az4"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.datacenter);
    const Ec2Place place = named_place(row.datacenter, regions);
    CHECK(place.region == row.region);
    CHECK(place.zone == row.zone);
  }
  for (const char* wrong : {"eu-west-1", "Atlanta", "us-east-11", "us", "../evil"}) {
    CAPTURE(wrong);
    CHECK(has(fault([&] { return named_place(wrong, regions); }),
              "is in no region of the configuration (us-east-1, us-west-2"));
  }
  CHECK(endpoint_of("eu-north-1") == "https://ec2.eu-north-1.amazonaws.com");
  CHECK(endpoint_of("cn-north-1") == "https://ec2.cn-north-1.amazonaws.com.cn");
}

TEST_CASE("ec2: volumes of a spec") {
  const auto wanted = wanted_volumes(Clipboard::parse("volumes: {data: 20, logs: '5'}\n"));
  REQUIRE(wanted.size() == 2);
  CHECK(wanted[0].name == "data");
  CHECK(wanted[1].gigabytes == 5);
  CHECK(wanted_volumes(Clipboard::parse("a: b\n")).empty());
  for (const char* wrong : {"volumes: {data: big}", "volumes: {data: 0}", "volumes: {data: -1}", "volumes: {'a b': 1}",
                            "volumes: {data: 65537}", "volumes: [data]"}) {
    CAPTURE(wrong);
    CHECK(fault([&] { return wanted_volumes(Clipboard::parse(std::string(wrong) + "\n")); }).starts_with("usage: "));
  }
}

TEST_CASE("ec2: where kept volumes want their machine") {
  const std::vector<Ec2Volume> there = {volume("vol-1", "data", 20, "us-east-1a"),
                                        volume("vol-2", "logs", 5, "us-east-1b"),
                                        volume("vol-3", "old", 1, "us-east-1c")};
  struct Row {
    const char* spec;
    const char* expected;
  };
  const Row rows[] = {
      {"volumes: {data: 20}", "us-east-1a"},
      {"volumes: {data: 20, new: 3}", "us-east-1a"},
      {"volumes: {data: 20}\nwipe: [data]", ""},
      {"volumes: {data: 30}\nwipe: [data]", ""},
      {"volumes: {data: 20, logs: 5}\nwipe: [logs]", "us-east-1a"},
      {"wipe: [old]", ""},
      {"volumes: {new: 3}", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.spec);
    CHECK(zone_of_kept(Clipboard::parse(std::string(row.spec) + "\n"), there) == row.expected);
  }
  const auto wrong = [&](const std::string& spec, const std::vector<Ec2Volume>& volumes) {
    return fault([&] { return zone_of_kept(Clipboard::parse(spec + "\n"), volumes); });
  };
  CHECK(has(wrong("volumes: {data: 30}", there), "usage: volumes: data: is kept and has 20 GB, the spec says 30"));
  CHECK(has(wrong("volumes: {data: 20, logs: 5}", there), "those that are kept are in us-east-1a and us-east-1b"));
  CHECK(unknown_to_wipe(Clipboard::parse("wipe: [dta, new, data, old]\nvolumes: {data: 20, new: 3}\n"), there) ==
        std::vector<std::string>{"dta"});
  CHECK(has(wrong("volumes: {data: 20}", {there[0], volume("vol-9", "data", 20, "us-east-1a")}),
            "refused: ec2 has two volumes data"));
}

TEST_CASE("ec2: the next free device") {
  Ec2Instance machine;
  CHECK(free_device(machine) == "/dev/sdf");
  machine.disks = {{"/dev/xvda", "v", "", true}, {"/dev/sdf", "v", "", false}, {"/dev/xvdg", "v", "", false}};
  CHECK(free_device(machine) == "/dev/sdh");
  for (char letter = 'h'; letter <= 'p'; ++letter)
    machine.disks.push_back({std::string("/dev/sd") + letter, "v", "", false});
  CHECK(has(fault([&] { return free_device(machine); }), "has a volume at each of"));
}

TEST_CASE("ec2: where a host finds a volume") {
  struct Row {
    const char *device, *xen, *old;
  };
  const std::string nvme = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123";
  for (const Row& row : {Row{"/dev/sdf", "/dev/xvdf", "/dev/sdf"}, Row{"/dev/xvdba", "/dev/xvdba", "/dev/sdba"}}) {
    CAPTURE(row.device);
    Ec2Volume one = volume("vol-0123", "data", 20, "us-east-1a");
    one.device = row.device;
    CHECK(device_paths(one) == std::vector<std::string>{nvme, row.xen, row.old});
  }
  CHECK(device_paths(volume("vol-0123", "data", 20, "us-east-1a")) == std::vector<std::string>{nvme});
}

TEST_CASE("ec2: what goes with a machine") {
  const Tagged root = {{kFqdnTag, "x"}, {kRunTag, "r1"}, {kStepTag, "r1.2"}};
  Tagged data = root, older = root;
  data[kVolumeTag] = "data";
  older[kRunTag] = "r0";
  older[kVolumeTag] = "data";
  struct Row {
    const char* what;
    Ec2Scope scope;
    bool root, data, older, address, old_address, key, old_key;
  };
  const Row rows[] = {
      {"redeploy", {Extent::Machine, {}, "r2", "r2.1"}, false, false, false, false, false, true, true},
      {"redeploy, wipe", {Extent::Machine, {"data"}, "r2", "r2.1"}, false, true, true, false, false, true, true},
      {"destroy", {Extent::All, {}, "r2", "r2.1"}, true, true, true, true, true, true, true},
      {"taken back", {Extent::Step, {"data"}, "r1", "r1.2"}, true, true, false, true, false, true, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(row.scope.takes_volume(root) == row.root);
    CHECK(row.scope.takes_volume(data) == row.data);
    CHECK(row.scope.takes_volume(older) == row.older);
    CHECK(row.scope.takes_address(root) == row.address);
    CHECK(row.scope.takes_address(older) == row.old_address);
    CHECK(row.scope.takes_key_pair(root) == row.key);
    CHECK(row.scope.takes_key_pair(older) == row.old_key);
  }
}

TEST_CASE("ec2: which disks EC2 is told to delete or to leave") {
  Ec2Volume root = volume("vol-root", "", 8, "us-east-1a"), more = root;
  more.id = "vol-more";  // of the image; its tags are of the call that made the machine
  const std::vector<Ec2Volume> ours = {root, more, volume("vol-data", "data", 20, "us-east-1a"),
                                       volume("vol-logs", "logs", 5, "us-east-1a")};
  Ec2Instance machine;
  machine.root_device = "/dev/xvda";
  const auto all_die = [&](bool die) {
    machine.disks = {{"/dev/xvda", "vol-root", "attached", die},   {"/dev/sdb", "vol-more", "attached", die},
                     {"/dev/sdf", "vol-data", "attached", die},    {"/dev/sdg", "vol-logs", "attached", die},
                     {"/dev/sdh", "vol-foreign", "attached", die}, {"/dev/sdi", "", "", false}};
  };
  struct Row {
    const char* what;
    Ec2Scope scope;
    std::map<std::string, bool> when_none_dies, when_all_die;
  };
  const Row rows[] = {
      {"redeploy",
       {Extent::Machine, {}, "r2", "r2.1"},
       {{"/dev/xvda", true}},
       {{"/dev/sdf", false}, {"/dev/sdg", false}}},
      {"redeploy, wipe",
       {Extent::Machine, {"logs", "sdb", "sdh", "xvda"}, "r2", "r2.1"},
       {{"/dev/xvda", true}, {"/dev/sdb", true}, {"/dev/sdg", true}, {"/dev/sdh", true}},
       {{"/dev/sdf", false}}},
      {"destroy",
       {Extent::All, {"sdh"}, "r2", "r2.1"},
       {{"/dev/xvda", true}, {"/dev/sdb", true}, {"/dev/sdf", true}, {"/dev/sdg", true}},
       {}},
      {"taken back",
       {Extent::Step, {"data"}, "r1", "r1.2"},
       {{"/dev/xvda", true}},
       {{"/dev/sdf", false}, {"/dev/sdg", false}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    all_die(false);
    CHECK(turns_of(machine, ours, row.scope) == row.when_none_dies);
    all_die(true);
    CHECK(turns_of(machine, ours, row.scope) == row.when_all_die);
  }
}

TEST_CASE("ec2: host keys on a console") {
  const std::string key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKj3+Qy2vOwmsLCSkPLrsmOtWE0bZZPcQvqWnAT7yW7i";
  const std::string begin = "-----BEGIN SSH HOST KEY KEYS-----\r\n", end = "-----END SSH HOST KEY KEYS-----\r\n";
  const std::vector<std::string> one = {key};
  CHECK(host_keys("boot\r\n" + begin + key + " root@ip-10-0-0-5\r\nnot a key\r\n" + end + "login:") == one);
  CHECK(host_keys("[   9.1] cloud-init[511]: " + begin + key + "\r\n" + end) == one);
  CHECK(host_keys(begin + key + "\r\n").empty());  // still being written
  CHECK(host_keys(key + "\r\n" + end).empty());
  CHECK(host_keys("").empty());
  CHECK(host_keys(begin + end + begin + key + "\r\n" + end) == one);  // the newest boot counts
  CHECK(last_lines("a\n\nb\r\n\x1b[31mc\n", 2) == std::vector<std::string>{"b", "?[31mc"});
}
