#include "bot/explanation.h"

#include <doctest/doctest.h>

#include "bot/words.h"

namespace jarvis::bot {
namespace {

using namespace std::chrono_literals;
using pipeline::AttemptRecord;
using pipeline::Outcome;
using pipeline::RunState;
using pipeline::StepRecord;
using pipeline::Time;

constexpr Time kNow{std::chrono::seconds{1'790'000'000}};

StepRecord step(int index, const std::string& task, StepRecord::State state, const std::string& undo = "") {
  StepRecord made;
  made.index = index;
  made.task = task;
  made.stage = task.substr(task.find(':') + 1);
  made.stage_number = index + 1;
  made.state = state;
  made.undo = undo;
  made.timeout = 10min;
  return made;
}

AttemptRecord attempt(int of, int number, std::optional<Outcome> outcome, const std::string& words,
                      bool not_yet = false) {
  AttemptRecord made;
  made.step = of;
  made.number = number;
  made.started = kNow - 60s + std::chrono::seconds(number);
  if (outcome || not_yet) made.ended = made.started + 500ms;
  made.outcome = outcome;
  made.not_yet = not_yet;
  made.last_words = words;
  return made;
}

Circumstances going(std::vector<AttemptRecord> attempts) {
  Circumstances known;
  known.host = "loki";
  known.view.state = RunState::Waiting;
  known.view.run = "abcdef";
  known.view.stages = 3;
  known.now = kNow;
  known.record.steps = {step(0, "a:one", StepRecord::State::Done, "a:un_one"),
                        step(1, "a:two", StepRecord::State::Under), step(2, "a:three", StepRecord::State::Todo)};
  known.record.steps[1].tries = attempts.empty() ? 0 : attempts.back().number;
  known.attempts = std::move(attempts);
  known.spent = 60s;
  return known;
}

std::string text(const std::vector<std::string>& lines) {
  std::string made;
  for (const std::string& line : lines) made += line + "\n";
  return made;
}

}  // namespace

TEST_CASE("explain: attempts that ended alike are one line") {
  std::vector<AttemptRecord> attempts;
  for (int i = 1; i <= 41; ++i) attempts.push_back(attempt(1, i, Outcome::Failed, "no answer", true));
  attempts.push_back(attempt(1, 42, Outcome::Crashed, "killed by signal 9"));
  attempts.push_back(attempt(1, 43, std::nullopt, ""));
  Circumstances known = going(attempts);
  SUBCASE("somebody is at work") {
    known.worker = true;
    const Explanation made = explanation_of(known);
    REQUIRE(made.tasks[1].tries.size() == 3);
    CHECK(made.tasks[1].tries[0].first == 1);
    CHECK(made.tasks[1].tries[0].last == 41);
    CHECK(made.tasks[1].tries[0].outcome == "not yet");
    CHECK(made.tasks[1].tries[1].outcome == "crashed");
    CHECK(made.tasks[1].tries[2].outcome == "under way");
    CHECK(made.waits_for == "worker");
    CHECK(*made.deadline == kNow + 59min);  // an hour, of which a minute is used up
    CHECK(text(explained(made, known)).find("\n      attempts 1 to 41 not yet after ") != std::string::npos);
  }
  SUBCASE("nobody is") {
    const Explanation made = explanation_of(known);
    CHECK(made.tasks[1].tries[2].outcome == "cut short");
    CHECK(made.waits_for == "place");
  }
}

TEST_CASE("explain: what it waits for") {
  Circumstances known = going({attempt(1, 1, Outcome::TimedOut, "")});
  known.record.steps[1].next_at = kNow + 40s;
  SUBCASE("the next try") {
    const Explanation made = explanation_of(known);
    CHECK(made.waits_for == "again");
    CHECK(*made.until == kNow + 40s);
    CHECK(made.why.at(0) ==
          "a:two is asked again at " + clock_of(kNow + 40s) + " (in 40 s), because attempt 1 timed_out");
  }
  SUBCASE("it is due, but everything is frozen") {
    known.record.steps[1].next_at = kNow - 1s;
    known.frozen = pipeline::Hold{"*", "odin", "", kNow};
    CHECK(explanation_of(known).waits_for == "thaw");
  }
  SUBCASE("people") {
    known.view.state = RunState::Confirming;
    known.view.confirm_until = kNow + 60s;
    known.demand = pipeline::Demand{"k3xw9a", 2, "thor", {"odin"}};
    const Explanation made = explanation_of(known);
    CHECK(made.waits_for == "confirmation");
    CHECK(made.why.at(0).find("by one more person, odin did so; thor, who asked for it, does not count") !=
          std::string::npos);
    CHECK(json_of(made, known)["missing"] == 1);
  }
}

TEST_CASE("explain: an undo that has begun stands at its own step") {
  Circumstances known = going({attempt(1, 1, Outcome::Failed, "no route"), attempt(3, 1, std::nullopt, "")});
  known.view.state = RunState::Undoing;
  known.record.error = "no route";
  known.record.steps[1].state = StepRecord::State::Todo;
  known.record.steps.push_back(step(3, "a:un_one", StepRecord::State::Under));
  known.record.steps[3].undoes = 0;
  known.record.steps[3].tries = 1;
  known.worker = true;
  const Explanation made = explanation_of(known);
  CHECK(made.stands_at == 3);
  CHECK(made.why.at(0) == "it takes back what was done, because no route");
  CHECK(made.why.at(1).starts_with("a:un_one is at work, attempt 1"));
  CHECK(made.tasks[1].tries[0].outcome == "failed");
  CHECK(made.next.empty());
}

TEST_CASE("explain: in chat it is at most six lines, whatever there is to say") {
  std::vector<AttemptRecord> attempts;
  for (int i = 1; i <= 9; ++i) attempts.push_back(attempt(1, i, Outcome::Crashed, "words " + std::to_string(i)));
  Circumstances known = going(attempts);
  known.record.steps[2].state = StepRecord::State::Skipped;
  known.record.steps[2].skipped_because = "the pager is down";
  known.hold = known.frozen = pipeline::Hold{"loki", "odin", "we move", kNow};
  known.holder = known.view;
  const auto lines = explained_in_short(explanation_of(known));
  CHECK(lines.size() == 6);
  CHECK(lines[2].find("words 6") == std::string::npos);  // the newest three
  CHECK(lines[2].find("attempt 9 crashed after 0.5 s: words 9") != std::string::npos);
  CHECK(lines[3] == "skipped: a:three because the pager is down");
  CHECK(lines[4] == "if it ends here: a:un_one takes back a:one");
}

}  // namespace jarvis::bot
