#include "pipeline/retry.h"

#include <doctest/doctest.h>

namespace jarvis::pipeline {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

TEST_CASE("what follows an attempt") {
  using Do = NextMove::Do;
  const RetryPolicy usual;
  RetryPolicy stubborn;
  stubborn.after_timeout = stubborn.after_failure = true;
  RetryPolicy hurried;
  hurried.delay = 0ms;
  RetryPolicy many;
  many.attempts = 1000;
  RetryPolicy once;
  once.attempts = 1;

  struct Case {
    const char* name;
    const RetryPolicy& policy;
    Outcome outcome;
    bool not_yet;
    int counted;
    std::optional<milliseconds> retry_after;
    milliseconds elapsed;
    Do what;
    milliseconds delay;
    bool deadline_passed;
  };
  const std::optional<milliseconds> none;
  for (const auto& c : {
           Case{"succeeded", usual, Outcome::Succeeded, false, 1, none, 0s, Do::Advance, 0s, false},
           Case{"succeeded after the deadline", usual, Outcome::Succeeded, false, 3, none, 2h, Do::Advance, 0s, false},
           Case{"cancelled", stubborn, Outcome::Cancelled, false, 1, none, 0s, Do::Fail, 0s, false},

           Case{"not yet", usual, Outcome::Failed, true, 0, none, 0s, Do::AskAgain, kNotYetDelay, false},
           Case{"not yet, with a delay", usual, Outcome::Failed, true, 0, 90s, 0s, Do::AskAgain, 90s, false},
           Case{"not yet, at once", usual, Outcome::Failed, true, 0, 0s, 0s, Do::AskAgain, 0s, false},
           Case{"not yet, below nothing", usual, Outcome::Failed, true, 0, -1s, 0s, Do::AskAgain, 0s, false},
           Case{"not yet uses no attempts", once, Outcome::Failed, true, 50, none, 0s, Do::AskAgain, 5s, false},
           Case{"not yet, just within", usual, Outcome::Failed, true, 0, none, 1h - 5s, Do::AskAgain, 5s, false},
           Case{"not yet, over", usual, Outcome::Failed, true, 0, none, 1h - 4999ms, Do::Fail, 0s, true},
           Case{"not yet, for ever", usual, Outcome::Failed, true, 0, milliseconds::max(), 0s, Do::Fail, 0s, true},

           Case{"crashed once", usual, Outcome::Crashed, false, 1, none, 0s, Do::AskAgain, 1s, false},
           Case{"crashed twice", usual, Outcome::Crashed, false, 2, none, 0s, Do::AskAgain, 2s, false},
           Case{"crashed three times", usual, Outcome::Crashed, false, 3, none, 0s, Do::Fail, 0s, false},
           Case{"crashed, one attempt only", once, Outcome::Crashed, false, 1, none, 0s, Do::Fail, 0s, false},
           Case{"crashed, cut short before", usual, Outcome::Crashed, false, 0, none, 0s, Do::AskAgain, 1s, false},
           Case{"delay is capped", many, Outcome::Crashed, false, 7, none, 0s, Do::AskAgain, 1min, false},
           Case{"delay does not overflow", many, Outcome::Crashed, false, 999, none, 0s, Do::AskAgain, 1min, false},
           Case{"no delay", hurried, Outcome::Crashed, false, 2, none, 0s, Do::AskAgain, 0s, false},
           Case{"crashed near the deadline", usual, Outcome::Crashed, false, 2, none, 1h - 1s, Do::Fail, 0s, true},
           Case{"retry-after goes with 75 only", usual, Outcome::Crashed, false, 1, 90s, 0s, Do::AskAgain, 1s, false},

           Case{"failed", usual, Outcome::Failed, false, 1, none, 0s, Do::Fail, 0s, false},
           Case{"failed, the row insists", stubborn, Outcome::Failed, false, 2, none, 0s, Do::AskAgain, 2s, false},
           Case{"failed, used up", stubborn, Outcome::Failed, false, 3, none, 0s, Do::Fail, 0s, false},
           Case{"timed out", usual, Outcome::TimedOut, false, 1, none, 10min, Do::Fail, 0s, false},
           Case{"timed out, the row insists", stubborn, Outcome::TimedOut, false, 1, none, 10min, Do::AskAgain, 1s,
                false},
           Case{"timed out at the deadline", stubborn, Outcome::TimedOut, false, 1, none, 1h, Do::Fail, 0s, true},
       }) {
    CAPTURE(c.name);
    const NextMove move = after_attempt(c.policy, c.outcome, c.not_yet, c.counted, c.retry_after, c.elapsed);
    CHECK(move.what == c.what);
    CHECK(move.delay == c.delay);
    CHECK(move.deadline_passed == c.deadline_passed);
  }
}

}  // namespace jarvis::pipeline
