// A task's row: what it is called, what it needs and gives, how long it may take, when it is asked again. The type
// lives here; the rows of the built-in tasks stand in workers/rows.cc, those of external workers come from the
// configuration. A row is data: it knows no function. Immutable once in a table and shared by every plan that uses it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/retry.h"

namespace jarvis::pipeline {

struct TaskRow {
  std::string name;                // module:task
  std::string family;              // the forkserver that runs it: core, ssh, ... (external workers: core)
  std::string executable;          // external worker: absolute path; empty for a built-in task
  std::string stage;               // what a person sees; several neighbours with one stage count as one
  std::vector<std::string> needs;  // keys that must be on the clipboard
  std::vector<std::string> gives;  // keys that are there afterwards
  std::vector<std::string> uses;   // keys read when present
  std::chrono::milliseconds timeout{std::chrono::minutes{10}};
  std::chrono::milliseconds grace{std::chrono::seconds{5}};  // between TERM and KILL
  RetryPolicy retry;
  bool plan = false;                   // understands JARVIS_MODE=plan
  bool destroys = false;               // needs confirm CODE
  std::string undo;                    // module:task that takes this one's effect back
  std::vector<std::string> from_spec;  // of `gives`: keys that a spec may carry all the same
  std::string help;

  std::string module() const { return name.substr(0, name.find(':')); }
  std::string task() const { return name.substr(name.find(':') + 1); }
};

using Row = std::shared_ptr<const TaskRow>;

class TaskTable {
 public:
  // Error(Usage) if the name is taken or is not module:task.
  void add(TaskRow row);
  // An external module whose configuration lists no tasks: any task name is accepted and gets a copy of this row.
  void add_open_module(const std::string& module, TaskRow prototype);
  void add_secret(const std::string& key) { secrets_.insert(key); }

  // nullptr if there is none. For an open module the row is made on first use.
  Row find(std::string_view name) const;
  // Error(Usage): "unknown task X, did you mean Y?"
  Row require(std::string_view name) const;

  const std::map<std::string, Row, std::less<>>& rows() const { return rows_; }
  bool has_module(std::string_view module) const;
  // The one table of secret keys: built-in ones plus `secrets:` of external modules.
  bool is_secret(std::string_view key) const { return secrets_.count(key) > 0; }
  const std::set<std::string, std::less<>>& secrets() const { return secrets_; }
  // The task that gives this key and does not let a spec carry it, or nothing.
  std::optional<std::string> giver_only(std::string_view key) const;

 private:
  std::map<std::string, Row, std::less<>> rows_;
  std::map<std::string, TaskRow, std::less<>> open_modules_;
  std::set<std::string, std::less<>> secrets_;
};

}  // namespace jarvis::pipeline
