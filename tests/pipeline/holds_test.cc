// People's locks: one host held, or everything frozen.
#include <doctest/doctest.h>

#include "pipeline/pipeline.h"
#include "tests/pipeline/life.h"

namespace jarvis::pipeline {
namespace {

using namespace std::chrono_literals;

Hold hold_of(const std::string& host, const std::string& by = "thor", const std::string& reason = "the disk") {
  return {host, by, reason, now()};
}

template <typename Act>
std::string refused(Act act, Kind kind = Kind::Refused) {
  try {
    act();
    return "";
  } catch (const Error& e) {
    CHECK(e.kind() == kind);
    return e.what();
  }
}

TEST_CASE("holds: a held host begins no run, others do, and what runs goes on") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  world.hold("a");
  const std::string running = life.submit(world.order({"hang_a", "note_b"}));
  life.until_hanging();
  life.pipeline().hold(hold_of("loki.example.org"));
  world.let_go("a");
  CHECK(life.end_of(running).state == RunState::Succeeded);
  CHECK(world.words() == "hang_a note_b");

  std::optional<std::string> code;
  const std::string refusal = life.refusal(life.pipeline().submit(world.order({"note_c"}), code));
  CHECK(refusal.find("loki.example.org is held by thor since ") == 0);
  CHECK(refusal.find(" because the disk; `jarvis release loki.example.org` lets it go") != std::string::npos);
  CHECK(life.run(world.order({"note_d"}, "thor.example.org")).state == RunState::Succeeded);

  CHECK(refused([&] { life.pipeline().hold(hold_of("loki.example.org", "odin")); })
            .find("loki.example.org is held already: by thor since ") == 0);
  const Hold was = life.pipeline().release("loki.example.org");
  CHECK(was.by == "thor");
  CHECK(was.reason == "the disk");
  CHECK(refused([&] { life.pipeline().release("loki.example.org"); }, Kind::Usage) == "loki.example.org is not held");
  CHECK(life.run(world.order({"note_e"})).state == RunState::Succeeded);
}

TEST_CASE("holds: a retry is refused, too; a hold while it is confirmed does not stop it") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  const std::string failed = life.run(world.order({"fail_a"})).run;
  life.pipeline().hold(hold_of("loki.example.org"));
  std::optional<std::string> code;
  CHECK(life.refusal(life.pipeline().retry({failed, {}, "thor", "here", ""}, code)).find("is held by thor") !=
        std::string::npos);
  CHECK(world.words() == "fail_a");
}

TEST_CASE("holds: several, kept over a restart, whatever people write into them") {
  World world;
  MemoryJournal journal;
  const Time since = std::chrono::floor<std::chrono::microseconds>(now());
  {
    Life life(world, journal);
    life.pipeline().hold({"a.example.org", "thor (freenet account thor)", "tab\there,\nand a line", since});
    life.pipeline().hold(hold_of("b.example.org", "odin", ""));
    life.pipeline().hold(hold_of("c.example.org", "freya", "\xe2\x98\x83"));
    life.pipeline().release("b.example.org");
  }
  Life life(world, journal);
  life.pipeline().take_stock();
  const auto holds = life.pipeline().holds();
  REQUIRE(holds.size() == 2);
  CHECK(holds[0].host == "a.example.org");
  CHECK(holds[0].by == "thor (freenet account thor)");
  CHECK(holds[0].reason == "tab here, and a line");
  CHECK(holds[0].since == since);
  CHECK(holds[1].reason == "\xe2\x98\x83");
  CHECK(life.pipeline().held("a.example.org").has_value());
  CHECK_FALSE(life.pipeline().held("b.example.org").has_value());
  CHECK_FALSE(life.pipeline().held("example.org").has_value());
  std::optional<std::string> code;
  CHECK(life.refusal(life.pipeline().submit(world.order({"note_a"}, "a.example.org"), code)).find("is held by thor") !=
        std::string::npos);
}

TEST_CASE("freeze: what is at work ends, nothing new begins, thaw lets it go on") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  world.hold("a");
  const std::string id = life.submit(world.order({"hang_a", "note_b", "note_c"}));
  life.until_hanging();
  life.pipeline().freeze(hold_of("*", "thor", "the data centre is being moved"));
  CHECK(life.pipeline().frozen()->by == "thor");
  CHECK(refused([&] { life.pipeline().freeze(hold_of("*", "odin")); }).find("frozen already: by thor since ") == 0);
  world.let_go("a");
  life.loop().run_until([&] { return life.pipeline().view(id)->stage_number == 2; }, "the next stage");
  life.loop().settle();
  CHECK(world.words() == "hang_a");
  CHECK(life.pipeline().carried(id));

  std::optional<std::string> code;
  const std::string refusal = life.refusal(life.pipeline().submit(world.order({"note_d"}, "other.example.org"), code));
  CHECK(refusal.find("nothing is begun: frozen by thor since ") == 0);
  CHECK(refusal.find("because the data centre is being moved; `jarvis thaw` ends that") != std::string::npos);
  CHECK_FALSE(life.refusal(life.pipeline().perform(world.table().find("test:note_b"), "a: b\n", "")).empty());
  const Plan plan = world.plan({"note_b"});
  const Clipboard first = World::board(plan.host);
  CHECK_FALSE(life.refusal(life.pipeline().ask(plan, first, "")).empty());
  CHECK(world.words() == "hang_a");

  CHECK(life.pipeline().thaw().reason == "the data centre is being moved");
  CHECK(refused([&] { life.pipeline().thaw(); }, Kind::Usage) == "nothing is frozen");
  CHECK(life.end_of(id).state == RunState::Succeeded);
  CHECK(world.words() == "hang_a note_b note_c");
}

TEST_CASE("freeze: outlives a restart, and the runs that go on wait") {
  World world;
  world.row("wait_b", [](TaskRow& row) { row.retry.deadline = 24h; });
  RememberingJournal journal;
  std::string id;
  {
    Life life(world, journal);
    life.pipeline().freeze(hold_of("*"));
    CHECK(life.pipeline().thaw().by == "thor");
    world.hold("a");
    id = life.submit(world.order({"hang_a", "note_c"}));
    life.until_hanging();
    life.pipeline().freeze(hold_of("*"));
  }
  world.forget_calls();
  Life life(world, journal);
  life.pipeline().take_stock();
  REQUIRE(life.pipeline().frozen().has_value());
  life.pipeline().resume(id, "");
  life.loop().settle();
  CHECK(world.words().empty());
  CHECK(life.pipeline().carried(id));
  world.let_go("a");
  life.pipeline().thaw();
  CHECK(life.end_of(id).state == RunState::Succeeded);
  CHECK(world.words() == "hang_a note_c");
}

TEST_CASE("freeze: a frozen run can be cancelled, and jarvis can be stopped") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  world.hold("a");
  const std::string id = life.submit(world.order({"hang_a", "note_b"}));
  life.until_hanging();
  life.pipeline().freeze(hold_of("*"));
  world.let_go("a");
  life.loop().run_until([&] { return life.pipeline().view(id)->stage_number == 2; }, "the next stage");
  SUBCASE("cancelled") {
    CHECK(life.cancel(id).empty());
    CHECK(life.end_of(id).state == RunState::Cancelled);
  }
  SUBCASE("stopped") {
    life.loop().wait_for(life.pipeline().stop(10s));
    CHECK(life.state_of(id) == RunState::Interrupted);
  }
  CHECK(world.words() == "hang_a");
}

// Only the holder of the state may write; who only looks is not kept from it by a full disk.
TEST_CASE("stock: who only looks goes on although nothing can be written") {
  World world;
  FailingJournal journal;
  std::string id;
  {
    Life life(world, journal);
    std::optional<std::string> code;
    world.row("note_end", [](TaskRow& row) { row.destroys = true; });
    id = life.loop().wait_for(life.pipeline().submit(world.order({"note_end"}), code));
    life.loop().wait_for(life.pipeline().stop(10s));
  }
  RunChanged expired;
  expired.run = id;
  expired.state = RunState::Confirming;
  expired.confirm = journal.run(id)->confirm;
  expired.confirm_until = std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now() - 1s);
  journal.write({expired});
  journal.fail_when([](const auto&) { return true; });
  {
    Life life(world, journal);
    CHECK_NOTHROW(life.pipeline().take_stock(true));
    CHECK(life.pipeline().view(id).has_value());
  }
  {
    Life life(world, journal);
    CHECK_THROWS_AS(life.pipeline().take_stock(), Error);
  }
  journal.fail_when({});
  Life life(world, journal);
  life.pipeline().take_stock();
  CHECK(life.state_of(id) == RunState::Cancelled);
  CHECK(journal.run(id)->error == "not confirmed within five minutes");
}

}  // namespace
}  // namespace jarvis::pipeline
