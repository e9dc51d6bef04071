// A run as people see it: what status, history and the reporter show. Made from a live run or from its journal record.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "pipeline/journal.h"

namespace jarvis::pipeline {

struct RunView {
  std::string run, host, operation, provider;
  RunState state = RunState::Pending;
  std::string stage, task;
  int stage_number = 0, stages = 0, attempt = 0;
  std::string text;  // the worker's progress, or why the run waits
  Time started{};
  std::optional<Time> ended;
  std::chrono::milliseconds elapsed{0};            // in this stage; of the whole run when it has ended
  std::optional<std::chrono::milliseconds> usual;  // of this stage; of the whole run when it has ended
  std::string error, by, asker, where;
  std::optional<Time> confirm_until;
};

// Of a run that nobody carries.
RunView view_of(const RunRecord& record);

}  // namespace jarvis::pipeline
