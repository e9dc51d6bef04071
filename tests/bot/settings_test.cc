#include "bot/settings.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <regex>

#include "bot/config_reader.h"
#include "bot/config_values.h"
#include "pipeline/error.h"
#include "tests/bot/scratch_directory.h"
#include "workers/rows.h"

using namespace jarvis::bot;
using namespace std::chrono_literals;
using jarvis::pipeline::Error;
using jarvis::pipeline::Kind;
using jarvis::pipeline::TaskTable;

namespace {

// The error of `act`, with the scratch directory's name taken out; empty if there was none.
template <typename Act>
std::string fault_of(const ScratchDirectory& scratch, Act act) {
  try {
    act();
  } catch (const Error& error) {
    CHECK(error.kind() == Kind::Usage);
    const std::string prefix = scratch.path().string() + "/";
    std::string text = error.what();
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
      text.erase(at, prefix.size());
    return text;
  }
  return {};
}

const ModuleSetting* find_setting(const Settings& settings, const std::string& module, const std::string& name) {
  const auto& grants = settings.modules.at(module);
  const auto found = std::find_if(grants.begin(), grants.end(), [&](const auto& grant) { return grant.name == name; });
  return found == grants.end() ? nullptr : &*found;
}

void write_named_files(const ScratchDirectory& scratch) {
  scratch.write("plans/demo.yaml", "provider: demo\ndeploy: [demo:one]\n");
  for (const char* file : {"linode.token", "ec2.key", "vmware.password", "vcenter.pem", "backup.env", "ldap.password",
                           "ldap-writer.password", "ldap.pem", "site.pem"}) {
    scratch.write(file, "NAME=planted-secret\n");
  }
  scratch.write("tftp/README", "");
  scratch.write("templates/install_debian_12.tpl", "");
  for (const char* program : {"hooks/silence", "hooks/unsilence", "console.py"})
    scratch.write(program, "#!/bin/sh\n", 0755);
}

}  // namespace

TEST_CASE("durations, sizes, numbers") {
  struct Case {
    const char* text;
    std::optional<std::chrono::milliseconds> want;
  };
  for (const Case& c : {Case{"10m", 10min},    {"30s", 30s},     {"1h", 1h},     {"500ms", 500ms},
                        {"90", 90s},           {"1.5s", 1500ms}, {"0", 0ms},     {"2d", 48h},
                        {"0.25", 250ms},       {"", {}},         {"s", {}},      {"10 m", {}},
                        {"-1s", {}},           {"1h30m", {}},    {"10M", {}},    {"1e3", {}},
                        {".5s", {}},           {"5.", {}},       {"1.2.3s", {}}, {"inf", {}},
                        {"999999999999h", {}}, {"10min", {}}}) {
    CAPTURE(c.text);
    CHECK(parse_duration(c.text) == c.want);
  }
  struct Sized {
    const char* text;
    std::optional<std::uint64_t> want;
  };
  for (const Sized& c : {Sized{"4096", 4096U},
                         {"1MiB", 1048576U},
                         {"64KiB", 65536U},
                         {"1GiB", 1073741824U},
                         {"7B", 7U},
                         {"", {}},
                         {"MiB", {}},
                         {"1MB", {}},
                         {"1 MiB", {}},
                         {"1.5MiB", {}},
                         {"-1", {}},
                         {"99999999999999999999", {}},
                         {"18446744073709551615KiB", {}}}) {
    CAPTURE(c.text);
    CHECK(parse_size(c.text) == c.want);
  }
  CHECK(parse_number("-5") == -5);
  CHECK(parse_number("0123") == 123);
  CHECK_FALSE(parse_number("5x"));
  CHECK_FALSE(parse_number(""));
}

TEST_CASE("ranges, URLs, domains, names") {
  struct Case {
    std::optional<std::string> (*check)(std::string_view);
    const char* value;
    const char* want;  // part of the reason; nullptr: well
  };
  for (const Case& c : {
           Case{wrong_with_loopback_range, "127.0.64.0/24", nullptr},
           {wrong_with_loopback_range, "127.0.0.0/8", nullptr},
           {wrong_with_loopback_range, "127.0.64.0", "must be a range"},
           {wrong_with_loopback_range, "127.0.64.x/24", "must be a range"},
           {wrong_with_loopback_range, "127.0.64.0/", "must be a range"},
           {wrong_with_loopback_range, "::1/64", "must be a range"},
           {wrong_with_loopback_range, "127.0.64.0/31", "/8 to /30"},
           {wrong_with_loopback_range, "10.0.0.0/24", "within 127.0.0.0/8"},
           {wrong_with_loopback_range, "127.0.64.7/24", "did you mean 127.0.64.0/24?"},
           {wrong_with_url, "https://api.linode.com/v4", nullptr},
           {wrong_with_url, "http://127.0.0.1:8080/v4", nullptr},
           {wrong_with_url, "http://localhost/", nullptr},
           {wrong_with_url, "http://[::1]:80/", nullptr},
           {wrong_with_url, "https://[2001:db8::1]/sdk", nullptr},
           {wrong_with_url, "http://api.linode.com/v4", "this machine only"},
           {wrong_with_url, "http://127.0.0.1.example.org/", "this machine only"},
           {wrong_with_url, "http://127.0.0.1@example.org/", "user name"},
           {wrong_with_url, "https://me:secret@example.org/", "user name"},
           {wrong_with_url, "ftp://example.org", "https://"},
           {wrong_with_url, "https://", "names no host"},
           {wrong_with_url, "https://:443/", "names no host"},
           {wrong_with_url, "https://a b/", "blanks"},
           {wrong_with_domain, "websages.com", nullptr},
           {wrong_with_domain, "x-1.example", nullptr},
           {wrong_with_domain, ".websages.com", "dot"},
           {wrong_with_domain, "websages.com.", "dot"},
           {wrong_with_domain, "a..b", "dot"},
           {wrong_with_domain, "-a.b", "hyphen"},
           {wrong_with_domain, "a_b.c", "letters"},
       }) {
    CAPTURE(c.value);
    const auto wrong = c.check(c.value);
    if (c.want == nullptr) {
      CHECK_FALSE(wrong);
    } else {
      REQUIRE(wrong);
      CHECK_MESSAGE(wrong->find(c.want) != std::string::npos, *wrong);
      CHECK(wrong->find("secret") == std::string::npos);
    }
  }
  for (const char* good : {"demo:one", "my-module:two.three", "M_1:_x", "a:1"}) CHECK(is_module_and_task(good));
  for (const char* bad :
       {"demo", "demo:", ":one", "demo:-x", "demo:../x", "1demo:x", "demo:a b", "demo:a:b", "demo: one"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_module_and_task(bad));
  }
}

TEST_CASE("no file, an empty file and an empty section are the defaults") {
  const ScratchDirectory scratch;
  for (const char* text : {"", "# nothing\n\n", "{}\n", "workers:\nlog: ~\nplans:\nproviders: {local: }\n"}) {
    CAPTURE(text);
    const Settings settings = read_settings(scratch.write("jarvis.yaml", text));
    CHECK(settings.state.empty());
    CHECK(settings.max_workers == 64);
    CHECK(settings.grace == 30s);
    CHECK(settings.clipboard_bytes == 8U * 1024 * 1024);
    CHECK(settings.log.level == LogLevel::Info);
    CHECK(settings.log.file.empty());
    CHECK(settings.plans.empty());
    CHECK(settings.workers.empty());
  }
  const Settings none = read_first_settings({scratch.path() / "none.yaml", scratch.path() / "no/where.yaml"});
  CHECK(none.file.empty());
  CHECK(none.max_workers == 64);
  const auto second = scratch.write("second.yaml", "max_workers: 5\n");
  CHECK(read_first_settings({scratch.path() / "none.yaml", second}).max_workers == 5);
  CHECK(fault_of(scratch, [&] { read_settings(scratch.path() / "none.yaml"); }) ==
        "none.yaml: No such file or directory");
  CHECK(fault_of(scratch, [&] { read_settings(scratch.path()); }).find("is a directory") != std::string::npos);
}

TEST_CASE("every value of a good file") {
  const ScratchDirectory scratch;
  write_named_files(scratch);
  const Settings settings = read_settings(scratch.write("jarvis.yaml", R"(
state: st/../state
key_file: /etc/jarvis/key
domain: websages.com
max_workers: 7
grace: 5
clipboard_bytes: 1MiB
plans: plans
log: {level: warn, file: jarvis.log}
workers:
  short: bin/short
  full:
    run: bin/full
    timeout: 90s
    grace: 1s
    env_file: backup.env
    secrets: [api_key]
    retry: {attempts: 9, delay: 5m}
    tasks:
      one: {stage: first of all, needs: [fqdn], gives: [a, b], from_spec: [b], plan: yes, destroys: yes, undo: full:two}
      two: {timeout: 500ms, retry: {after_timeout: yes}}
providers: {local: {addresses: 127.9.0.0/16, dir: hosts}}
)"));
  const auto in = [&](const char* name) { return scratch.path() / name; };
  CHECK(settings.state == in("state"));
  CHECK(settings.key_path() == "/etc/jarvis/key");
  CHECK(settings.domain == "websages.com");
  CHECK(settings.max_workers == 7);
  CHECK(settings.grace == 5s);
  CHECK(settings.clipboard_bytes == 1U << 20U);
  CHECK(settings.plans == std::vector{in("plans")});
  CHECK(settings.log.level == LogLevel::Warn);
  CHECK(settings.log.file == in("jarvis.log"));
  CHECK(find_setting(settings, "local", "DIR")->value == in("hosts"));

  TaskTable table;
  jarvis::workers::add_built_in(table);
  add_external_workers(settings, table);
  CHECK(table.is_secret("api_key"));
  const auto open = table.require("short:anything");
  CHECK(open->executable == in("bin/short"));
  CHECK(open->family == "core");
  CHECK(open->stage == "anything");
  const auto one = table.require("full:one");
  CHECK(one->executable == in("bin/full"));
  CHECK(one->stage == "first of all");
  CHECK(one->needs == std::vector<std::string>{"fqdn"});
  CHECK(one->gives == std::vector<std::string>{"a", "b"});
  CHECK(one->from_spec == std::vector<std::string>{"b"});
  CHECK(one->plan);
  CHECK(one->destroys);
  CHECK(one->undo == "full:two");
  CHECK(one->timeout == 90s);
  CHECK(one->grace == 1s);
  CHECK(one->retry.attempts == 9);
  CHECK(one->retry.delay == 5min);
  CHECK(one->retry.max_delay == 5min);  // never below the delay that was asked for
  const auto two = table.require("full:two");
  CHECK(two->stage == "two");
  CHECK(two->timeout == 500ms);
  CHECK(two->grace == 1s);
  CHECK(two->retry.attempts == 9);
  CHECK(two->retry.after_timeout);
  CHECK_FALSE(two->plan);
  CHECK_FALSE(two->destroys);
  CHECK(table.find("full:three") == nullptr);
}

TEST_CASE("each fault, with its place") {
  const ScratchDirectory scratch;
  struct Case {
    const char* text;
    const char* want;
  };
  for (const Case& c : {
           Case{"workrs: {}", "jarvis.yaml:1:1: workrs: unknown key, did you mean workers?"},
           {"zzzzzz: 1", "jarvis.yaml:1:1: zzzzzz: unknown key; known here: state, key_file"},
           {"# x\nlog: {levl: info}", "jarvis.yaml:2:7: log.levl: unknown key, did you mean level?"},
           {"log: {level: loud}", "jarvis.yaml:1:7: log.level: must be one of debug, info, warn, error"},
           {"log: {file: no/where/log}", "no/where: there is no such directory"},
           {"log: [a]", "jarvis.yaml:1:1: log: must be a mapping, not a list"},
           {"log: yes", "log: must be a mapping, not a single value"},
           {"max_workers: many", "1:1: max_workers: `many` is not a number from 1 to 10000"},
           {"max_workers: 0", "`0` is not a number from 1 to 10000"},
           {"max_workers: 10001", "is not a number from 1 to 10000"},
           {"max_workers: [1]", "max_workers: must be a number from 1 to 10000, not a list"},
           {"grace: 10 min", "grace: `10 min` is not a duration; write it like 500ms, 30s, 10m, 1h or 2d"},
           {"grace: {a: 1}", "grace: must be a duration, not a mapping"},
           {"clipboard_bytes: 8MB", "clipboard_bytes: `8MB` is not a size; write it like 4096, 64KiB or 8MiB"},
           {"clipboard_bytes: 12", "is not from 1024 to 268435456 bytes"},
           {"domain: .com", "domain: must not have a dot at an end"},
           {"domain: ''", "domain: must not be empty"},
           {"state: ~/jarvis", "state: ~ is not understood here"},
           {"plans: [nowhere/]", "jarvis.yaml:1:9: plans[1]: nowhere/: No such file or directory"},
           {"plans: {a: b}", "plans: must be a list, not a mapping"},
           {"plans: [~]", "plans[1]: must be a single value, not empty"},
           {"workers: [a]", "workers: must be a mapping, not a list"},
           {"workers: {a: [b]}", "workers.a: must be the path of an executable, or a mapping with run:"},
           {"workers: {a: }", "workers.a: must be the path of an executable"},
           {"workers: {a/b: c}", "workers.a/b: a module's name is"},
           {"workers: {a: {timeout: 1s}}", "workers.a: run is missing"},
           {"workers: {a: {run: b, timeuot: 1s}}", "1:23: workers.a.timeuot: unknown key, did you mean timeout?"},
           {"workers: {a: {run: b, env_file: no.env}}", "workers.a.env_file: no.env: No such file"},
           {"workers: {a: {run: b, tasks: {-x: {}}}}", "workers.a.tasks.-x: a task's name is"},
           {"workers: {a: {run: b, tasks: {x: {plan: maybe}}}}",
            "workers.a.tasks.x.plan: `maybe` is neither yes nor no"},
           {"workers: {a: {run: b, tasks: {x: {stge: y}}}}", "stge: unknown key, did you mean stage?"},
           {"workers: {a: {run: b, tasks: {x: {from_spec: [k]}}}}", "k is not among the keys that the task gives"},
           {"workers: {a: {run: b, tasks: {one: {undo: a:oen}}}}", "undo: there is no task a:oen, did you mean a:one?"},
           {"workers: {a: {run: b, tasks: {one: {undo: two}}}}", "undo: must be a task, written module:task"},
           {"workers: {a: {run: b, retry: {attempts: 0}}}", "retry.attempts: `0` is not a number from 1 to 1000"},
           {"workers: {a: {run: b, retry: {atempts: 2}}}", "retry.atempts: unknown key, did you mean attempts?"},
           {"workers: {a: {run: b, retry: {delay: 2m, max_delay: 1m}}}", "retry: delay is longer than max_delay"},
           {"providers: {locl: {}}", "providers.locl: unknown key, did you mean local?"},
           {"providers: {local: {addresses: 10.0.0.0/8}}", "addresses: must lie within 127.0.0.0/8"},
           {"providers: {local: {adresses: x}}", "adresses: unknown key, did you mean addresses?"},
           {"providers: {linode: {token: planted-secret}}",
            "providers.linode.token: unknown key, did you mean token_file?"},
           {"providers: {linode: {api: 'http://api.linode.com'}}", "api: http:// is for this machine only"},
           {"providers: {linode: {token_file: no.token}}", "token_file: no.token: No such file"},
           {"providers: {ec2: {images: {x: {owner: '1'}}}}", "images.x: name is missing"},
           {"providers: {ec2: {credentials: file}}",
            "credentials: is `instance`, the role of this machine, or left out"},
           {"providers: {ec2: {credentials: instance, access_key_id: A}}", "both `credentials` and `access_key_id`"},
           {"providers: {ec2: {metadata: 'http://169.254.169.253'}}", "metadata: http:// is for this machine only"},
           {"providers: {ec2: {endpoint: 'http://169.254.169.254'}}", "endpoint: http:// is for this machine only"},
           {"providers: {ec2: {session_token_file: no.token}}", "session_token_file: no.token: No such file"},
           {"providers: {ec2: {security_group: web}}", "security_group: unknown key, did you mean security_groups?"},
           {"monitoring: {silence: no/hook}", "monitoring.silence: no/hook: No such file"},
           {"monitoring: {silence: plain}", "plain is no program"},
           {"monitoring: {silnce: plain}", "did you mean silence?"},
           {"fetch: {alow: []}", "fetch.alow: unknown key, did you mean allow?"},
           {"fetch: {allow: ['*']}", "fetch.allow[1]: must be a pattern like https://gist.github.com/*"},
           {"fetch: {allow: ['https://gist.github.com*']}", "with a path"},
           {"fetch: {allow: ['https://gist.github.com*/x']}", "a * in the host stands for whole parts in front"},
           {"fetch: {allow: ['http://gist.github.com/*']}", "http:// is for this machine only"},
           {"fetch: {allow: ['https://me:planted-secret@example.org/*']}", "must not hold a user name"},
           {"fetch: {private: [10.0.0.0/33]}", "fetch.private[1]: the prefix must be from /0 to /32"},
           {"fetch: {private: [localhost]}", "must be an address range like 10.0.0.0/8"},
           {"fetch: {max_bytes: 1GiB}", "fetch.max_bytes: `1GiB` is not from 1024 to 4194304 bytes"},
           {"fetch: {timeout: 1m}", "fetch.timeout: must be at most 20s"},
           {"fetch: {ca_file: no.pem}", "no.pem: No such file"},
           {"ldap: {}", "ldap: base is missing"},
           {"ldap: {base: hosts}", "ldap.base: must be a name like"},
           {"ldap: {base: dc=x, uri: 'http://x'}", "ldap.uri: must begin with ldaps://"},
           {"ldap: {base: dc=x, uri: ['ldap://a', 'ldap://a/dc=x']}", "ldap.uri[2]: ends after host and port"},
           {"ldap: {base: dc=x, uri: 'ldap://cn=a:planted-secret@x'}", "must not hold a user name"},
           {"ldap: {base: dc=x, bind_dn: cn=a}", "ldap: bind_dn needs a password_file"},
           {"ldap: {base: dc=x, password_file: plain}", "ldap: password_file needs a bind_dn"},
           {"ldap: {base: dc=x, uri: 'ldap://a', starttls: no, bind_dn: cn=a, password_file: plain}",
            "ldap: starttls: no would send the password in clear"},
           {"ldap: {base: dc=x, starttls: no, bind_dn: cn=a, password_file: plain}", "in clear"},
           {"ldap: {base: dc=x, pasword_file: plain}", "did you mean password_file?"},
           {"people: {thor: {roles: [opertor]}}\nroles: {operator: {}}",
            "1:25: people.thor.roles[1]: there is no role opertor, did you mean operator?"},
           {"people: {thor: {roles: [any]}}", "there is no role any under roles:"},
           {"people: {a: {unix: 5}, b: {unix: [5]}}", "people.b.unix[1]: uid 5 is already a"},
           {"people: {a: {unix: [root]}}", "`root` is not a number"},
           {"roles: {r: {comands: []}}", "roles.r.comands: unknown key, did you mean commands?"},
           {"roles: {r: {approvals: 0}}", "roles.r.approvals: `0` is not a number from 1 to 100"},
           {"a: 'b", "jarvis.yaml:1:4: the quote that opens here is never closed"},
           {"state: a\nstate: b", "jarvis.yaml:2:1: "},
           {"- a", "mapping"},
           {"a: b\n---\nc: d", "jarvis.yaml:2:"},
           {"? [a, b]\n: c", "a key must be a single word"},
       }) {
    CAPTURE(c.text);
    scratch.write("plain", "x\n");
    const auto file = scratch.write("jarvis.yaml", c.text);
    const std::string fault = fault_of(scratch, [&] { read_settings(file); });
    CHECK_MESSAGE(fault.find(c.want) != std::string::npos, fault);
    CHECK(fault.rfind("jarvis.yaml:", 0) == 0);
    CHECK(std::count(fault.begin(), fault.end(), '\n') == 0);
    CHECK(fault.find("planted-secret") == std::string::npos);
  }
}

TEST_CASE("all faults at once, in the order of the file") {
  const ScratchDirectory scratch;
  const auto file = scratch.write("jarvis.yaml", R"(grace: soon
workrs: {}
providers:
  linode: {tokn_file: x, api: nothing}
max_workers: 0
)");
  CHECK(fault_of(scratch, [&] { read_settings(file); }) ==
        "jarvis.yaml:1:1: grace: `soon` is not a duration; write it like 500ms, 30s, 10m, 1h or 2d\n"
        "jarvis.yaml:2:1: workrs: unknown key, did you mean workers?\n"
        "jarvis.yaml:4:12: providers.linode.tokn_file: unknown key, did you mean token_file?\n"
        "jarvis.yaml:4:26: providers.linode.api: must begin with https://\n"
        "jarvis.yaml:5:1: max_workers: `0` is not a number from 1 to 10000");
}

TEST_CASE("a worker's module cannot have the name of a built-in one") {
  const ScratchDirectory scratch;
  const Settings settings =
      read_settings(scratch.write("jarvis.yaml", "workers:\n  mine: a\n  local: b\n  jarvis: c\n"));
  TaskTable table;
  jarvis::workers::add_built_in(table);
  CHECK(fault_of(scratch, [&] { add_external_workers(settings, table); }) ==
        "jarvis.yaml:3:3: workers.local: is the name of a built-in module, choose another one\n"
        "jarvis.yaml:4:3: workers.jarvis: is the name of a built-in module, choose another one");
  CHECK_FALSE(table.has_module("mine"));
}

// The configuration that the contract shows, whole.
constexpr const char* kContractExample = R"(
state: /var/lib/jarvis             # journal, caches, socket
key_file: /etc/jarvis/key          # seals checkpoints; made at first start if missing and the state is empty
domain: websages.com               # completes a bare hostname
max_workers: 64
plans: [plans/]                    # action lists; a file's operation replaces the built-in one whole
workers: {mymodule: /usr/local/lib/jarvis/mymodule}   # external workers, by module
log: {level: info, file: null}     # debug info warn error; null: standard error

providers:
  local:  {addresses: 127.0.64.0/24}
  linode: {api: https://api.linode.com/v4, token_file: linode.token}
  ec2:    {region: us-east-1, endpoint: null, access_key_id: AKIA..., secret_key_file: ec2.key, images: {Debian 12: {owner: '136693071363', name: debian-12-amd64-*}}}
  vmware: {url: https://vcenter.websages.com/sdk, user: jarvis, password_file: vmware.password, datacenter: dc1, ca_file: vcenter.pem}

irc:                               # a list of networks
  - name: freenet                  # how people: and replies call it
    server: irc.example.org
    port: 6697
    tls: true                      # verified; ca_file and cert_file/key_file may be given
    nick: jarvis
    sasl: {user: jarvis, password_file: irc.password}      # or external: true
    channels: ['#ops', {name: '#deep', key_file: deep.key}]
    prefix: '!'                    # besides "jarvis:" and "jarvis,"
    pace: {burst: 5, per_second: 1}
xmpp:
  - name: jabber
    jid: jarvis@example.org
    password_file: xmpp.password
    server: null                   # host:port instead of the SRV record
    rooms: [ops@conference.example.org]                    # our nick there: `nick:`, else the JID's local part
links: {console: {run: ./console.py, port: 4000}}   # links by others: everything but `run` is theirs

people:
  thor: {roles: [operator], irc: {freenet: [thor]}, xmpp: [thor@example.org], links: {console: [thor]}, unix: [1000], dn: 'uid=thor,ou=People,dc=websages,dc=com'}
roles:
  operator: {commands: [deploy, redeploy, destroy, status], hosts: ['*.websages.com'], providers: [local, linode], places: ['freenet/#ops', 'jabber/ops@conference.example.org', direct], approvals: 1}

fetch: {allow: ['https://gist.github.com/*', 'https://gist.githubusercontent.com/*'], private: [], max_bytes: 1MiB, timeout: 20s}
ldap:  {uri: 'ldap://ldap.websages.com', starttls: true, base: 'dc=websages,dc=com', hosts: 'ou=Hosts', bind_dn: 'cn=jarvis,ou=Services,dc=websages,dc=com', password_file: ldap.password}
)";

TEST_CASE("the contract's example") {
  const ScratchDirectory scratch;
  write_named_files(scratch);
  const Settings settings = read_settings(scratch.write("jarvis.yaml", kContractExample));
  CHECK(settings.unused_sections.empty());
  CHECK(settings.links.size() == 3);
  CHECK(find_setting(settings, "spec", "FETCH_ALLOW")->value ==
        "https://gist.github.com/* https://gist.githubusercontent.com/*");
  CHECK(find_setting(settings, "spec", "FETCH_MAX_BYTES")->value == "1048576");
  CHECK(find_setting(settings, "spec", "FETCH_TIMEOUT")->value == "20000");
  CHECK(find_setting(settings, "spec", "FETCH_PRIVATE") == nullptr);
  CHECK(find_setting(settings, "spec", "LDAP_URI")->value == "ldap://ldap.websages.com");
  CHECK(find_setting(settings, "spec", "LDAP_STARTTLS") == nullptr);
  CHECK(find_setting(settings, "spec", "LDAP_HOSTS")->value == "ou=Hosts");
  CHECK(find_setting(settings, "spec", "LDAP_PASSWORD")->in_file);
  CHECK(find_setting(settings, "spec", "DOMAIN")->value == "websages.com");
  CHECK(settings.workers.at(0).run == "/usr/local/lib/jarvis/mymodule");
  const Person* thor = person_of_uid(settings, 1000);
  REQUIRE(thor != nullptr);
  CHECK(thor->name == "thor");
  CHECK(person_of_uid(settings, 1001) == nullptr);
  const Role& role = settings.roles.at(thor->roles.at(0));
  CHECK(role.commands == std::vector<std::string>{"deploy", "redeploy", "destroy", "status"});
  CHECK(role.hosts == std::vector<std::string>{"*.websages.com"});
  CHECK(role.providers == std::vector<std::string>{"local", "linode"});
  CHECK(role.places.size() == 3);
  CHECK(role.approvals == 1);
  CHECK(find_setting(settings, "ec2", "ENDPOINT") == nullptr);
  CHECK(find_setting(settings, "ec2", "IMAGES")->value ==
        "{Debian 12: {owner: '136693071363', name: 'debian-12-amd64-*'}}");
  CHECK(find_setting(settings, "linode", "TOKEN")->in_file);
}

TEST_CASE("ec2: what is granted") {
  const ScratchDirectory scratch;
  Settings settings = read_settings(scratch.write("jarvis.yaml", R"(
providers:
  ec2:
    region: us-east-1
    regions: [us-west-2, eu-north-1]
    credentials: instance
    metadata: http://169.254.169.254
    subnet: subnet-1
    security_groups: web, open
    poll: 2s
)"));
  CHECK(find_setting(settings, "ec2", "REGIONS")->value == "[us-west-2, eu-north-1]");
  CHECK(find_setting(settings, "ec2", "CREDENTIALS")->value == "instance");
  CHECK(find_setting(settings, "ec2", "METADATA")->value == "http://169.254.169.254");
  CHECK(find_setting(settings, "ec2", "SUBNET")->value == "subnet-1");
  CHECK(find_setting(settings, "ec2", "SECURITY_GROUPS")->value == "['web, open']");
  CHECK(find_setting(settings, "ec2", "POLL")->value == "2000");
}

TEST_CASE("where specs come from: what is granted") {
  const ScratchDirectory scratch;
  scratch.write("ldap.password", "planted-secret\n");
  Settings settings = read_settings(scratch.write("jarvis.yaml", R"(
domain: websages.com
fetch: {allow: 'http://127.0.0.1:*/*', private: [127.0.0.1, fd00::/8], timeout: 500ms}
ldap: {uri: ['ldap://127.0.0.1:3890', 'ldap://[::1]', 'ldaps://b.example.org', 'ldapi:///'], starttls: no, bind_dn: cn=a, password_file: ldap.password}
)"));
  settings.state = "/state";
  CHECK(module_environment(settings, "spec") ==
        std::vector<std::string>{"SPEC_FETCH_ALLOW=http://127.0.0.1:*/*", "SPEC_FETCH_PRIVATE=127.0.0.1 fd00::/8",
                                 "SPEC_FETCH_TIMEOUT=500",
                                 "SPEC_LDAP_URI=ldap://127.0.0.1:3890 ldap://[::1] ldaps://b.example.org ldapi:///",
                                 "SPEC_LDAP_STARTTLS=no", "SPEC_LDAP_BASE=dc=websages,dc=com", "SPEC_LDAP_BIND_DN=cn=a",
                                 "SPEC_LDAP_PASSWORD=planted-secret", "SPEC_DOMAIN=websages.com"});
}

TEST_CASE("booting from the network: what is granted") {
  const ScratchDirectory scratch;
  for (const char* file : {"reader", "writer"}) scratch.write(file, std::string("planted-") + file + "\n");
  scratch.write("tftp/x", "");
  scratch.write("templates/x", "");
  Settings settings = read_settings(scratch.write("jarvis.yaml", R"(
ldap: {uri: 'ldaps://a', base: 'dc=x', dhcp: 'ou=DHCP', os_sets: 'ou=OS', bind_dn: cn=r, password_file: reader, writer_dn: cn=w, writer_password_file: writer}
pxe: {next_servers: [10.0.0.1, boot.x], subnets: {10.0.0.0/24: {router: 10.0.0.254}, 10.1.0.0/16: {router: 10.1.0.1}}, install_loader: a/b.0, tftp_root: tftp, templates: templates}
)"));
  settings.state = "/state";
  CHECK(module_environment(settings, "spec") ==
        std::vector<std::string>{"SPEC_LDAP_URI=ldaps://a", "SPEC_LDAP_BASE=dc=x", "SPEC_LDAP_BIND_DN=cn=r",
                                 "SPEC_LDAP_PASSWORD=planted-reader"});
  CHECK(module_environment(settings, "ldapworker") ==
        std::vector<std::string>{
            "LDAPWORKER_LDAP_URI=ldaps://a", "LDAPWORKER_LDAP_BASE=dc=x", "LDAPWORKER_LDAP_BIND_DN=cn=w",
            "LDAPWORKER_LDAP_PASSWORD=planted-writer", "LDAPWORKER_LDAP_DHCP=ou=DHCP", "LDAPWORKER_LDAP_OS_SETS=ou=OS",
            "LDAPWORKER_NEXT_SERVERS=10.0.0.1 boot.x", "LDAPWORKER_SUBNETS=10.0.0.0/24=10.0.0.254 10.1.0.0/16=10.1.0.1",
            "LDAPWORKER_INSTALL_LOADER=a/b.0"});
  const std::string top = scratch.path().string();
  CHECK(module_environment(settings, "pxe") == std::vector<std::string>{"PXE_NEXT_SERVERS=10.0.0.1 boot.x",
                                                                        "PXE_TFTP_ROOT=" + top + "/tftp",
                                                                        "PXE_TEMPLATES=" + top + "/templates"});
}

TEST_CASE("booting from the network: what is wrong") {
  const ScratchDirectory scratch;
  scratch.write("tftp/x", "");
  scratch.write("w", "planted\n");
  struct Case {
    const char* text;
    const char* fault;
  };
  for (const Case& c : {
           Case{"pxe: {next_servers: ['a b']}",
                "1:22: pxe.next_servers[1]: must be a host name or an IPv4 address: must hold letters"},
           {"pxe: {next_servers: ['x\"; evil']}", "must be a host name"},
           {"pxe: {subnets: {10.0.0.0: {router: 10.0.0.1}}}",
            "pxe.subnets.10.0.0.0: must be an IPv4 subnet like 10.20.0.0/24"},
           {"pxe: {subnets: {10.0.0.1/24: {router: 10.0.0.2}}}", "does not start at its first address"},
           {"pxe: {subnets: {'fd00::/64': {router: 'fd00::1'}}}", "must be an IPv4 subnet"},
           {"pxe: {subnets: {10.0.0.0/24: {router: 10.0.1.1}}}", "router: does not lie in 10.0.0.0/24"},
           {"pxe: {subnets: {10.0.0.0/24: {router: gate}}}", "router: must be an IPv4 address"},
           {"pxe: {subnets: {10.0.0.0/24: {}}}", "router is missing"},
           {"pxe: {subnets: {10.0.0.0/24: {router: 10.0.0.1, mask: x}}}", "mask: unknown key"},
           {"pxe: {install_loader: 'a\"b'}", "pxe.install_loader: must be a file name on the boot server"},
           {"pxe: {tftp_root: tftp}", "tftp_root needs templates"},
           {"pxe: {tftp_root: nowhere, templates: tftp}", "nowhere: No such file or directory"},
           {"pxe: {tftp_root: tftp, templates: tftp, dhcplinks: 'https://a/b'}", "with tftp_root jarvis makes them"},
           {"pxe: {dhcplinks: 'http://a.example.org/x'}", "pxe.dhcplinks: "},
           {"ldap: {base: dc=x, writer_dn: cn=w}", "writer_dn needs a writer_password_file"},
           {"ldap: {base: dc=x, writer_password_file: w}", "writer_password_file needs a writer_dn"},
           {"ldap: {base: dc=x, uri: 'ldap://a', starttls: no, writer_dn: cn=w, writer_password_file: w}",
            "the writer's password in clear"},
           {"ldap: {base: dc=x, dhcp: DHCP}", "ldap.dhcp: must be a name like"},
       }) {
    CAPTURE(c.text);
    const std::string fault =
        fault_of(scratch, [&] { read_settings(scratch.write("jarvis.yaml", std::string(c.text) + "\n")); });
    CAPTURE(fault);
    CHECK(fault.find(c.fault) != std::string::npos);
  }
}

TEST_CASE("the annotated example, as it is and with every setting switched on") {
  const std::filesystem::path example = std::filesystem::path(JARVIS_TEST_DATA) / "../../config/jarvis.yaml";
  CHECK(read_settings(example).max_workers == 64);

  const ScratchDirectory scratch;
  write_named_files(scratch);
  const std::string text = read_text_file(example, 1U << 20U);
  const std::string switched_on = std::regex_replace("\n" + text, std::regex("\n#(?! )(?=\\S)|\n#(?=  )"), "\n");
  const Settings settings = read_settings(scratch.write("jarvis.yaml", switched_on));
  CHECK(settings.workers.size() == 2);
  CHECK(settings.modules.size() == 8);
  CHECK(settings.links.size() == 4);
  CHECK(settings.people.size() == 2);
  CHECK(settings.domain == "websages.com");
  CHECK(settings.unused_sections.empty());
  TaskTable table;
  jarvis::workers::add_built_in(table);
  add_external_workers(settings, table);
  CHECK(table.require("backup:register")->undo == "backup:forget");
}

TEST_CASE("a module's environment") {
  const ScratchDirectory scratch;
  write_named_files(scratch);
  scratch.write("linode.token", "planted-secret\n");
  scratch.write("mine.env", "# credentials\n\nAPI_KEY=a=b \"c\" #d\r\nEMPTY=\n");
  Settings settings = read_settings(scratch.write("jarvis.yaml", R"(
workers: {mine: {run: x, env_file: mine.env}, other: y}
providers: {linode: {api: 'https://api.example.org', token_file: linode.token, ca_file: vcenter.pem}, local: {addresses: 127.0.65.0/24}}
monitoring: {silence: hooks/silence}
)"));
  CHECK_THROWS_AS(module_environment(settings, "local"), Error);  // before the state is known
  settings.state = "/state";
  using Lines = std::vector<std::string>;
  const std::string in = scratch.path().string() + "/";
  CHECK(module_environment(settings, "local") == Lines{"LOCAL_ADDRESSES=127.0.65.0/24", "LOCAL_DIR=/state/local"});
  CHECK(module_environment(settings, "linode") ==
        Lines{"LINODE_API=https://api.example.org", "LINODE_TOKEN=planted-secret",
              "LINODE_CA_FILE=" + in + "vcenter.pem", "LINODE_DIR=/state/linode"});
  CHECK(module_environment(settings, "monitoring") == Lines{"MONITORING_SILENCE=" + in + "hooks/silence"});
  CHECK(module_environment(settings, "mine") == Lines{"API_KEY=a=b \"c\" #d", "EMPTY="});
  CHECK(module_environment(settings, "other").empty());
  CHECK(module_environment(settings, "ssh").empty());

  SUBCASE("credentials that are missing or open to others") {
    const auto fault = [&](const std::string& module) {
      return fault_of(scratch, [&] { module_environment(settings, module); });
    };
    scratch.write("linode.token", "planted-secret", 0640);
    CHECK(fault("linode") == "linode.token: holds credentials but is open to other users; chmod 600 it");
    scratch.write("linode.token", "\n");
    CHECK(fault("linode") == "linode.token: is empty");
    std::filesystem::remove(scratch.path() / "linode.token");
    CHECK(fault("linode") == "linode.token: No such file or directory");
    CHECK(fault("local").empty());  // the trouble of one module is not another's
  }
  SUBCASE("lines that an env file cannot have") {
    struct Case {
      const char* text;
      const char* want;
    };
    for (const Case& c : {Case{"A=1\nplanted-secret\n", "mine.env:2: a line must be NAME=value"},
                          {"=planted-secret", "mine.env:1: a line must be NAME=value"},
                          {"planted secret=1", "mine.env:1: a line must be NAME=value"},
                          {"1A=x", "mine.env:1: a line must be NAME=value"},
                          {"\nJARVIS_STEP=x", "mine.env:2: JARVIS_STEP is jarvis's own"},
                          {"PATH=/x", "mine.env:1: PATH is set by jarvis"},
                          {"A=1\nA=2", "mine.env:2: A stands here a second time"}}) {
      CAPTURE(c.text);
      scratch.write("mine.env", c.text);
      CHECK(fault_of(scratch, [&] { module_environment(settings, "mine"); }) == c.want);
    }
    scratch.write("mine.env", "A=1", 0644);
    CHECK(fault_of(scratch, [&] { module_environment(settings, "mine"); }).find("chmod 600") != std::string::npos);
  }
}
