// Runs while the journal cannot be written: nothing is begun without a record, nothing is lost, and it goes on by
// itself.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>

#include "tests/pipeline/life.h"

namespace jarvis::pipeline {
namespace {

TEST_CASE("run and journal: while nothing can be written a run is paused and nothing begins; then it goes on") {
  World world;
  RememberingJournal journal;
  std::atomic<bool> full{false};
  std::atomic<int> refused{0};
  journal.fail_when([&](const Batch&) { return full && ++refused > 0; });
  Life life(world, journal);
  world.hold("a");
  const std::string id = life.submit(world.order({"hang_a", "note_b", "note_c"}));
  life.until_hanging();
  full = true;
  world.let_go("a");
  life.until(id, RunState::Paused);
  life.loop().run_until([&] { return refused >= 3; }, "several tries");
  CHECK(life.state_of(id) == RunState::Paused);
  CHECK(life.pipeline().view(id)->text.find("nothing is begun while the journal cannot be written: ") == 0);
  CHECK(world.words() == "hang_a");
  full = false;
  CHECK(life.end_of(id).state == RunState::Succeeded);
  CHECK(world.words() == "hang_a note_b note_c");
  CHECK_MESSAGE(life.pipeline().view(id)->text.empty(), "nothing to complain of any more");
}

TEST_CASE("run and journal: whichever write is refused, nothing changes but the time") {
  const std::vector<std::string> tasks = {"note_a", "crash_b", "quiet_c"};
  const auto impatient = [](WorkshopOptions& options) { options.journal_again = std::chrono::milliseconds{1}; };
  World world;
  std::size_t writes = 0;
  std::string want;
  {
    RememberingJournal journal;
    Life life(world, journal);
    REQUIRE(life.run(world.order(tasks)).state == RunState::Succeeded);
    writes = journal.batches().size();
    want = world.words();
  }
  REQUIRE(writes == 7);
  for (std::size_t bad = 1; bad < writes; ++bad) {
    CAPTURE(bad);
    world.forget_calls();
    RememberingJournal journal;
    int left = 2;
    journal.fail_when([&](const Batch&) { return journal.batches().size() == bad && left-- > 0; });
    Life life(world, journal, impatient);
    const RunView view = life.run(world.order(tasks));
    CHECK(view.state == RunState::Succeeded);
    CHECK(world.words() == want);
    CHECK(journal.batches().size() == writes);
    CHECK(life.pipeline().clipboard(view.run, std::nullopt) ==
          "fqdn: loki.example.org\nhostname: loki\na: done\nb: done\n");
  }
}

TEST_CASE("run and journal: an order that cannot be written is refused, and its host is free") {
  World world;
  FailingJournal journal([](const Batch&) { return true; });
  Life life(world, journal);
  std::optional<std::string> code;
  CHECK(life.refusal(life.pipeline().submit(world.order({"note_a"}), code)) == "journal: the test says no");
  CHECK(life.pipeline().in_flight() == 0);
  journal.fail_when({});
  CHECK(life.run(world.order({"note_a"})).state == RunState::Succeeded);
}

TEST_CASE("run and journal: a cancel that cannot be written is refused, and the run is not cancelled") {
  World world;
  FailingJournal journal;
  std::atomic<bool> full{false};
  journal.fail_when([&](const Batch&) { return full.load(); });
  Life life(world, journal);
  world.hold("a");
  const std::string id = life.submit(world.order({"hang_a", "note_b"}));
  life.until_hanging();
  full = true;
  CHECK(life.cancel(id) == "journal: the test says no");
  full = false;
  world.let_go("a");
  const RunView view = life.end_of(id);
  CHECK(view.state == RunState::Succeeded);
  CHECK(view.error == "");
  CHECK(world.words() == "hang_a note_b");
}

TEST_CASE("run and journal: stopping does not wait for a journal that never comes back") {
  World world;
  FailingJournal journal;
  std::atomic<bool> full{false};
  journal.fail_when([&](const Batch&) { return full.load(); });
  Life life(world, journal);
  world.hold("a");
  const std::string id = life.submit(world.order({"hang_a", "note_b"}));
  life.until_hanging();
  full = true;
  world.let_go("a");
  life.until(id, RunState::Paused);
  life.loop().wait_for(life.pipeline().stop(std::chrono::seconds{10}));
  CHECK(life.pipeline().in_flight() == 0);
  full = false;
  // What the journal knows is that the task had begun: the next life asks it again, as it must.
  Life next(world, journal);
  next.pipeline().take_stock();
  next.pipeline().resume(id, "");
  CHECK(next.end_of(id).state == RunState::Succeeded);
  CHECK(world.words() == "hang_a hang_a note_b");
}

TEST_CASE("run and journal: paused at the very end, it ends when it can be written") {
  World world;
  RememberingJournal journal;
  int left = 3;
  journal.fail_when([&](const Batch& batch) {
    for (const Record& record : batch) {
      const auto* changed = std::get_if<RunChanged>(&record);
      if (changed != nullptr && ended(changed->state)) return left-- > 0;
    }
    return false;
  });
  Life life(world, journal);
  CHECK(life.run(world.order({"note_a"})).state == RunState::Succeeded);
  CHECK(left == -1);
  const auto& states = life.states();
  CHECK(std::count(states.begin(), states.end(), "paused") == 1);
}

}  // namespace
}  // namespace jarvis::pipeline
