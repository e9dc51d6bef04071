// Commands that begin, end or go on with runs.
#include <algorithm>

#include "bot/commands.h"
#include "bot/orders.h"
#include "bot/together.h"
#include "bot/words.h"
#include "pipeline/error.h"
#include "pipeline/secrets.h"

namespace jarvis::bot {

using boost::asio::awaitable;
using pipeline::Clipboard;
using pipeline::Error;
using pipeline::Kind;
using pipeline::Order;
using pipeline::Plan;
using pipeline::RunState;
using pipeline::RunView;

namespace {

// In chat nobody waits: who did something to a run is answered now, and told its end wherever it was ordered.
void answer_now(House& house, Talk& talk, const std::string& run, const std::string& text) {
  if (talk.waits()) return;
  const auto view = house.pipeline().view(run);
  const auto here = Whence::from(talk.where());
  if (!view || !here) return;
  if (view->where != talk.where()) house.followings().add_listener(run, {*here, talk.invocation().row->name});
  talk.say(house.shown(view->host) + ": " + text);
}

awaitable<void> submit_into(House& house, Talk& talk, Order order, std::vector<std::string> written, Begun& begun) {
  begun.run = co_await submit(house, talk, std::move(order), std::move(written), begun.code, begun.changes);
}

// The steps that a run has before it, from this one on.
pipeline::ActionList steps_from(const pipeline::RunRecord& record, int first, const std::string& without) {
  pipeline::ActionList list{record.provider, record.operation, "", {}};
  for (const auto& step : record.steps) {
    if (step.index < first || step.undoes || step.task == without) continue;
    pipeline::ActionList::Entry entry;
    entry.task = step.task;
    entry.stage = step.stage;
    entry.timeout = step.timeout;
    entry.grace = step.grace;
    entry.retry.attempts = step.retry.attempts;
    entry.retry.delay = step.retry.delay;
    entry.retry.max_delay = step.retry.max_delay;
    entry.retry.deadline = step.retry.deadline;
    entry.retry.after_timeout = step.retry.after_timeout;
    entry.retry.after_failure = step.retry.after_failure;
    list.entries.push_back(std::move(entry));
  }
  return list;
}

// What a run that goes on would still change, for who must confirm it. Who cannot be asked now is not: the run will.
awaitable<std::vector<std::string>> changes_ahead(House& house, std::string run) {
  std::vector<std::string> changes;
  try {
    const auto record = house.journal().run(run);
    const auto next = std::find_if(record->steps.begin(), record->steps.end(), [](const auto& step) {
      return step.state == pipeline::StepRecord::State::Todo || step.state == pipeline::StepRecord::State::Under;
    });
    if (next == record->steps.end()) co_return changes;
    const Clipboard board = Clipboard::parse(house.pipeline().clipboard(run, std::nullopt));
    const Plan plan = pipeline::make_plan(steps_from(*record, next->index, ""), house.table(), board, record->host);
    const auto answers = co_await house.pipeline().ask(plan, board, record->directory);
    for (const auto& asked : answers) changes.insert(changes.end(), asked.changes.begin(), asked.changes.end());
  } catch (const Error&) {
    changes.clear();
  }
  co_return changes;
}

}  // namespace

awaitable<int> do_deploy(House& house, Talk& talk) {
  const Invocation& invocation = talk.invocation();
  // Every spec is checked before the first host is touched.
  std::vector<Order> orders;
  std::vector<std::vector<std::string>> written;
  std::vector<std::string> faults;
  // Fetching may take long: who asked in chat is answered at once.
  std::string remote;
  for (const std::string& source : invocation.words) {
    if (is_remote(source)) remote += (remote.empty() ? "" : ", ") + source;
  }
  if (!talk.waits() && !remote.empty()) talk.say("reading " + remote);
  auto specs = co_await read_sources(house, talk, invocation.words);
  for (const SpecText& spec : specs) {
    const std::string& source = spec.source;
    try {
      written.emplace_back();
      orders.push_back(order_from_spec(house, talk, spec, invocation.row->name, written.back()));
      for (std::size_t i = 0; i + 1 < orders.size(); ++i) {
        if (orders[i].plan.host == orders.back().plan.host)
          throw Error(Kind::Usage,
                      source + (source == orders[i].source
                                    ? ": given twice"
                                    : ": " + orders.back().plan.host + " is also the host of " + orders[i].source));
      }
    } catch (const Error& e) {
      if (e.kind() != Kind::Usage) throw;
      faults.emplace_back(e.what());
    }
  }
  if (!faults.empty()) throw Error(Kind::Usage, joined_lines(faults));
  specs = {};
  talk.forget_inputs();
  // All at once: a thousand hosts share the journal's commits, and none waits for what another one's provider answers.
  std::vector<Begun> submitted(orders.size());
  std::vector<awaitable<void>> work;
  for (std::size_t i = 0; i < orders.size(); ++i)
    work.push_back(submit_into(house, talk, std::move(orders[i]), std::move(written[i]), submitted[i]));
  const auto failures = co_await together(std::move(work));
  if (failures.size() == 1 && failures[0]) std::rethrow_exception(failures[0]);
  std::vector<Begun> begun;
  int worst = kDone;
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (!failures[i]) {
      begun.push_back(std::move(submitted[i]));
      continue;
    }
    try {
      std::rethrow_exception(failures[i]);
    } catch (const Error& e) {
      talk.error((e.kind() == Kind::Refused ? "refused: " : "") + std::string(e.what()));
      worst = std::max(worst, exit_status_of(e));
    }
  }
  const int status = co_await follow(house, talk, std::move(begun));
  worst = std::max(worst, status);
  co_return worst;
}

awaitable<int> do_destroy(House& house, Talk& talk) {
  const std::string host = allowed_host(house, talk, talk.invocation().words.at(0));
  const auto board = house.pipeline().host_clipboard(host);
  if (!board) throw Error(Kind::Usage, host + " has no clipboard here: jarvis did not make it");
  Clipboard first = Clipboard::parse(*board, house.pipeline().shop().options().bounds);
  const std::string provider = first.require("provider");
  Plan plan = pipeline::make_plan(house.list_of(provider, "destroy"), house.table(), first, host);
  std::optional<std::string> code;
  std::vector<std::string> keys = first.keys();
  Order order = order_of(house, talk, std::move(plan), std::move(first), host);
  std::vector<std::string> changes;
  const std::string id = co_await submit(house, talk, std::move(order), std::move(keys), code, changes);
  co_return co_await follow(house, talk, id, code, std::move(changes));
}

awaitable<int> do_replay(House& house, Talk& talk) {
  const Invocation& invocation = talk.invocation();
  const std::string source = invocation.words.at(0);
  const auto option = [&](const char* name) {
    const auto found = invocation.options.find(name);
    return found != invocation.options.end() ? found->second : std::string();
  };
  pipeline::Workshop& shop = house.pipeline().shop();
  Clipboard first = [&] {
    try {
      const Clipboard saved = Clipboard::parse(text_of(talk, source), shop.options().bounds);
      return Clipboard::parse(
          pipeline::open_sealed(saved.text(),
                                [&](std::string_view sealed) { return shop.seal().open_text(sealed, kShownAbout); }),
          shop.options().bounds);
    } catch (Error& e) {
      if (talk.input(source) == nullptr) throw;
      throw Error(Kind::Usage, source + ": " + e.what());
    }
  }();
  const std::string host = first.require("fqdn");
  if (!pipeline::valid_fqdn(host)) throw Error(Kind::Usage, source + ": fqdn: `" + host + "` is no full host name");
  const std::string operation = option("operation").empty() ? "deploy" : option("operation");
  pipeline::ActionList list = house.list_of(first.require("provider"), operation);
  const std::string from = option("from"), only = option("only");
  if (!from.empty() && !only.empty()) throw Error(Kind::Usage, "--from and --only exclude each other");
  const std::string wanted = from.empty() ? only : from;
  if (!wanted.empty()) {
    const auto found =
        std::find_if(list.entries.begin(), list.entries.end(), [&](const auto& entry) { return entry.task == wanted; });
    if (found == list.entries.end()) {
      std::vector<std::string> names;
      for (const auto& entry : list.entries) names.push_back(entry.task);
      const auto near = pipeline::nearest(wanted, names);
      throw Error(Kind::Usage, "the action list " + list.provider + " " + operation + " has no task " + wanted +
                                   (near ? ", did you mean " + *near + "?" : ""));
    }
    list.entries = only.empty() ? std::vector(found, list.entries.end()) : std::vector{*found};
  }
  Plan plan = pipeline::make_plan(list, house.table(), first, host);
  std::optional<std::string> code;
  Order order = order_of(house, talk, std::move(plan), std::move(first), source);
  std::vector<std::string> changes;
  const std::string id = co_await submit(house, talk, std::move(order), std::nullopt, code, changes);
  co_return co_await follow(house, talk, id, code, std::move(changes));
}

awaitable<int> do_retry(House& house, Talk& talk) {
  const Invocation& invocation = talk.invocation();
  const auto& words = invocation.words;
  const std::string host = allowed_host(house, talk, words.at(0));
  if (words.size() > 1 && (words.size() != 3 || words[1] != "from"))
    throw Error(Kind::Usage, "jarvis retry HOST [from TASK] [--skip TASK because REASON]");
  const auto skip = invocation.options.find("skip");
  const auto because = invocation.options.find("because");
  if ((skip != invocation.options.end()) != (because != invocation.options.end()))
    throw Error(Kind::Usage, "--skip TASK because REASON: both, or neither");
  const auto views = house.pipeline().views({host, false, 0});
  const auto newest = std::find_if(views.begin(), views.end(), [&](const RunView& view) {
    return words.size() > 1 ? view.state != RunState::Confirming
                            : view.state == RunState::Failed || view.state == RunState::Interrupted;
  });
  if (newest == views.end()) throw Error(Kind::Usage, host + " has no run that failed or was interrupted");
  std::optional<std::string> code;
  if (words.size() == 1) {
    pipeline::Pipeline::Retry what{
        newest->run, {}, talk.by(), talk.where(), house.directory_for(talk.directory()), 1, talk.asker().name};
    const Role* role = require(house.settings(), talk.asker(), {"retry", {host}, newest->provider});
    if (role != nullptr) what.approvals = role->approvals;
    house.bounds().check(role, talk.asker().name, host);
    std::optional<Bounds::Place> place(std::in_place, house.bounds(), talk.asker().name, host);
    if (skip != invocation.options.end()) what.skip.emplace_back(skip->second, because->second);
    talk.account().run = newest->run;
    const std::string id = co_await house.pipeline().retry(std::move(what), code);
    place.reset();
    if (!code) answer_now(house, talk, id, "run " + id + " goes on");
    std::vector<std::string> changes;
    if (code) changes = co_await changes_ahead(house, id);
    co_return co_await follow(house, talk, id, code, std::move(changes));
  }
  // From a task on, with the clipboard as it stood before it: a run of its own. A host that has made its own keys since
  // then shows those.
  const auto record = house.journal().run(newest->run);
  const auto step = std::find_if(record->steps.begin(), record->steps.end(),
                                 [&](const auto& one) { return one.task == words[2] && !one.undoes; });
  if (step == record->steps.end())
    throw Error(Kind::Usage, "run " + newest->run + " (" + newest->operation + ") has no task " + words[2]);
  Clipboard first = Clipboard::parse(house.pipeline().clipboard(newest->run, step->index - 1));
  know_machine_again(house, host, first);
  const auto list = steps_from(*record, step->index, skip != invocation.options.end() ? skip->second : "");
  Plan plan = pipeline::make_plan(list, house.table(), first, host);
  Order order = order_of(house, talk, std::move(plan), std::move(first), "run " + newest->run);
  std::vector<std::string> changes;
  const std::string id = co_await submit(house, talk, std::move(order), std::nullopt, code, changes);
  co_return co_await follow(house, talk, id, code, std::move(changes));
}

awaitable<int> do_confirm(House& house, Talk& talk) {
  const std::string code = talk.invocation().words.at(0);
  // Whoever may order it may confirm it, where he may order it.
  AuditRecord& account = talk.account();
  if (const auto waiting = house.pipeline().waits_for(code)) {
    account.hosts.push_back(waiting->host);
    account.run = waiting->run;
    const Deed deed{waiting->operation, {waiting->host}, waiting->provider};
    account.rule = may(house.settings(), talk.asker(), deed).rule;
    require(house.settings(), talk.asker(), deed);
    // Whose run it is may have no more of them by now than he was allowed to have then.
    const auto whence = Whence::from(waiting->where);
    Asker his;
    his.person = waiting->asker;
    his.place = whence ? whence->shown() : "direct";
    house.bounds().check(may(house.settings(), his, deed).role, waiting->asker, waiting->host);
  }
  const auto confirmed =
      co_await house.pipeline().confirm(code, talk.asker().name, house.directory_for(talk.directory()));
  account.approvers = confirmed.approvers;
  if (confirmed.missing > 0) {
    talk.say(house.shown(house.pipeline().view(confirmed.run)->host) + ": confirmed by " +
             std::to_string(confirmed.approvers.size()) + " of " +
             std::to_string(static_cast<int>(confirmed.approvers.size()) + confirmed.missing) + " people");
    co_return kUnfinished;
  }
  answer_now(house, talk, confirmed.run, "confirmed, run " + confirmed.run + " begins");
  co_return co_await follow(house, talk, confirmed.run, std::nullopt);
}

awaitable<int> do_cancel(House& house, Talk& talk) {
  const std::string host = allowed_host(house, talk, talk.invocation().words.at(0));
  const auto views = house.pipeline().views({host, true, 0});
  if (views.empty()) throw Error(Kind::Usage, house.shown(host) + ": nothing is in flight, there is nothing to cancel");
  talk.account().run = views.front().run;
  const std::string id = co_await house.pipeline().cancel(views.front().run, talk.by());
  answer_now(house, talk, id, "run " + id + " is being cancelled");
  const int status = co_await follow(house, talk, id, std::nullopt);
  // It was asked to end and it did: that is what this command was for.
  co_return status == kCancelled ? kDone : status;
}

}  // namespace jarvis::bot
