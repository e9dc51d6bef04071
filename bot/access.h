// Who may do what (docs/access.md). Nobody may do anything until the configuration says so: a person is known by what
// the network proved, holds roles, and one role must allow all of a deed: command, place, hosts, provider. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bot/settings.h"

namespace jarvis::bot {

// Who gave a command, as proven.
struct Asker {
  // Whom the configuration knows; empty: nobody. By name, for a command may wait while the configuration is read again:
  // what counts is what the person may do when it is asked.
  std::string person;
  bool owner = false;   // root, or the owner of the state directory: may do everything
  std::string shown;    // "root (uid 0)", "thor (freenet account thor)"
  std::string name;     // of the person, for counting approvals: "thor", "uid 0", or ""
  std::string place;    // LINK/PLACE, or `direct`
  std::string missing;  // of somebody unknown: what would make him known
};

// What somebody wants to do. Left out: not known yet, or not concerned.
struct Deed {
  std::string_view command;
  std::vector<std::string> hosts;  // fqdns, and every name the plan would change
  std::string provider;
  std::optional<double> monthly = {};  // what it would cost
};

struct Verdict {
  bool allowed = false;
  std::string rule;  // which role allowed it, or why it is refused
  // The one that allowed it; nothing for owners and for what everybody may do. The settings own it: not to be kept over
  // a co_await, they may be read again meanwhile.
  const Role* role = nullptr;
};
Verdict may(const Settings& settings, const Asker& asker, const Deed& deed);
// The same; Error(Refused) with the rule when it is not allowed.
const Role* require(const Settings& settings, const Asker& asker, const Deed& deed);

// `*` stands for any text, also with `/` and `.` in it; letters without case.
bool fits(std::string_view pattern, std::string_view text);

// The person of this name; nullptr if the configuration knows none (any more).
const Person* person_called(const Settings& settings, const std::string& name);
// The person whom a network's proof names: `identity` as the link gave it, nullptr if nobody.
const Person* person_of(const Settings& settings, const std::string& link, const std::string& identity,
                        const std::string& proof);

}  // namespace jarvis::bot
