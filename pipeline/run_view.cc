// A run as people see it.
#include "pipeline/run_view.h"

#include <algorithm>

#include "pipeline/run.h"

namespace jarvis::pipeline {

using namespace std::chrono_literals;

RunView view_of(const RunRecord& record) {
  RunView view;
  view.run = record.id;
  view.host = record.host;
  view.operation = record.operation;
  view.provider = record.provider;
  view.state = record.state;
  view.stage = record.stage;
  view.task = record.task;
  view.stage_number = record.stage_number;
  view.stages = record.stages;
  view.started = record.started;
  view.ended = record.ended;
  view.error = record.error;
  view.by = record.by;
  view.asker = record.asker;
  view.where = record.where;
  view.confirm_until = record.confirm_until;
  for (const StepRecord& step : record.steps) {
    if (step.task == record.task && step.tries > 0) view.attempt = std::max(1, step.counted);
  }
  const Time until = record.ended.value_or(now());
  view.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(until - record.started);
  return view;
}

RunView Run::view() const {
  RunView view = view_of(record_);
  if (current_ >= 0)
    view.attempt = std::max(1, steps_[static_cast<std::size_t>(current_)].counted + (attempt_ ? 1 : 0));
  view.text = text_;
  if (attempt_ && !attempt_->log().progress().empty()) {
    const Blanker blanker = shop_.blanker(facts_.secrets, *steps_[static_cast<std::size_t>(current_)].row);
    view.text = blanker.line(attempt_->log().progress());
  }
  std::chrono::milliseconds usual{0};
  bool known = !steps_.empty();
  for (const RunStep& step : steps_) {
    if (step.undoes || (!ended(record_.state) && step.stage_number != record_.stage_number)) continue;
    const auto one = shop_.usual(record_.provider, step.row->name);
    known = known && one;
    usual += one.value_or(0ms);
  }
  if (known) view.usual = usual;
  if (!ended(record_.state)) view.elapsed = since(stage_began_);
  return view;
}

std::string Run::live_log() const {
  if (!attempt_) return {};
  const Blanker blanker = shop_.blanker(facts_.secrets, *steps_[static_cast<std::size_t>(current_)].row);
  return blanker.lines(attempt_->log().text());
}

}  // namespace jarvis::pipeline
