// What is owned and what is offered: hosts, providers.
#include <algorithm>
#include <tuple>

#include "bot/commands.h"
#include "bot/config_values.h"
#include "bot/offering.h"
#include "bot/orphans.h"
#include "bot/words.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using boost::asio::awaitable;
using pipeline::Error;
using pipeline::Kind;
using Json = nlohmann::json;

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string made;
  for (const std::string& word : words) made += (made.empty() ? "" : ", ") + word;
  return made;
}

Json or_null(const std::optional<double>& amount) {
  return amount ? Json(*amount) : Json();
}

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

// "5.00 USD a month", or nothing.
std::string price(const std::optional<double>& monthly, const std::string& currency) {
  Sum sum;
  sum.add(monthly, currency);
  return sum.empty() ? "" : sum.text() + " a month";
}

void add_part(std::string& line, const std::string& part) {
  if (!part.empty()) line += ", " + part;
}

// A listing may have more lines than a conversation: on the command line it goes out whole, in chat as much as fits.
void say_lines(Talk& talk, const std::vector<std::string>& lines, const std::string& hint) {
  if (talk.waits()) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    if (!text.empty()) talk.raw(text);
    return;
  }
  const std::size_t most = talk.lines() - 1;
  for (std::size_t i = 0; i < std::min(most, lines.size()); ++i) talk.say(lines[i]);
  if (lines.size() > most) talk.say("... and " + std::to_string(lines.size() - most) + " more; " + hint);
}

void say_objects(Talk& talk, const std::vector<Json>& objects) {
  std::string text;
  for (const Json& object : objects) text += object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (!text.empty()) talk.raw(text);
}

std::string line_of(const Judged& one, pipeline::Time now) {
  const Thing& thing = one.thing;
  std::string line = thing.host + ": " + thing.provider + " " + thing.kind + " " + thing.id;
  add_part(line, thing.shown);
  if (!thing.machine.empty() && thing.kind != "machine") line += ", of machine " + thing.machine;
  if (!thing.run.empty()) line += ", run " + thing.run;
  if (thing.created)
    line += ", made " + in_words(std::chrono::duration_cast<std::chrono::milliseconds>(now - *thing.created)) + " ago";
  add_part(line, price(thing.monthly, thing.currency));
  if (one.orphan) line += "; orphan: " + *one.orphan;
  return line;
}

Json json_of(const Judged& one, pipeline::Time now) {
  const Thing& thing = one.thing;
  Json made = {{"host", thing.host},
               {"provider", thing.provider},
               {"kind", thing.kind},
               {"id", thing.id},
               {"name", thing.name},
               {"run", or_null(thing.run)},
               {"step", or_null(thing.step)},
               {"created", nullptr},
               {"age", nullptr},
               {"shown", thing.shown},
               {"machine", or_null(thing.machine)},
               {"monthly", or_null(thing.monthly)},
               {"currency", thing.monthly ? Json(thing.currency) : Json()},
               {"orphan", one.orphan.has_value()},
               {"why", or_null(one.orphan.value_or(""))}};
  if (thing.created) {
    made["created"] = rfc3339(*thing.created);
    made["age"] = std::chrono::duration_cast<std::chrono::seconds>(now - *thing.created).count();
  }
  return made;
}

bool machines_first(const Judged& a, const Judged& b) {
  const auto key = [](const Judged& one) {
    const Thing& thing = one.thing;
    return std::tuple(thing.host, thing.provider, thing.kind != "machine", thing.kind, thing.id);
  };
  return key(a) < key(b);
}

bool newest_first(const Judged& a, const Judged& b) {
  return a.thing.created.value_or(pipeline::Time{}) > b.thing.created.value_or(pipeline::Time{});
}

std::string summary(const std::vector<Judged>& all, const std::vector<std::string>& asked, bool orphans_only) {
  Sum sum;
  std::size_t orphans = 0;
  std::vector<std::pair<std::string, int>> kinds;
  for (const Judged& one : all) {
    sum.add(one.thing.monthly, one.thing.currency);
    orphans += one.orphan ? 1 : 0;
    const auto kind =
        std::find_if(kinds.begin(), kinds.end(), [&](const auto& known) { return known.first == one.thing.kind; });
    if (kind == kinds.end())
      kinds.emplace_back(one.thing.kind, 1);
    else
      ++kind->second;
  }
  if (all.empty())
    return (orphans_only ? "no orphans: a run accounts for all that carries jarvis's marks at "
                         : "nothing carries jarvis's marks at ") +
           joined(asked);
  std::string text;
  for (const auto& [kind, count] : kinds) {
    const std::string plural = kind == "address" ? "es" : "s";
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + kind + (count == 1 ? "" : plural);
  }
  if (!sum.empty()) text += ", " + sum.text() + " a month";
  if (orphans > 0 && !orphans_only)
    text += "; no run accounts for " + std::to_string(orphans) + " of them, `jarvis hosts --orphans` lists those";
  if (orphans_only) text += "; `jarvis adopt HOST` takes a machine over, so that `jarvis destroy HOST` can delete it";
  return text;
}

}  // namespace

awaitable<int> do_hosts(House& house, Talk& talk) {
  const bool orphans_only = talk.invocation().options.count("orphans") > 0;
  const auto wanted = [&](const std::string& provider) {
    return may(house.settings(), talk.asker(), {"hosts", {}, provider}).allowed;
  };
  Owning owning = co_await ask_owned(house, house.directory_for(talk.directory()), wanted);
  std::vector<Thing> things;
  for (Thing& thing : owning.things) {
    thing.host = host_of(house, thing);
    if (may(house.settings(), talk.asker(), {"hosts", {thing.host}, thing.provider}).allowed)
      things.push_back(std::move(thing));
  }
  std::vector<Judged> judged = co_await judge(house, std::move(things));
  const bool unreadable = std::any_of(judged.begin(), judged.end(), [](const Judged& one) { return one.unreadable; });
  if (orphans_only) std::erase_if(judged, [](const Judged& one) { return !one.orphan; });
  const auto now = pipeline::now();
  std::sort(judged.begin(), judged.end(), machines_first);
  if (talk.invocation().json) {
    std::stable_sort(judged.begin(), judged.end(), newest_first);
    std::vector<Json> objects;
    objects.reserve(judged.size());
    for (const Judged& one : judged) objects.push_back(json_of(one, now));
    say_objects(talk, objects);
  } else {
    std::vector<std::string> lines;
    lines.reserve(judged.size());
    for (const Judged& one : judged) lines.push_back(line_of(one, now));
    say_lines(talk, lines, "`jarvis hosts` on the command line lists all");
    std::vector<std::string> answered;
    for (const std::string& provider : owning.asked) {
      const bool failed = std::any_of(owning.faults.begin(), owning.faults.end(),
                                      [&](const auto& fault) { return fault.starts_with(provider + ": "); });
      if (!failed) answered.push_back(provider);
    }
    if (owning.asked.empty()) talk.say("no configured provider lists what it owns");
    if (!answered.empty()) talk.say(summary(judged, answered, orphans_only));
  }
  if (unreadable)
    owning.faults.push_back(
        "not every clipboard of this state can be opened, so that orphans are not known for certain");
  for (const std::string& fault : owning.faults) talk.error(fault);
  co_return owning.faults.empty() ? kDone : kFailed;
}

awaitable<int> do_providers(House& house, Talk& talk) {
  const Invocation& invocation = talk.invocation();
  const auto allowed = [&](const std::string& provider) {
    return may(house.settings(), talk.asker(), {"providers", {}, provider}).allowed;
  };
  std::vector<std::string> lines;
  std::vector<Json> objects;
  if (invocation.words.empty()) {
    for (const std::string& provider : configured_providers(house.settings(), house.lists(), house.table())) {
      if (!allowed(provider)) continue;
      const auto operations = house.lists().operations(provider);
      const bool offers = listed_row(house.table(), provider, "offers") != nullptr;
      const bool machines = listed_row(house.table(), provider, "machines") != nullptr;
      lines.push_back(provider + ": " + (operations.empty() ? "no action list" : joined(operations)) +
                      (offers ? "; `jarvis providers " + provider + "` lists what it offers" : ""));
      objects.push_back(
          {{"provider", provider}, {"operations", operations}, {"offers", offers}, {"machines", machines}});
    }
    if (invocation.json) say_objects(talk, objects);
    if (!invocation.json) say_lines(talk, lines, "`jarvis providers` on the command line lists all");
    co_return kDone;
  }
  const std::string provider = lower_case(invocation.words[0]);
  require(house.settings(), talk.asker(), {"providers", {}, provider});
  require_provider(house, provider);
  const std::vector<std::string> filter(invocation.words.begin() + 1, invocation.words.end());
  const auto offers = co_await ask_offers(house, house.directory_for(talk.directory()), provider);
  for (const Offered& one : offers) {
    if (!fits_words(one, filter)) continue;
    std::string line = one.kind + " " + one.id;
    if (one.label != one.id) add_part(line, one.label);
    add_part(line, one.shown);
    add_part(line, price(one.monthly, one.currency));
    lines.push_back(std::move(line));
    objects.push_back({{"provider", provider},
                       {"kind", one.kind},
                       {"id", one.id},
                       {"label", one.label},
                       {"shown", one.shown},
                       {"monthly", or_null(one.monthly)},
                       {"currency", one.monthly ? Json(one.currency) : Json()}});
  }
  if (invocation.json) {
    say_objects(talk, objects);
    co_return kDone;
  }
  if (lines.empty())
    talk.say(offers.empty() ? provider + " offers nothing"
                            : "none of the " + std::to_string(offers.size()) + " things that " + provider +
                                  " offers fits `" + joined(filter) + "`");
  say_lines(talk, lines, "say more words, as in `jarvis providers " + provider + " type 2048`");
  co_return kDone;
}

}  // namespace jarvis::bot
