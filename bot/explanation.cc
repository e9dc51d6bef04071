#include "bot/explanation.h"

#include <algorithm>

#include "bot/words.h"
#include "pipeline/undo_order.h"

namespace jarvis::bot {

using pipeline::RunState;
using pipeline::StepRecord;
using pipeline::Time;
using std::chrono::milliseconds;

namespace {

milliseconds between(Time from, Time to) {
  return std::chrono::duration_cast<milliseconds>(to - from);
}

std::string when(Time then, Time now) {
  return clock_of(then) + " (in " + in_words(between(now, then)) + ")";
}

std::string joined(const std::vector<std::string>& words, const char* with) {
  std::string made;
  for (const std::string& word : words) made += (made.empty() ? "" : with) + word;
  return made;
}

std::string outcome_of(const pipeline::AttemptRecord& attempt, bool newest, bool worker) {
  if (attempt.not_yet) return "not yet";
  if (attempt.outcome) return std::string(word(*attempt.outcome));
  return newest && worker ? "under way" : "cut short";
}

std::vector<Explanation::Tries> tries_of(const Circumstances& known, const StepRecord& step, bool stands_here) {
  std::vector<Explanation::Tries> made;
  for (const auto& attempt : known.attempts) {
    if (attempt.step != step.index) continue;
    const bool newest = stands_here && attempt.number == step.tries;
    const std::string outcome = outcome_of(attempt, newest, known.worker);
    const bool alike = !made.empty() && made.back().outcome == outcome && made.back().words == attempt.last_words;
    if (!alike) made.push_back({attempt.number, attempt.number, outcome, attempt.last_words, attempt.started, {}});
    made.back().last = attempt.number;
    made.back().ended = attempt.ended;
  }
  return made;
}

std::string words_of(const Explanation::Tries& tries) {
  const std::string which = tries.first == tries.last
                                ? "attempt " + std::to_string(tries.first)
                                : "attempts " + std::to_string(tries.first) + " to " + std::to_string(tries.last);
  const std::string after = tries.ended ? " after " + in_words(between(tries.started, *tries.ended)) : "";
  return which + " " + tries.outcome + after + (tries.words.empty() ? "" : ": " + tries.words);
}

std::string people(int count) {
  return count == 1 ? "one more person" : std::to_string(count) + " more people";
}

// Where it stands and why, for each state that has a reason of its own.
class Why {
 public:
  Why(const Circumstances& known, Explanation& made)
      : known_(known),
        made_(made),
        here_(made.stands_at >= 0 ? &made.tasks[static_cast<std::size_t>(made.stands_at)] : nullptr) {}

  void find() {
    switch (known_.view.state) {
      case RunState::Confirming:
        return confirming();
      case RunState::Pending:
      case RunState::Running:
      case RunState::Waiting:
        return going();
      case RunState::Undoing:
        say("it takes back what was done, because " +
            (known_.record.error.empty() ? "it failed" : known_.record.error));
        return going();
      case RunState::Paused:
        made_.waits_for = "journal";
        return say(known_.view.text);
      case RunState::Interrupted:
        return interrupted();
      case RunState::Failed:
      case RunState::Cancelled:
      case RunState::Succeeded:
        return over();
    }
  }

 private:
  void say(const std::string& text) {
    if (!text.empty()) made_.why.push_back(text);
  }

  void confirming() {
    made_.waits_for = "confirmation";
    made_.until = known_.view.confirm_until;
    std::string text = "it deletes something and waits to be confirmed";
    if (known_.demand) {
      text += " by " + (known_.demand->needed == 1 ? "somebody who may order it" : people(known_.demand->missing()));
      if (!known_.demand->approvers.empty()) text += ", " + joined(known_.demand->approvers, ", ") + " did so";
      if (known_.demand->needed > 1) text += "; " + known_.demand->asker + ", who asked for it, does not count";
    }
    say(text + (made_.until ? "; given up at " + when(*made_.until, known_.now) : ""));
  }

  void going() {
    if (here_ == nullptr) return;
    const StepRecord& step = here_->step;
    if (known_.spent)
      made_.deadline = known_.now + std::chrono::duration_cast<Time::duration>(step.retry.deadline - *known_.spent);
    const std::string attempt = here_->tries.empty() ? "" : ", attempt " + std::to_string(here_->tries.back().last);
    if (known_.worker) {
      made_.waits_for = "worker";
      if (!here_->tries.empty()) {
        made_.until = here_->tries.back().started + std::chrono::duration_cast<Time::duration>(step.timeout);
        say(step.task + " is at work" + attempt + ", for " +
            in_words(between(here_->tries.back().started, known_.now)) + "; it is ended at " +
            when(*made_.until, known_.now));
      }
    } else if (step.next_at && *step.next_at > known_.now) {
      made_.waits_for = "again";
      made_.until = step.next_at;
      say(step.task + " is asked again at " + when(*step.next_at, known_.now) + last_words());
    } else if (known_.frozen) {
      made_.waits_for = "thaw";
    } else {
      made_.waits_for = "place";
      say(known_.view.text);
    }
    if (made_.deadline && !here_->tries.empty())
      say("it is given up at " + when(*made_.deadline, known_.now) + " unless it is done");
  }

  std::string last_words() const {
    if (here_->tries.empty()) return "";
    const auto& last = here_->tries.back();
    return ", because attempt " + std::to_string(last.last) +
           (last.outcome == "not yet" ? " said not yet" : " " + last.outcome) +
           (last.words.empty() ? "" : ": " + last.words);
  }

  void interrupted() {
    std::optional<Time> sign;
    for (const auto& attempt : known_.attempts) {
      const Time latest = attempt.ended.value_or(attempt.started);
      if (!sign || latest > *sign) sign = latest;
    }
    say("nobody carries it: the jarvis that did has ended" +
        (sign ? "; the last sign of it is of " + clock_of(*sign) : ", before anything was begun"));
    if (here_ == nullptr) return;
    const StepRecord& step = here_->step;
    const bool under = step.state == StepRecord::State::Under && !here_->tries.empty();
    if (under) say(step.task + " was under way and will be asked again" + last_words());
    if (step.elapsed > milliseconds(0))
      say("of the " + in_words(step.retry.deadline) + " that it has, " + in_words(step.elapsed) + " are used up");
  }

  void over() {
    if (known_.view.state != RunState::Succeeded) say(known_.record.error);
    if (known_.record.ended)
      say("it ended at " + clock_of(*known_.record.ended) + ", after " + in_words(known_.view.elapsed));
    std::vector<std::string> undone;
    for (const auto& task : made_.tasks) {
      if (task.step.state == StepRecord::State::Undone) undone.push_back(task.step.task);
    }
    if (!undone.empty()) say("taken back: " + joined(undone, ", "));
  }

  const Circumstances& known_;
  Explanation& made_;
  const Explanation::Task* here_;
};

// What stands in everybody's way.
void add_locks(const Circumstances& known, Explanation& made) {
  const bool over = ended(known.view.state);
  if (known.frozen && !over)
    made.why.push_back("no task begins anywhere: frozen " + known.frozen->words() + "; `jarvis thaw` ends that");
  if (known.hold)
    made.why.push_back("the host is held " + known.hold->words() +
                       ": no other run of it begins until `jarvis release " + known.host + "`");
  if (known.holder)
    made.why.push_back("run " + known.holder->run + " has the host now: " + known.holder->operation + " by " +
                       known.holder->by + ", " + std::string(word(known.holder->state)));
}

std::string next_of(const Circumstances& known) {
  std::string next = next_step(known.view, known.host);
  if (known.view.state == RunState::Confirming)
    return (known.demand ? "`jarvis confirm " + known.demand->code + "` lets it go on, " : "") + "`jarvis cancel " +
           known.host + "` gives it up";
  if (!next.empty() || ended(known.view.state)) return next;
  return known.view.state == RunState::Undoing ? "" : "`jarvis cancel " + known.host + "` ends it";
}

std::string skipped_of(const Explanation& what) {
  std::vector<std::string> skipped;
  for (const auto& task : what.tasks) {
    if (task.step.state == StepRecord::State::Skipped)
      skipped.push_back(task.step.task + " because " + task.step.skipped_because);
  }
  return skipped.empty() ? "" : "skipped: " + joined(skipped, "; ");
}

std::string undo_of(const Explanation& what) {
  std::vector<std::string> undo;
  for (const auto& one : what.undo) undo.push_back(one.task + " takes back " + one.undoes);
  return undo.empty() ? "" : "if it ends here: " + joined(undo, ", ");
}

const char* state_of(const Explanation::Task& task) {
  switch (task.step.state) {
    case StepRecord::State::Done:
      return "done";
    case StepRecord::State::Undone:
      return "done, and taken back";
    case StepRecord::State::Skipped:
      return "skipped";
    case StepRecord::State::Under:
      return "begun";
    case StepRecord::State::Todo:
      return task.tries.empty() ? "to do" : "not done";
  }
  return "";
}

nlohmann::json json_of(const std::optional<pipeline::Hold>& hold) {
  if (!hold) return nullptr;
  return {{"by", hold->by}, {"since", rfc3339(hold->since)}, {"reason", hold->reason}};
}

nlohmann::json time_of(const std::optional<Time>& time) {
  return time ? nlohmann::json(rfc3339(*time)) : nlohmann::json();
}

}  // namespace

Explanation explanation_of(const Circumstances& known) {
  Explanation made;
  made.line = status_line(known.view, known.host);
  const auto& steps = known.record.steps;
  const bool undoing = known.view.state == RunState::Undoing;
  made.stands_at = pipeline::where_it_stands(steps);
  // While it takes back it stands at an undo step: the last one that is not done.
  for (const StepRecord& step : steps) {
    if (undoing && step.undoes && step.state != StepRecord::State::Done) made.stands_at = step.index;
  }
  for (const StepRecord& step : steps)
    made.tasks.push_back({step, tries_of(known, step, step.index == made.stands_at)});
  for (const int index : pipeline::to_take_back(steps)) {
    const StepRecord& step = steps[static_cast<std::size_t>(index)];
    if (!ended(known.view.state)) made.undo.push_back({step.undo, step.task});
  }
  Why(known, made).find();
  add_locks(known, made);
  made.next = next_of(known);
  return made;
}

std::vector<std::string> explained(const Explanation& what, const Circumstances& known) {
  std::vector<std::string> lines = {what.line};
  lines.push_back("  " + known.view.operation + " " + known.view.run + " by " + known.view.by + ", started " +
                  clock_of(known.view.started));
  for (const std::string& one : what.why) lines.push_back("  " + one);
  for (const auto& task : what.tasks) {
    const std::string stage = task.step.undoes ? "undo"
                                               : std::to_string(task.step.stage_number) + "/" +
                                                     std::to_string(known.view.stages) + " " + task.step.stage;
    std::string line = "  " + stage + "  " + task.step.task + ": " + state_of(task);
    if (!task.step.skipped_because.empty()) line += " because " + task.step.skipped_because;
    const bool plain = task.tries.size() == 1 && task.tries[0].first == task.tries[0].last &&
                       task.tries[0].outcome == "succeeded" && task.tries[0].ended;
    if (plain) line += " after " + in_words(between(task.tries[0].started, *task.tries[0].ended));
    lines.push_back(line);
    for (const auto& tries : task.tries) {
      if (!plain) lines.push_back("      " + words_of(tries));
    }
  }
  for (const std::string& line : {undo_of(what), what.next}) {
    if (!line.empty()) lines.push_back("  " + line);
  }
  return lines;
}

std::vector<std::string> explained_in_short(const Explanation& what) {
  constexpr std::size_t kTries = 3;  // the newest
  std::vector<std::string> lines = {what.line};
  std::string tried;
  if (what.stands_at >= 0) {
    const auto& task = what.tasks[static_cast<std::size_t>(what.stands_at)];
    const std::size_t from = task.tries.size() > kTries ? task.tries.size() - kTries : 0;
    std::vector<std::string> words;
    for (std::size_t i = from; i < task.tries.size(); ++i) words.push_back(words_of(task.tries[i]));
    if (!words.empty()) tried = task.step.task + ": " + joined(words, "; ");
  }
  for (const std::string& line : {joined(what.why, "; "), tried, skipped_of(what), undo_of(what), what.next}) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

nlohmann::json json_of(const Explanation& what, const Circumstances& known) {
  nlohmann::json made = json_of(known.view);
  made["why"] = what.why;
  made["waits_for"] = what.waits_for.empty() ? nlohmann::json() : nlohmann::json(what.waits_for);
  made["until"] = time_of(what.until);
  made["deadline"] = time_of(what.deadline);
  made["tasks"] = nlohmann::json::array();
  for (const auto& task : what.tasks) {
    nlohmann::json one = {
        {"task", task.step.task},
        {"stage", task.step.stage},
        {"stage_number", task.step.stage_number},
        {"state", word(task.step.state)},
        {"undoes", nullptr},
        {"skipped_because", nullptr},
        {"attempts", nlohmann::json::array()},
    };
    if (task.step.undoes) one["undoes"] = what.tasks[static_cast<std::size_t>(*task.step.undoes)].step.task;
    if (!task.step.skipped_because.empty()) one["skipped_because"] = task.step.skipped_because;
    for (const auto& tries : task.tries)
      one["attempts"].push_back({{"first", tries.first},
                                 {"last", tries.last},
                                 {"outcome", tries.outcome},
                                 {"error", tries.words.empty() ? nlohmann::json() : nlohmann::json(tries.words)},
                                 {"started", rfc3339(tries.started)},
                                 {"ended", time_of(tries.ended)}});
    made["tasks"].push_back(std::move(one));
  }
  made["undo"] = nlohmann::json::array();
  for (const auto& one : what.undo) made["undo"].push_back({{"task", one.task}, {"undoes", one.undoes}});
  made["held"] = json_of(known.hold);
  made["frozen"] = json_of(known.frozen);
  made["holder"] = known.holder ? nlohmann::json(known.holder->run) : nlohmann::json();
  if (known.demand) {
    made["confirm"] = known.demand->code;
    made["approvers"] = known.demand->approvers;
    made["missing"] = known.demand->missing();
  }
  made["next"] = what.next.empty() ? nlohmann::json() : nlohmann::json(what.next);
  return made;
}

}  // namespace jarvis::bot
