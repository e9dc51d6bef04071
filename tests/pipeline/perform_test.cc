// One task outside any run: how a spec is fetched.
#include <doctest/doctest.h>

#include "pipeline/pipeline.h"
#include "tests/pipeline/life.h"

namespace jarvis::pipeline {
namespace {

using namespace std::chrono_literals;

struct Errand {
  Errand() : life(world, journal, [](WorkshopOptions& options) { options.max_workers = 1; }) {}
  Row row(const std::string& word, const World::Tweak& tweak = {}) {
    world.row(word, tweak);
    return world.table().find("test:" + word);
  }
  // The clipboard, or "KIND: what went wrong".
  std::string perform(const Row& row) {
    try {
      return life.loop().wait_for(life.pipeline().perform(row, "spec_url: x\n", ""));
    } catch (const Error& e) {
      return std::string(e.kind() == Kind::Transient   ? "transient: "
                         : e.kind() == Kind::Permanent ? "permanent: "
                         : e.kind() == Kind::Refused   ? "refused: "
                                                       : "usage: ") +
             e.what();
    }
  }
  World world;
  MemoryJournal journal;
  Life life;
};

TEST_CASE("perform: what a task makes of a clipboard, or its last words") {
  struct Case {
    const char* word;
    const char* want;
    const char* calls;
  };
  for (const Case& c : {
           Case{"note_a", "spec_url: x\na: done\n", "note_a"},
           {"quiet", "spec_url: x\n", "quiet"},
           {"later_b", "spec_url: x\nb: done\n", "later_b later_b later_b"},
           {"fail", "permanent: no such luck", "fail"},
           {"exit_2", "permanent: so be it", ""},
           {"never", "transient: not yet", nullptr},
           {"print_rubbish", "usage: ", "print_rubbish"},
       }) {
    CAPTURE(c.word);
    Errand errand;
    std::ofstream(errand.world.scratch() / "rubbish") << "- a list\n";
    const Row row = errand.row(c.word, [](TaskRow& one) { one.retry.deadline = 150ms; });
    const std::string made = errand.perform(row);
    CHECK_MESSAGE((made == c.want || (std::string(c.want) == "usage: " && made.starts_with(c.want))), made);
    if (c.calls != nullptr) CHECK(errand.world.words() == c.calls);
    CHECK_MESSAGE(errand.journal.runs({std::nullopt, false, 0}).empty(), "it is no run");
    CHECK_MESSAGE(errand.life.pipeline().shop().places().try_take(), "its place is free again");
  }
}

TEST_CASE("perform: a task that takes too long is ended") {
  Errand errand;
  const Row row = errand.row("hang", [](TaskRow& one) { one.timeout = 50ms; });
  CHECK(errand.perform(row).starts_with("permanent: "));
  CHECK(errand.life.pipeline().shop().places().try_take());
}

TEST_CASE("perform: a stop ends it at once, wherever it is") {
  Errand errand;
  Row row;
  bool full = false;
  SUBCASE("at work") { row = errand.row("hang"); }
  SUBCASE("waiting to ask again") {
    row = errand.row("wait", [](TaskRow& one) { one.retry.deadline = 24h; });
  }
  SUBCASE("waiting for a place") {
    row = errand.row("note_a");
    full = true;
    REQUIRE(errand.life.pipeline().shop().places().try_take());
  }
  std::string answer;
  boost::asio::co_spawn(errand.life.loop().context(), errand.life.pipeline().perform(row, "a: b\n", ""),
                        [&](const std::exception_ptr& error, const std::string&) {
                          try {
                            if (error) std::rethrow_exception(error);
                            answer = "done";
                          } catch (const Error& e) {
                            answer = e.what();
                          }
                        });
  if (!full) errand.life.loop().run_until([&] { return !errand.world.words().empty(); }, "a call");
  errand.life.loop().settle();
  const auto before = std::chrono::steady_clock::now();
  errand.life.loop().wait_for(errand.life.pipeline().stop(10s));
  errand.life.loop().run_until([&] { return !answer.empty(); }, "an answer");
  CHECK(std::chrono::steady_clock::now() - before < 5s);
  CHECK(answer == "jarvis is stopping");
  if (full) errand.life.pipeline().shop().places().give_back();
  CHECK(errand.life.pipeline().shop().places().try_take());
  CHECK(errand.perform(row) == "refused: jarvis is stopping");
}

}  // namespace
}  // namespace jarvis::pipeline
