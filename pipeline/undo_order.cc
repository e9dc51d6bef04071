#include "pipeline/undo_order.h"

#include <algorithm>

namespace jarvis::pipeline {

int where_it_stands(const std::vector<StepRecord>& steps) {
  const auto found = std::find_if(steps.begin(), steps.end(), [](const StepRecord& step) {
    return !step.undoes && (step.state == StepRecord::State::Todo || step.state == StepRecord::State::Under);
  });
  return found == steps.end() ? -1 : static_cast<int>(found - steps.begin());
}

std::vector<int> to_take_back(const std::vector<StepRecord>& steps) {
  const int failed = where_it_stands(steps);
  std::vector<int> made;
  for (int i = static_cast<int>(steps.size()) - 1; i >= 0; --i) {
    const StepRecord& step = steps[static_cast<std::size_t>(i)];
    if (step.undoes || step.state != StepRecord::State::Done || step.undo.empty()) continue;
    bool taken_back = false;
    for (int later = i; later < static_cast<int>(steps.size()); ++later) {
      const StepRecord& other = steps[static_cast<std::size_t>(later)];
      const bool tried = other.state == StepRecord::State::Done || later == failed;
      taken_back = taken_back || (!other.undoes && other.task == step.undo && tried);
    }
    if (!taken_back) made.push_back(i);
  }
  return made;
}

}  // namespace jarvis::pipeline
