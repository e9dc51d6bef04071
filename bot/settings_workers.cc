#include <algorithm>

#include "bot/config_values.h"
#include "bot/retry_section.h"
#include "bot/settings_sections.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using pipeline::TaskRow;

namespace {

// timeout, grace and retry: of a module they are the defaults of its tasks.
void read_limits(Section& section, TaskRow& row) {
  row.timeout = section.duration("timeout").value_or(row.timeout);
  row.grace = section.duration("grace").value_or(row.grace);
  if (const auto retry = section.take("retry")) row.retry = read_retry(*retry).over(row.retry);
}

TaskRow read_task(const Value& value, const std::string& module, TaskRow row, std::vector<Value>& undos) {
  row.name = module + ":" + value.key();
  row.stage = value.key();
  if (!is_task_name(value.key())) {
    value.refuse("a task's name is letters, digits, _ - and . (no - or . in front), at most 64 of them");
  }
  Section section(value);
  row.stage = section.text("stage").value_or(row.stage);
  row.needs = section.texts("needs");
  row.gives = section.texts("gives");
  if (const auto from_spec = section.take("from_spec")) {
    row.from_spec = from_spec->texts();
    for (const std::string& key : row.from_spec) {
      if (std::find(row.gives.begin(), row.gives.end(), key) == row.gives.end()) {
        from_spec->refuse(key + " is not among the keys that the task gives");
      }
    }
  }
  read_limits(section, row);
  row.plan = section.flag("plan").value_or(false);
  row.destroys = section.flag("destroys").value_or(false);
  if (const auto undo = section.take("undo")) {
    if (undo->node().IsScalar()) row.undo = undo->node().Scalar();
    undos.push_back(*undo);
  }
  section.done();
  return row;
}

// An undo task of the module itself must be one that it lists; one of another module is looked for by the plan.
void check_undo(const Value& undo, const ExternalWorker& worker) {
  const auto task = undo.text();
  if (!task) return;
  std::vector<std::string> names;
  for (const TaskRow& row : worker.tasks) names.push_back(row.name);
  if (!is_module_and_task(*task)) {
    undo.refuse("must be a task, written module:task");
  } else if (task->substr(0, task->find(':')) == worker.module &&
             std::find(names.begin(), names.end(), *task) == names.end()) {
    const auto meant = pipeline::nearest(*task, names);
    undo.refuse("there is no task " + *task + (meant ? ", did you mean " + *meant + "?" : ""));
  }
}

void read_worker_in_full(const Value& value, ExternalWorker& worker) {
  Section section(value);
  if (const auto run = section.take("run")) {
    worker.run = run->path(Existing::MayBe).value_or("");
  } else {
    value.refuse("run is missing: the path of the executable");
  }
  worker.env_file = section.path("env_file", Existing::MustBe).value_or("");
  worker.secrets = section.texts("secrets");
  read_limits(section, worker.any_task);
  worker.any_task.executable = worker.run.string();
  if (const auto tasks = section.take("tasks")) {
    std::vector<Value> undos;
    for (const Value& task : Section(*tasks).take_all()) {
      worker.tasks.push_back(read_task(task, worker.module, worker.any_task, undos));
    }
    for (const Value& undo : undos) check_undo(undo, worker);
  }
  section.done();
}

}  // namespace

void read_workers(const Value& value, Settings& settings) {
  for (const Value& named : Section(value).take_all()) {
    ExternalWorker worker;
    worker.module = named.key();
    worker.where = named.file().name() + ":" + std::to_string(named.line()) + ":" + std::to_string(named.column());
    worker.any_task.family = "core";
    if (!is_module_name(named.key())) {
      named.refuse("a module's name is a letter, then letters, digits, _ and -, at most 64 of them");
    }
    if (named.node().IsMap()) {
      read_worker_in_full(named, worker);
    } else if (named.node().IsScalar()) {
      worker.run = named.path(Existing::MayBe).value_or("");
    } else {
      named.refuse("must be the path of an executable, or a mapping with run:");
    }
    worker.any_task.executable = worker.run.string();
    worker.any_task.help = "external worker " + worker.run.string();
    for (TaskRow& row : worker.tasks) row.help = worker.any_task.help;
    settings.workers.push_back(std::move(worker));
  }
}

void add_external_workers(const Settings& settings, pipeline::TaskTable& table) {
  std::string faults;
  for (const ExternalWorker& worker : settings.workers) {
    if (!table.has_module(worker.module) && worker.module != "jarvis") continue;  // jarvis:... are its own inner tasks
    if (!faults.empty()) faults += '\n';
    faults += worker.where + ": workers." + worker.module + ": is the name of a built-in module, choose another one";
  }
  if (!faults.empty()) throw pipeline::Error(pipeline::Kind::Usage, faults);
  for (const ExternalWorker& worker : settings.workers) {
    for (const std::string& key : worker.secrets) table.add_secret(key);
    if (worker.tasks.empty()) table.add_open_module(worker.module, worker.any_task);
    for (const TaskRow& row : worker.tasks) table.add(row);
  }
}

}  // namespace jarvis::bot
