// What a journal keeps when its process is killed or its log is cut.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "pipeline/journal_sqlite.h"
#include "tests/pipeline/journal_records.h"
#include "tests/pipeline/scratch.h"

namespace jarvis::pipeline {
namespace {

namespace fs = std::filesystem;

std::string id_of(int write, char half) {
  return "w" + std::to_string(write) + half;
}

// Writes pairs of runs for ever, says the number of each on `acks` once it is durable.
[[noreturn]] void write_for_ever(const fs::path& file, int from, int acks) {
  try {
    SqliteJournal journal(file);
    for (int i = from;; ++i) {
      journal.write({full_run(id_of(i, 'a')), full_run(id_of(i, 'b')), AttemptBegan{id_of(i, 'a'), 0, 1, at(1)}});
      if (::write(acks, &i, sizeof i) != sizeof i) _exit(1);
      if (i % 7 == 0) journal.tidy();
    }
  } catch (const std::exception&) {
    _exit(2);
  }
}

}  // namespace

TEST_CASE("kill -9 at any instant: what was acknowledged is there, writes are whole") {
  const Scratch scratch;
  const fs::path file = scratch / "journal.db";
  std::mt19937 random(20240);  // the same instants each time, as far as the machine allows
  int next = 0;
  for (int round = 0; round < 20; ++round) {
    int acks[2];
    REQUIRE(pipe2(acks, O_CLOEXEC) == 0);
    const pid_t child = fork();
    if (child == 0) write_for_ever(file, next, acks[1]);
    close(acks[1]);
    int acknowledged = next - 1;
    for (auto wanted = random() % 12; wanted > 0; --wanted) {
      REQUIRE(read(acks[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged);
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds{random() % 1500};
    while (std::chrono::steady_clock::now() < until) {
    }
    REQUIRE(kill(child, SIGKILL) == 0);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    while (read(acks[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
    }
    close(acks[0]);

    SqliteJournal journal(file);
    CAPTURE(round);
    CAPTURE(acknowledged);
    for (int i = 0; i <= acknowledged; ++i) CHECK(journal.run(id_of(i, 'b')).has_value());
    next = acknowledged + 1;
    const auto first = journal.run(id_of(next, 'a'));  // durable, but killed before it could say so
    const auto second = journal.run(id_of(next, 'b'));
    CHECK(first.has_value() == second.has_value());
    if (first) {
      CHECK(first->steps.at(0).tries == 1);
      ++next;
    }
    CHECK(journal.runs({{}, false, 0}).size() == static_cast<std::size_t>(2 * next));
  }
  CHECK(next > 20);
}

TEST_CASE("a log cut anywhere gives the writes before the cut") {
  const Scratch scratch;
  const fs::path file = scratch / "journal.db";
  SqliteJournal journal(file);
  constexpr int kWrites = 5;
  for (int i = 0; i < kWrites; ++i) journal.write({full_run(id_of(i, 'a')), full_run(id_of(i, 'b'))});
  const fs::path log = file.string() + "-wal";
  const auto size = fs::file_size(log);
  REQUIRE(size > 4096U * kWrites);

  std::size_t found_before = 0;
  const auto step = size / 37;
  for (std::uintmax_t cut = 0; cut <= size; cut = cut + step <= size || cut == size ? cut + step : size) {
    CAPTURE(cut);
    const Scratch copies;
    const fs::path copy = copies / "journal.db";
    fs::copy_file(file, copy);
    fs::copy_file(log, copy.string() + "-wal");
    fs::resize_file(copy.string() + "-wal", cut);
    SqliteJournal cut_journal(copy);
    const std::size_t found = cut_journal.runs({{}, false, 0}).size();
    CHECK(found % 2 == 0);
    CHECK(found >= found_before);
    for (std::size_t i = 0; i < found / 2; ++i) CHECK(cut_journal.run(id_of(static_cast<int>(i), 'b')).has_value());
    found_before = found;
    cut_journal.write({full_run("new")});
    CHECK(cut_journal.run("new"));
  }
  CHECK(found_before == 2 * kWrites);
}

}  // namespace jarvis::pipeline
