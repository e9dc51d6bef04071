#include "pipeline/plan.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "pipeline/error.h"
#include "tests/pipeline/scratch.h"

namespace jarvis::pipeline {
namespace {

using namespace std::chrono_literals;

ActionList::Entry entry(const std::string& task, int line = 1) {
  ActionList::Entry made;
  made.task = task;
  made.line = line;
  return made;
}

ActionList list_of(const std::vector<std::string>& tasks, const std::string& file = "") {
  ActionList made;
  made.provider = "demo";
  made.operation = "deploy";
  made.file = file;
  int line = 2;
  for (const std::string& task : tasks) made.entries.push_back(entry(task, line++));
  return made;
}

struct RowOf {
  std::string name;
  std::vector<std::string> needs = {}, gives = {};
  const char* stage = "";
  const char* undo = "";
  std::string executable = {};
  bool destroys = false;
};

TaskTable table_of(const std::vector<RowOf>& rows) {
  TaskTable table;
  for (const RowOf& one : rows) {
    TaskRow row;
    row.name = one.name;
    row.family = "core";
    row.needs = one.needs;
    row.gives = one.gives;
    row.stage = one.stage;
    row.undo = one.undo;
    row.executable = one.executable;
    row.destroys = one.destroys;
    table.add(row);
  }
  return table;
}

Clipboard board() {
  return Clipboard::parse("fqdn: loki.example.org\nsize: 512\n");
}

std::string error_of(const ActionList& list, const TaskTable& table) {
  try {
    (void)make_plan(list, table, board(), "loki.example.org");
    return "";
  } catch (const Error& e) {
    CHECK(e.kind() == Kind::Usage);
    return e.what();
  }
}

TEST_CASE("plan: what a task needs is on the clipboard or given before") {
  const TaskTable table = table_of({{"demo:make", {"fqdn", "size"}, {"ipaddress"}},
                                    {"demo:wait", {"ipaddress"}, {"banner"}},
                                    {"demo:log", {"banner", "ipaddress"}},
                                    {"demo:both", {"nowhere", "never"}, {}}});
  struct Case {
    std::string name;
    std::vector<std::string> tasks;
    const char* error;
  };
  for (const Case& c : {
           Case{"in order", {"demo:make", "demo:wait", "demo:log"}, ""},
           Case{"given too late",
                {"demo:wait", "demo:make"},
                "demo:wait needs `ipaddress`, which neither the spec nor an earlier task gives"},
           Case{"a task does not feed itself",
                {"demo:make", "demo:log"},
                "demo:log needs `banner`, which neither the spec nor an earlier task gives"},
           Case{"two needs, two lines",
                {"demo:both"},
                "demo:both needs `nowhere`, which neither the spec nor an earlier task gives\n"
                "demo:both needs `never`, which neither the spec nor an earlier task gives"},
           Case{"the same need again is said once",
                {"demo:both", "demo:both"},
                "demo:both needs `nowhere`, which neither the spec nor an earlier task gives\n"
                "demo:both needs `never`, which neither the spec nor an earlier task gives"},
       }) {
    CAPTURE(c.name);
    CHECK(error_of(list_of(c.tasks), table) == c.error);
  }
}

TEST_CASE("plan: every fault at once, each with its line in the list") {
  const Scratch scratch;
  const std::string missing = scratch / "missing";
  const TaskTable table = table_of({{"demo:hungry", {"nowhere"}},
                                    {"demo:gone", {}, {}, "", "", missing},
                                    {"demo:undone", {}, {}, "", "demo:unknown"},
                                    {"demo:good"}});
  const ActionList list =
      list_of({"demo:hungry", "demo:god", "demo:good", "demo:gone", "demo:undone"}, "plans/demo.yaml");
  CHECK(error_of(list, table) ==
        "plans/demo.yaml:2: demo:hungry needs `nowhere`, which neither the spec nor an earlier task gives\n"
        "plans/demo.yaml:3: unknown task demo:god, did you mean demo:good?\n"
        "plans/demo.yaml:5: demo:gone: " +
            missing +
            ": No such file or directory\n"
            "plans/demo.yaml:6: demo:undone: its undo demo:unknown is no task");
}

TEST_CASE("plan: neighbours with one stage name count once") {
  const TaskTable table =
      table_of({{"demo:one", {}, {}, "first"}, {"demo:two", {}, {}, "first"}, {"demo:three", {}, {}, "second"}});
  struct Case {
    std::string name;
    std::vector<std::string> tasks;
    std::vector<int> numbers;
    int stages;
  };
  for (const Case& c : {
           Case{"one", {"demo:one"}, {1}, 1},
           Case{"two of one stage", {"demo:one", "demo:two", "demo:three"}, {1, 1, 2}, 2},
           Case{"apart they count twice", {"demo:one", "demo:three", "demo:two"}, {1, 2, 3}, 3},
           Case{"the same task again", {"demo:three", "demo:three"}, {1, 1}, 1},
       }) {
    CAPTURE(c.name);
    const Plan plan = make_plan(list_of(c.tasks), table, board(), "loki.example.org");
    std::vector<int> numbers;
    for (const PlanStep& step : plan.steps) numbers.push_back(step.stage_number);
    CHECK(numbers == c.numbers);
    CHECK(plan.stages == c.stages);
  }
}

TEST_CASE("plan: a list's entry overrides its row, and shares it where it says nothing") {
  const TaskTable table = table_of({{"demo:one", {}, {}, "first"}});
  const Row shared = table.find("demo:one");
  ActionList list = list_of({"demo:one", "demo:one", "demo:one", "demo:one", "demo:one"});
  list.entries[1].stage = "other";
  list.entries[2].timeout = 30s;
  list.entries[2].grace = 1s;
  list.entries[3].retry.attempts = 5;
  list.entries[3].retry.delay = 5min;
  list.entries[4].retry.deadline = 10min;
  list.entries[4].retry.after_failure = true;
  const Plan plan = make_plan(list, table, board(), "loki.example.org");
  REQUIRE(plan.steps.size() == 5);
  CHECK(plan.steps[0].row == shared);
  CHECK(plan.steps[1].row != shared);
  CHECK(plan.steps[1].row->stage == "other");
  CHECK(plan.steps[2].row->timeout == 30s);
  CHECK(plan.steps[2].row->grace == 1s);
  CHECK(plan.steps[2].row->stage == "first");
  CHECK(plan.steps[3].row->retry.attempts == 5);
  CHECK(plan.steps[3].row->retry.delay == 5min);
  CHECK_MESSAGE(plan.steps[3].row->retry.max_delay == 5min, "a first delay above the row's ceiling raises it");
  CHECK(plan.steps[4].row->retry.deadline == 10min);
  CHECK(plan.steps[4].row->retry.after_failure);
  CHECK_FALSE(plan.steps[4].row->retry.after_timeout);
  CHECK_MESSAGE(shared->timeout == 10min, "the row itself stays as it was");
}

TEST_CASE("plan: why an executable cannot be run") {
  const Scratch scratch;
  const std::string file = scratch / "worker";
  std::ofstream(file) << "#!/bin/sh\n";
  const std::string link = scratch / "link";
  std::filesystem::create_symlink("/bin/sh", link);
  struct Case {
    std::string name;
    std::string path;
    mode_t mode;
    const char* why;
  };
  for (const Case& c : {
           Case{"fine", file, 0755, ""},
           Case{"no run bit", file, 0644, "cannot be run (chmod +x?)"},
           Case{"missing", file + "s", 0755, "No such file or directory"},
           Case{"a directory", scratch.path(), 0755, "not a file"},
           Case{"a device", "/dev/null", 0755, "not a file"},
           Case{"below a file", file + "/x", 0755, "Not a directory"},
           Case{"not absolute", "worker", 0755, "not an absolute path"},
           Case{"empty", "", 0755, "not an absolute path"},
           Case{"a link to one", link, 0755, ""},
       }) {
    CAPTURE(c.name);
    ::chmod(file.c_str(), c.mode);
    CHECK(why_not_runnable(c.path) == c.why);
  }
}

TEST_CASE("plan: it destroys when one of its steps does") {
  const TaskTable table = table_of({{"demo:one"}, {"demo:end", {}, {}, "", "", "", true}});
  CHECK_FALSE(make_plan(list_of({"demo:one"}), table, board(), "h").destroys());
  CHECK(make_plan(list_of({"demo:one", "demo:end"}), table, board(), "h").destroys());
}

TEST_CASE("plan: its digest changes with everything that a confirmation is bound to") {
  const TaskTable table = table_of({{"demo:one"}, {"demo:two"}});
  const auto digest_with = [&](const std::vector<std::string>& tasks, const std::string& host,
                               const std::string& operation, const std::string& clipboard,
                               std::optional<std::chrono::milliseconds> timeout = {}) {
    ActionList list = list_of(tasks);
    list.operation = operation;
    list.entries.front().timeout = timeout;
    return digest_of(make_plan(list, table, board(), host), clipboard);
  };
  const std::string same = digest_with({"demo:one", "demo:two"}, "a.b", "destroy", "x: 1\n");
  CHECK(digest_with({"demo:one", "demo:two"}, "a.b", "destroy", "x: 1\n") == same);
  CHECK(digest_with({"demo:two", "demo:one"}, "a.b", "destroy", "x: 1\n") != same);
  CHECK(digest_with({"demo:one"}, "a.b", "destroy", "x: 1\n") != same);
  CHECK(digest_with({"demo:one", "demo:two"}, "a.c", "destroy", "x: 1\n") != same);
  CHECK(digest_with({"demo:one", "demo:two"}, "a.b", "redeploy", "x: 1\n") != same);
  CHECK(digest_with({"demo:one", "demo:two"}, "a.b", "destroy", "x: 2\n") != same);
  CHECK(digest_with({"demo:one", "demo:two"}, "a.b", "destroy", "x: 1\n", 30s) != same);
}

}  // namespace
}  // namespace jarvis::pipeline
