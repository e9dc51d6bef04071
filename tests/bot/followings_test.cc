// Who wants to hear more of a host, or less.
#include "bot/followings.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "pipeline/error.h"
#include "tests/pipeline/memory_journal.h"

using namespace jarvis::bot;
using jarvis::pipeline::MemoryJournal;

namespace {

const Whence kOps{"freenet", "#ops", false, "thor", "thor", "account"};
const Whence kDirect{"freenet", "thor", true, "thor", "thor", "account"};

std::string listed(const std::vector<Following>& all) {
  std::string made;
  for (const Following& one : all) made += one.person + (one.quiet ? "-" : "+") + one.where.shown() + " ";
  return made;
}

}  // namespace

TEST_CASE("followings: the newest word of a person counts, also after a restart") {
  MemoryJournal journal;
  const std::string loki = "loki.example.org", odin = "odin.example.org";
  {
    Followings followings(journal);
    CHECK(followings.empty());
    CHECK(followings.of(loki).empty());
    CHECK_FALSE(followings.quiet("thor", loki));
    followings.set({"thor", loki, false, kOps});
    followings.set({"freya", loki, false, kOps});
    followings.set({"thor", odin, true, kOps});
    CHECK(listed(followings.of(loki)) == "thor+freenet/#ops freya+freenet/#ops ");
    followings.set({"thor", loki, true, kDirect});
  }
  const Followings again(journal);
  CHECK_FALSE(again.empty());
  CHECK(listed(again.of(loki)) == "freya+freenet/#ops thor-direct ");
  CHECK(listed(again.of(odin)) == "thor-freenet/#ops ");
  CHECK(again.of(loki).back().where == kDirect);
  struct Case {
    const char* person;
    std::string host;
    bool quiet;
  };
  for (const Case& c : {Case{"thor", loki, true}, Case{"freya", loki, false}, Case{"thor", odin, true},
                        Case{"freya", odin, false}, Case{"", loki, false}}) {
    CAPTURE(c.person);
    CAPTURE(c.host);
    CHECK(again.quiet(c.person, c.host) == c.quiet);
  }
}

TEST_CASE("followings: the oldest is forgotten") {
  MemoryJournal journal;
  Followings followings(journal);
  for (int i = 0; i <= 1000; ++i) followings.set({"thor", "host" + std::to_string(i), false, kOps});
  CHECK(followings.of("host0").empty());
  CHECK(followings.of("host1").size() == 1);
  CHECK(followings.of("host1000").size() == 1);
}

TEST_CASE("followings: a note that cannot be read keeps nobody from starting") {
  const std::string good = nlohmann::json(kOps.text()).dump();
  for (const std::string& note :
       {std::string(), std::string("rubbish"), std::string("{}"), std::string("[1,null,\"x\",[]]"),
        std::string("[{\"where\":7}]"), "[{\"where\":" + good + ",\"person\":[]}]"}) {
    CAPTURE(note);
    MemoryJournal journal;
    journal.set_note("followings", note);
    CHECK(Followings(journal).empty());
  }
  MemoryJournal journal;
  journal.set_note("followings", "[5,{\"where\":" + good + ",\"person\":\"thor\",\"host\":\"loki\"}]");
  CHECK(listed(Followings(journal).of("loki")) == "thor+freenet/#ops ");
}

TEST_CASE("followings: what could not be written down does not count") {
  struct Full : MemoryJournal {
    void set_note(const std::string&, const std::string&) override {
      throw jarvis::pipeline::Error(jarvis::pipeline::Kind::Permanent, "full");
    }
  } journal;
  Followings followings(journal);
  CHECK_THROWS(followings.set({"thor", "loki", false, kOps}));
  CHECK(followings.empty());
}
