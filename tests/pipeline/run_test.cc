#include "pipeline/run.h"

#include <doctest/doctest.h>

#include <fstream>
#include <mutex>

#include "tests/pipeline/life.h"

namespace jarvis::pipeline {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

std::string number(int step, int attempt) {
  return std::to_string(step) + "." + std::to_string(attempt);
}

std::string in_words(const Record& record) {
  struct Say {
    std::string operator()(const RunCreated& one) const {
      return "created with " + std::to_string(one.run.steps.size());
    }
    std::string operator()(const StepsAdded& one) const { return "added " + one.steps.front().task; }
    std::string operator()(const AttemptBegan& one) const { return "began " + number(one.step, one.number); }
    std::string operator()(const AttemptEnded& one) const {
      return "ended " + number(one.attempt.step, one.attempt.number) + " " + std::string(word(*one.attempt.outcome)) +
             ", step " + std::string(word(one.step_state)) + (one.sealed_clipboard ? ", checkpoint" : "");
    }
    std::string operator()(const StepChanged& one) const {
      return "step " + std::to_string(one.step) + " " + std::string(word(one.state));
    }
    std::string operator()(const RunChanged& one) const { return "run " + std::string(word(one.state)); }
  };
  return std::visit(Say{}, record);
}

TEST_CASE("run: what is written, and when") {
  World world;
  RememberingJournal journal;
  Words too_early;
  std::mutex mutex;
  journal.before([&](const Batch& batch) {
    // Before the write that holds an intent, nobody was asked; the task leaves a line the moment it begins.
    for (const Record& record : batch) {
      const auto* began = std::get_if<AttemptBegan>(&record);
      if (began == nullptr) continue;
      const std::string step = began->run + "." + std::to_string(began->step) + " ";
      int before = 0;
      for (const std::string& call : world.calls()) before += call.find(" " + step) != std::string::npos ? 1 : 0;
      const std::lock_guard lock(mutex);
      if (before != began->number - 1) too_early.push_back(in_words(record));
    }
  });
  {
    Life life(world, journal);
    const RunView view = life.run(world.order({"note_a", "quiet_b", "later_c", "note_d"}));
    CHECK(view.state == RunState::Succeeded);
  }
  CHECK(too_early == Words{});
  const Words want = {
      "created with 4",
      "began 0.1",
      "ended 0.1 succeeded, step done, checkpoint; began 1.1",
      "ended 1.1 succeeded, step done; began 2.1",
      "ended 2.1 failed, step under; run waiting",
      "began 2.2",
      "ended 2.2 failed, step under; run waiting",
      "began 2.3",
      "ended 2.3 succeeded, step done, checkpoint; began 3.1",
      "ended 3.1 succeeded, step done, checkpoint; run succeeded",
  };
  Words got;
  for (const Batch& batch : journal.batches()) {
    std::string line;
    for (const Record& record : batch) {
      const std::string one = in_words(record);
      if (one != "run running") line += (line.empty() ? "" : "; ") + one;  // where it stands; may go with any intent
    }
    got.push_back(line);
  }
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(got[i] == want[i]);
}

struct Case {
  std::string name, task;
  World::Tweak tweak;
  std::string state, error;  // of the run
  int calls, counted;        // of the step
};

TEST_CASE("run: outcomes, retries, waits") {
  World world;
  MemoryJournal journal;
  const auto text = [&](const std::string& name, const std::string& what) {
    std::ofstream(world.scratch() / name) << what;
  };
  const std::string head = "fqdn: loki.example.org\nhostname: loki\n",
                    refused = "what it printed is not the clipboard: ";
  text("scalar", "just words\n");
  text("list", "- a\n- b\n");
  text("two", head + "---\n" + head);
  text("renamed", "fqdn: loki.example.org\nhostname: thor\n");
  text("moved", "fqdn: thor.example.org\nhostname: loki\n");
  text("nameless", "a: 1\n");
  text("unclosed", head + "a: 'b\n");
  text("blank", "# nothing\n\n  \n");
  const std::vector<Case> cases = {
      {"done", "note_a", {}, "succeeded", "", 1, 1},
      {"asked until it is done", "later_b", {}, "succeeded", "", 3, 1},
      {"crashed once", "crash_c", {}, "succeeded", "", 2, 2},
      {"crashed too often", "crashes_d", {}, "failed", "killed by signal 9 (Killed)", 3, 3},
      {"a plain failure is not asked again", "fail_e", {}, "failed", "no such luck", 1, 1},
      {"unless its row says so", "mended_f", [](TaskRow& row) { row.retry.after_failure = true; }, "succeeded", "", 2,
       2},
      {"and no oftener than that", "fail_g",
       [](TaskRow& row) {
         row.retry.after_failure = true;
         row.retry.attempts = 2;
       },
       "failed", "no such luck", 2, 2},
      {"a timeout is not asked again", "hang", [](TaskRow& row) { row.timeout = 50ms; }, "failed",
       "timed out after 0.05 s", 1, 1},
      {"unless its row says so", "hang_",
       [](TaskRow& row) {
         row.timeout = 50ms;
         row.retry.after_timeout = true;
         row.retry.attempts = 2;
       },
       "failed", "timed out after 0.05 s", 2, 2},
      {"waits use up the deadline", "wait_h", {}, "failed", "not done within 3599 s: not yet", 1, 0},
      {"a shorter one after several", "never_i", [](TaskRow& row) { row.retry.deadline = 30ms; }, "failed",
       "not done within 0 s: not yet", -1, 0},
      {"no words at all: the old clipboard", "quiet_j", {}, "succeeded", "", 1, 1},
      {"comments count as nothing", "print_blank", {}, "succeeded", "", 1, 1},
      {"a scalar",
       "print_scalar",
       {},
       "failed",
       refused + "line 1, column 1: a mapping (key: value) is expected, this is a single value",
       1,
       1},
      {"a list",
       "print_list",
       {},
       "failed",
       refused + "line 1, column 1: a mapping (key: value) is expected, this is a list",
       1,
       1},
      {"two documents", "print_two", {}, "failed", refused + "line 3, column 1: ", 1, 1},
      {"an unclosed quote", "print_unclosed", {}, "failed", refused + "line 3, column 4: ", 1, 1},
      {"another hostname", "print_renamed", {}, "failed", refused + "it changed hostname from loki to thor", 1, 1},
      {"another fqdn",
       "print_moved",
       {},
       "failed",
       refused + "it changed fqdn from loki.example.org to thor.example.org",
       1,
       1},
      {"no identity", "print_nameless", {}, "failed", refused + "it changed hostname from loki to nothing", 1, 1},
      {"no such task there", "nonsense", {}, "failed", "no such task: test:nonsense", 1, 1},
  };
  Life life(world, journal);
  world.row("wait_h", [](TaskRow& row) { row.retry.deadline = 3599s; });
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    // Each with its own task before it, whose clipboard must stay.
    if (!world.table().find("test:" + cases[i].task)) world.row(cases[i].task, cases[i].tweak);
    Order order = world.order({"note_before" + std::to_string(i), cases[i].task});
    order.plan.host = "h" + std::to_string(i) + ".example.org";
    ids.push_back(life.submit(std::move(order)));
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& c = cases[i];
    CAPTURE(c.name);
    const RunView view = life.end_of(ids[i]);
    CHECK(std::string(word(view.state)) == c.state);
    CAPTURE(view.error);
    CHECK((c.error.empty() ? view.error.empty() : view.error.starts_with(c.error)));
    const StepRecord step = journal.run(ids[i])->steps.back();
    if (c.calls >= 0) CHECK(step.tries == c.calls);
    CHECK(step.counted == c.counted);
    const std::string before = head + "before" + std::to_string(i) + ": done\n",
                      word = c.task.substr(c.task.find('_') + 1);
    const bool adds = c.state == "succeeded" && c.task.find("quiet") != 0 && c.task.find("print") != 0;
    CHECK(life.pipeline().clipboard(ids[i], std::nullopt) == before + (adds ? word + ": done\n" : ""));
    for (const AttemptRecord& attempt : journal.attempts(ids[i], std::nullopt, true)) {
      CHECK(attempt.ended.has_value());
      CHECK(attempt.outcome.has_value());
    }
  }
}

TEST_CASE("run: the whole clipboard replaces the old one, a key dropped is gone for the next task") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  const RunView view = life.run(world.order({"note_a", "drop_b", "note_c"}));
  CHECK(view.state == RunState::Succeeded);
  const auto after = [&](std::optional<int> step) { return life.pipeline().clipboard(view.run, step); };
  const std::string head = "fqdn: loki.example.org\nhostname: loki\n";
  CHECK(after(-1) == head);
  CHECK(after(0) == head + "a: done\n");
  CHECK(after(1) == head);
  CHECK(after(2) == head + "c: done\n");
  CHECK(after(std::nullopt) == after(2));
}

TEST_CASE("run: steps have one id over all their attempts, attempts count from 1") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  const RunView view = life.run(world.order({"note_a", "crash_b", "later_c"}));
  const std::string id = view.run;
  CHECK(world.calls() == Words{"note_a " + id + ".0 1", "crash_b " + id + ".1 1", "crash_b " + id + ".1 2",
                               "later_c " + id + ".2 1", "later_c " + id + ".2 1", "later_c " + id + ".2 1"});
}

TEST_CASE("run: the states it goes through") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  (void)life.run(world.order({"note_a", "later_b"}));
  CHECK(life.states() == Words{"waiting", "running", "waiting", "running", "succeeded"});
}

TEST_CASE("run: an attempt cut short by its forkserver's death does not count, and is asked again") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  world.hold("a");
  world.row("hang_a", [](TaskRow& row) { row.retry.attempts = 1; });
  const std::string id = life.submit(world.order({"hang_a", "note_b"}));
  for (int deaths = 1; deaths <= 3; ++deaths) {
    life.until_hanging(deaths);
    ::kill(life.pipeline().shop().forkserver("test").pid(), SIGKILL);
  }
  life.until_hanging(4);
  world.let_go("a");
  CHECK(life.end_of(id).state == RunState::Succeeded);
  CHECK(world.words() == "hang_a hang_a hang_a hang_a note_b");
  CHECK(journal.run(id)->steps[0].counted == 1);
  CHECK(journal.run(id)->steps[0].tries == 4);
}

TEST_CASE("run: credentials that are missing fail the task, and nothing is left taken") {
  World world;
  MemoryJournal journal;
  Life life(world, journal, [](WorkshopOptions& options) {
    options.max_workers = 1;
    options.grants = [](const std::string&) -> Granted { throw Error(Kind::Usage, "no token"); };
  });
  const RunView view = life.run(world.order({"note_a"}));
  CHECK(view.state == RunState::Failed);
  CHECK(view.error == "no token");
  CHECK(life.run(world.order({"note_b"})).error == "no token");
}

}  // namespace
}  // namespace jarvis::pipeline
