#include "pipeline/outcome.h"

#include <doctest/doctest.h>

#include "pipeline/journal.h"

namespace jarvis::pipeline {

// Journals outlive binaries: a word here may never change.
TEST_CASE("words of outcomes") {
  struct Case {
    Outcome outcome;
    const char* word;
  };
  for (const auto& c :
       {Case{Outcome::Succeeded, "succeeded"}, Case{Outcome::Failed, "failed"}, Case{Outcome::TimedOut, "timed_out"},
        Case{Outcome::Crashed, "crashed"}, Case{Outcome::Cancelled, "cancelled"}}) {
    CAPTURE(c.word);
    CHECK(word(c.outcome) == c.word);
    CHECK(outcome_from(c.word) == c.outcome);
  }
  CHECK_FALSE(outcome_from("Succeeded"));
  CHECK_FALSE(outcome_from(""));
}

TEST_CASE("words of run states, and which of them are the end") {
  struct Case {
    RunState state;
    const char* word;
    bool over;
  };
  for (const auto& c : {Case{RunState::Pending, "pending", false}, Case{RunState::Confirming, "confirming", false},
                        Case{RunState::Running, "running", false}, Case{RunState::Waiting, "waiting", false},
                        Case{RunState::Paused, "paused", false}, Case{RunState::Undoing, "undoing", false},
                        Case{RunState::Interrupted, "interrupted", false}, Case{RunState::Succeeded, "succeeded", true},
                        Case{RunState::Failed, "failed", true}, Case{RunState::Cancelled, "cancelled", true}}) {
    CAPTURE(c.word);
    CHECK(word(c.state) == c.word);
    CHECK(run_state_from(c.word) == c.state);
    CHECK(ended(c.state) == c.over);
  }
  CHECK_FALSE(run_state_from("done"));
}

TEST_CASE("words of step states") {
  using State = StepRecord::State;
  struct Case {
    State state;
    const char* word;
  };
  for (const auto& c : {Case{State::Todo, "todo"}, Case{State::Under, "under"}, Case{State::Done, "done"},
                        Case{State::Undone, "undone"}, Case{State::Skipped, "skipped"}}) {
    CAPTURE(c.word);
    CHECK(word(c.state) == c.word);
    CHECK(step_state_from(c.word) == c.state);
  }
  CHECK_FALSE(step_state_from("finished"));
}

}  // namespace jarvis::pipeline
