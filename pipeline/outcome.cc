#include "pipeline/outcome.h"

#include <array>
#include <utility>

namespace jarvis::pipeline {
namespace {

constexpr std::array<std::pair<Outcome, std::string_view>, 5> kOutcomes{{
    {Outcome::Succeeded, "succeeded"},
    {Outcome::Failed, "failed"},
    {Outcome::TimedOut, "timed_out"},
    {Outcome::Crashed, "crashed"},
    {Outcome::Cancelled, "cancelled"},
}};

constexpr std::array<std::pair<RunState, std::string_view>, 10> kRunStates{{
    {RunState::Pending, "pending"},
    {RunState::Confirming, "confirming"},
    {RunState::Running, "running"},
    {RunState::Waiting, "waiting"},
    {RunState::Paused, "paused"},
    {RunState::Undoing, "undoing"},
    {RunState::Interrupted, "interrupted"},
    {RunState::Succeeded, "succeeded"},
    {RunState::Failed, "failed"},
    {RunState::Cancelled, "cancelled"},
}};

template <typename Value, std::size_t N>
std::optional<Value> value_of(const std::array<std::pair<Value, std::string_view>, N>& words, std::string_view word) {
  for (const auto& [value, name] : words) {
    if (name == word) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view word(Outcome outcome) {
  return kOutcomes.at(static_cast<std::size_t>(outcome)).second;
}
std::string_view word(RunState state) {
  return kRunStates.at(static_cast<std::size_t>(state)).second;
}
std::optional<Outcome> outcome_from(std::string_view word) {
  return value_of(kOutcomes, word);
}
std::optional<RunState> run_state_from(std::string_view word) {
  return value_of(kRunStates, word);
}

bool ended(RunState state) {
  return state == RunState::Succeeded || state == RunState::Failed || state == RunState::Cancelled;
}

}  // namespace jarvis::pipeline
