// Commands about people: who holds what, who they are, what they did, what they want to hear.
#include <algorithm>
#include <deque>
#include <functional>

#include "bot/commands.h"
#include "bot/orders.h"
#include "bot/words.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using boost::asio::awaitable;
using pipeline::Error;
using pipeline::Hold;
using pipeline::Kind;

namespace {

constexpr std::size_t kRecordsAtOnce = 50;  // of the audit log: what the loop does in well under a millisecond

std::string listed(const std::vector<std::string>& words) {
  std::string made;
  for (const std::string& word : words) made += (made.empty() ? "" : ", ") + word;
  return made.empty() ? "nothing" : made;
}

bool fits_all(const std::vector<std::string>& patterns) {
  return std::find(patterns.begin(), patterns.end(), "*") != patterns.end();
}

std::string reason_of(const Talk& talk) {
  const auto found = talk.invocation().options.find("because");
  return found != talk.invocation().options.end() ? found->second : "";
}

// A host that jarvis has a run of, or the full name of one that it has none of yet: that can be held, too.
std::string host_to_hold(House& house, const Talk& talk, const std::string& name) {
  try {
    return allowed_host(house, talk, name);
  } catch (const Error& e) {
    if (e.kind() != Kind::Usage || !pipeline::valid_fqdn(name)) throw;
    require(house.settings(), talk.asker(), {talk.invocation().row->name, {name}, ""});
    return name;
  }
}

std::string audit_line(const nlohmann::json& record) {
  std::string line = record.value("at", "") + " " + record.value("proof", record.value("who", "nobody known"));
  const std::string where = record.value("where", "direct");
  if (where != "direct") line += " in " + where;
  line += ": " + record.value("command", "") + " -> " + record.value("result", "");
  if (record.contains("run")) line += ", run " + record.value("run", "");
  if (record.contains("rule")) line += " (" + record.value("rule", "") + ")";
  return line;
}

bool concerns(const nlohmann::json& record, const std::string& host) {
  const auto hosts = record.value("hosts", std::vector<std::string>());
  return std::any_of(hosts.begin(), hosts.end(),
                     [&](const std::string& one) { return one == host || one.substr(0, one.find('.')) == host; });
}

}  // namespace

awaitable<int> do_hold(House& house, Talk& talk) {
  const std::string host = host_to_hold(house, talk, talk.invocation().words.at(0));
  if (std::string(talk.invocation().row->name) == "release") {
    const Hold was = house.pipeline().release(host);
    talk.say(house.shown(host) + " is free again; it was held " + was.words());
    co_return kDone;
  }
  const std::string reason = reason_of(talk);
  if (reason.empty()) throw Error(Kind::Usage, "hold HOST because REASON: others will want to know");
  house.pipeline().hold({host, talk.by(), reason, pipeline::now()});
  const auto views = house.pipeline().views({host, true, 1});
  talk.say(house.shown(host) + " is held: no run of it begins until `jarvis release " + house.shown(host) + "`" +
           (views.empty() ? "" : "; run " + views.front().run + " goes on"));
  co_return kDone;
}

awaitable<int> do_freeze(House& house, Talk& talk) {
  if (std::string(talk.invocation().row->name) == "thaw") {
    const Hold was = house.pipeline().thaw();
    talk.say("tasks begin again; they were frozen " + was.words());
    co_return kDone;
  }
  house.pipeline().freeze({"*", talk.by(), reason_of(talk), pipeline::now()});
  talk.say("no new task begins anywhere until `jarvis thaw`; what is at work ends");
  co_return kDone;
}

awaitable<int> do_whoami(House& house, Talk& talk) {
  const Asker& asker = talk.asker();
  const Person* person = person_called(house.settings(), asker.person);
  if (talk.invocation().json) {
    talk.json({{"person", person != nullptr ? nlohmann::json(person->name) : nlohmann::json()},
               {"shown", asker.shown},
               {"place", asker.place},
               {"owner", asker.owner},
               {"roles", person != nullptr ? person->roles : std::vector<std::string>()}});
    co_return kDone;
  }
  if (asker.owner) {
    talk.say("you are " + asker.shown + ": you may do everything");
    co_return kDone;
  }
  if (person == nullptr) {
    talk.say("I see " + asker.shown + ", whom the configuration does not know: you may ask for `help` and `whoami`");
    co_return kDone;
  }
  talk.say("you are " + asker.shown + ", here in " + asker.place);
  for (const std::string& name : person->roles) {
    const auto role = house.settings().roles.find(name);
    if (role == house.settings().roles.end()) continue;
    const bool here = std::any_of(role->second.places.begin(), role->second.places.end(),
                                  [&](const std::string& place) { return fits(place, asker.place); });
    const std::string commands =
        fits_all(role->second.commands) ? "do everything" : "say " + listed(role->second.commands);
    talk.say("as " + name + " you may " + commands + " for " +
             (fits_all(role->second.hosts) ? "all hosts" : listed(role->second.hosts)) + " with " +
             (fits_all(role->second.providers) ? "all providers" : listed(role->second.providers)) +
             (here ? "" : ", but not here: only in " + listed(role->second.places)));
  }
  if (person->roles.empty()) talk.say("you have no role, so you may ask for `help` and `whoami`");
  co_return kDone;
}

awaitable<int> do_audit(House& house, Talk& talk) {
  const Invocation& invocation = talk.invocation();
  std::string host;
  if (!invocation.words.empty()) host = host_to_hold(house, talk, invocation.words[0]);
  const std::size_t most = invocation.json ? static_cast<std::size_t>(-1) : talk.lines() - 1;
  const auto reading = std::make_shared<AuditReading>(house.audit().reading());
  struct Found {
    AuditReading::Verified verified;
    std::deque<std::uint64_t> newest;  // where they stand, the newest last
  };
  const std::function<Found()> look = [reading, host, most] {
    Found made;
    made.verified = reading->verify([&](const nlohmann::json& record, std::uint64_t at) {
      if (!host.empty() && !concerns(record, host)) return;
      made.newest.push_back(at);
      if (made.newest.size() > most) made.newest.pop_front();
    });
    return made;
  };
  auto found = co_await house.beside_loop().run(look);
  while (!found.newest.empty()) {
    std::vector<std::uint64_t> some;
    for (; !found.newest.empty() && some.size() < kRecordsAtOnce; found.newest.pop_back())
      some.push_back(found.newest.back());
    const std::function<std::vector<nlohmann::json>()> read = [reading, some] {
      std::vector<nlohmann::json> made;
      made.reserve(some.size());
      for (const std::uint64_t at : some) made.push_back(reading->record_at(at));
      return made;
    };
    const auto records = co_await house.beside_loop().run(read);
    for (const auto& record : records) {
      if (record.is_object() && invocation.json) talk.json(record);
      if (record.is_object() && !invocation.json) talk.say(audit_line(record));
    }
    const bool there = co_await talk.caught_up();
    if (!there) co_return kFailed;
  }
  if (!found.verified.fault.empty())
    throw Error(Kind::Permanent, "the audit log is not what jarvis wrote: " + found.verified.fault);
  if (!invocation.json) talk.say(std::to_string(found.verified.records) + " records, none was changed");
  co_return kDone;
}

awaitable<int> do_follow(House& house, Talk& talk) {
  const std::string host = host_to_hold(house, talk, talk.invocation().words.at(0));
  const bool quiet = std::string(talk.invocation().row->name) == "quiet";
  const auto where = Whence::from(talk.where());
  if (!where) {
    if (quiet) throw Error(Kind::Usage, "quiet is said where you would be told: in chat");
    const auto views = house.pipeline().views({host, true, 1});
    if (views.empty())
      throw Error(Kind::Usage, house.shown(host) + ": nothing is in flight, there is nothing to follow");
    co_return co_await follow(house, talk, views.front().run, std::nullopt);
  }
  // Every stage is what `status` tells, and is told only as long as that may be asked there.
  if (!quiet) require(house.settings(), talk.asker(), {"status", {host}, provider_of(house, host)});
  house.followings().set({talk.asker().name, host, quiet, *where});
  talk.say(house.shown(host) + (quiet ? ": you will hear nothing but the end of what you order yourself"
                                      : ": you will hear of every stage here"));
  co_return kDone;
}

}  // namespace jarvis::bot
