// The plan: the checked order of steps of one operation on one host, made before anything runs. Pure: rows, an action
// list and the keys on the first clipboard in, a plan or every fault at once out. Knows no processes and no journal.
#pragma once

#include <string>
#include <vector>

#include "pipeline/action_list.h"
#include "pipeline/clipboard.h"
#include "pipeline/task.h"

namespace jarvis::pipeline {

struct PlanStep {
  Row row;           // with the list's overrides; shared where the list overrides nothing
  int stage_number;  // from 1
};

struct Plan {
  std::string host;  // fqdn
  std::string operation, provider;
  std::vector<PlanStep> steps;
  int stages = 0;  // neighbours with one stage name count once
  bool destroys() const;
};

// Checks the list against the table and the keys that `first` carries:
//   unknown tasks, a need that neither the clipboard nor an earlier task gives, an external executable that is missing
//   or cannot be run, an undo that is no task. Error(Usage) with every fault, one a line.
Plan make_plan(const ActionList& list, const TaskTable& table, const Clipboard& first, const std::string& host);

// What the plan does, as one digest: operation, host, tasks in order with their policies, and the clipboard it starts
// from. A confirmation is bound to it.
std::string digest_of(const Plan& plan, const std::string& first_clipboard);

// "rwx" for somebody: empty if `path` is an absolute path of a regular file that this process may run, else why not.
std::string why_not_runnable(const std::string& path);

}  // namespace jarvis::pipeline
