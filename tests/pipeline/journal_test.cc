#include "pipeline/journal.h"

#include <doctest/doctest.h>

#include "pipeline/journal_sqlite.h"
#include "tests/pipeline/journal_contract.h"
#include "tests/pipeline/memory_journal.h"
#include "tests/pipeline/scratch.h"

namespace jarvis::pipeline {

TEST_CASE("journal contract: SQLite") {
  const Scratch scratch;
  journal_contract([&] { return std::make_unique<SqliteJournal>(scratch / "journal.db"); });
}

TEST_CASE("journal contract: memory") {
  journal_contract([] { return std::make_unique<MemoryJournal>(); });
}

TEST_CASE("journal contract: one that fails now and then") {
  journal_contract([] {
    // Whoever asks again after a failure sees nothing of it.
    class AskingAgain : public FailingJournal {
     public:
      AskingAgain() : FailingJournal([this](const auto&) { return ++asked_ % 2 == 1; }) {}
      void write(const std::vector<Record>& records) override {
        CHECK_THROWS_AS(FailingJournal::write(records), Error);
        FailingJournal::write(records);
      }

     private:
      int asked_ = 0;
    };
    return std::make_unique<AskingAgain>();
  });
}

}  // namespace jarvis::pipeline
