// Commands that begin, end or go on with runs.
#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "bot/commands.h"
#include "bot/words.h"
#include "pipeline/error.h"
#include "pipeline/secrets.h"

namespace jarvis::bot {

namespace asio = boost::asio;
using asio::awaitable;
using pipeline::Clipboard;
using pipeline::Error;
using pipeline::Kind;
using pipeline::Order;
using pipeline::Plan;
using pipeline::Run;
using pipeline::RunState;
using pipeline::RunView;

namespace {

const char* const kShownAbout = "shown clipboard";

std::string joined(const std::vector<std::string>& lines) {
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
  return {std::move(plan), Clipboard::checked(first.text()), session.by(),
          "command line",  source,           house.directory_for(session.directory())};
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
  if (!faults.empty()) throw Error(Kind::Usage, joined(faults) + "\nnothing was changed");
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

// What a person should know before saying yes: which machine, where, whose.
std::string question(House& house, const RunView& view) {
  const Clipboard board = Clipboard::parse(house.pipeline().clipboard(view.run, std::nullopt));
  const std::string host = house.shown(view.host);
  std::string text = view.operation + " " + view.host + " (" + view.provider;
  if (const auto id = board.scalar("instance_id")) text += ", machine " + *id;
  for (const std::string& address : board.list("ipaddress")) text += ", " + address;
  if (const auto created = board.scalar("created")) text += ", made " + *created;
  if (const auto size = board.scalar("size")) text += ", size " + *size;
  text += ", asked for by " + view.by + "): its machine and what is on its disks will be gone";
  return text;
}

int exit_of(RunState state) {
  switch (state) {
    case RunState::Succeeded:
      return kDone;
    case RunState::Failed:
      return kFailed;
    case RunState::Cancelled:
      return kCancelled;
    default:
      return kUnfinished;
  }
}

// Hears what happens to the runs of one command, tells the session, and how each ended when it does.
class Watch {
 public:
  Watch(House& house, Session& session, const std::vector<std::string>& runs)
      : house_(house),
        session_(session),
        left_(runs.begin(), runs.end()),
        wake_(house.pipeline().shop().loop(), std::chrono::hours(24 * 365)) {
    id_ = house.pipeline().listen([this](const Run& one, Run::What what) {
      if (left_.count(one.record().id) > 0) heard(one, what);
    });
    for (const std::string& run : runs) {
      const Run* live = house_.pipeline().live(run);
      if (live != nullptr) heard(*live, Run::What::Stage);
      if (live == nullptr) over(run, *house_.pipeline().view(run));
    }
  }
  ~Watch() { house_.pipeline().unlisten(id_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // The worst exit status, when all have ended.
  awaitable<int> end() {
    while (!left_.empty()) {
      boost::system::error_code woken;
      co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    co_return worst_;
  }

 private:
  void heard(const Run& run, Run::What what) {
    const RunView view = run.view();
    if (!session_.invocation().json && !session_.invocation().quiet) {
      auto object = json_of(view);
      object["host"] = house_.shown(view.host);
      session_.progress(std::move(object));
    }
    if (what == Run::What::Ended) over(view.run, view);
  }

  void over(const std::string& run, const RunView& view) {
    const std::string host = house_.shown(view.host);
    if (session_.invocation().json) session_.json(json_of(view));
    if (!session_.invocation().json) {
      session_.say(status_line(view, host));
      const std::string next = next_step(view, host);
      if (!next.empty()) session_.say("  " + next);
    }
    worst_ = std::max(worst_, exit_of(view.state));
    left_.erase(run);
    wake_.cancel();
  }

  House& house_;
  Session& session_;
  std::set<std::string> left_;
  asio::steady_timer wake_;
  int id_ = 0, worst_ = kDone;
};

// Asks a person about a run that deletes something. True: it goes on; false: it waits, or was given up.
awaitable<bool> asked_and_confirmed(House& house, Session& session, std::string run, std::string code) {
  const Invocation& invocation = session.invocation();
  const RunView waiting = *house.pipeline().view(run);
  const std::string text = question(house, waiting);
  if (!session.terminal() || invocation.json || invocation.detach) {
    if (invocation.json) {
      auto object = json_of(waiting);
      object["confirm"] = code;
      session.json(std::move(object));
    } else {
      session.say(text);
      session.say("jarvis confirm " + code);
    }
    co_return false;
  }
  const auto answer = co_await session.ask(text + "\nreally? (yes/no)");
  if (answer && (*answer == "yes" || *answer == "y" || *answer == code)) {
    co_await house.pipeline().confirm(code, house.directory_for(session.directory()));
    co_return true;
  }
  co_await house.pipeline().cancel(run, session.by());
  const bool plain_no = !answer || *answer == "no" || *answer == "n";
  session.say(house.shown(waiting.host) + ": " + waiting.operation + " given up, nothing was changed" +
              (plain_no ? "" : " (the answer was not yes)"));
  co_return false;
}

}  // namespace

awaitable<int> follow(House& house, Session& session, std::vector<Begun> begun) {
  const Invocation& invocation = session.invocation();
  std::vector<std::string> runs;
  int status = kDone;
  for (const Begun& one : begun) {
    bool goes_on = true;
    if (one.code) goes_on = co_await asked_and_confirmed(house, session, one.run, *one.code);
    if (goes_on) runs.push_back(one.run);
    if (!goes_on)
      status = std::max<int>(status,
                             session.terminal() && !invocation.json && !invocation.detach ? kCancelled : kUnfinished);
  }
  if (invocation.detach) {
    for (const std::string& run : runs) {
      if (invocation.json) session.json(json_of(*house.pipeline().view(run)));
      if (!invocation.json) session.say(run);
    }
    co_return status;
  }
  Watch watch(house, session, runs);
  const int worst = co_await watch.end();
  co_return std::max(status, worst);
}

awaitable<int> follow(House& house, Session& session, std::string run, std::optional<std::string> code) {
  std::vector<Begun> one;
  one.push_back({std::move(run), std::move(code)});
  co_return co_await follow(house, session, std::move(one));
}

awaitable<int> do_deploy(House& house, Session& session) {
  const Invocation& invocation = session.invocation();
  // Every spec is checked before the first host is touched.
  std::vector<Order> orders;
  std::vector<std::vector<std::string>> written;
  std::vector<std::string> faults;
  for (const std::string& source : invocation.words) {
    try {
      written.emplace_back();
      orders.push_back(order_from_spec(house, session, source, invocation.row->name, written.back()));
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
  if (!faults.empty()) throw Error(Kind::Usage, joined(faults));
  std::vector<Begun> begun;
  int worst = kDone;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    std::optional<std::string> code;
    try {
      std::string id = co_await submit(house, session, std::move(orders[i]), std::move(written[i]), code);
      begun.push_back({std::move(id), code});
    } catch (const Error& e) {
      if (orders.size() == 1) throw;
      session.error((e.kind() == Kind::Refused ? "refused: " : "") + std::string(e.what()));
      worst = std::max(worst, exit_status_of(e));
    }
  }
  const int status = co_await follow(house, session, std::move(begun));
  worst = std::max(worst, status);
  co_return worst;
}

awaitable<int> do_destroy(House& house, Session& session) {
  const std::string host = house.host_of(session.invocation().words.at(0));
  const auto board = house.pipeline().host_clipboard(host);
  if (!board) throw Error(Kind::Usage, host + " has no clipboard here: jarvis did not make it");
  Clipboard first = Clipboard::parse(*board, house.pipeline().shop().options().bounds);
  const std::string provider = first.require("provider");
  Plan plan = pipeline::make_plan(house.list_of(provider, "destroy"), house.table(), first, host);
  std::optional<std::string> code;
  std::vector<std::string> keys = first.keys();
  Order order = order_of(house, session, std::move(plan), std::move(first), host);
  const std::string id = co_await submit(house, session, std::move(order), std::move(keys), code);
  co_return co_await follow(house, session, id, code);
}

awaitable<int> do_replay(House& house, Session& session) {
  const Invocation& invocation = session.invocation();
  const std::string source = invocation.words.at(0);
  const auto option = [&](const char* name) {
    const auto found = invocation.options.find(name);
    return found != invocation.options.end() ? found->second : std::string();
  };
  pipeline::Workshop& shop = house.pipeline().shop();
  Clipboard first = [&] {
    try {
      const Clipboard saved = Clipboard::parse(text_of(session, source), shop.options().bounds);
      return Clipboard::parse(
          pipeline::open_sealed(saved.text(),
                                [&](std::string_view sealed) { return shop.seal().open_text(sealed, kShownAbout); }),
          shop.options().bounds);
    } catch (Error& e) {
      if (session.input(source) == nullptr) throw;
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
  Order order = order_of(house, session, std::move(plan), std::move(first), source);
  co_await preflight(house, order);
  const std::string id = co_await house.pipeline().submit(std::move(order), code);
  co_return co_await follow(house, session, id, code);
}

awaitable<int> do_retry(House& house, Session& session) {
  const Invocation& invocation = session.invocation();
  const auto& words = invocation.words;
  const std::string host = house.host_of(words.at(0));
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
        newest->run, {}, session.by(), "command line", house.directory_for(session.directory())};
    if (skip != invocation.options.end()) what.skip.emplace_back(skip->second, because->second);
    const std::string id = co_await house.pipeline().retry(std::move(what), code);
    co_return co_await follow(house, session, id, code);
  }
  // From a task on, with the clipboard as it stood before it: a run of its own.
  const auto record = house.journal().run(newest->run);
  const auto step = std::find_if(record->steps.begin(), record->steps.end(),
                                 [&](const auto& one) { return one.task == words[2] && !one.undoes; });
  if (step == record->steps.end())
    throw Error(Kind::Usage, "run " + newest->run + " (" + newest->operation + ") has no task " + words[2]);
  Clipboard first = Clipboard::parse(house.pipeline().clipboard(newest->run, step->index - 1));
  pipeline::ActionList list{newest->provider, newest->operation, "", {}};
  for (auto one = step; one != record->steps.end(); ++one) {
    if (one->undoes || (skip != invocation.options.end() && one->task == skip->second)) continue;
    pipeline::ActionList::Entry entry;
    entry.task = one->task;
    entry.stage = one->stage;
    entry.timeout = one->timeout;
    entry.grace = one->grace;
    entry.retry.attempts = one->retry.attempts;
    entry.retry.delay = one->retry.delay;
    entry.retry.max_delay = one->retry.max_delay;
    entry.retry.deadline = one->retry.deadline;
    entry.retry.after_timeout = one->retry.after_timeout;
    entry.retry.after_failure = one->retry.after_failure;
    list.entries.push_back(std::move(entry));
  }
  Plan plan = pipeline::make_plan(list, house.table(), first, host);
  Order order = order_of(house, session, std::move(plan), std::move(first), "run " + newest->run);
  co_await preflight(house, order);
  const std::string id = co_await house.pipeline().submit(std::move(order), code);
  co_return co_await follow(house, session, id, code);
}

awaitable<int> do_confirm(House& house, Session& session) {
  const std::string id =
      co_await house.pipeline().confirm(session.invocation().words.at(0), house.directory_for(session.directory()));
  co_return co_await follow(house, session, id, std::nullopt);
}

awaitable<int> do_cancel(House& house, Session& session) {
  const std::string host = house.host_of(session.invocation().words.at(0));
  const auto views = house.pipeline().views({host, true, 0});
  if (views.empty()) throw Error(Kind::Usage, house.shown(host) + ": nothing is in flight, there is nothing to cancel");
  const std::string id = co_await house.pipeline().cancel(views.front().run, session.by());
  const int status = co_await follow(house, session, id, std::nullopt);
  // It was asked to end and it did: that is what this command was for.
  co_return status == kCancelled ? kDone : status;
}

awaitable<int> do_plan(House& house, Session& session) {
  const Invocation& invocation = session.invocation();
  const std::string source = invocation.words.at(0);
  const auto given = invocation.options.find("operation");
  std::string operation = given != invocation.options.end() ? given->second : "deploy";
  Order order = [&] {
    std::vector<std::string> written;
    if (session.input(source) != nullptr) return order_from_spec(house, session, source, operation, written);
    const std::string host = [&] {
      try {
        return house.host_of(source);
      } catch (const Error&) {
        if (source.find('.') == std::string::npos && source.find('/') == std::string::npos) throw;
        throw Error(Kind::Usage, source + ": neither a file here nor a host that jarvis knows");
      }
    }();
    Clipboard first = Clipboard::parse(house.pipeline().host_clipboard(host).value_or("{}"));
    Plan plan = pipeline::make_plan(house.list_of(first.require("provider"), operation), house.table(), first, host);
    return order_of(house, session, std::move(plan), std::move(first), host);
  }();
  const auto credential_faults = house.pipeline().credential_faults(order.plan);
  if (!credential_faults.empty()) throw Error(Kind::Usage, joined(credential_faults));
  const auto answers = co_await house.pipeline().ask(order.plan, order.first, order.directory);
  const std::string host = house.shown(order.plan.host);
  bool changes = false, faults = false;
  int number = 0;
  std::string stage;
  if (!invocation.json)
    session.say(host + ": " + operation + " with " + order.plan.provider + ", " + std::to_string(order.plan.stages) +
                " stages");
  for (const auto& one : answers) {
    const bool new_stage = stage != one.stage;
    if (new_stage) ++number;
    stage = one.stage;
    changes = changes || !one.changes.empty();
    faults = faults || !one.fault.empty();
    if (invocation.json) {
      session.json({{"host", order.plan.host},
                    {"operation", operation},
                    {"stage_number", number},
                    {"stage", one.stage},
                    {"task", one.task},
                    {"asked", one.asked},
                    {"changes", one.changes},
                    {"error", one.fault.empty() ? nlohmann::json() : nlohmann::json(one.fault)}});
      continue;
    }
    std::string line =
        "  " + std::to_string(number) + "/" + std::to_string(order.plan.stages) + " " + one.stage + "  " + one.task;
    if (!one.asked) line += ": not asked";
    if (one.asked && one.fault.empty() && one.changes.empty()) line += ": no change";
    session.say(line);
    for (const std::string& change : one.changes) session.say("      " + change);
    if (!one.fault.empty()) session.say("      would fail: " + one.fault);
  }
  if (faults) co_return kUsage;
  co_return changes ? kWouldChange : kDone;
}

}  // namespace jarvis::bot
