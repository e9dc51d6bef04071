// The words for how an attempt ended and for where a run is. The same words stand in chat, log, journal and JSON; the
// spelling is pinned by a test because journals outlive binaries.
#pragma once

#include <optional>
#include <string_view>

namespace jarvis::pipeline {

enum class Outcome { Succeeded, Failed, TimedOut, Crashed, Cancelled };

enum class RunState {
  Pending,
  Confirming,
  Running,
  Waiting,
  Paused,
  Undoing,
  Interrupted,
  Succeeded,
  Failed,
  Cancelled,
};

std::string_view word(Outcome outcome);
std::string_view word(RunState state);
std::optional<Outcome> outcome_from(std::string_view word);
std::optional<RunState> run_state_from(std::string_view word);

// Succeeded, failed, cancelled: nothing more happens by itself.
bool ended(RunState state);

}  // namespace jarvis::pipeline
