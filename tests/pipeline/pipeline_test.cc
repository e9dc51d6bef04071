// Who may run on a host, who must confirm, how many work at once.
#include "pipeline/pipeline.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/pipeline/life.h"

namespace jarvis::pipeline {
namespace {

using namespace std::chrono_literals;

TEST_CASE("pipeline: one run a host; the refusal names who holds it and since when") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  world.hold("a");
  const std::string id = life.submit(world.order({"hang_a"}));
  life.until_hanging();
  std::optional<std::string> code;
  const std::string refusal = life.refusal(life.pipeline().submit(world.order({"note_b"}), code));
  CHECK(refusal.find("loki.example.org is held by run " + id + ": deploy by the test since 20") == 0);
  CHECK_MESSAGE(life.run(world.order({"note_c"}, "thor.example.org")).state == RunState::Succeeded,
                "another host is free");
  world.let_go("a");
  CHECK(life.end_of(id).state == RunState::Succeeded);
  CHECK(life.run(world.order({"note_d"})).state == RunState::Succeeded);
  CHECK(world.words() == "hang_a note_c note_d");
}

TEST_CASE("pipeline: an interrupted run holds its host, and the refusal says what to do") {
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
  Life life(world, journal);
  life.pipeline().take_stock();
  std::optional<std::string> code;
  const std::string refusal = life.refusal(life.pipeline().submit(world.order({"note_b"}), code));
  CHECK(refusal.find("loki.example.org is held by run " + id) == 0);
  CHECK(refusal.find("interrupted at 1/1 wait_a; `jarvis retry ") != std::string::npos);
  CHECK(life.cancel(id) == "");
  CHECK(life.end_of(id).state == RunState::Cancelled);
  CHECK(life.run(world.order({"note_b"})).state == RunState::Succeeded);
}

TEST_CASE("pipeline: two orders in one turn, one of them is refused") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  world.row("note_end", [](TaskRow& row) { row.destroys = true; });
  std::optional<std::string> code, one_code, other_code;
  const auto both = [&](const std::string& word) {
    std::vector<std::string> answers;
    for (auto* which : {&one_code, &other_code}) {
      boost::asio::co_spawn(
          life.loop().context(), life.pipeline().submit(world.order({word}), *which),
          [&](const std::exception_ptr& error, const std::string& id) { answers.push_back(error ? "refused" : id); });
    }
    life.loop().run_until([&] { return answers.size() == 2; }, "two answers");
    return answers;
  };
  SUBCASE("the host is free") {
    const auto answers = both("note_a");
    CHECK(std::count(answers.begin(), answers.end(), "refused") == 1);
    life.loop().run_until([&] { return life.pipeline().in_flight() == 0; });
    CHECK(world.words() == "note_a");
  }
  SUBCASE("a run waits for its confirmation, which a newer order takes the place of") {
    const std::string confirming = life.submit(world.order({"note_end"}));
    REQUIRE(life.state_of(confirming) == RunState::Confirming);
    const auto answers = both("note_b");
    CHECK(std::count(answers.begin(), answers.end(), "refused") == 1);
    life.loop().run_until([&] { return life.pipeline().in_flight() == 0; });
    CHECK(world.words() == "note_b");
    CHECK(life.state_of(confirming) == RunState::Cancelled);
  }
}

// What two calls for one run that nobody carries come to: one walk, whatever else.
TEST_CASE("pipeline: a run is walked once, however many ask for it in one turn") {
  World world;
  world.row("note_back");
  world.row("note_a", [](TaskRow& row) { row.undo = "test:note_back"; });
  world.row("wait_b", [](TaskRow& row) { row.retry.deadline = 24h; });
  RememberingJournal journal;
  std::string id;
  const std::string thor = "thor", odin = "odin";  // what waits keeps references
  int answered = 0;
  const auto spawn = [&](Life& life, boost::asio::awaitable<std::string> what) {
    boost::asio::co_spawn(life.loop().context(), std::move(what),
                          [&](const std::exception_ptr&, const std::string&) { ++answered; });
  };
  SUBCASE("two retries of a failed run") {
    Life life(world, journal);
    id = life.run(world.order({"note_a", "fail_b"})).run;
    REQUIRE(life.state_of(id) == RunState::Failed);
    world.forget_calls();
    std::optional<std::string> code, other_code;
    spawn(life, life.pipeline().retry({id, {}, "thor", "here", ""}, code));
    spawn(life, life.pipeline().retry({id, {}, "odin", "here", ""}, other_code));
    life.loop().run_until([&] { return answered == 2 && life.pipeline().in_flight() == 0; });
    CHECK(world.words() == "note_a fail_b note_back");
  }
  SUBCASE("an interrupted one") {
    {
      Life life(world, journal);
      id = life.submit(world.order({"note_a", "wait_b"}));
      life.until(id, RunState::Waiting);
      life.loop().wait_for(life.pipeline().stop(10s));
    }
    world.forget_calls();
    Life life(world, journal);
    life.pipeline().take_stock();
    SUBCASE("cancelled twice") {
      spawn(life, life.pipeline().cancel(id, thor));
      spawn(life, life.pipeline().cancel(id, odin));
    }
    SUBCASE("cancelled and resumed") {
      spawn(life, life.pipeline().cancel(id, thor));
      life.loop().context().poll_one();
      CHECK_THROWS_AS(life.pipeline().resume(id, ""), Error);
      ++answered;
    }
    life.loop().run_until([&] { return answered == 2 && life.pipeline().in_flight() == 0; });
    CHECK(world.words() == "note_back");
    CHECK(journal.run(id)->state == RunState::Cancelled);
  }
}

TEST_CASE("pipeline: codes") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  world.row("note_end", [](TaskRow& row) { row.destroys = true; });
  const auto submit = [&](const std::string& host, std::string& code) {
    std::optional<std::string> made;
    std::string id = life.loop().wait_for(life.pipeline().submit(world.order({"note_end"}, host), made));
    REQUIRE(made.has_value());
    code = *made;
    return id;
  };
  const std::string refused =
      "no run waits for this code; a code is good once, for five minutes, for the plan it was given for";
  const auto confirm = [&](const std::string& code) { return life.refusal(life.pipeline().confirm(code, "thor", "")); };
  std::string code, other;
  const std::string id = submit("loki.example.org", code), other_id = submit("thor.example.org", other);
  CHECK(code.size() == 6);
  CHECK(code != other);
  CHECK(life.state_of(id) == RunState::Confirming);
  CHECK(world.words().empty());
  CHECK(life.pipeline().busy() == 0);
  CHECK(life.pipeline().code_of(id) == code);

  CHECK(confirm("aaaaaa") == refused);
  CHECK(confirm("") == refused);
  CHECK(life.state_of(id) == RunState::Confirming);

  CHECK(life.loop().wait_for(life.pipeline().confirm(code, "thor", "")).run == id);
  CHECK(life.end_of(id).state == RunState::Succeeded);
  CHECK_MESSAGE(life.state_of(other_id) == RunState::Confirming, "a code is for its own run only");
  CHECK_MESSAGE(confirm(code) == refused, "good once");
  CHECK(life.pipeline().code_of(id) == std::nullopt);
  CHECK(world.words() == "note_end");

  // A code of another run, put into this one's record: it is bound to run and plan.
  RunChanged change;
  change.run = other_id;
  change.state = RunState::Confirming;
  change.confirm = journal.run(other_id)->confirm;
  change.confirm_until = std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now() - 1s);
  journal.write({change});
  CHECK_MESSAGE(confirm(other) == refused, "five minutes are over");
  CHECK(world.words() == "note_end");
}

TEST_CASE("pipeline: a code is bound to its run and its plan") {
  World world;
  RememberingJournal journal;
  world.row("note_end", [](TaskRow& row) { row.destroys = true; });
  std::optional<std::string> code;
  std::string id;
  {
    Life life(world, journal);
    id = life.loop().wait_for(life.pipeline().submit(world.order({"note_end"}), code));
    life.loop().wait_for(life.pipeline().stop(10s));
  }
  CHECK(journal.run(id)->state == RunState::Confirming);
  struct Case {
    std::string name;
    std::function<void(RunRecord&)> change;
    bool good;
  };
  for (const Case& c : std::vector<Case>{
           {"as it was: still to be confirmed after a restart", [](RunRecord&) {}, true},
           {"another plan under it", [](RunRecord& run) { run.plan_digest[0] = run.plan_digest[0] == '0' ? '1' : '0'; },
            false},
           {"five minutes are over",
            [](RunRecord& run) { run.confirm_until = std::chrono::system_clock::now() - std::chrono::seconds{1}; },
            false},
       }) {
    CAPTURE(c.name);
    world.forget_calls();
    MemoryJournal changed;
    for (Batch batch : journal.batches()) {
      for (Record& record : batch) {
        if (auto* created = std::get_if<RunCreated>(&record)) c.change(created->run);
      }
      changed.write(batch);
    }
    Life life(world, changed);
    life.pipeline().take_stock();
    const std::string refusal = life.refusal(life.pipeline().confirm(*code, "thor", ""));
    CHECK(refusal.empty() == c.good);
    if (c.good) CHECK(life.end_of(id).state == RunState::Succeeded);
    CHECK(world.words() == (c.good ? "note_end" : ""));
  }
}

TEST_CASE("pipeline: a retry that destroys asks for a code again, and changes nothing before") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  world.row("mended_end", [](TaskRow& row) { row.destroys = true; });
  std::optional<std::string> code, again;
  const std::string id = life.loop().wait_for(life.pipeline().submit(world.order({"mended_end"}), code));
  (void)life.loop().wait_for(life.pipeline().confirm(*code, "thor", ""));
  REQUIRE(life.end_of(id).state == RunState::Failed);
  (void)life.loop().wait_for(life.pipeline().retry({id, {}, "thor", "here", ""}, again));
  REQUIRE(again.has_value());
  CHECK(life.state_of(id) == RunState::Confirming);
  CHECK(world.words() == "mended_end");
  (void)life.loop().wait_for(life.pipeline().confirm(*again, "thor", ""));
  CHECK(life.end_of(id).state == RunState::Succeeded);
}

TEST_CASE("pipeline: what cannot be retried, resumed or cancelled says so") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  const std::string id = life.run(world.order({"note_a"})).run;
  std::optional<std::string> code;
  CHECK(life.refusal(life.pipeline().retry({"nosuch", {}, "", "", ""}, code)) == "no run nosuch");
  CHECK(life.refusal(life.pipeline().retry({id, {}, "", "", ""}, code)) ==
        "run " + id + " of loki.example.org is succeeded, there is nothing to retry");
  CHECK(life.cancel("nosuch") == "run nosuch has ended, there is nothing to cancel");
  CHECK_THROWS_AS(life.pipeline().resume("nosuch", ""), Error);
}

TEST_CASE("pipeline: asking in plan mode changes nothing and says what would change") {
  World world;
  MemoryJournal journal;
  Life life(world, journal, [](WorkshopOptions& options) { options.max_workers = 1; });
  const auto plan_mode = [](TaskRow& row) { row.plan = true; };
  world.row("change_a", plan_mode);
  world.row("later_b", plan_mode);
  world.row("fail_c", plan_mode);
  world.row("note_d");
  world.row("change_e", [](TaskRow& row) {
    row.plan = true;
    row.needs = {"made_by_d"};
  });
  world.row("note_gives", [](TaskRow& row) { row.gives = {"made_by_d"}; });
  const Plan plan = world.plan({"change_a", "later_b", "fail_c", "note_gives", "note_d", "change_e"});
  const Clipboard first = World::board(plan.host);
  const auto asked = life.loop().wait_for(life.pipeline().ask(plan, first, ""));
  REQUIRE(asked.size() == 6);
  struct Case {
    std::string name;
    bool asked;
    std::vector<std::string> changes;
    std::string fault;
  };
  const std::vector<Case> want = {
      {"test:change_a", true, {"a of test:change_a", "and more"}, ""},
      {"test:later_b", true, {}, ""},  // temporary twice, then well
      {"test:fail_c", true, {}, "no such luck"},
      {"test:note_gives", false, {}, ""},
      {"test:note_d", false, {}, ""},
      {"test:change_e", false, {}, ""},  // its need is not there yet
  };
  for (std::size_t i = 0; i < want.size(); ++i) {
    CAPTURE(want[i].name);
    CHECK(asked[i].task == want[i].name);
    CHECK(asked[i].asked == want[i].asked);
    CHECK(asked[i].changes == want[i].changes);
    CHECK(asked[i].fault == want[i].fault);
    CHECK_FALSE(asked[i].temporary);
  }
  CHECK(world.words() == "later_b later_b later_b fail_c");
  CHECK_MESSAGE(journal.runs({std::nullopt, false, 0}).empty(), "asking is no run");
}

TEST_CASE("pipeline: asking a module without its credentials leaves no place taken") {
  World world;
  MemoryJournal journal;
  bool locked = true;
  const std::string directory = world.scratch().path();
  Life life(world, journal, [&](WorkshopOptions& options) {
    options.max_workers = 1;
    options.grants = [&](const std::string&) {
      if (locked) throw Error(Kind::Usage, "test: token_file: missing");
      Granted granted;
      granted.environment = {"TEST_DIR=" + directory};
      return granted;
    };
  });
  world.row("change_a", [](TaskRow& row) { row.plan = true; });
  const Plan plan = world.plan({"change_a"});
  const Clipboard first = World::board(plan.host);
  CHECK(life.pipeline().credential_faults(plan) == std::vector<std::string>{"test: token_file: missing"});
  (void)life.refusal(life.pipeline().ask(plan, first, ""));
  locked = false;
  CHECK(life.run(world.order({"note_b"})).state == RunState::Succeeded);
}

TEST_CASE("pipeline: another key opens no clipboard, and says so") {
  World world, other;
  RememberingJournal journal;
  std::string id;
  {
    Life life(world, journal);
    id = life.run(world.order({"note_a"})).run;
  }
  Life life(other, journal);
  life.pipeline().take_stock();
  CHECK(life.pipeline().views({}).size() == 1);
  std::string why;
  try {
    (void)life.pipeline().clipboard(id, std::nullopt);
  } catch (const Error& e) {
    why = e.what();
  }
  CHECK(why.find("the clipboard of run " + id + ": ") == 0);
}

}  // namespace
}  // namespace jarvis::pipeline
