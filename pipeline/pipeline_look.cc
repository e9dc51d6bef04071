// Looking at runs: live ones as they are, others as the journal has them.
#include "pipeline/error.h"
#include "pipeline/pipeline.h"

namespace jarvis::pipeline {

// With what only a look at all its steps tells: how long this usually takes.
// Who only looks may not have been able to write down that nobody carries a run.
RunView Pipeline::unattended_view(RunRecord record) {
  const bool left_behind = only_looks_ && !ended(record.state) && record.state != RunState::Confirming;
  if (left_behind && record.state != RunState::Interrupted) stand_where_it_stopped(record);
  if (left_behind) record.state = RunState::Interrupted;
  return view_of(record);
}

RunView Pipeline::stored_view(const RunRecord& record) {
  RunView view = unattended_view(record);
  std::chrono::milliseconds usual{0};
  bool known = !record.steps.empty();
  for (const StepRecord& step : record.steps) {
    if (step.undoes || (!ended(record.state) && step.stage_number != record.stage_number)) continue;
    const auto one = shop_.usual(record.provider, step.task);
    known = known && one;
    usual += one.value_or(std::chrono::milliseconds{0});
  }
  if (known) view.usual = usual;
  return view;
}

std::vector<RunView> Pipeline::views(const RunFilter& filter) {
  std::vector<RunView> made;
  for (const RunRecord& record : shop_.journal().runs(filter)) {
    const auto live = runs_.find(record.id);
    if (live != runs_.end()) {
      made.push_back(live->second->view());
    } else if (filter.host) {  // somebody looks closely
      made.push_back(stored_view(shop_.journal().run(record.id).value_or(record)));
    } else {
      made.push_back(unattended_view(record));
    }
  }
  return made;
}

std::optional<RunView> Pipeline::view(const std::string& id) {
  const auto live = runs_.find(id);
  if (live != runs_.end()) return live->second->view();
  const auto record = shop_.journal().run(id);
  if (!record) return std::nullopt;
  const auto by_prefix = runs_.find(record->id);
  return by_prefix != runs_.end() ? by_prefix->second->view() : stored_view(*record);
}

const Run* Pipeline::live(const std::string& id) const {
  const auto found = runs_.find(id);
  return found != runs_.end() ? found->second.get() : nullptr;
}

const Run* Pipeline::live_of(const std::string& host) const {
  const auto holder = holders_.find(host);
  return holder != holders_.end() ? live(holder->second) : nullptr;
}

std::optional<std::string> Pipeline::holder_of(const std::string& host) const {
  const auto holder = holders_.find(host);
  return holder != holders_.end() ? std::optional(holder->second) : std::nullopt;
}

std::set<std::string> Pipeline::hosts_of(const std::string& asker) {
  std::set<std::string> made;
  for (const auto& [host, id] : holders_) {
    const Run* carried = live(id);
    const auto record = carried == nullptr ? shop_.journal().run(id) : std::nullopt;
    if (carried != nullptr ? carried->record().asker == asker : record && record->asker == asker) made.insert(host);
  }
  return made;
}

std::string Pipeline::clipboard(const std::string& id, std::optional<int> step) {
  std::optional<std::string> sealed;
  if (step) {
    // A task that printed nothing left no checkpoint of its own: the clipboard is that of an earlier one.
    for (int at = *step; at >= -1 && !sealed; --at) sealed = shop_.journal().checkpoint(id, at);
  } else if (auto newest = shop_.journal().newest_checkpoint(id)) {
    sealed = std::move(newest->second);
  }
  if (!sealed) throw Error(Kind::Usage, "run " + id + " has no clipboard" + (step ? " after that task" : ""));
  try {
    return shop_.seal().open(*sealed, id);
  } catch (Error& e) {
    throw e.within("the clipboard of run " + id);
  }
}

std::optional<std::string> Pipeline::host_clipboard(const std::string& host) {
  for (const RunRecord& record : shop_.journal().runs({host, false, 0})) {
    if (record.state == RunState::Confirming) continue;
    if (shop_.journal().newest_checkpoint(record.id)) return clipboard(record.id, std::nullopt);
  }
  return std::nullopt;
}

}  // namespace jarvis::pipeline
