// A run that failed or was cancelled takes back what can be taken back.
#include <boost/asio/use_awaitable.hpp>

#include "pipeline/run.h"
#include "pipeline/undo_order.h"

namespace jarvis::pipeline {

namespace asio = boost::asio;

// Takes back, newest first, what the steps that are done have done, where their rows name an undo.
asio::awaitable<void> Run::undo() {
  std::vector<StepRecord> records;
  records.reserve(steps_.size());
  for (int i = 0; i < static_cast<int>(steps_.size()); ++i) records.push_back(record_of(i));
  // Where it failed, also when an earlier life of this undo was cut short.
  const int failed_index = where_it_stands(records);
  const std::vector<int> planned = to_take_back(records);
  if (planned.empty()) co_return;
  if (!cancelled_)
    record_.error = failure_;  // written down with every step of the undo: a resume ends as this would have
  // Told of what it takes back first, not of what failed.
  const RunStep& newest = steps_[static_cast<std::size_t>(planned.front())];
  record_.stage = newest.row->stage;
  record_.task = newest.row->undo;
  record_.stage_number = newest.stage_number;
  enter(RunState::Undoing);
  for (const int target : planned) {
    int index = -1;
    for (int i = 0; i < static_cast<int>(steps_.size()); ++i) {
      const RunStep& step = steps_[static_cast<std::size_t>(i)];
      if (step.undoes == target && step.state != StepRecord::State::Done) index = i;
    }
    if (index < 0) {
      const Row row = shop_.table().find(steps_[static_cast<std::size_t>(target)].row->undo);
      if (!row) {
        failure_ += (failure_.empty() ? "" : "; ") + std::string("undo stopped: there is no task ") +
                    steps_[static_cast<std::size_t>(target)].row->undo;
        break;
      }
      RunStep made;
      made.row = row;
      made.stage_number = steps_[static_cast<std::size_t>(target)].stage_number;
      made.undoes = target;
      index = static_cast<int>(steps_.size());
      steps_.push_back(std::move(made));
      pending_.push_back(StepsAdded{record_.id, {record_of(index)}});
    }
    const std::string before = std::exchange(failure_, "");
    const Ending ending = co_await perform(index);
    const std::string task = steps_[static_cast<std::size_t>(index)].row->name;
    if (ending == Ending::Stopped) {
      ending_ = Ending::Stopped;
      co_return;
    }
    if (ending == Ending::Failed) {
      failure_ = before + (before.empty() ? "" : "; ") + "undo stopped at " + task + ": " + failure_;
      break;
    }
    failure_ = before;
    RunStep& undone = steps_[static_cast<std::size_t>(target)];
    undone.state = StepRecord::State::Undone;
    undone.counted = 0;
    undone.elapsed = std::chrono::milliseconds{0};
    pending_.push_back(StepChanged{record_.id, target, undone.state, "", 0, std::chrono::milliseconds{0}});
  }
  // What people are told is where it failed, not where the undo ended.
  if (failed_index < 0) co_return;
  const RunStep& where = steps_[static_cast<std::size_t>(failed_index)];
  record_.stage = where.row->stage;
  record_.task = where.row->name;
  record_.stage_number = where.stage_number;
}

}  // namespace jarvis::pipeline
