#include "pipeline/attempt_log.h"

#include <doctest/doctest.h>
#include <malloc.h>

#include <algorithm>

namespace jarvis::pipeline {
namespace {

using Milliseconds = std::chrono::milliseconds;

AttemptLog log_of(const std::string& text) {
  AttemptLog log;
  log.feed(text);
  log.finish();
  return log;
}

TEST_CASE("attempt log: the three words, and what a failure quotes") {
  struct Case {
    std::string name;
    std::string text;
    std::string progress;
    std::vector<std::string> changes;
    std::string last_words;
  };
  for (const Case& c : std::vector<Case>{
           {"nothing", "", "", {}, ""},
           {"a line", "hello\n", "", {}, "hello"},
           {"no newline at the end", "hello", "", {}, "hello"},
           {"progress", "progress: 3 of 4\n", "3 of 4", {}, ""},
           {"progress again", "progress: one\nprogress: two\n", "two", {}, ""},
           {"progress taken back", "progress: one\nprogress:\n", "", {}, ""},
           {"progress without a blank", "progress:one\n", "one", {}, ""},
           {"a word in the middle is no word", "in progress: one\n", "", {}, "in progress: one"},
           {"capitals are no word", "Progress: one\n", "", {}, "Progress: one"},
           {"changes in order", "change: a\nchange: b\nchange: a\n", "", {"a", "b", "a"}, ""},
           {"words do not count as last words",
            "broken\nprogress: x\nretry-after: 3\nchange: y\n",
            "x",
            {"y"},
            "broken"},
           {"blank lines neither", "broken\n\n  \t\r\n", "", {}, "broken"},
           {"blanks around it", " \t broken \t\r\n", "", {}, "broken"},
           {"carriage returns", "progress: one\r\nbad\r\n", "one", {}, "bad"},
       }) {
    CAPTURE(c.name);
    const AttemptLog log = log_of(c.text);
    CHECK(log.progress() == c.progress);
    CHECK(log.changes() == c.changes);
    CHECK(log.last_words() == c.last_words);
  }
}

TEST_CASE("attempt log: what it costs a month") {
  struct Case {
    const char* name;
    const char* text;
    std::vector<Cost> want;
    const char* last_words;
  };
  for (const Case& c : std::vector<Case>{
           {"amount and currency", "cost: 5.00 USD\n", {{5, "USD"}}, ""},
           {"two of them", "cost: 5 USD\nchange: x\ncost: 0.25 EUR\n", {{5, "USD"}, {0.25, "EUR"}}, ""},
           {"no currency", "cost:7.5\n", {{7.5, ""}}, ""},
           {"nothing", "cost: 0 USD\n", {{0, "USD"}}, ""},
           {"below nothing", "cost: -5 USD\n", {}, "cost: -5 USD"},
           {"no number", "cost: unknown region\n", {}, "cost: unknown region"},
           {"not a number", "cost: nan USD\n", {}, "cost: nan USD"},
           {"endless", "cost: inf USD\n", {}, "cost: inf USD"},
           {"words behind it", "cost: 5 USD a month\n", {}, "cost: 5 USD a month"},
           {"glued together", "cost: 5USD\n", {}, "cost: 5USD"},
       }) {
    CAPTURE(c.name);
    const AttemptLog log = log_of(c.text);
    CHECK(log.costs() == c.want);
    CHECK(log.last_words() == c.last_words);
  }
}

TEST_CASE("attempt log: retry-after") {
  struct Case {
    std::string name;
    const char* text;
    std::optional<Milliseconds> want;
  };
  for (const Case& c : {
           Case{"whole", "retry-after: 2", Milliseconds{2000}},
           Case{"decimals", "retry-after: 0.25", Milliseconds{250}},
           Case{"rounded", "retry-after: 0.0006", Milliseconds{1}},
           Case{"zero", "retry-after: 0", Milliseconds{0}},
           Case{"a day", "retry-after: 86400", Milliseconds{86'400'000}},
           Case{"more than a day", "retry-after: 86401", std::nullopt},
           Case{"negative", "retry-after: -1", std::nullopt},
           Case{"nothing", "retry-after:", std::nullopt},
           Case{"a word", "retry-after: soon", std::nullopt},
           Case{"a unit", "retry-after: 5s", std::nullopt},
           Case{"not a number", "retry-after: nan", std::nullopt},
           Case{"infinite", "retry-after: inf", std::nullopt},
           Case{"too large for the type", "retry-after: 1e400", std::nullopt},
           Case{"a comma", "retry-after: 1,5", std::nullopt},
           Case{"two numbers", "retry-after: 1 2", std::nullopt},
           Case{"the last one counts", "retry-after: 1\nretry-after: 2", Milliseconds{2000}},
           Case{"nonsense takes nothing back", "retry-after: 1\nretry-after: never", Milliseconds{1000}},
       }) {
    CAPTURE(c.name);
    CHECK(log_of(c.text).retry_after() == c.want);
  }
}

TEST_CASE("attempt log: lines in pieces are lines all the same") {
  const std::string text = "progress: one\nretry-after: 1.5\nlast words\n";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    CAPTURE(size);
    AttemptLog log;
    int told = 0;
    for (std::size_t at = 0; at < text.size(); at += size) told += log.feed(text.substr(at, size)) ? 1 : 0;
    CHECK(told == 1);
    CHECK(log.progress() == "one");
    CHECK(log.retry_after() == Milliseconds{1500});
    CHECK(log.last_words() == "last words");
    CHECK(log.text() == text);
  }
}

TEST_CASE("attempt log: a line is heard when its newline comes, the last one at the end") {
  AttemptLog log;
  CHECK_FALSE(log.feed("progress: half"));
  CHECK(log.progress().empty());
  CHECK(log.feed(" done\nprogress: next"));
  CHECK(log.progress() == "half done");
  log.finish();
  CHECK(log.progress() == "next");
  log.finish();
  CHECK_MESSAGE(log.text() == "progress: half done\nprogress: next\n", "twice is once");
}

TEST_CASE("attempt log: NULs and other bytes stand for themselves") {
  const std::string bytes = std::string("a\0b", 3) + "\xff\x1b[0m";
  const AttemptLog log = log_of(bytes + "\nprogress: " + bytes + "\n");
  CHECK(log.last_words() == bytes);
  CHECK(log.progress() == bytes);
  CHECK(log.text().size() == 2 * bytes.size() + 12);
}

TEST_CASE("attempt log: a flood keeps its beginning and its end, and says what is missing") {
  AttemptLog log;
  constexpr int kLines = 100'000;
  for (int i = 0; i < kLines; ++i) log.feed("line " + std::to_string(i) + "\n");
  const std::string text = log.text();
  CHECK(text.size() < (130U << 10U));
  CHECK(text.starts_with("line 0\nline 1\nline 2\n"));
  CHECK(text.ends_with("line 99998\nline 99999\n"));
  const std::size_t at = text.find("... ");
  REQUIRE(at != std::string::npos);
  const int left_out = std::stoi(text.substr(at + 4));
  const auto newlines = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  CHECK_MESSAGE(left_out + newlines - 1 == kLines, "every line is there or counted");
  CHECK(text.find(" lines left out ...\n", at) != std::string::npos);
  CHECK(log.last_words() == "line 99999");
}

TEST_CASE("attempt log: a short line does not slip past longer ones before it") {
  AttemptLog log;
  for (int i = 0; i < 7; ++i) log.feed(std::string(4096, 'x') + "\n");
  log.feed("\n" + std::string(4096, 'y') + "\nshort\n");
  CHECK(log.text().ends_with("yyy\nshort\n"));
}

TEST_CASE("attempt log: memory stays bounded, whatever floods it") {
  struct Case {
    std::string name;
    std::string piece;
    std::size_t bytes;  // at most, kept
  };
  for (const Case& c : std::vector<Case>{
           {"one endless line", std::string(65536, 'x'), 64U << 10U},
           {"NULs", std::string(65536, '\0'), 64U << 10U},
           {"changes",
            [] {
              std::string text;
              for (int i = 0; i < 1000; ++i) text += "change: " + std::string(40, 'c') + "\n";
              return text;
            }(),
            1U << 20U},
           {"long lines", std::string(5000, 'x') + "\n" + std::string(5000, 'y') + "\n", 512U << 10U},
           {"short lines",
            [] {
              std::string text;
              for (int i = 0; i < 4000; ++i) text += "x\n";
              return text;
            }(),
            4U << 20U},
       }) {
    CAPTURE(c.name);
    const auto before = mallinfo2().uordblks;
    AttemptLog log;
    for (std::size_t fed = 0; fed < (2U << 20U); fed += c.piece.size()) log.feed(c.piece);
    log.finish();
    const auto after = mallinfo2().uordblks;
    CHECK(after - std::min(before, after) <= c.bytes);
    CHECK(log.text().size() < (200U << 10U));
    CHECK(log.changes().size() <= 1000);
    CHECK(log.progress().size() <= 400);
  }
}

TEST_CASE("attempt log: an over-long line is cut, the next one is whole") {
  AttemptLog log;
  log.feed(std::string(10'000, 'x'));
  log.feed(std::string(10'000, 'x') + "\nprogress: after\n");
  CHECK(log.progress() == "after");
  CHECK(log.text() == std::string(4096, 'x') + "\nprogress: after\n");
}

}  // namespace
}  // namespace jarvis::pipeline
