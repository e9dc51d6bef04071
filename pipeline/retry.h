// When a failed attempt is made again: a pure function of policy, attempt and what the worker asked for.
// Knows no clock and no process.
#pragma once

#include <chrono>
#include <optional>

#include "pipeline/outcome.h"

namespace jarvis::pipeline {

struct RetryPolicy {
  int attempts = 3;                               // for crashed, and what the two flags add
  std::chrono::milliseconds delay{1000};          // before the second attempt, doubling ...
  std::chrono::milliseconds max_delay{60'000};    // ... up to here
  std::chrono::milliseconds deadline{3'600'000};  // of the whole step, first start to last; exit 75 uses up only this
  bool after_timeout = false;                     // timed_out is asked again too
  bool after_failure = false;                     // a plain failure is asked again too
};

inline constexpr std::chrono::milliseconds kNotYetDelay{5000};  // exit 75 without retry-after

// What the run does after an attempt. `counted`: attempts that count so far, this one included (a wait by exit 75 does
// not count). `elapsed`: time since the step's first attempt began, without the time when jarvis was not running.
struct NextMove {
  enum class Do { Advance, AskAgain, Fail } what;
  std::chrono::milliseconds delay{0};  // AskAgain: how long to wait first
  bool deadline_passed = false;        // Fail: because the deadline would be over
};
NextMove after_attempt(const RetryPolicy& policy, Outcome outcome, bool not_yet, int counted,
                       std::optional<std::chrono::milliseconds> retry_after, std::chrono::milliseconds elapsed);

}  // namespace jarvis::pipeline
