// How many people must confirm what destroys, who counts, and for how long.
#include <doctest/doctest.h>

#include "pipeline/pipeline.h"
#include "tests/pipeline/life.h"

namespace jarvis::pipeline {
namespace {

using namespace std::chrono_literals;

struct Hall {
  Hall() {
    world.row("note_end", [](TaskRow& row) { row.destroys = true; });
  }
  // A run that waits to be confirmed by so many, asked for by thor; its code.
  std::string submit(Life& life, int approvals, const std::string& host = "loki.example.org") {
    std::optional<std::string> made;
    Order order = world.order({"note_end"}, host);
    order.approvals = approvals;
    order.asker = "thor";
    id = life.loop().wait_for(life.pipeline().submit(std::move(order), made));
    REQUIRE(made.has_value());
    return *made;
  }
  // "2: odin freya" (missing, approvers), or the refusal.
  static std::string confirm(Life& life, const std::string& code, const std::string& who) {
    try {
      const Confirmed made = life.loop().wait_for(life.pipeline().confirm(code, who, ""));
      std::string text = std::to_string(made.missing) + ":";
      for (const std::string& one : made.approvers) text += " " + one;
      return text;
    } catch (const Error& e) {
      CHECK(e.kind() == Kind::Refused);
      return e.what();
    }
  }
  World world;
  RememberingJournal journal;
  std::string id;
};

const std::string kNone =
    "no run waits for this code; a code is good once, for five minutes, for the plan it was given for";

TEST_CASE("confirm: so many people, each once, and of two or more the asker is none") {
  struct Case {
    const char* name;
    int approvals;
    std::vector<std::pair<std::string, std::string>> said;  // who, answer
  };
  for (const Case& c : std::vector<Case>{
           {"one: the asker himself", 1, {{"thor", "0: thor"}}},
           {"one: somebody else", 1, {{"odin", "0: odin"}}},
           {"none is one", 0, {{"thor", "0: thor"}}},
           {"two: not the asker",
            2,
            {{"thor", "loki.example.org: deploy was asked for by thor, 2 more people must confirm it"},
             {"odin", "1: odin"},
             {"thor", "loki.example.org: deploy was asked for by thor, one more person must confirm it"},
             {"odin", "odin has confirmed it already, one more person must"},
             {"freya", "0: odin freya"}}},
           {"three",
            3,
            {{"odin", "2: odin"},
             {"odin", "odin has confirmed it already, 2 more people must"},
             {"freya", "1: odin freya"},
             {"heimdall", "0: odin freya heimdall"}}},
       }) {
    CAPTURE(std::string(c.name));
    Hall hall;
    Life life(hall.world, hall.journal);
    const std::string code = hall.submit(life, c.approvals);
    for (const auto& [who, answer] : c.said) {
      CHECK(life.state_of(hall.id) == RunState::Confirming);
      CHECK(hall.world.words().empty());
      CHECK(Hall::confirm(life, code, who) == answer);
    }
    CHECK(life.end_of(hall.id).state == RunState::Succeeded);
    CHECK(hall.world.words() == "note_end");
    CHECK(Hall::confirm(life, code, "heimdall") == kNone);
  }
}

TEST_CASE("confirm: what one withdraws does not count") {
  Hall hall;
  Life life(hall.world, hall.journal);
  const std::string other = hall.submit(life, 2, "other.example.org"), code = hall.submit(life, 2);
  CHECK(Hall::confirm(life, code, "odin") == "1: odin");
  CHECK(Hall::confirm(life, other, "freya") == "1: freya");
  life.loop().wait_for(life.pipeline().withdraw("odin"));
  life.loop().wait_for(life.pipeline().withdraw("nobody"));
  CHECK(Hall::confirm(life, code, "freya") == "1: freya");
  CHECK(life.state_of(hall.id) == RunState::Confirming);
  CHECK_MESSAGE(Hall::confirm(life, code, "odin") == "0: freya odin", "he may confirm it again");
  CHECK(life.end_of(hall.id).state == RunState::Succeeded);
  CHECK_MESSAGE(Hall::confirm(life, other, "odin") == "0: freya odin", "what others confirmed counts on");
}

TEST_CASE("confirm: who confirmed is known after a restart, and so is who withdrew") {
  Hall hall;
  std::string code;
  bool withdrawn = false;
  SUBCASE("confirmed") {}
  SUBCASE("withdrawn before") { withdrawn = true; }
  {
    Life life(hall.world, hall.journal);
    code = hall.submit(life, 2);
    CHECK(Hall::confirm(life, code, "odin") == "1: odin");
    if (withdrawn) life.loop().wait_for(life.pipeline().withdraw("odin"));
    life.loop().wait_for(life.pipeline().stop(10s));
  }
  Life life(hall.world, hall.journal);
  life.pipeline().take_stock();
  CHECK(life.pipeline().waits_for(code)->run == hall.id);
  CHECK(life.pipeline().code_of(hall.id) == code);
  CHECK(Hall::confirm(life, code, "thor").find("was asked for by thor") != std::string::npos);
  if (withdrawn) {
    CHECK(Hall::confirm(life, code, "freya") == "1: freya");
  } else {
    life.loop().wait_for(life.pipeline().withdraw("freya"));
    CHECK(Hall::confirm(life, code, "odin") == "odin has confirmed it already, one more person must");
    CHECK(Hall::confirm(life, code, "freya") == "0: odin freya");
    CHECK(life.end_of(hall.id).state == RunState::Succeeded);
  }
}

// The journal has not written yet what the one before said.
TEST_CASE("confirm: two people in one turn count both, and who withdraws meanwhile does not") {
  Hall hall;
  std::string code;
  const auto submit = [&](Life& life, bool restart) {
    code = hall.submit(life, 3);
    if (restart) life.loop().wait_for(life.pipeline().stop(10s));
  };
  bool restarted = false;
  SUBCASE("a run that is carried") {}
  SUBCASE("one that waits since before a restart") { restarted = true; }
  std::optional<Life> before;
  if (restarted) {
    before.emplace(hall.world, hall.journal);
    submit(*before, true);
    before.reset();
  }
  Life life(hall.world, hall.journal, {}, JournalThread::Inline::Never);
  life.pipeline().take_stock();
  if (!restarted) submit(life, false);
  hall.journal.gate(false);
  int answered = 0;
  for (const std::string who : {"odin", "freya", "heimdall"}) {
    if (who == "heimdall") {
      boost::asio::co_spawn(life.loop().context(), life.pipeline().withdraw("odin"),
                            [&](const std::exception_ptr& error) { answered += error ? 0 : 1; });
    } else {
      boost::asio::co_spawn(
          life.loop().context(), life.pipeline().confirm(code, who, ""),
          [&](const std::exception_ptr& error, const Confirmed&) { answered += error ? 0 : 1; });
    }
    life.loop().settle();
  }
  hall.journal.gate(true);
  life.loop().run_until([&] { return answered == 3; }, "three answers");
  CHECK(Hall::confirm(life, code, "heimdall") == "1: freya heimdall");
  CHECK(life.state_of(hall.id) == RunState::Confirming);
  CHECK(Hall::confirm(life, code, "odin") == "0: freya heimdall odin");
  CHECK(life.end_of(hall.id).state == RunState::Succeeded);
}

TEST_CASE("confirm: the code of a run that ended is good for nothing") {
  Hall hall;
  Life life(hall.world, hall.journal);
  const std::string code = hall.submit(life, 1);
  const auto ended = [&] {
    CHECK(life.pipeline().code_of(hall.id) == std::nullopt);
    CHECK_FALSE(life.pipeline().waits_for(code).has_value());
    CHECK(Hall::confirm(life, code, "odin") == kNone);
  };
  SUBCASE("cancelled") {
    CHECK(life.cancel(hall.id).empty());
    CHECK(life.end_of(hall.id).state == RunState::Cancelled);
    ended();
    CHECK(hall.world.words().empty());
  }
  SUBCASE("confirmed and done") {
    CHECK(Hall::confirm(life, code, "odin") == "0: odin");
    CHECK(life.end_of(hall.id).state == RunState::Succeeded);
    ended();
  }
  SUBCASE("taken over by a newer order") {
    const std::string first = hall.id;
    const std::string newer = hall.submit(life, 1);
    CHECK(newer != code);
    CHECK(life.end_of(first).state == RunState::Cancelled);
    CHECK(Hall::confirm(life, code, "odin") == kNone);
    CHECK(Hall::confirm(life, newer, "odin") == "0: odin");
    CHECK(life.end_of(hall.id).state == RunState::Succeeded);
  }
}

TEST_CASE("confirm: one that cannot be opened keeps no other from being confirmed") {
  Hall hall;
  Life life(hall.world, hall.journal);
  const std::string broken = hall.submit(life, 1, "broken.example.org"), broken_id = hall.id;
  const std::string code = hall.submit(life, 1);
  life.loop().wait_for(life.pipeline().stop(10s));
  Life next(hall.world, hall.journal);
  RunChanged change;
  change.run = broken_id;
  change.state = RunState::Confirming;
  change.confirm = "rubbish";
  change.confirm_until = std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now() + 1min);
  hall.journal.write({change});
  next.pipeline().take_stock();
  CHECK(Hall::confirm(next, code, "odin") == "0: odin");
  CHECK(next.end_of(hall.id).state == RunState::Succeeded);
  CHECK_FALSE(next.refusal(next.pipeline().confirm(broken, "odin", "")).empty());
  CHECK(next.state_of(broken_id) == RunState::Confirming);
}

}  // namespace
}  // namespace jarvis::pipeline
