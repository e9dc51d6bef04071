// Cancelling a run wherever it is, and taking back what it had done.
#include <doctest/doctest.h>

#include "tests/pipeline/life.h"

namespace jarvis::pipeline {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

void undo_of(World& world, const std::string& word, const std::string& undo) {
  if (!world.table().find("test:" + undo)) world.row(undo);
  world.row(word, [&](TaskRow& row) { row.undo = "test:" + undo; });
}

TEST_CASE("cancel: in each place where a run can be") {
  struct Case {
    std::string name;
    Words tasks;                                                   // behind note_a, whose undo is note_back
    std::function<void(Life&, World&, const std::string&)> until;  // the run is there
    std::string calls;                                             // all of them that leave a line, the undo included
    std::size_t stands_at = 1;                                     // of the tasks
  };
  const auto hanging = [](Life& life, World&, const std::string&) { life.until_hanging(); };
  const auto waiting = [](Life& life, World&, const std::string& id) { life.until(id, RunState::Waiting); };
  for (const Case& c : std::vector<Case>{
           {"a task at work", {"hang", "note_b"}, hanging, "note_a hang note_back"},
           {"a task that ignores TERM", {"stubborn", "note_b"}, hanging, "note_a note_back"},
           {"a task that finishes all the same", {"polite_", "note_b"}, hanging, "note_a note_back", 2},
           {"a wait by exit 75", {"wait_b", "note_c"}, waiting, "note_a wait_b note_back"},
           {"a retry delay", {"crashes_b", "note_c"}, waiting, "note_a crashes_b note_back"},
       }) {
    CAPTURE(c.name);
    World world;
    MemoryJournal journal;
    Life life(world, journal);
    undo_of(world, "note_a", "note_back");
    world.row("crashes_b", [](TaskRow& row) {
      row.retry.delay = 1h;
      row.retry.max_delay = 1h;
      row.retry.deadline = 24h;
    });
    world.row("wait_b", [](TaskRow& row) { row.retry.deadline = 24h; });
    Words tasks = {"note_a"};
    tasks.insert(tasks.end(), c.tasks.begin(), c.tasks.end());
    const std::string id = life.submit(world.order(tasks));
    c.until(life, world, id);
    const auto start = std::chrono::steady_clock::now();
    CHECK(life.cancel(id) == "");
    const RunView view = life.end_of(id);
    CHECK(view.state == RunState::Cancelled);
    CHECK(view.error == "cancelled by thor");
    CHECK(view.stage == tasks[c.stands_at]);
    CHECK(world.words() == c.calls);
    CHECK(std::chrono::steady_clock::now() - start < 5s);
    CHECK(journal.run(id)->steps[0].state == StepRecord::State::Undone);
    CHECK(life.cancel(id) == "run " + id + " has ended, there is nothing to cancel");
    CHECK_MESSAGE(life.run(world.order({"note_z"})).state == RunState::Succeeded, "the host is free again");
  }
}

TEST_CASE("cancel: waiting for a free place") {
  World world;
  MemoryJournal journal;
  Life life(world, journal, [](WorkshopOptions& options) { options.max_workers = 1; });
  world.hold("a");
  const std::string busy = life.submit(world.order({"hang_a"}, "thor.example.org"));
  life.until_hanging();
  const std::string id = life.submit(world.order({"note_b"}));
  life.loop().run_until([&] { return life.pipeline().view(id)->text.find("free place") != std::string::npos; });
  CHECK(life.cancel(id) == "");
  CHECK(life.end_of(id).state == RunState::Cancelled);
  const std::string after = life.submit(world.order({"note_c"}));
  world.let_go("a");
  CHECK(life.end_of(busy).state == RunState::Succeeded);
  CHECK_MESSAGE(life.end_of(after).state == RunState::Succeeded, "the place is not lost");
  CHECK(world.words() == "hang_a note_c");
}

TEST_CASE("cancel: waiting for its confirmation") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  world.row("note_a", [](TaskRow& row) { row.destroys = true; });
  const std::string id = life.submit(world.order({"note_a"}));
  CHECK(life.state_of(id) == RunState::Confirming);
  CHECK(life.cancel(id) == "");
  CHECK(life.end_of(id).state == RunState::Cancelled);
  CHECK(world.words().empty());
}

TEST_CASE("cancel: twice is once, and an undo under way goes on") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  world.hold("back");
  undo_of(world, "note_a", "hang_back");
  const std::string id = life.submit(world.order({"note_a", "hang"}));
  life.until_hanging();
  CHECK(life.cancel(id) == "");
  CHECK(life.cancel(id, "odin") == "");
  life.until_hanging(2);
  CHECK(life.state_of(id) == RunState::Undoing);
  CHECK(life.cancel(id, "odin") == "");
  world.let_go("back");
  const RunView view = life.end_of(id);
  CHECK(view.state == RunState::Cancelled);
  CHECK(view.error == "cancelled by thor");
  CHECK(world.words() == "note_a hang hang_back");
}

TEST_CASE("cancel: of a run that fails and undoes, the undo goes on") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  world.hold("back");
  undo_of(world, "note_a", "hang_back");
  const std::string id = life.submit(world.order({"note_a", "fail_b"}));
  life.until_hanging();
  CHECK(life.state_of(id) == RunState::Undoing);
  (void)life.cancel(id);
  world.let_go("back");
  CHECK(ended(life.end_of(id).state));
  CHECK(journal.run(id)->steps[0].state == StepRecord::State::Undone);
}

TEST_CASE("cancel: while its last record is on its way, the journal ends with its end") {
  World world;
  RememberingJournal journal;
  Life life(world, journal, {}, JournalThread::Inline::Never);
  world.hold("a");
  const std::string id = life.submit(world.order({"hang_a"}));
  life.until_hanging();
  journal.gate(false);
  world.let_go("a");
  life.loop().run_until([&] { return journal.somebody_at_gate(); }, "the last write");
  bool told = false;
  const std::string by = "thor";
  boost::asio::co_spawn(life.loop().context(), life.pipeline().cancel(id, by),
                        [&](std::exception_ptr, const std::string&) { told = true; });
  life.loop().settle();
  journal.gate(true);
  life.until_over(id);
  life.loop().run_until([&] { return told; });
  CHECK(ended(journal.run(id)->state));
  CHECK(journal.runs({std::nullopt, true, 0}).empty());
  Life next(world, journal);
  next.pipeline().take_stock();
  CHECK(next.pipeline().interrupted(std::nullopt).empty());
}

TEST_CASE("undo: newest first, only what was done, with the clipboard as it is") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  undo_of(world, "note_a", "note_backa");
  undo_of(world, "note_c", "note_backc");
  undo_of(world, "fail_d", "note_backd");
  const RunView view = life.run(world.order({"note_a", "note_b", "note_c", "fail_d", "note_e"}));
  CHECK(view.state == RunState::Failed);
  CHECK(view.error == "no such luck");
  CHECK(view.task == "test:fail_d");
  CHECK_MESSAGE(view.stage_number == 4, "told is where it failed, not where the undo ended");
  CHECK(world.words() == "note_a note_b note_c fail_d note_backc note_backa");
  CHECK(life.pipeline().clipboard(view.run, std::nullopt) ==
        "fqdn: loki.example.org\nhostname: loki\na: done\nb: done\nc: done\nbackc: done\nbacka: done\n");
  Words states;
  const auto record = journal.run(view.run);
  for (const StepRecord& step : record->steps) states.emplace_back(word(step.state));
  CHECK(states == Words{"undone", "done", "undone", "todo", "todo", "done", "done"});
  CHECK(life.states() == Words{"undoing", "failed"});
}

TEST_CASE("undo: one that fails is named and stops the undo") {
  struct Case {
    std::string name, undo, error;
    int calls;
  };
  for (const Case& c : std::vector<Case>{
           {"fails", "fail_back", "no such luck; undo stopped at test:fail_back: no such luck", 1},
           {"crashes", "crashes_back", "no such luck; undo stopped at test:crashes_back: killed by signal 9 (Killed)",
            3},
           {"not yet, then done", "later_back", "no such luck", 3},
       }) {
    CAPTURE(c.name);
    World world;
    MemoryJournal journal;
    Life life(world, journal);
    undo_of(world, "note_a", "note_backa");
    undo_of(world, "note_b", c.undo);
    const RunView view = life.run(world.order({"note_a", "note_b", "fail_c"}));
    CHECK(view.state == RunState::Failed);
    CHECK(view.error == c.error);
    std::string want = "note_a note_b fail_c";
    for (int i = 0; i < c.calls; ++i) want += " " + c.undo;
    const bool stopped = c.error != "no such luck";
    if (!stopped) want += " note_backa";
    CHECK(world.words() == want);
    CHECK(journal.run(view.run)->steps[0].state == (stopped ? StepRecord::State::Done : StepRecord::State::Undone));
  }
}

TEST_CASE("undo: retried after the undo, everything taken back is done again, and taken back again") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  undo_of(world, "note_a", "note_back");
  const RunView first = life.run(world.order({"note_a", "note_b", "mended_c"}));
  REQUIRE(first.state == RunState::Failed);
  std::optional<std::string> code;
  const std::string id = life.loop().wait_for(life.pipeline().retry({first.run, {}, "thor", "here", ""}, code));
  CHECK(id == first.run);
  const RunView view = life.end_of(id);
  CHECK(view.state == RunState::Succeeded);
  CHECK(view.error == "");
  CHECK(world.words() == "note_a note_b mended_c note_back note_a mended_c");
}

TEST_CASE("retry: a task passed over with a reason") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  const RunView first = life.run(world.order({"note_a", "fail_b", "note_c"}));
  REQUIRE(first.state == RunState::Failed);
  std::optional<std::string> code;
  const auto retry = [&](const std::string& task) {
    return life.pipeline().retry({first.run, {{task, "it rains"}}, "thor", "here", ""}, code);
  };
  CHECK(life.refusal(retry("test:note_a")) == "run " + first.run + " has no task test:note_a still to do");
  (void)life.loop().wait_for(retry("test:fail_b"));
  CHECK(life.end_of(first.run).state == RunState::Succeeded);
  CHECK(world.words() == "note_a fail_b note_c");
  CHECK(journal.run(first.run)->steps[1].skipped_because == "it rains");
}

}  // namespace
}  // namespace jarvis::pipeline
