// Who may do what, and who somebody is.
#include "bot/access.h"

#include <doctest/doctest.h>

#include "pipeline/error.h"

using namespace jarvis::bot;
using jarvis::pipeline::Error;
using jarvis::pipeline::Kind;

namespace {

Settings settings() {
  Settings made;
  const auto role = [&](Role one) { made.roles[one.name] = one; };
  role({"operator", {"deploy", "status"}, {"*.example.org"}, {"local"}, {"freenet/#ops", "direct"}, 2, 0});
  role({"watcher", {"status", "history"}, {"*"}, {"*"}, {"*"}, 1, 0});
  role({"mailer", {"deploy"}, {"mail.example.net"}, {"*"}, {"freenet/#mail"}, 1, 0});
  role({"empty", {}, {}, {}, {}, 1, 0});
  Person thor;
  thor.name = "thor";
  thor.roles = {"operator"};
  thor.identities = {{"freenet", {"Thor", "cert:ABCDEF"}}, {"jabber", {"thor@example.org"}}};
  Person both;
  both.name = "both";
  both.roles = {"operator", "mailer"};
  both.identities = {{"freenet", {"both"}}};
  Person idle;
  idle.name = "idle";
  Person ghost;
  ghost.name = "ghost";
  ghost.roles = {"no-such-role"};
  Person none;
  none.name = "none";
  none.roles = {"empty"};
  Person watcher;
  watcher.name = "watcher";
  watcher.roles = {"watcher"};
  made.people = {thor, both, idle, ghost, none, watcher};
  return made;
}

Asker asker(const std::string& person, const std::string& place = "freenet/#ops") {
  Asker made;
  made.person = made.name = person;
  made.place = place;
  return made;
}

}  // namespace

TEST_CASE("access: what an order costs") {
  Settings made = settings();
  made.roles["operator"].monthly = 20;
  const auto asks = [&](const std::string& person, std::optional<double> monthly) {
    return may(made, asker(person, person == "both" ? "freenet/#mail" : "freenet/#ops"),
               {"deploy", {person == "both" ? "mail.example.net" : "loki.example.org"}, "local", monthly});
  };
  CHECK(asks("thor", {}).allowed);
  CHECK(asks("thor", 20).allowed);
  CHECK_FALSE(asks("thor", 20.01).allowed);
  CHECK(asks("thor", 25.5).rule == "role operator may spend 20 a month at once, and this would cost 25.50");
  CHECK(asks("both", 100).allowed);  // by his other role, which has no bound
  made.roles["operator"].monthly = 0;
  CHECK(asks("thor", 0).allowed);
  CHECK_FALSE(asks("thor", 0.01).allowed);
}

TEST_CASE("access: patterns") {
  struct Case {
    const char* pattern;
    const char* text;
    bool want;
  };
  for (const Case& c : {
           Case{"", "", true},
           {"", "a", false},
           {"*", "", true},
           {"*", "anything/at.all", true},
           {"**", "", true},
           {"loki", "loki", true},
           {"loki", "LOKI", true},
           {"LOKI", "loki", true},
           {"loki", "lokis", false},
           {"loki", "lok", false},
           {"*.example.org", "loki.example.org", true},
           {"*.example.org", "a.b.example.org", true},
           {"*.example.org", "example.org", false},
           {"*.example.org", "loki.example.org.evil.net", false},
           {"*.example.org", "loki.example.orgx", false},
           {"web*", "web", true},
           {"web*", "web12", true},
           {"web*", "aweb", false},
           {"w*b*", "wxxbyy", true},
           {"*a*b", "aXbXaXb", true},
           {"*a*b", "aXbXa", false},
           {"a*a", "a", false},
           {"a*a", "aa", true},
           {"[a-z]", "b", false},
           {"a?c", "abc", false},
           {"freenet/*", "freenet/#ops", true},
           {"freenet/#ops", "freenet/#ops2", false},
           {"direct", "direct", true},
           {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
       }) {
    CAPTURE(c.pattern);
    CAPTURE(c.text);
    CHECK(fits(c.pattern, c.text) == c.want);
  }
  // Many stars against a long text: bounded work, whoever wrote the pattern.
  CHECK_FALSE(fits("*a*a*a*a*a*a*a*a*a*a*b", std::string(20'000, 'a')));
}

TEST_CASE("access: one role must allow all of a deed") {
  struct Case {
    const char* name;
    Asker who;
    Deed deed;
    bool allowed;
    std::string rule;
  };
  Asker owner;
  owner.owner = true;
  owner.place = "direct";
  const std::string stranger = "nobody here knows who you are, so you may ask for `help` and `whoami` only";
  for (const Case& c : std::vector<Case>{
           {"all fits", asker("thor"), {"deploy", {"loki.example.org"}, "local"}, true, "role operator"},
           {"nothing is known of the host yet", asker("thor"), {"deploy", {}, ""}, true, "role operator"},
           {"another command", asker("thor"), {"destroy", {}, ""}, false, "role operator has no command destroy"},
           {"another place",
            asker("thor", "freenet/#chat"),
            {"deploy", {}, ""},
            false,
            "role operator is not for freenet/#chat"},
           {"a place that begins like it",
            asker("thor", "freenet/#ops2"),
            {"deploy", {}, ""},
            false,
            "role operator is not for freenet/#ops2"},
           {"the same channel of another network",
            asker("thor", "oftc/#ops"),
            {"deploy", {}, ""},
            false,
            "role operator is not for oftc/#ops"},
           {"by direct message", asker("thor", "direct"), {"deploy", {}, ""}, true, "role operator"},
           {"another host",
            asker("thor"),
            {"deploy", {"loki.example.net"}, ""},
            false,
            "role operator is not for loki.example.net"},
           {"one of two names",
            asker("thor"),
            {"deploy", {"loki.example.org", "www.example.net"}, "local"},
            false,
            "role operator is not for www.example.net"},
           {"another provider",
            asker("thor"),
            {"deploy", {"loki.example.org"}, "linode"},
            false,
            "role operator is not for the provider linode"},
           {"each of two roles allows a part, none all",
            asker("both"),
            {"deploy", {"mail.example.net"}, "local"},
            false,
            "role operator is not for mail.example.net; role mailer is not for freenet/#ops"},
           {"the second role allows all",
            asker("both", "freenet/#mail"),
            {"deploy", {"mail.example.net"}, "local"},
            true,
            "role mailer"},
           {"hosts of two roles at once",
            asker("both", "direct"),
            {"deploy", {"loki.example.org", "mail.example.net"}, "local"},
            false,
            "role operator is not for mail.example.net; role mailer is not for direct"},
           {"no role", asker("idle"), {"status", {}, ""}, false, "idle has no role"},
           {"a role that is gone", asker("ghost"), {"status", {}, ""}, false, "ghost has no role"},
           {"a role that allows nothing", asker("none"), {"status", {}, ""}, false, "role empty has no command status"},
           {"stars", asker("watcher", "anywhere/else"), {"history", {"a.b"}, "x"}, true, "role watcher"},
           {"a command is not its beginning",
            asker("watcher"),
            {"stat", {}, ""},
            false,
            "role watcher has no command stat"},
           {"nobody", asker(""), {"status", {}, ""}, false, stranger},
           {"somebody whom a reload took out", asker("odin"), {"status", {}, ""}, false, stranger},
           {"nobody may ask who he is", asker("", "x/#y"), {"whoami", {}, ""}, true, "everybody may"},
           {"nobody may ask for help", asker("", "x/#y"), {"help", {}, ""}, true, "everybody may"},
           {"the owner",
            owner,
            {"destroy", {"any.host"}, "any"},
            true,
            "root and the owner of the state may do everything"},
       }) {
    CAPTURE(std::string(c.name));
    const Settings known = settings();
    const Verdict verdict = may(known, c.who, c.deed);
    CHECK(verdict.allowed == c.allowed);
    CHECK(verdict.rule == c.rule);
    CHECK((verdict.role != nullptr) == (c.allowed && c.rule.starts_with("role ")));
    std::string refusal;
    try {
      const Role* role = require(known, c.who, c.deed);
      CHECK(role == verdict.role);
    } catch (const Error& e) {
      CHECK(e.kind() == Kind::Refused);
      refusal = e.what();
    }
    CHECK(refusal == (c.allowed ? "" : c.rule));
  }
}

TEST_CASE("access: an asker outlives the settings it was proven by") {
  Settings known = settings();
  const Asker who = asker("thor");
  const Deed deed{"deploy", {"loki.example.org"}, "local"};
  REQUIRE(may(known, who, deed).allowed);
  Settings next = settings();
  next.roles["operator"].hosts = {"nothing"};
  known = next;
  CHECK(may(known, who, deed).rule == "role operator is not for loki.example.org");
  next.people.clear();
  known = std::move(next);
  CHECK_FALSE(may(known, who, deed).allowed);
}

TEST_CASE("access: whom a proof names") {
  struct Case {
    const char* name;
    const char* link;
    const char* identity;
    const char* proof;
    const char* want;
  };
  const Settings known = settings();
  for (const Case& c : {
           Case{"an account", "freenet", "thor", "account", "thor"},
           {"an account, in other letters", "freenet", "THOR", "account", "thor"},
           {"an account that begins so", "freenet", "thor_", "account", ""},
           {"a shorter one", "freenet", "tho", "account", ""},
           {"RFC 1459 letters are no letters of accounts", "freenet", "th{r", "account", ""},
           {"the same account on another network", "oftc", "thor", "account", ""},
           {"another link's identity", "jabber", "thor", "jid", ""},
           {"a JID", "jabber", "thor@example.org", "jid", "thor"},
           {"a full JID is none", "jabber", "thor@example.org/desk", "jid", ""},
           {"a certificate", "freenet", "cert:abcdef", "certificate", "thor"},
           {"a certificate, without its mark", "freenet", "ABCDEF", "certificate", "thor"},
           {"an unknown certificate", "freenet", "cert:abcdee", "certificate", ""},
           {"a certificate that is called like an account", "freenet", "thor", "certificate", ""},
           {"an account that is called like a certificate", "freenet", "cert:abcdef", "account", ""},
           {"an account that is called like a fingerprint", "freenet", "abcdef", "account", ""},
           {"nothing", "freenet", "", "account", ""},
           {"nothing, as a certificate", "freenet", "", "certificate", ""},
       }) {
    CAPTURE(c.name);
    const Person* person = person_of(known, c.link, c.identity, c.proof);
    CHECK(std::string(person != nullptr ? person->name : "") == c.want);
  }
  Settings careless;
  Person somebody;
  somebody.name = "somebody";
  somebody.identities = {{"freenet", {""}}};
  careless.people = {somebody};
  CHECK_MESSAGE(person_of(careless, "freenet", "", "") == nullptr, "who is not proven to be somebody is nobody");
}
