#include "workers/host_entry.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "pipeline/clipboard.h"
#include "pipeline/spec.h"
#include "tests/workers/scratch.h"

using namespace jarvis;
using namespace jarvis::workers;
using jarvis::tests::error_of;
using jarvis::tests::holds;

namespace {

LdapEntry entry(std::map<std::string, std::vector<std::string>> values) {
  values.emplace("cn", std::vector<std::string>{"loki"});
  return {"cn=loki,ou=Hosts,dc=websages,dc=com", std::move(values)};
}

// As jarvis will read it.
pipeline::Clipboard read(const std::string& text) {
  pipeline::SpecRules rules;
  rules.providers = {"local"};
  return pipeline::read_spec(text, rules).clipboard;
}

}  // namespace

TEST_CASE("an entry becomes the keys that a spec in YAML has") {
  CHECK(spec_of(entry({{"jarvisprovider", {"local"}},
                       {"jarvissize", {"512"}},
                       {"jarvisgitosisadmin", {"git@git:x.git"}},
                       {"jarvisipaddress", {"192.0.2.7", "2001:db8::7"}},
                       {"jarvisspec", {"zone: x", "note:   'a' # b", "empty:"}}}),
                "websages.com") ==
        "instance:\n  hostname: loki\n  fqdn: loki.websages.com\n  provider: local\n  size: '512'\n"
        "  gitosis-admin: 'git@git:x.git'\n  ipaddress:\n    - '192.0.2.7'\n    - '2001:db8::7'\n"
        "  empty: ''\n  note: '''a'' # b'\n  zone: x\n");
}

TEST_CASE("every value comes back as it was") {
  for (const char* value : {"0123", "no",  "1e3", "12:30:45", "~",  "",     " lead",        "trail ",       "a: b",
                            "# x",  "- x", "{a}", "'",        "\"", "a\\b", "two\nlines\n", "two\n  lines", "\ttab",
                            "ö ☃",  "=",   "<<",  "!x",       "&a", "*a",   "a\r\nb"}) {
    CAPTURE(value);
    const auto board =
        read(spec_of(entry({{"jarvisprovider", {"local"}}, {"jarvisdatacenter", {value}}}), "websages.com"));
    CHECK(board.scalar("datacenter") == value);
    CHECK(board.keys() == std::vector<std::string>{"hostname", "fqdn", "provider", "datacenter"});
  }
}

TEST_CASE("who the host is") {
  struct Case {
    const char* name;
    std::map<std::string, std::vector<std::string>> values;
    const char* domain;
    const char* hostname;
    const char* fqdn;
  };
  for (const Case& c : {
           Case{"cn and domain", {}, "websages.com", "loki", "loki.websages.com"},
           {"the cn that names it", {{"cn", {"other", "loki"}}}, "websages.com", "loki", "loki.websages.com"},
           {"associatedDomain", {{"associateddomain", {"l.example.org"}}}, "", "loki", "l.example.org"},
           {"fqdn before it",
            {{"associateddomain", {"a.b"}}, {"fqdn", {"f.example.org"}}},
            "",
            "loki",
            "f.example.org"},
           {"jarvisFqdn first", {{"jarvisfqdn", {"j.example.org"}}, {"fqdn", {"f.g"}}}, "", "loki", "j.example.org"},
           {"jarvisHostname", {{"jarvishostname", {"l2"}}}, "x.org", "l2", "loki.x.org"},
       }) {
    CAPTURE(c.name);
    auto values = c.values;
    values["jarvisprovider"] = {"local"};
    const auto board = read(spec_of(entry(values), c.domain));
    CHECK(board.scalar("hostname") == c.hostname);
    CHECK(board.scalar("fqdn") == c.fqdn);
  }
  const LdapEntry whole{"cn=loki.example.org,dc=x", {{"cn", {"loki.example.org"}}}};
  CHECK(spec_of(whole, "other.net") == "instance:\n  hostname: loki\n  fqdn: loki.example.org\n");
}

TEST_CASE("entries that are no spec are refused by name") {
  struct Case {
    std::map<std::string, std::vector<std::string>> values;
    const char* reason;
  };
  for (const Case& c : {
           Case{{}, "no `domain:` to complete loki"},
           {{{"fqdn", {"a.b", "c.d"}}}, "fqdn is ambiguous: it has 2 values, a.b and c.d"},
           {{{"fqdn", {"a.b"}}, {"jarvissize", {"1", "2", "3"}}},
            "jarvisSize is ambiguous: it has 3 values, 1 and 2 among them"},
           {{{"fqdn", {"a.b"}}, {"jarvissize", {"1"}}, {"jarvisspec", {"size: 2"}}},
            "`size` is given twice, the second time by jarvisSpec"},
           {{{"fqdn", {"a.b"}}, {"jarvisspec", {"hostname: x"}}}, "`hostname` is given twice"},
           {{{"fqdn", {"a.b"}}, {"jarvisspec", {"a: 1", "a: 2"}}}, "it gives `a` twice"},
           {{{"fqdn", {"a.b"}}, {"jarvisspec", {"no key"}}}, "`no key` is not written as KEY: VALUE"},
           {{{"fqdn", {"a.b"}}, {"jarvisspec", {"a b: c"}}}, "KEY: VALUE"},
           {{{"fqdn", {"a.b"}}, {"jarvisspec", {"a\nb: c"}}}, "`a?b: c` is not"},
           {{{"fqdn", {"a.b"}}, {"jarvissize", {"\xFF"}}}, "jarvisSize is no text"},
           {{{"fqdn", {"a.b"}}, {"jarvissize", {"\x1b[31m"}}}, "jarvisSize is no text"},
       }) {
    CAPTURE(c.reason);
    const auto error = error_of([&] { spec_of(entry(c.values), ""); });
    CHECK(error.kind() == pipeline::Kind::Permanent);
    CHECK_MESSAGE(holds(error.what(), c.reason), error.what());
    CHECK(holds(error.what(), "cn=loki,ou=Hosts,dc=websages,dc=com: "));
  }
}

TEST_CASE("the schema has every attribute that is asked for") {
  for (const char* file : {"jarvis.schema", "jarvis.ldif"}) {
    const std::string schema = tests::read_text(std::string(JARVIS_TEST_DATA) + "/../../config/" + file);
    for (const std::string& attribute : host_attributes()) {
      if (!attribute.starts_with("jarvis")) continue;
      CAPTURE(attribute);
      CHECK(holds(schema, "NAME '" + attribute + "'"));
    }
  }
}
