#include "bot/plans.h"

#include <doctest/doctest.h>

#include "pipeline/error.h"
#include "tests/bot/scratch_directory.h"

using namespace jarvis::bot;
using namespace std::chrono_literals;
using jarvis::pipeline::ActionList;
using jarvis::pipeline::Error;
using jarvis::pipeline::Kind;

namespace {

std::string fault_of(const ScratchDirectory& scratch, const std::vector<std::filesystem::path>& plans,
                     const std::filesystem::path& built_in = {}) {
  try {
    ActionLists::read(plans, built_in);
  } catch (const Error& error) {
    CHECK(error.kind() == Kind::Usage);
    const std::string prefix = scratch.path().string() + "/";
    std::string text = error.what();
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
      text.erase(at, prefix.size());
    return text;
  }
  return {};
}

std::string tasks_of(const ActionList* list) {
  if (list == nullptr) return "none";
  std::string tasks;
  for (const auto& entry : list->entries) tasks += (tasks.empty() ? "" : " ") + entry.task;
  return tasks;
}

}  // namespace

TEST_CASE("the contract's example") {
  const ScratchDirectory scratch;
  const auto file = scratch.write("plans/demo.yaml", R"(# plans/demo.yaml
provider: Demo                     # selected by a spec's `provider: demo`
deploy:
  - demo:one                       # short form: stage, timeouts and retry are the row's
  - {stage: wait for it, task: demo:two, timeout: 30s, retry: {attempts: 5, delay: 1s, deadline: 10m}}
)");
  const ActionLists lists = ActionLists::read({file}, {});
  const ActionList* list = lists.find("dEMO", "deploy");
  REQUIRE(list != nullptr);
  CHECK(list->provider == "demo");
  CHECK(list->operation == "deploy");
  CHECK(list->file == file.string());
  REQUIRE(list->entries.size() == 2);
  const auto& one = list->entries[0];
  CHECK(one.task == "demo:one");
  CHECK(one.stage.empty());
  CHECK(one.line == 4);
  CHECK_FALSE(one.timeout);
  CHECK_FALSE(one.grace);
  const auto& two = list->entries[1];
  CHECK(two.task == "demo:two");
  CHECK(two.stage == "wait for it");
  CHECK(two.line == 5);
  CHECK(two.timeout == 30s);
  const auto retry = two.retry.over({});
  CHECK(retry.attempts == 5);
  CHECK(retry.delay == 1s);
  CHECK(retry.max_delay == 1min);
  CHECK(retry.deadline == 10min);
  CHECK_FALSE(retry.after_failure);
  CHECK(lists.find("demo", "destroy") == nullptr);
  CHECK(lists.find("other", "deploy") == nullptr);
}

TEST_CASE("built-in lists lie beneath, operation by operation") {
  const ScratchDirectory scratch;
  scratch.write("built_in/local.yaml", "provider: local\ndeploy: [a:built_in, b:x]\ndestroy: [d:built_in]\n");
  scratch.write("built_in/ec2.yaml", "provider: ec2\ndeploy: [e:built_in]\n");
  scratch.write("mine/b.yaml", "provider: LOCAL\ndeploy: [a:mine]\n");
  scratch.write("mine/a.yml", "provider: demo\nupgrade: demo:one\n");
  scratch.write("mine/.hidden.yaml", "not: [read\n");
  scratch.write("mine/README", "not read");
  const auto mine = scratch.path() / "mine";
  // A file that is named twice is read once.
  const ActionLists lists = ActionLists::read({mine, mine / "b.yaml"}, scratch.path() / "built_in");
  CHECK(tasks_of(lists.find("local", "deploy")) == "a:mine");
  CHECK(tasks_of(lists.find("local", "destroy")) == "d:built_in");
  CHECK(tasks_of(lists.find("EC2", "deploy")) == "e:built_in");
  CHECK(tasks_of(lists.find("demo", "upgrade")) == "demo:one");
  CHECK(lists.providers() == std::vector<std::string>{"demo", "ec2", "local"});
  CHECK(lists.operations("Local") == std::vector<std::string>{"deploy", "destroy"});
  CHECK(lists.operations("none").empty());
}

TEST_CASE("the lists that jarvis brings along") {
  const ActionLists lists = ActionLists::read({}, std::filesystem::path(JARVIS_TEST_DATA) / "../../config/plans");
  for (const char* operation : {"deploy", "redeploy", "destroy"}) {
    CAPTURE(operation);
    CHECK(lists.find("local", operation) != nullptr);
  }
}

TEST_CASE("each fault, with its place") {
  const ScratchDirectory scratch;
  struct Case {
    const char* text;
    const char* want;
  };
  for (const Case& c : {
           Case{"deploy: [a:b]", "x.yaml:1:1: provider: missing"},
           {"provider: a b\ndeploy: [a:b]", "x.yaml:1:1: provider: is no name of a provider"},
           {"provider: [a]\ndeploy: [a:b]", "provider: must be a single value, not a list"},
           {"provider: a\ndelpoy: [a:b]", "x.yaml:2:1: delpoy: unknown key, did you mean deploy?"},
           {"provider: a\nDeploy: [a:b]", "Deploy: unknown key, did you mean deploy?"},
           {"provider: a\nOTHER THING: [a:b]", "an operation's name is a lower-case letter"},
           {"provider: a\ndeploy: []", "x.yaml:2:1: deploy: has no tasks; leave the key out instead"},
           {"provider: a\ndeploy:", "deploy: has no tasks"},
           {"provider: a\ndeploy: {a: b}", "deploy: must be a list, not a mapping"},
           {"provider: a\ndeploy:\n  - one", "x.yaml:3:5: deploy[1]: must be a task, written module:task"},
           {"provider: a\ndeploy:\n  - demo: one",
            "x.yaml:3:5: deploy[1]: task is missing; a task has no blank after its colon"},
           {"provider: a\ndeploy: [a:b, {stage: x, timeout: 1s}]", "deploy[2]: task is missing"},
           {"provider: a\ndeploy: [~]", "deploy[1]: must be module:task"},
           {"provider: a\ndeploy: [[a:b]]", "deploy[1]: must be module:task"},
           {"provider: a\ndeploy: [{task: '../x:y'}]", "deploy[1].task: must be a task"},
           {"provider: a\ndeploy: [{task: a:b, stge: x}]",
            "x.yaml:2:22: deploy[1].stge: unknown key, did you mean stage?"},
           {"provider: a\ndeploy: [{task: a:b, timeout: soon}]", "timeout: `soon` is not a duration"},
           {"provider: a\ndeploy: [{task: a:b, retry: 5}]", "retry: must be a mapping, not a single value"},
           {"provider: a\ndeploy: [{task: a:b, retry: {delays: 1s}}]",
            "retry.delays: unknown key, did you mean delay?"},
           {"provider: 'a", "x.yaml:1:11: the quote that opens here is never closed"},
           {"", "x.yaml:1:1: provider: missing"},
       }) {
    CAPTURE(c.text);
    const std::string fault = fault_of(scratch, {scratch.write("x.yaml", c.text)});
    CHECK_MESSAGE(fault.find(c.want) != std::string::npos, fault);
    CHECK(fault.find('\n') == std::string::npos);
  }
  CHECK(fault_of(scratch, {scratch.path() / "none.yaml"}) == "none.yaml: No such file or directory");
  CHECK(fault_of(scratch, {}, scratch.path() / "none") == "none: No such file or directory");
}

TEST_CASE("one operation of a provider in two files names both, and all faults are told") {
  const ScratchDirectory scratch;
  scratch.write("p/a.yaml", "provider: demo\ndeploy: [a:b]\n");
  scratch.write("p/b.yaml", "\nprovider: DEMO\ndeploy: [a:c]\ndestroy: [a:d]\n");
  scratch.write("p/c.yaml", "provider: c\ndeploy: [nothing]\n");
  CHECK(fault_of(scratch, {scratch.path() / "p"}) ==
        "p/b.yaml:3:1: deploy: the list for provider demo stands in p/a.yaml:2 too\n"
        "p/c.yaml:2:10: deploy[1]: must be a task, written module:task");
}
