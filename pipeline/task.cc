#include "pipeline/task.h"

#include "pipeline/error.h"

namespace jarvis::pipeline {

void TaskTable::add(TaskRow row) {
  const std::size_t colon = row.name.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == row.name.size()) {
    throw Error(Kind::Usage, "the task name " + row.name + " is not MODULE:TASK");
  }
  if (rows_.count(row.name) > 0) throw Error(Kind::Usage, "the task " + row.name + " is there twice");
  if (row.stage.empty()) row.stage = row.task();
  const std::string name = row.name;
  rows_.emplace(name, std::make_shared<const TaskRow>(std::move(row)));
}

void TaskTable::add_open_module(const std::string& module, TaskRow prototype) {
  if (has_module(module)) throw Error(Kind::Usage, "the module " + module + " is there already");
  open_modules_.emplace(module, std::move(prototype));
}

Row TaskTable::find(std::string_view name) const {
  const auto found = rows_.find(name);
  if (found != rows_.end()) return found->second;
  const std::size_t colon = name.find(':');
  if (colon == std::string_view::npos || colon + 1 == name.size()) return nullptr;
  const auto open = open_modules_.find(name.substr(0, colon));
  if (open == open_modules_.end()) return nullptr;
  TaskRow made = open->second;
  made.name = name;
  if (made.stage.empty()) made.stage = made.task();
  return std::make_shared<const TaskRow>(std::move(made));
}

Row TaskTable::require(std::string_view name) const {
  if (Row row = find(name)) return row;
  std::vector<std::string> names;
  for (const auto& [known, row] : rows_) names.push_back(known);
  std::string text = "unknown task " + std::string(name);
  const std::size_t colon = name.find(':');
  if (colon == std::string_view::npos) {
    text += " (a task is MODULE:TASK)";
  } else if (!has_module(name.substr(0, colon))) {
    text += ": no worker module " + std::string(name.substr(0, colon));
  }
  if (const auto near = nearest(name, names)) text += ", did you mean " + *near + "?";
  throw Error(Kind::Usage, text);
}

bool TaskTable::has_module(std::string_view module) const {
  if (open_modules_.count(module) > 0) return true;
  const auto first = rows_.lower_bound(std::string(module) + ":");
  return first != rows_.end() && first->second->module() == module;
}

std::optional<std::string> TaskTable::giver_only(std::string_view key) const {
  std::optional<std::string> giver;
  for (const auto& [name, row] : rows_) {
    for (const std::string& allowed : row->from_spec) {
      if (allowed == key) return std::nullopt;
    }
    for (const std::string& given : row->gives) {
      if (given == key && !giver) giver = name;
    }
  }
  return giver;
}

}  // namespace jarvis::pipeline
