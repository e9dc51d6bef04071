// adopt: a machine that is there already becomes a host of jarvis's. Every provider is asked in plan mode whether it
// has it; exactly one must.
#include <algorithm>

#include "bot/commands.h"
#include "bot/config_values.h"
#include "bot/offering.h"
#include "bot/orders.h"
#include "bot/together.h"
#include "pipeline/error.h"
#include "pipeline/yaml_quote.h"

namespace jarvis::bot {

using boost::asio::awaitable;
using pipeline::Clipboard;
using pipeline::Error;
using pipeline::Kind;
using pipeline::Order;
using pipeline::Plan;

namespace {

struct Candidate {
  std::string provider;
  Plan plan;
  Clipboard first = Clipboard::checked("{}\n");
  std::vector<std::string> changes;  // none: it has no such machine
  std::string fault;                 // why it could not tell, or refuses
  bool refused = false;
};

// The fqdn that HOST means, which need not be known here.
std::string fqdn_of(House& house, const std::string& given) {
  std::string name = lower_case(given);
  if (pipeline::valid_fqdn(name)) return name;
  if (!pipeline::valid_host_name(name))
    throw Error(Kind::Usage, "`" + given + "` is no host name (letters, digits, hyphens; RFC 1123)");
  try {
    return house.host_of(name);
  } catch (const Error&) {
    if (!house.settings().domain.empty()) return name + "." + house.settings().domain;
    throw Error(Kind::Usage, "no host " + name + " is known here: give its full name, as in `jarvis adopt " + name +
                                 ".example.org`");
  }
}

Clipboard first_clipboard(const std::string& host, const std::string& provider) {
  Clipboard first = Clipboard::parse("hostname: " + pipeline::quoted(host.substr(0, host.find('.'))) + "\n");
  first.set("fqdn", host);
  first.set("provider", provider);
  return first;
}

awaitable<void> ask_for_machine(House& house, std::string directory, Candidate& candidate) {
  try {
    const auto faults = house.pipeline().credential_faults(candidate.plan);
    if (!faults.empty()) throw Error(Kind::Usage, joined_lines(faults));
    const auto answers = co_await house.pipeline().ask(candidate.plan, candidate.first, std::move(directory));
    for (const auto& asked : answers) {
      candidate.changes.insert(candidate.changes.end(), asked.changes.begin(), asked.changes.end());
      if (asked.fault.empty()) continue;
      candidate.fault = asked.fault;
      candidate.refused = candidate.refused || asked.refused;
    }
  } catch (const Error& e) {
    candidate.fault = e.what();
  }
}

std::string names_of(const std::vector<Candidate>& candidates) {
  std::string made;
  for (const Candidate& one : candidates) made += (made.empty() ? "" : ", ") + one.provider;
  return made;
}

std::vector<Candidate> candidates_for(House& house, const Talk& talk, const std::string& host,
                                      const std::string& named) {
  std::vector<Candidate> made;
  for (const std::string& provider : configured_providers(house.settings(), house.lists(), house.table())) {
    if (!named.empty() && provider != named) continue;
    const auto* list = house.lists().find(provider, "adopt");
    if (list == nullptr && named.empty()) continue;
    if (!named.empty()) require(house.settings(), talk.asker(), {"adopt", {host}, provider});
    if (!may(house.settings(), talk.asker(), {"adopt", {host}, provider}).allowed) continue;
    Candidate one;
    one.provider = provider;
    one.first = first_clipboard(host, provider);
    one.plan = pipeline::make_plan(house.list_of(provider, "adopt"), house.table(), one.first, host);
    made.push_back(std::move(one));
  }
  return made;
}

// The one that has it, or one sentence that says why it is none.
Candidate& the_one(std::vector<Candidate>& candidates, const std::string& host) {
  std::vector<Candidate*> have;
  std::string faults, where;
  for (Candidate& one : candidates) {
    if (one.refused) throw Error(Kind::Permanent, one.provider + ": " + one.fault + "\nnothing was changed");
    if (!one.fault.empty()) {
      faults += (faults.empty() ? "" : "; ") + one.provider + ": " + one.fault;
    } else if (!one.changes.empty()) {
      have.push_back(&one);
      where += (where.empty() ? "" : " and ") + one.provider;
    }
  }
  if (have.size() > 1)
    throw Error(Kind::Usage, host + " is at " + where + ": say which, as in `jarvis adopt " + host + " " +
                                 have.front()->provider + "`; nothing was changed");
  if (!faults.empty() && have.empty()) throw Error(Kind::Permanent, faults + "; nothing was changed");
  if (!faults.empty())
    throw Error(Kind::Permanent, "not every provider answers (" + faults + "): `jarvis adopt " + host + " " +
                                     have.front()->provider + "` takes over the one at " + have.front()->provider +
                                     " all the same; nothing was changed");
  if (have.empty())
    throw Error(Kind::Usage, "there is no machine " + host + " at " + names_of(candidates) + "; nothing was changed");
  return *have.front();
}

}  // namespace

awaitable<int> do_adopt(House& house, Talk& talk) {
  const auto& words = talk.invocation().words;
  const std::string host = fqdn_of(house, words.at(0));
  const std::string named = words.size() > 1 ? lower_case(words[1]) : "";
  talk.account().hosts.push_back(host);
  require(house.settings(), talk.asker(), {"adopt", {host}, ""});
  if (!named.empty()) require_provider(house, named);
  auto candidates = candidates_for(house, talk, host, named);
  if (candidates.empty()) throw Error(Kind::Usage, "no provider here can adopt: none has an action list `adopt`");
  const std::string directory = house.directory_for(talk.directory());
  std::vector<awaitable<void>> work;
  work.reserve(candidates.size());
  for (Candidate& one : candidates) work.push_back(ask_for_machine(house, directory, one));
  co_await together(std::move(work));
  Candidate& chosen = the_one(candidates, host);
  Order order = order_of(house, talk, std::move(chosen.plan), std::move(chosen.first), host);
  std::optional<std::string> code;
  const std::string run = co_await house.pipeline().submit(std::move(order), code);
  talk.account().run = run;
  co_return co_await follow(house, talk, run, code, std::move(chosen.changes));
}

}  // namespace jarvis::bot
