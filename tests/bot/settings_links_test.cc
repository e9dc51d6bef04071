// irc: xmpp: links: roles: people: what they become, and what is wrong with them.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "bot/settings.h"
#include "pipeline/error.h"
#include "tests/bot/scratch_directory.h"

using namespace jarvis::bot;
using jarvis::pipeline::Error;
using nlohmann::json;

namespace {

struct Files {
  Files() { scratch.write("console.py", "#!/bin/sh\n", 0755); }
  Settings read(const std::string& text) const { return read_settings(scratch.write("jarvis.yaml", text)); }
  std::string at(const std::string& name) const { return (scratch.path() / name).string(); }
  // What is wrong with it, without the directory's name.
  std::string fault(const std::string& text) const {
    try {
      (void)read(text);
      return "";
    } catch (const Error& e) {
      std::string made = e.what();
      const std::string prefix = scratch.path().string() + "/";
      for (std::size_t i = made.find(prefix); i != std::string::npos; i = made.find(prefix))
        made.erase(i, prefix.size());
      return made;
    }
  }
  ScratchDirectory scratch;
};

}  // namespace

TEST_CASE("link settings: every key of an IRC network") {
  const Files files;
  const Settings settings = files.read(R"(
irc:
  - name: freenet
    server: irc.example.org
    port: 6698
    tls: true
    nick: jarvis
    user: j
    realname: Jarvis
    prefix: '!'
    ca_file: ca.pem
    cert_file: jarvis.pem
    key_file: jarvis.key
    password_file: server.password
    sasl: {user: jarvis, password_file: irc.password}
    nickserv: {name: NickServ, password_file: ns.password}
    channels: ['#ops', {name: '#deep', key_file: deep.key}]
    pace: {burst: 5, per_second: 2}
    ping_every: 30
    ping_timeout: 20
  - {name: plain, server: '::1', tls: false, sasl: {external: true}}
)");
  REQUIRE(settings.links.size() == 2);
  const LinkSettings& one = settings.links[0];
  CHECK(one.kind == LinkSettings::Kind::Irc);
  CHECK(one.name == "freenet");
  CHECK(one.prefix == "!");
  CHECK(one.run.empty());
  const json want = {{"name", "freenet"},
                     {"server", "irc.example.org"},
                     {"port", 6698},
                     {"tls", true},
                     {"nick", "jarvis"},
                     {"user", "j"},
                     {"realname", "Jarvis"},
                     {"prefix", "!"},
                     {"ca_file", files.at("ca.pem")},
                     {"cert_file", files.at("jarvis.pem")},
                     {"key_file", files.at("jarvis.key")},
                     {"password_file", files.at("server.password")},
                     {"sasl", {{"user", "jarvis"}, {"password_file", files.at("irc.password")}}},
                     {"nickserv", {{"name", "NickServ"}, {"password_file", files.at("ns.password")}}},
                     {"channels", {"#ops", {{"name", "#deep"}, {"key_file", files.at("deep.key")}}}},
                     {"pace", {{"burst", 5}, {"per_second", 2}}},
                     {"ping_every", 30},
                     {"ping_timeout", 20}};
  CHECK(json::parse(one.config) == want);
  const json plain = json::parse(settings.links[1].config);
  CHECK(plain["port"] == 6667);
  CHECK(plain["nick"] == "jarvis");
  CHECK(plain["sasl"] == json({{"external", true}}));
  CHECK(plain["channels"] == json::array());
  CHECK(settings.links[1].prefix.empty());
}

TEST_CASE("link settings: every key of an XMPP account, and whom it accepts") {
  const Files files;
  const Settings settings = files.read(R"(
xmpp:
  - name: jabber
    jid: jarvis@example.org
    password_file: xmpp.password
    server: 127.0.0.1:5222
    nick: j
    resource: bot
    prefix: '%'
    ca_file: ca.pem
    priority: -1
    pace: {burst: 3}
    ping_every: 60
    ping_timeout: 10
    rooms: [ops@conference.example.org, {room: deep@conference.example.org, nick: k, password_file: room.password}]
  - {name: other, jid: jarvis@example.net, password_file: /etc/other.password}
people:
  thor: {xmpp: [thor@example.org, thor@example.net]}
  odin: {}
)");
  REQUIRE(settings.links.size() == 2);
  CHECK(settings.links[0].kind == LinkSettings::Kind::Xmpp);
  CHECK(settings.links[0].prefix == "%");
  const json want = {
      {"name", "jabber"},
      {"jid", "jarvis@example.org"},
      {"password_file", files.at("xmpp.password")},
      {"server", "127.0.0.1:5222"},
      {"nick", "j"},
      {"resource", "bot"},
      {"prefix", "%"},
      {"ca_file", files.at("ca.pem")},
      {"priority", -1},
      {"pace", {{"burst", 3}}},
      {"ping_every", 60},
      {"ping_timeout", 10},
      {"rooms",
       {"ops@conference.example.org",
        {{"room", "deep@conference.example.org"}, {"nick", "k"}, {"password_file", files.at("room.password")}}}},
      {"people", {"thor@example.org", "thor@example.net"}}};
  CHECK(json::parse(settings.links[0].config) == want);
  CHECK(json::parse(settings.links[1].config)["password_file"] == "/etc/other.password");
  REQUIRE(settings.people.size() == 2);
  CHECK(settings.people[0].identities.at("jabber").size() == 2);
  CHECK(settings.people[0].identities.at("other").size() == 2);
}

TEST_CASE("link settings: a link by others is told everything but `run`") {
  const Files files;
  const Settings settings = files.read(R"(
links:
  console: {run: console.py, port: 4000, on: true, quoted: '4000', off: 'no', none: ~, list: [1, a], deep: {x: 1.5}, prefix: '?'}
people:
  thor: {links: {console: [thor, root]}}
)");
  REQUIRE(settings.links.size() == 1);
  CHECK(settings.links[0].kind == LinkSettings::Kind::Other);
  CHECK(settings.links[0].run == files.at("console.py"));
  CHECK(settings.links[0].prefix == "?");
  const json config = json::parse(settings.links[0].config);
  CHECK(config["name"] == "console");
  CHECK(config["port"] == 4000);
  CHECK(config["on"] == true);
  CHECK(config["quoted"] == "4000");
  CHECK(config["off"] == "no");
  CHECK(config["none"].is_null());
  CHECK(config["list"] == json({1, "a"}));
  CHECK_FALSE(config.contains("run"));
  CHECK(settings.people[0].identities.at("console") == std::vector<std::string>{"thor", "root"});
}

TEST_CASE("link settings: roles and people") {
  const Files files;
  const Settings settings = files.read(R"(
irc: [{name: freenet, server: x}]
roles:
  operator: {commands: [deploy], hosts: ['*.example.org'], providers: [local], places: [direct], approvals: 2, runs: 5, monthly: 20}
  nothing: {}
orphans: {tell: ['freenet/#ops', freenet/room@x], every: 2h}
people:
  thor: {roles: [operator, nothing], irc: {freenet: [thor, 'cert:abc']}, unix: [1000, 1001], dn: 'uid=thor'}
)");
  const Role& role = settings.roles.at("operator");
  CHECK(role.name == "operator");
  CHECK(role.commands == std::vector<std::string>{"deploy"});
  CHECK(role.hosts == std::vector<std::string>{"*.example.org"});
  CHECK(role.providers == std::vector<std::string>{"local"});
  CHECK(role.places == std::vector<std::string>{"direct"});
  CHECK(role.approvals == 2);
  CHECK(role.runs == 5);
  CHECK(role.monthly == 20);
  const Role& nothing = settings.roles.at("nothing");
  CHECK((nothing.commands.empty() && nothing.hosts.empty() && nothing.providers.empty() && nothing.places.empty()));
  CHECK(nothing.approvals == 1);
  CHECK_FALSE(nothing.monthly);
  CHECK(settings.orphans.tell == std::vector<std::string>{"freenet/#ops", "freenet/room@x"});
  CHECK(settings.orphans.every == std::chrono::hours(2));
  const Person& thor = settings.people.at(0);
  CHECK(thor.roles == std::vector<std::string>{"operator", "nothing"});
  CHECK(thor.uids == std::vector<unsigned>{1000, 1001});
  CHECK(person_of_uid(settings, 1001) == &thor);
  CHECK(person_of_uid(settings, 1002) == nullptr);
  CHECK(thor.identities.at("freenet") == std::vector<std::string>{"thor", "cert:abc"});
}

TEST_CASE("link settings: each fault, with its place") {
  const Files files;
  const std::string network = "irc: [{name: freenet, server: x}]\n";
  struct Case {
    std::string text;
    const char* want;
  };
  for (const Case& c : std::vector<Case>{
           {"irc: {name: a}", "irc: must be a list, not a mapping"},
           {"irc: [{name: a}]", "1:7: irc[1]: server is missing"},
           {"irc: [{server: x}]", "irc[1]: name is missing"},
           {"irc: [{name: a, server: x, chanels: []}]", "1:28: irc[1].chanels: unknown key, did you mean channels?"},
           {"irc: [{name: a, server: x, sasl: {usr: j, password_file: p}}]", "usr: unknown key, did you mean user?"},
           {"irc: [{name: a, server: x, sasl: {user: j}}]", "sasl: password_file is missing"},
           {"irc: [{name: a, server: x, sasl: {password_file: p}}]", "sasl: user is missing"},
           {"irc: [{name: a, server: x, nickserv: {name: n}}]", "nickserv: password_file is missing"},
           {"irc: [{name: a, server: x, port: 0}]", "port: `0` is not a number from 1 to 65535"},
           {"irc: [{name: a, server: x, port: 70000}]", "is not a number from 1 to 65535"},
           {"irc: [{name: a, server: x, tls: maybe}]", "tls: `maybe` is neither yes nor no"},
           {"irc: [{name: a, server: x, pace: {brust: 1}}]", "brust: unknown key, did you mean burst?"},
           {"irc: [{name: a, server: x, pace: {burst: 0}}]", "is not a number from 1 to 1000"},
           {"irc: [{name: a, server: x, channels: [{key_file: k}]}]", "channels[1]: name is missing"},
           {"irc: [{name: a, server: x, channels: [{name: '#a', key: k}]}]",
            "key: unknown key, did you mean key_file?"},
           {"irc: [{name: a, server: x, password: planted}]", "password: unknown key, did you mean password_file?"},
           {"irc: [{name: 'a b', server: x}]", "a link needs a `name` of letters, digits, - and _"},
           {"irc: [{name: direct, server: x}]", "(not `direct`)"},
           {"irc: [{name: a/b, server: x}]", "a link needs a `name`"},
           {"irc: [{name: a, server: x}, {name: a, server: y}]", "there are two links called a"},
           {"irc: [{name: a, server: x}]\nxmpp: [{name: a, jid: j@x, password_file: p}]",
            "there are two links called a"},
           {"irc: [{name: a, server: x}]\nlinks: {a: {run: console.py}}", "there are two links called a"},
           {"xmpp: [{name: a, password_file: p}]", "jid is missing"},
           {"xmpp: [{name: a, jid: j@x}]", "password_file is missing"},
           {"xmpp: [{name: a, jid: j@x, password_file: p, room: []}]", "room: unknown key, did you mean rooms?"},
           {"xmpp: [{name: a, jid: j@x, password_file: p, priority: 128}]", "is not a number from -128 to 127"},
           {"xmpp: [{name: a, jid: j@x, password_file: p, rooms: [{nick: n}]}]", "rooms[1]: room is missing"},
           {"links: {a: {port: 1}}", "links.a: run is missing: the program that speaks this network"},
           {"links: [a]", "links: must be a mapping, not a list"},
           {"roles: {r: {comands: [a]}}", "roles.r.comands: unknown key, did you mean commands?"},
           {"roles: {r: {monthly: -1}}", "roles.r.monthly: `-1` is not a number from 0 to 1000000"},
           {network + "orphans: {tell: ['#ops']}", "orphans.tell[1]: `#ops` is no place; write NETWORK/#channel"},
           {network + "orphans: {tell: [freenett/#ops]}", "there is no network freenett, did you mean freenet?"},
           {"orphans: {every: 10ms}", "orphans.every: must be at least 1s"},
           {"orphans: {tel: []}", "orphans.tel: unknown key, did you mean tell?"},
           {"roles: {r: {approvals: 0}}", "is not a number from 1 to 100"},
           {"people: {thor: {roles: [oprator]}}\nroles: {operator: {}}",
            "people.thor.roles[1]: there is no role oprator, did you mean operator?"},
           {"people: {thor: {role: []}}", "people.thor.role: unknown key, did you mean roles?"},
           {network + "people: {thor: {irc: {freenett: [thor]}}}",
            "2:23: people.thor.irc.freenett: there is no network freenett, did you mean freenet?"},
           {network + "people: {thor: {irc: {zzzzz: [thor]}}}", "there is no network zzzzz"},
           {network + "people: {thor: {links: {freenet: [thor]}}}", "there is no network freenet"},
           {network + "people: {thor: {irc: {freenet: ['']}}}", "people.thor.irc.freenet[1]: must not be empty"},
           {network + "people: {thor: {irc: {freenet: [thor]}}, odin: {irc: {freenet: [thor]}}}",
            "people.odin.irc.freenet: thor on freenet is already thor"},
           {network + "people: {thor: {irc: {freenet: [Thor]}}, odin: {irc: {freenet: [tHOR]}}}",
            "people.odin.irc.freenet: tHOR on freenet is already thor"},
           {network + "people: {thor: {irc: {freenet: [thor, thor]}}}", "thor on freenet is given twice"},
           {"people: {thor: {unix: [1]}, odin: {unix: [1]}}", "uid 1 is already thor"},
           {"people: {thor: {unix: [-1]}}", "is not a number from 0"},
       }) {
    CAPTURE(c.text);
    const std::string fault = files.fault(c.text);
    CHECK_MESSAGE(fault.find(c.want) != std::string::npos, fault);
    CHECK_MESSAGE(fault.find("planted") == std::string::npos, "a secret is not echoed");
  }
}
