// Resume from the journal as it stands after each write: whatever the instant of the crash, the run goes on and ends as
// if there had been none, and no task that was written down as done is asked again.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/pipeline/life.h"

namespace jarvis::pipeline {
namespace {

using namespace std::chrono_literals;

// How a run ended, for comparison: everything but times, counts of attempts and ids.
std::string ending(Life& life, Journal& journal, const std::string& id) {
  const auto run = journal.run(id);
  std::string text = std::string(word(run->state)) + " at " + std::to_string(run->stage_number) + " " + run->stage +
                     " " + run->task + ": " + run->error + "\n";
  for (const StepRecord& step : run->steps) {
    // Of one that was under way when its run was cancelled nobody can say more.
    const bool under = step.state == StepRecord::State::Under;
    text += step.task + " " + std::string(under ? "todo" : word(step.state)) + "\n";
  }
  return text + life.pipeline().clipboard(id, std::nullopt);
}

std::set<std::string> done_in(Journal& journal, const std::string& id) {
  std::set<std::string> made;
  const auto run = journal.run(id);
  for (const StepRecord& step : run->steps) {
    const bool undone = step.state == StepRecord::State::Undone;
    if (step.state == StepRecord::State::Done || undone) made.insert(id + "." + std::to_string(step.index));
  }
  return made;
}

struct Case {
  std::string name;
  std::vector<std::string> tasks;
  std::map<std::string, std::string> undos = {};
  bool cancelled = false;  // when a task hangs
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"all goes well", {"note_a", "quiet_b", "crash_c", "later_d", "note_e"}},
      {"failed, nothing to take back", {"note_a", "fail_b", "note_c"}},
      {"failed and taken back", {"note_a", "note_b", "fail_c"}, {{"note_a", "note_backa"}, {"note_b", "note_backb"}}},
      {"failed, and an undo failed too",
       {"note_a", "note_b", "fail_c"},
       {{"note_a", "note_backa"}, {"note_b", "fail_backb"}}},
      {"cancelled and taken back", {"note_a", "hang", "note_c"}, {{"note_a", "note_back"}}, true},
      {"cancelled, and an undo failed", {"note_a", "hang", "note_c"}, {{"note_a", "fail_back"}}, true},
  };
  return all;
}

TEST_CASE("resume: from every point of the journal") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    World world;
    for (const auto& [task, undo] : c.undos) {
      world.row(undo);
      world.row(task, [name = undo](TaskRow& row) { row.undo = "test:" + name; });
    }
    std::vector<Batch> batches;
    std::string id, want;
    std::size_t cancelled_at = 0;
    {
      RememberingJournal journal;
      Life life(world, journal);
      id = life.submit(world.order(c.tasks));
      if (c.cancelled) {
        life.until_hanging();
        REQUIRE(life.cancel(id) == "");
        cancelled_at = journal.batches().size();
      }
      life.until_over(id);
      want = ending(life, journal, id);
      batches = journal.batches();
    }
    for (std::size_t written = std::max<std::size_t>(1, cancelled_at); written < batches.size(); ++written) {
      CAPTURE(written);
      world.forget_calls();
      MemoryJournal journal;
      for (std::size_t i = 0; i < written; ++i) journal.write(batches[i]);
      const auto done = done_in(journal, id);
      Life life(world, journal);
      life.pipeline().take_stock();
      REQUIRE(life.state_of(id) == RunState::Interrupted);
      REQUIRE(life.pipeline().interrupted("loki.example.org").size() == 1);
      life.pipeline().resume(id, "");
      life.pipeline().resume(id, "");  // no harm if it is carried already
      life.until_over(id);
      CHECK(ending(life, journal, id) == want);
      for (const std::string& call : world.calls()) {
        const std::string step = call.substr(call.find(' ') + 1, call.rfind(' ') - call.find(' ') - 1);
        CHECK_MESSAGE(done.count(step) == 0, "done, and asked again: ", call);
      }
    }
  }
}

TEST_CASE("resume: life after life, each cut short after a few writes") {
  World world;
  std::vector<Batch> written;
  std::string id, want;
  {
    RememberingJournal journal;
    Life life(world, journal);
    id = life.submit(world.order({"note_a", "later_b", "crash_c", "note_d"}));
    life.until_over(id);
    want = ending(life, journal, id);
    written = {journal.batches().front()};
  }
  world.forget_calls();
  int lives = 0;
  for (bool over = false; !over; ++lives) {
    REQUIRE(lives < 50);
    RememberingJournal journal;
    for (const Batch& batch : written) journal.write(batch);
    Life life(world, journal);
    life.pipeline().take_stock();
    life.pipeline().resume(id, "");
    life.until_over(id);
    REQUIRE(ending(life, journal, id) == want);
    const std::vector<Batch> all = journal.batches();
    over = all.size() <= written.size() + 3;
    const std::size_t before = written.size();
    for (std::size_t i = before; i < std::min(all.size(), before + 3); ++i) written.push_back(all[i]);
  }
  CHECK(lives >= 4);
}

TEST_CASE("resume: what takes its time is not asked for at once") {
  World world;
  RememberingJournal journal;
  std::string id;
  world.row("wait_b", [](TaskRow& row) { row.retry.deadline = 24h; });
  {
    Life life(world, journal);
    id = life.submit(world.order({"note_a", "wait_b", "note_c"}));
    life.until(id, RunState::Waiting);
    life.loop().wait_for(life.pipeline().stop(10s));
  }
  CHECK(journal.run(id)->state == RunState::Interrupted);
  CHECK(journal.run(id)->steps[1].next_at > std::chrono::system_clock::now() + 50min);
  Life life(world, journal);
  life.pipeline().take_stock();
  life.pipeline().resume(id, "");
  life.until(id, RunState::Waiting);
  life.loop().settle();
  CHECK(world.words() == "note_a wait_b");
  CHECK(life.cancel(id) == "");
  CHECK(life.end_of(id).state == RunState::Cancelled);
}

TEST_CASE("resume: time when jarvis was not running is not held against a deadline") {
  World world;
  RememberingJournal journal;
  world.row("mended_a", [](TaskRow& row) {
    row.retry.after_failure = true;
    row.retry.delay = 200ms;
    row.retry.max_delay = 200ms;
    row.retry.deadline = 10min;
  });
  std::string id;
  {
    Life life(world, journal);
    id = life.submit(world.order({"mended_a"}));
    life.until(id, RunState::Waiting);
    life.loop().wait_for(life.pipeline().stop(10s));
  }
  // An hour passes: what is due was due long ago.
  MemoryJournal later;
  for (Batch batch : journal.batches()) {
    for (Record& record : batch) {
      if (auto* ended_record = std::get_if<AttemptEnded>(&record); ended_record != nullptr && ended_record->next_at) {
        *ended_record->next_at -= 1h;
        ended_record->attempt.started -= 1h;
      }
    }
    later.write(batch);
  }
  Life life(world, later);
  life.pipeline().take_stock();
  life.pipeline().resume(id, "");
  CHECK(life.end_of(id).state == RunState::Succeeded);
}

TEST_CASE("resume: stopping lets the task at work finish, within its grace, and begins no other") {
  World world;
  RememberingJournal journal;
  Life life(world, journal);
  world.hold("a");
  const std::string id = life.submit(world.order({"hang_a", "note_b"}));
  life.until_hanging();
  bool stopped = false;
  boost::asio::co_spawn(life.loop().context(), life.pipeline().stop(10s),
                        [&](const std::exception_ptr&) { stopped = true; });
  life.loop().settle();
  CHECK_FALSE(stopped);
  std::optional<std::string> code;
  CHECK(life.refusal(life.pipeline().submit(world.order({"note_z"}, "thor.example.org"), code)) ==
        "jarvis is stopping");
  world.let_go("a");
  life.loop().run_until([&] { return stopped; }, "the stop");
  CHECK(journal.run(id)->state == RunState::Interrupted);
  CHECK(journal.run(id)->steps[0].state == StepRecord::State::Done);
  CHECK(world.words() == "hang_a");
  Life next(world, journal);
  next.pipeline().take_stock();
  next.pipeline().resume(id, "");
  CHECK(next.end_of(id).state == RunState::Succeeded);
  CHECK(world.words() == "hang_a note_b");
}

TEST_CASE("resume: stopping without patience kills the task at work, which does not count") {
  World world;
  RememberingJournal journal;
  std::string id;
  world.hold("a");
  {
    Life life(world, journal);
    id = life.submit(world.order({"hang_a", "note_b"}));
    life.until_hanging();
    life.loop().wait_for(life.pipeline().stop(0ms));
    CHECK(life.pipeline().in_flight() == 0);
  }
  CHECK(journal.run(id)->state == RunState::Interrupted);
  CHECK(journal.run(id)->steps[0].counted == 0);
  world.let_go("a");
  Life life(world, journal);
  life.pipeline().take_stock();
  life.pipeline().resume(id, "");
  CHECK(life.end_of(id).state == RunState::Succeeded);
  CHECK(journal.run(id)->steps[0].tries == 2);
  CHECK(journal.run(id)->steps[0].counted == 1);
}

TEST_CASE("resume: a task that the binary lacks now fails by its name, and rows are those of the plan") {
  World world;
  RememberingJournal journal;
  std::string id;
  world.row("wait_a", [](TaskRow& row) { row.retry.deadline = 24h; });
  {
    Life life(world, journal);
    id = life.submit(world.order({"wait_a"}));
    life.until(id, RunState::Waiting);
    life.loop().wait_for(life.pipeline().stop(10s));
  }
  MemoryJournal later;
  for (Batch batch : journal.batches()) {
    for (Record& record : batch) {
      if (auto* created = std::get_if<RunCreated>(&record)) created->run.steps[0].task = "test:gone";
      if (auto* ended_record = std::get_if<AttemptEnded>(&record)) ended_record->next_at.reset();
    }
    later.write(batch);
  }
  World other;  // knows no rows at all
  Journal& same = later;
  {
    Loop loop;
    JournalThread pen(same, [&](std::function<void()> call) { boost::asio::post(loop.context(), std::move(call)); });
    WorkshopOptions options;
    options.forkservers = test_forkserver().parent_path();
    options.grants = [&](const std::string&) {
      Granted granted;
      granted.environment = {"TEST_DIR=" + world.scratch().path().string()};
      return granted;
    };
    Pipeline pipeline(loop.context(), same, pen, world.seal(), other.table(), options);
    pipeline.take_stock();
    pipeline.resume(id, "");
    loop.run_until([&] { return !pipeline.carried(id); });
    CHECK(pipeline.view(id)->state == RunState::Failed);
    CHECK(pipeline.view(id)->error == "no such task: test:gone");
    pipeline.shop().join_forkservers();
  }
}

}  // namespace
}  // namespace jarvis::pipeline
