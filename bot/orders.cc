#include "bot/orders.h"

#include <algorithm>
#include <set>

#include "bot/commands.h"
#include "bot/config_values.h"
#include "bot/together.h"
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

const std::string& text_of(const Talk& talk, const std::string& spec) {
  if (const std::string* text = talk.input(spec)) return *text;
  if (const std::string* why = talk.input_error(spec)) throw Error(Kind::Usage, spec + ": " + *why);
  throw Error(Kind::Usage, spec + ": No such file or directory");
}

bool is_remote(const std::string& spec) {
  return spec.find("://") != std::string::npos || spec.find('=') != std::string::npos;
}

awaitable<SpecText> read_source(House& house, const Talk& talk, std::string source) {
  if (talk.input(source) != nullptr || talk.input_error(source) != nullptr || !is_remote(source))
    co_return SpecText{source, text_of(talk, source)};
  const bool url = source.find("://") != std::string::npos;
  const pipeline::Row row = house.table().require(url ? "spec:fetch" : "spec:ldap");
  Clipboard asked = Clipboard::parse("{}");
  asked.set(url ? "spec_url" : "spec_name", source);
  try {
    const std::string made =
        co_await house.pipeline().perform(row, asked.text(), house.directory_for(talk.directory()));
    co_return SpecText{source, Clipboard::parse(made, house.pipeline().shop().options().bounds).require("spec_text")};
  } catch (Error& e) {
    if (e.kind() == Kind::Refused) throw;
    throw Error(e.kind() == Kind::Transient ? Kind::Permanent : Kind::Usage, prefixed(source, e.what()));
  }
}

namespace {

awaitable<void> read_into(House& house, const Talk& talk, std::string source, SpecText& made) {
  made = co_await read_source(house, talk, std::move(source));
}

}  // namespace

awaitable<std::vector<SpecText>> read_sources(House& house, const Talk& talk, std::vector<std::string> sources) {
  std::vector<SpecText> made(sources.size());
  std::vector<awaitable<void>> work;
  for (std::size_t i = 0; i < sources.size(); ++i) work.push_back(read_into(house, talk, sources[i], made[i]));
  const auto failures = co_await together(std::move(work));
  std::vector<std::string> faults;
  for (const auto& failure : failures) {
    if (!failure) continue;
    if (failures.size() == 1) std::rethrow_exception(failure);
    try {
      std::rethrow_exception(failure);
    } catch (const Error& e) {
      faults.emplace_back(e.what());
    }
  }
  if (!faults.empty()) throw Error(Kind::Usage, joined_lines(faults));
  co_return made;
}

std::string provider_of(House& house, const std::string& host) {
  const auto newest = house.journal().runs({host, false, 1});
  return newest.empty() ? "" : newest.front().provider;
}

std::string allowed_host(House& house, const Talk& talk, const std::string& name) {
  std::string host = house.host_of(name);
  talk.account().hosts.push_back(host);
  require(house.settings(), talk.asker(), {talk.invocation().row->name, {host}, provider_of(house, host)});
  return host;
}

pipeline::RunView allowed_run(House& house, const Talk& talk, const std::string& host_or_run) {
  auto view = house.run_of(host_or_run);
  talk.account().hosts.push_back(view.host);
  require(house.settings(), talk.asker(), {talk.invocation().row->name, {view.host}, view.provider});
  return view;
}

// What tasks of this plan give and no spec may say itself.
std::set<std::string> given(const Plan& plan) {
  std::set<std::string> keys;
  for (const auto& step : plan.steps) {
    const auto& says = step.row->from_spec;
    for (const std::string& key : step.row->gives) {
      if (std::find(says.begin(), says.end(), key) == says.end()) keys.insert(key);
    }
  }
  return keys;
}

// What the host's last run left that tasks of this plan give: addresses, keys, ids of the machine that is there. So a
// deploy of a host that stands looks at the same machine, and whoever deletes it knows which. What a spec may say
// itself is not carried over: a task that finds it knows that this spec says so.
void carry_over(House& house, const Plan& plan, Clipboard& first) {
  const auto before = house.pipeline().host_clipboard(plan.host);
  if (!before) return;
  const Clipboard old = Clipboard::parse(*before, house.pipeline().shop().options().bounds);
  // As people write it: `Linode` is linode.
  if (lower_case(old.scalar("provider").value_or("")) != lower_case(first.scalar("provider").value_or(""))) return;
  for (const std::string& key : given(plan)) {
    if (old.has(key) && !first.has(key)) first.copy(old, key);
  }
}

void know_machine_again(House& house, const std::string& host, Clipboard& board) {
  const auto newest = house.pipeline().host_clipboard(host);
  if (!newest) return;
  const Clipboard now = Clipboard::parse(*newest, house.pipeline().shop().options().bounds);
  const auto id = now.scalar("instance_id");
  if (!id || board.scalar("instance_id").value_or(*id) != *id) return;
  for (const char* key : {"ssh_host_keys", "ssh_host_private_key", "ssh_user_data_key", "known_hosts"}) {
    board.erase(key);
    if (now.has(key)) board.copy(now, key);
  }
}

Order order_of(House& house, const Talk& talk, Plan plan, Clipboard first, const std::string& source) {
  const Asker& asker = talk.asker();
  const Role* role = require(house.settings(), asker, {talk.invocation().row->name, {plan.host}, plan.provider});
  // Its bytes only: a thousand orders need not keep a thousand indexes while they wait for their turn.
  Order made{std::move(plan),
             Clipboard::checked(first.text()),
             asker.shown,
             talk.where(),
             source,
             house.directory_for(talk.directory()),
             role != nullptr ? role->approvals : 1,
             asker.name};
  AuditRecord& account = talk.account();
  account.hosts.push_back(made.plan.host);
  account.plan += (account.plan.empty() ? "" : " ") + pipeline::digest_of(made.plan, made.first.text());
  return made;
}

// Everything that can be known to be wrong before the first task runs.
awaitable<std::vector<std::string>> preflight(House& house, const Talk& talk, Order& order) {
  auto faults = house.pipeline().credential_faults(order.plan);
  bool foreign = false;
  std::vector<std::string> changes;
  std::optional<double> monthly;
  if (faults.empty()) {
    const auto answers = co_await house.pipeline().ask(order.plan, order.first, order.directory);
    order.first = Clipboard::checked(std::move(order.first).take());
    for (const auto& asked : answers) {
      if (!asked.fault.empty()) faults.push_back(asked.task + ": " + asked.fault);
      foreign = foreign || asked.refused;
      changes.insert(changes.end(), asked.changes.begin(), asked.changes.end());
      for (const auto& cost : asked.costs) monthly = monthly.value_or(0) + cost.monthly;
    }
  }
  // Nothing is wrong with the spec when the machine that is there is not ours (CONTRACTS §4).
  if (!faults.empty())
    throw Error(foreign ? Kind::Permanent : Kind::Usage, joined_lines(faults) + "\nnothing was changed");
  if (monthly) {
    // One role must allow all of it, so it is that one's approvals which count.
    const Role* role = require(house.settings(), talk.asker(),
                               {talk.invocation().row->name, {order.plan.host}, order.plan.provider, monthly});
    if (role != nullptr) order.approvals = role->approvals;
  }
  co_return changes;
}

Order order_from_spec(House& house, const Talk& talk, const SpecText& source, const std::string& operation,
                      std::vector<std::string>& written) {
  talk.account().spec += (talk.account().spec.empty() ? "" : " ") + pipeline::digest(source.text);
  pipeline::Spec spec = [&] {
    try {
      return pipeline::read_spec(source.text, house.spec_rules());
    } catch (Error& e) {
      throw Error(e.kind(), prefixed(source.source, e.what()));
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
  return order_of(house, talk, std::move(plan), std::move(spec.clipboard), source.source);
}

// Whether a run has the tasks of this plan: not some of them only, as after `replay --only` or `retry from`.
bool has_tasks_of(const pipeline::RunRecord& record, const Plan& plan) {
  std::vector<std::string> has, wants;
  for (const auto& step : record.steps) {
    if (!step.undoes) has.push_back(step.task);
  }
  for (const auto& step : plan.steps) wants.push_back(step.row->name);
  return has == wants;
}

// A deploy of a host whose same deploy was interrupted goes on with that one.
// `written`: the keys that the person wrote, not those that came over from the host's last run. One that is gone from
// the spec since then (`wipe`) makes another deploy of it, as one that is new does.
std::optional<std::string> same_interrupted(House& house, const Order& order, const std::vector<std::string>& written) {
  const std::set<std::string> came_over = given(order.plan);
  for (const auto& listed : house.pipeline().interrupted(order.plan.host)) {
    if (listed.operation != order.plan.operation || listed.provider != order.plan.provider) continue;
    const auto record = house.journal().run(listed.id);
    if (!record || !has_tasks_of(*record, order.plan)) continue;
    const Clipboard begun = Clipboard::parse(house.pipeline().clipboard(listed.id, -1));
    std::set<std::string> compared(written.begin(), written.end());
    for (const std::string& key : begun.keys()) {
      if (came_over.count(key) == 0) compared.insert(key);
    }
    const auto same = [&](const std::string& key) { return begun.raw(key) == order.first.raw(key); };
    if (std::all_of(compared.begin(), compared.end(), same)) return listed.id;
  }
  return std::nullopt;
}

void check_bounds(House& house, const Talk& talk, const std::string& host, const std::string& provider) {
  const Role* role = require(house.settings(), talk.asker(), {talk.invocation().row->name, {host}, provider});
  house.bounds().check(role, talk.asker().name, host);
}

awaitable<std::string> submit(House& house, Talk& talk, Order order, std::optional<std::vector<std::string>> written,
                              std::optional<std::string>& code, std::vector<std::string>& changes) {
  const auto note_run = [&](const std::string& id) {
    talk.account().run += (talk.account().run.empty() ? "" : " ") + id;
  };
  const std::string host = order.plan.host;
  check_bounds(house, talk, host, order.plan.provider);
  const Bounds::Place place(house.bounds(), talk.asker().name, host);
  const auto same = written ? same_interrupted(house, order, *written) : std::nullopt;
  if (const auto& id = same) {
    note_run(*id);
    if (!talk.invocation().json && !talk.invocation().quiet)
      talk.say(house.shown(host) + ": goes on with run " + *id + ", which was interrupted");
    house.pipeline().resume(*id, order.directory);
    co_return *id;
  }
  changes = co_await preflight(house, talk, order);
  const std::string id = co_await house.pipeline().submit(std::move(order), code);
  note_run(id);
  co_return id;
}

}  // namespace jarvis::bot
