#include "pipeline/plan.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "pipeline/error.h"
#include "pipeline/seal.h"

namespace jarvis::pipeline {

namespace {

Row overridden(const Row& row, const ActionList::Entry& entry) {
  const RetryOverride& retry = entry.retry;
  const bool plain = entry.stage.empty() && !entry.timeout && !entry.grace && !retry.attempts && !retry.delay &&
                     !retry.max_delay && !retry.deadline && !retry.after_timeout && !retry.after_failure;
  if (plain) return row;  // shared by every run that uses it
  TaskRow made = *row;
  if (!entry.stage.empty()) made.stage = entry.stage;
  made.timeout = entry.timeout.value_or(made.timeout);
  made.grace = entry.grace.value_or(made.grace);
  made.retry = entry.retry.over(made.retry);
  return std::make_shared<const TaskRow>(std::move(made));
}

std::string joined(const std::vector<std::string>& lines) {
  std::string made;
  for (const std::string& line : lines) made += (made.empty() ? "" : "\n") + line;
  return made;
}

}  // namespace

bool Plan::destroys() const {
  return std::any_of(steps.begin(), steps.end(), [](const PlanStep& step) { return step.row->destroys; });
}

std::string why_not_runnable(const std::string& path) {
  struct stat about {};
  if (path.empty() || path.front() != '/') return "not an absolute path";
  if (::stat(path.c_str(), &about) != 0) return std::strerror(errno);
  if (!S_ISREG(about.st_mode)) return "not a file";
  // As root access(2) is content with any run bit, as exec is.
  if (::access(path.c_str(), X_OK) != 0) return "cannot be run (chmod +x?)";
  return {};
}

Plan make_plan(const ActionList& list, const TaskTable& table, const Clipboard& first, const std::string& host) {
  Plan plan;
  plan.host = host;
  plan.operation = list.operation;
  plan.provider = list.provider;
  std::vector<std::string> faults;
  std::set<std::string, std::less<>> there;
  for (const std::string& key : first.keys()) there.insert(key);
  for (const ActionList::Entry& entry : list.entries) {
    const std::string where = list.file.empty() ? "" : list.file + ":" + std::to_string(entry.line) + ": ";
    Row row;
    try {
      row = overridden(table.require(entry.task), entry);
    } catch (const Error& e) {
      faults.push_back(where + e.what());
      continue;
    }
    for (const std::string& need : row->needs) {
      if (there.count(need) == 0) {
        faults.push_back(where + entry.task + " needs `" + need +
                         "`, which neither the spec nor an earlier task gives");
        there.insert(need);  // said once
      }
    }
    for (const std::string& given : row->gives) there.insert(given);
    if (!row->executable.empty()) {
      const std::string why = why_not_runnable(row->executable);
      if (!why.empty()) faults.push_back(where + entry.task + ": " + row->executable + ": " + why);
    }
    if (!row->undo.empty() && !table.find(row->undo))
      faults.push_back(where + entry.task + ": its undo " + row->undo + " is no task");
    if (plan.steps.empty() || plan.steps.back().row->stage != row->stage) ++plan.stages;
    plan.steps.push_back({std::move(row), plan.stages});
  }
  if (!faults.empty()) throw Error(Kind::Usage, joined(faults));
  return plan;
}

std::string digest_of(const Plan& plan, const std::string& first_clipboard) {
  std::string text = plan.operation + "\n" + plan.host + "\n" + plan.provider + "\n";
  for (const PlanStep& step : plan.steps) {
    const TaskRow& row = *step.row;
    text += row.name + " " + row.executable + " " + std::to_string(row.timeout.count()) + " " +
            std::to_string(row.retry.attempts) + " " + std::to_string(row.retry.deadline.count()) + "\n";
  }
  return digest(text + first_clipboard);
}

}  // namespace jarvis::pipeline
