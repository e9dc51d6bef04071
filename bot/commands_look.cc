// Commands that only look: status, history, logs, clipboard; and the one place that chooses a command's function.
#include <algorithm>
#include <sstream>

#include "bot/commands.h"
#include "bot/orders.h"
#include "bot/words.h"
#include "pipeline/error.h"
#include "pipeline/secrets.h"

namespace jarvis::bot {

using boost::asio::awaitable;
using pipeline::Error;
using pipeline::Kind;
using pipeline::RunState;

namespace {

void show(House& house, Talk& talk, const pipeline::RunView& view, bool with_id) {
  if (talk.invocation().json) {
    auto object = json_of(view);
    if (view.state == RunState::Confirming) object["confirm"] = house.pipeline().code_of(view.run).value_or("");
    talk.json(std::move(object));
    return;
  }
  const std::string host = house.shown(view.host);
  std::string line = status_line(view, host);
  if (with_id)
    line += "  [" + view.operation + " " + view.run + ", " + clock_of(view.started) +
            (ended(view.state) ? ", took " + in_words(view.elapsed) : "") + "]";
  talk.say(line);
}

void add_what_next(House& house, Talk& talk, const pipeline::RunView& view) {
  if (talk.invocation().json) return;
  const std::string host = house.shown(view.host);
  const std::string next = next_step(view, host);
  if (!next.empty()) talk.say("  " + next);
  if (view.state == RunState::Confirming)
    talk.say("  " + std::string("jarvis confirm ") + house.pipeline().code_of(view.run).value_or(""));
  talk.say("  " + view.operation + " " + view.run + " by " + view.by + ", started " + clock_of(view.started) +
           (ended(view.state) ? ", took " + in_words(view.elapsed) : ""));
}

// The index of the step that TASK names in a run, the last one if it stands there several times.
int step_of(const pipeline::RunRecord& record, const std::string& task) {
  std::vector<std::string> names;
  for (auto step = record.steps.rbegin(); step != record.steps.rend(); ++step) {
    if (step->task == task || step->stage == task) return step->index;
    names.push_back(step->task);
  }
  const auto near = pipeline::nearest(task, names);
  std::string known;
  for (auto name = names.rbegin(); name != names.rend(); ++name) known += " " + *name;
  throw Error(Kind::Usage, "run " + record.id + " (" + record.operation + ") has no task " + task +
                               (near ? ", did you mean " + *near + "?" : "; it has" + known));
}

}  // namespace

awaitable<int> do_status(House& house, Talk& talk) {
  const Invocation& invocation = talk.invocation();
  const bool history = std::string(invocation.row->name) == "history";
  if (history) {
    for (const auto& view : house.pipeline().views({allowed_host(house, talk, invocation.words.at(0)), false, 0}))
      show(house, talk, view, true);
    co_return kDone;
  }
  if (!invocation.words.empty()) {
    const auto view = allowed_run(house, talk, invocation.words[0]);
    show(house, talk, view, false);
    add_what_next(house, talk, view);
    co_return kDone;
  }
  const auto views = house.pipeline().views({std::nullopt, true, 0});
  const std::size_t most = talk.lines();
  std::size_t fitting = 0;
  for (const auto& view : views) {
    if (!may(house.settings(), talk.asker(), {"status", {view.host}, view.provider}).allowed) continue;
    if (++fitting > most && !invocation.json) continue;
    show(house, talk, view, true);
  }
  if (invocation.json) co_return kDone;
  if (fitting > most) {
    talk.say("... and " + std::to_string(fitting - most) + " more; `jarvis status HOST` tells of one" +
             (talk.waits() ? ", `jarvis status --json` lists all" : ""));
  }
  // Also when all that is in flight is somebody else's.
  if (fitting == 0) talk.say("nothing is in flight; `jarvis history HOST` tells what was");
  co_return kDone;
}

awaitable<int> do_logs(House& house, Talk& talk) {
  const Invocation& invocation = talk.invocation();
  const auto view = allowed_run(house, talk, invocation.words.at(0));
  const auto record = house.journal().run(view.run);
  if (!record) throw Error(Kind::Usage, "no run " + view.run);
  std::optional<int> only;
  if (invocation.words.size() > 1) only = step_of(*record, invocation.words[1]);
  auto attempts = house.journal().attempts(view.run, only, true);
  const pipeline::Run* live = house.pipeline().live(view.run);
  // People read from the beginning; a program gets the newest first, as everywhere.
  std::stable_sort(attempts.begin(), attempts.end(), [&](const auto& a, const auto& b) {
    return invocation.json ? a.started > b.started : a.started < b.started;
  });
  for (auto& attempt : attempts) {
    const auto& step = record->steps.at(static_cast<std::size_t>(attempt.step));
    const bool under_way =
        live != nullptr && live->current_step() == attempt.step && !attempt.ended && step.tries == attempt.number;
    if (under_way) attempt.log = live->live_log();
    if (invocation.json) {
      talk.json(json_of(attempt, view.host, step.task));
      continue;
    }
    std::string head =
        step.task + ", attempt " + std::to_string(attempt.number) + ", " + clock_of(attempt.started) + ": ";
    head += attempt.not_yet   ? "not yet"
            : attempt.outcome ? std::string(word(*attempt.outcome))
            : under_way       ? "under way"
                              : "cut short";
    if (attempt.ended)
      head +=
          " after " + in_words(std::chrono::duration_cast<std::chrono::milliseconds>(*attempt.ended - attempt.started));
    if (!attempt.last_words.empty()) head += ": " + attempt.last_words;
    talk.say(head);
    std::istringstream lines(attempt.log);
    for (std::string line; std::getline(lines, line);) talk.say("  " + line);
  }
  if (invocation.json) co_return kDone;
  for (const auto& step : record->steps) {
    if (step.state == pipeline::StepRecord::State::Skipped && (!only || *only == step.index))
      talk.say(step.task + ": skipped because " + step.skipped_because);
  }
  if (attempts.empty()) talk.say("nothing has run yet");
  co_return kDone;
}

awaitable<int> do_clipboard(House& house, Talk& talk) {
  const Invocation& invocation = talk.invocation();
  const auto view = allowed_run(house, talk, invocation.words.at(0));
  std::optional<int> step;
  const auto after = invocation.options.find("after");
  if (after != invocation.options.end()) {
    const auto record = house.journal().run(view.run);
    step = step_of(*record, after->second);
    const auto state = record->steps.at(static_cast<std::size_t>(*step)).state;
    if (state != pipeline::StepRecord::State::Done && state != pipeline::StepRecord::State::Undone) {
      throw Error(Kind::Usage, after->second + " has not been done in run " + view.run);
    }
  }
  const std::string text = house.pipeline().clipboard(view.run, step);
  pipeline::Workshop& shop = house.pipeline().shop();
  const bool reveal = invocation.options.count("reveal") > 0;
  talk.raw(reveal ? text : pipeline::show_sealed(text, shop.is_secret(), [&](std::string_view plain) {
    return shop.seal().seal_text(plain, kShownAbout);
  }));
  co_return kDone;
}

int exit_status_of(const Error& error) {
  switch (error.kind()) {
    case Kind::Usage:
      return kUsage;
    case Kind::Refused:
      return kRefused;
    default:
      return kFailed;
  }
}

awaitable<int> perform(House& house, Talk& talk) {
  const std::string name = talk.invocation().row->name;
  // Whether he may do it at all; to which host is asked where that is known. Codes are asked about by what they
  // confirm.
  if (name != "confirm") require(house.settings(), talk.asker(), {name, {}, ""});
  if (name == "help") {
    const auto& words = talk.invocation().words;
    talk.say(chat_help(words.empty() ? "" : words[0]));
    co_return kDone;
  }
  if (name == "deploy" || name == "redeploy") co_return co_await do_deploy(house, talk);
  if (name == "destroy") co_return co_await do_destroy(house, talk);
  if (name == "adopt") co_return co_await do_adopt(house, talk);
  if (name == "hosts") co_return co_await do_hosts(house, talk);
  if (name == "providers") co_return co_await do_providers(house, talk);
  if (name == "replay") co_return co_await do_replay(house, talk);
  if (name == "retry") co_return co_await do_retry(house, talk);
  if (name == "confirm") co_return co_await do_confirm(house, talk);
  if (name == "cancel") co_return co_await do_cancel(house, talk);
  if (name == "plan") co_return co_await do_plan(house, talk);
  if (name == "status" || name == "history") co_return co_await do_status(house, talk);
  if (name == "explain") co_return co_await do_explain(house, talk);
  if (name == "logs") co_return co_await do_logs(house, talk);
  if (name == "clipboard") co_return co_await do_clipboard(house, talk);
  if (name == "hold" || name == "release") co_return co_await do_hold(house, talk);
  if (name == "freeze" || name == "thaw") co_return co_await do_freeze(house, talk);
  if (name == "whoami") co_return co_await do_whoami(house, talk);
  if (name == "audit") co_return co_await do_audit(house, talk);
  if (name == "follow" || name == "quiet") co_return co_await do_follow(house, talk);
  throw Error(Kind::Usage, "the command " + name + " is not said to a jarvis that runs");
}

}  // namespace jarvis::bot
