#include "pipeline/journal.h"

#include <array>
#include <utility>

namespace jarvis::pipeline {
namespace {

using State = StepRecord::State;

constexpr std::array<std::pair<State, std::string_view>, 5> kStepStates{{
    {State::Todo, "todo"},
    {State::Under, "under"},
    {State::Done, "done"},
    {State::Undone, "undone"},
    {State::Skipped, "skipped"},
}};

}  // namespace

std::string_view word(State state) {
  return kStepStates.at(static_cast<std::size_t>(state)).second;
}

std::optional<State> step_state_from(std::string_view word) {
  for (const auto& [state, name] : kStepStates) {
    if (name == word) return state;
  }
  return std::nullopt;
}

}  // namespace jarvis::pipeline
