#include "bot/orders.h"

#include <algorithm>

#include "bot/commands.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using boost::asio::awaitable;
using pipeline::Clipboard;
using pipeline::Error;
using pipeline::Kind;
using pipeline::Order;
using pipeline::Plan;

std::string joined_lines(const std::vector<std::string>& lines) {
  std::string made;
  for (const std::string& line : lines) made += (made.empty() ? "" : "\n") + line;
  return made;
}

// Every line begins with the file it speaks of.
std::string prefixed(const std::string& source, const std::string& lines) {
  std::string made = source + ": ";
  for (const char c : lines) {
    made += c;
    if (c == '\n') made += source + ": ";
  }
  return made;
}

const std::string& text_of(const Session& session, const std::string& spec) {
  if (const std::string* text = session.input(spec)) return *text;
  if (const std::string* why = session.input_error(spec)) throw Error(Kind::Usage, spec + ": " + *why);
  const bool remote = spec.find("://") != std::string::npos || spec.find('=') != std::string::npos;
  throw Error(Kind::Usage,
              spec + (remote ? ": specs are read from files by this version (a path, or - for standard input)"
                             : ": No such file or directory"));
}

// What the host's last run left that tasks of this plan give: addresses, keys, ids of the machine that is there. So a
// deploy of a host that stands looks at the same machine, and whoever deletes it knows which.
void carry_over(House& house, const Plan& plan, Clipboard& first) {
  const auto before = house.pipeline().host_clipboard(plan.host);
  if (!before) return;
  const Clipboard old = Clipboard::parse(*before, house.pipeline().shop().options().bounds);
  if (old.scalar("provider").value_or("") != first.scalar("provider").value_or("")) return;
  for (const auto& step : plan.steps) {
    for (const std::string& key : step.row->gives) {
      if (old.has(key) && !first.has(key)) first.copy(old, key);
    }
  }
}

Order order_of(House& house, const Session& session, Plan plan, Clipboard first, const std::string& source) {
  // Its bytes only: a thousand orders need not keep a thousand indexes while they wait for their turn.
  return {std::move(plan), Clipboard::checked(first.text()),        session.by(), "command line",
          source,          house.directory_for(session.directory())};
}

// Everything that can be known to be wrong before the first task runs.
awaitable<void> preflight(House& house, const Order& order) {
  auto faults = house.pipeline().credential_faults(order.plan);
  if (faults.empty()) {
    const auto answers = co_await house.pipeline().ask(order.plan, order.first, order.directory);
    for (const auto& asked : answers) {
      if (!asked.fault.empty()) faults.push_back(asked.task + ": " + asked.fault);
    }
  }
  if (!faults.empty()) throw Error(Kind::Usage, joined_lines(faults) + "\nnothing was changed");
}

Order order_from_spec(House& house, const Session& session, const std::string& source, const std::string& operation,
                      std::vector<std::string>& written) {
  pipeline::Spec spec = [&] {
    try {
      return pipeline::read_spec(text_of(session, source), house.spec_rules());
    } catch (Error& e) {
      if (session.input(source) == nullptr) throw;
      throw Error(e.kind(), prefixed(source, e.what()));
    }
  }();
  const auto& list = house.list_of(spec.provider, operation);
  written = spec.clipboard.keys();
  // Planned twice: needs are checked against the spec and what the host's last run left.
  Plan draft;
  draft.host = spec.fqdn;
  for (const auto& entry : list.entries) {
    if (auto row = house.table().find(entry.task)) draft.steps.push_back({row, 0});
  }
  carry_over(house, draft, spec.clipboard);
  Plan plan = pipeline::make_plan(list, house.table(), spec.clipboard, spec.fqdn);
  return order_of(house, session, std::move(plan), std::move(spec.clipboard), source);
}

// A deploy of a host whose same deploy was interrupted goes on with that one.
// `written`: the keys that the person wrote, not those that came over from the host's last run.
std::optional<std::string> same_interrupted(House& house, const Order& order, const std::vector<std::string>& written) {
  for (const auto& record : house.pipeline().interrupted(order.plan.host)) {
    if (record.operation != order.plan.operation || record.provider != order.plan.provider) continue;
    const Clipboard begun = Clipboard::parse(house.pipeline().clipboard(record.id, -1));
    const auto same = [&](const std::string& key) { return begun.raw(key) == order.first.raw(key); };
    if (std::all_of(written.begin(), written.end(), same)) return record.id;
  }
  return std::nullopt;
}

awaitable<std::string> submit(House& house, Session& session, Order order, std::vector<std::string> written,
                              std::optional<std::string>& code) {
  if (const auto id = same_interrupted(house, order, written)) {
    if (!session.invocation().json && !session.invocation().quiet)
      session.say(house.shown(order.plan.host) + ": goes on with run " + *id + ", which was interrupted");
    house.pipeline().resume(*id, order.directory);
    co_return *id;
  }
  co_await preflight(house, order);
  co_return co_await house.pipeline().submit(std::move(order), code);
}

}  // namespace jarvis::bot
