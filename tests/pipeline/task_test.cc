#include "pipeline/task.h"

#include <doctest/doctest.h>

#include "pipeline/error.h"

namespace jarvis::pipeline {
namespace {

TaskRow row(const std::string& name, const std::string& stage = "") {
  TaskRow made;
  made.name = name;
  made.family = "core";
  made.stage = stage;
  return made;
}

TaskTable small_table() {
  TaskTable table;
  table.add(row("ssh:wait", "wait for ssh"));
  table.add(row("ssh:fingerprints"));
  table.add(row("local:deploy"));
  TaskRow prototype;
  prototype.executable = "/bin/true";
  prototype.timeout = std::chrono::seconds{7};
  table.add_open_module("mine", prototype);
  return table;
}

template <typename Call>
std::string error_of(const Call& call) {
  try {
    call();
    return "";
  } catch (const Error& e) {
    CHECK(e.kind() == Kind::Usage);
    return e.what();
  }
}

TEST_CASE("task: a row's name is MODULE:TASK, and there once") {
  struct Case {
    std::string name;
    const char* task;
    const char* error;
  };
  for (const Case& c : {
           Case{"good", "dns:update", ""},
           Case{"another task of a known module", "ssh:login", ""},
           Case{"no colon", "dns", "is not MODULE:TASK"},
           Case{"no module", ":update", "is not MODULE:TASK"},
           Case{"no task", "dns:", "is not MODULE:TASK"},
           Case{"empty", "", "is not MODULE:TASK"},
           Case{"twice", "ssh:wait", "ssh:wait is there twice"},
       }) {
    CAPTURE(c.name);
    TaskTable table = small_table();
    const std::string error = error_of([&] { table.add(row(c.task)); });
    CHECK((*c.error == '\0' ? error.empty() : error.find(c.error) != std::string::npos));
  }
}

TEST_CASE("task: a stage left out is the task's own name") {
  const TaskTable table = small_table();
  CHECK(table.find("ssh:wait")->stage == "wait for ssh");
  CHECK(table.find("ssh:fingerprints")->stage == "fingerprints");
  CHECK(table.find("mine:polish")->stage == "polish");
  CHECK(table.find("ssh:wait")->module() == "ssh");
  CHECK(table.find("ssh:wait")->task() == "wait");
}

TEST_CASE("task: an unknown name is refused with what was meant") {
  struct Case {
    std::string name;
    const char* task;
    const char* error;  // whole; empty: found
  };
  const TaskTable table = small_table();
  for (const Case& c : {
           Case{"known", "ssh:wait", ""},
           Case{"a typo in the task", "ssh:wiat", "unknown task ssh:wiat, did you mean ssh:wait?"},
           Case{"a typo in the module", "shs:wait",
                "unknown task shs:wait: no worker module shs, did you mean ssh:wait?"},
           Case{"nothing near", "puppet:sign_certificate",
                "unknown task puppet:sign_certificate: no worker module puppet"},
           Case{"a module alone", "ssh", "unknown task ssh (a task is MODULE:TASK)"},
           Case{"known but nameless", "ssh:", "unknown task ssh:"},
           Case{"empty", "", "unknown task  (a task is MODULE:TASK)"},
           Case{"open module", "mine:anything", ""},
           Case{"open module, nameless", "mine:", "unknown task mine:"},
           Case{"prefix of a module", "ss:wait", "unknown task ss:wait: no worker module ss, did you mean ssh:wait?"},
       }) {
    CAPTURE(c.name);
    CHECK(error_of([&] { (void)table.require(c.task); }) == c.error);
  }
}

TEST_CASE("task: an open module takes any name and gives it the module's row") {
  TaskTable table = small_table();
  const Row made = table.require("mine:polish");
  CHECK(made->name == "mine:polish");
  CHECK(made->executable == "/bin/true");
  CHECK(made->timeout == std::chrono::seconds{7});
  CHECK(table.has_module("mine"));
  CHECK(table.has_module("ssh"));
  CHECK_FALSE(table.has_module("ss"));
  CHECK_FALSE(table.has_module(""));
  CHECK(error_of([&] { table.add_open_module("mine", {}); }) == "the module mine is there already");
  CHECK(error_of([&] { table.add_open_module("ssh", {}); }) == "the module ssh is there already");
}

TEST_CASE("task: who alone may give a key") {
  TaskTable table;
  TaskRow prepare = row("keys:prepare");
  prepare.gives = {"password", "ssh_host_keys", "ssh_port"};
  TaskRow deploy = row("local:deploy");
  deploy.gives = {"ssh_port", "instance_id"};
  deploy.from_spec = {"ssh_port"};
  TaskRow later = row("zeta:late");
  later.gives = {"password"};
  table.add(later);
  table.add(prepare);
  table.add(deploy);
  struct Case {
    std::string name;
    const char* key;
    std::optional<std::string> giver;
  };
  for (const Case& c : {
           Case{"given by one", "instance_id", "local:deploy"},
           Case{"given by two: the first by name", "password", "keys:prepare"},
           Case{"some row lets a spec carry it", "ssh_port", std::nullopt},
           Case{"nobody's", "size", std::nullopt},
           Case{"no key at all", "", std::nullopt},
       }) {
    CAPTURE(c.name);
    CHECK(table.giver_only(c.key) == c.giver);
  }
}

TEST_CASE("task: secrets are one set") {
  TaskTable table;
  table.add_secret("password");
  table.add_secret("password");
  CHECK(table.is_secret("password"));
  CHECK_FALSE(table.is_secret("passwor"));
  CHECK(table.secrets().size() == 1);
}

}  // namespace
}  // namespace jarvis::pipeline
