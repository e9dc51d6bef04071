// Which things no run accounts for, and the line that tells of them.
#include "bot/orphans.h"

#include <doctest/doctest.h>

#include "bot/orphan_watch.h"

using namespace jarvis::bot;

namespace {

Thing machine(const std::string& id, const std::string& run = "run1") {
  Thing made;
  made.provider = "linode";
  made.kind = "machine";
  made.id = id;
  made.host = "loki.example.org";
  made.run = run;
  made.monthly = 5;
  made.currency = "USD";
  return made;
}

Thing volume(const std::string& id, const std::string& of, const std::string& run = "run1") {
  Thing made = machine(id, run);
  made.kind = "volume";
  made.machine = of;
  return made;
}

// The host's newest run ended well and left it machine m-1.
Account well(const std::string& operation = "deploy", const std::string& instance_id = "m-1") {
  Account made;
  made.newest = made.well = Account::Ended{"run1", operation, "linode"};
  made.instance_id = instance_id;
  made.values = std::set<std::string>{"loki.example.org", instance_id, "v-named"};
  return made;
}

Account failed_after(Account account, const std::string& run = "run2", const std::string& operation = "redeploy") {
  account.newest = Account::Ended{run, operation, "linode"};
  return account;
}

Account only_failed() {
  Account made;
  made.newest = Account::Ended{"run1", "deploy", "linode"};
  return made;
}

Account in_flight() {
  Account made;
  made.in_flight = true;
  return made;
}

Account elsewhere() {
  Account made = well();
  made.newest->provider = made.well->provider = "ec2";
  return made;
}

Account unreadable() {
  Account made = well();
  made.values.reset();
  made.instance_id.clear();
  return made;
}

}  // namespace

TEST_CASE("orphans: what a run accounts for, and what none does") {
  struct Case {
    const char* name;
    Thing thing;
    Account account;
    const char* why;  // empty: a run accounts for it
  };
  for (const Case& c : {
           Case{"the host's machine", machine("m-1"), well(), ""},
           {"made by an earlier run, kept by the newest", machine("m-1", "run0"), well(), ""},
           {"made by a run that is forgotten", machine("m-1", "gone"), well(), ""},
           {"adopted", machine("m-1", ""), well("adopt"), ""},
           {"a run that nobody here knows", machine("m-1", "zzz"), {}, "run zzz is not known here"},
           {"no run and no host", machine("m-1", ""), {}, "no run of this host is known here"},
           {"the host has another machine", machine("m-0", "run0"), well(), "the host's machine is m-1 since run run1"},
           {"destroyed since", machine("m-1"), well("destroy", ""), "the host was destroyed by run run1"},
           {"destroyed, its workers left the id", machine("m-1"), well("destroy"),
            "the host was destroyed by run run1"},
           {"a run that left no machine", machine("m-1"), well("deploy", ""), "run run1 left the host no machine"},
           {"moved to another provider", machine("m-1"), elsewhere(), "the host is at ec2 since run run1"},
           {"no run ended well", machine("m-1"), only_failed(), "run run1 (deploy) did not end well"},
           {"made by a redeploy that failed", machine("m-2", "run2"), failed_after(well()),
            "run run2 (redeploy) did not end well"},
           {"a later run failed and left it", machine("m-1"), failed_after(well()), ""},
           {"in flight", machine("m-9", "zzz"), in_flight(), ""},
           {"its clipboard cannot be opened", machine("m-1"), unreadable(), ""},
           {"a volume of the host's machine", volume("v-1", "m-1"), well(), ""},
           {"a volume of a machine that is gone", volume("v-1", "m-0"), well(),
            "the host's machine is m-1 since run run1"},
           {"a volume that hangs on nothing", volume("v-1", ""), well(),
            "no machine has it, and run run1 does not know it"},
           {"a volume that the clipboard names", volume("v-named", ""), well(), ""},
           {"a volume that outlived its host", volume("v-1", ""), well("destroy", ""),
            "the host was destroyed by run run1"},
           {"a machine that is merely named", machine("v-named"), well(), "the host's machine is m-1 since run run1"},
       }) {
    CAPTURE(c.name);
    CHECK(orphan_because(c.thing, c.account).value_or("") == c.why);
  }
}

TEST_CASE("orphans: the line of the day") {
  CHECK(orphans_line({}).empty());
  CHECK(orphans_line({{machine("m-1"), std::nullopt, false}}).empty());
  std::vector<Judged> judged = {{machine("m-1"), "why", false}, {machine("m-2"), std::nullopt, false}};
  CHECK(orphans_line(judged) ==
        "no run accounts for 1 thing with jarvis's marks, 5.00 USD a month: loki.example.org (linode machine m-1); "
        "`jarvis hosts --orphans` says why");
  Thing euro = volume("v-1", "");
  euro.currency = "EUR";
  judged.push_back({euro, "why", false});
  CHECK(orphans_line(judged).find("2 things with jarvis's marks, 5.00 USD + 5.00 EUR a month: ") != std::string::npos);
  for (int i = 0; i < 20; ++i) judged.push_back({machine("n"), "why", false});
  CHECK(orphans_line(judged).find(" and 14 more; ") != std::string::npos);
}
