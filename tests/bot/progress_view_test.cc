#include "bot/progress_view.h"

#include <doctest/doctest.h>

#include "bot/words.h"
#include "tests/bot/captured.h"

namespace jarvis::bot {
namespace {

nlohmann::json view_of(const std::string& run, const std::string& state, int number, const std::string& stage,
                       const std::string& text = "") {
  return {{"run", run},
          {"host", run + ".example.org"},
          {"operation", "deploy"},
          {"provider", "local"},
          {"state", state},
          {"stage", stage},
          {"stage_number", number},
          {"stages", 3},
          {"task", "test:" + stage},
          {"attempt", 1},
          {"text", text},
          {"started", "2026-11-21T10:15:00.123Z"},
          {"ended", nullptr},
          {"elapsed", 42.0},
          {"usual", nullptr},
          {"error", nullptr},
          {"by", "root (uid 0)"}};
}

std::string printed(bool live, const std::vector<nlohmann::json>& views) {
  Captured captured;
  ProgressView progress(live);
  for (const auto& view : views) progress.heard(view);
  progress.clear();
  return captured.text();
}

TEST_CASE("progress: plain lines, one a stage") {
  struct Case {
    std::string name;
    std::vector<nlohmann::json> views;
    std::string want;
  };
  for (const Case& c : std::vector<Case>{
           {"nothing", {}, ""},
           {"stages as they come",
            {view_of("a", "running", 1, "make"), view_of("a", "running", 2, "wait"), view_of("a", "running", 3, "log")},
            "a.example.org: 1/3 make\na.example.org: 2/3 wait\na.example.org: 3/3 log\n"},
           {"words and waits in one stage are not told",
            {view_of("a", "running", 1, "make"), view_of("a", "running", 1, "make", "half"),
             view_of("a", "waiting", 1, "make", "not yet"), view_of("a", "running", 1, "make")},
            "a.example.org: 1/3 make\n"},
           {"the end is told by others",
            {view_of("a", "running", 3, "log"), view_of("a", "succeeded", 3, "log")},
            "a.example.org: 3/3 log\n"},
           {"a failure too",
            {view_of("a", "running", 2, "wait"), view_of("a", "failed", 2, "wait")},
            "a.example.org: 2/3 wait\n"},
           {"before the first stage, nothing",
            {view_of("a", "running", 0, "make"), view_of("a", "running", 1, "make")},
            "a.example.org: 1/3 make\n"},
           {"before the first stage, why it does not begin",
            {view_of("a", "paused", 0, "make", "frozen")},
            "a.example.org: 0/3 make, paused: frozen\n"},
           {"confirming is told by others", {view_of("a", "confirming", 1, "make")}, ""},
           {"paused, with the reason, once",
            {view_of("a", "running", 2, "wait"), view_of("a", "paused", 2, "wait", "the disk is full"),
             view_of("a", "paused", 2, "wait", "the disk is full"), view_of("a", "running", 2, "wait")},
            "a.example.org: 2/3 wait\na.example.org: 2/3 wait, paused: the disk is full\n"},
           {"two hosts",
            {view_of("a", "running", 1, "make"), view_of("b", "running", 1, "make"),
             view_of("a", "running", 2, "wait")},
            "a.example.org: 1/3 make\nb.example.org: 1/3 make\na.example.org: 2/3 wait\n"},
       }) {
    CAPTURE(c.name);
    CHECK(printed(false, c.views) == c.want);
  }
  const std::string undoing = printed(false, {view_of("a", "running", 2, "wait"), view_of("a", "undoing", 1, "make")});
  CHECK(undoing.find("a.example.org: 2/3 wait\na.example.org: ") == 0);
  CHECK(undoing.find("undoing make with test:make\n") != std::string::npos);
}

TEST_CASE("progress: live, finished stages stay, the live line is taken off again") {
  const std::string up = "\x1b[1A\x1b[J";
  const std::string text =
      printed(true, {view_of("a", "running", 1, "make"), view_of("a", "running", 2, "wait", "port 22 is closed"),
                     view_of("a", "succeeded", 2, "wait")});
  CHECK(text == "a.example.org: 1/3 make (42 s)\n" + up + "a.example.org: 1/3 make, took 42 s\n" +
                    "a.example.org: 2/3 wait (42 s): port 22 is closed\n" + up +
                    "a.example.org: 2/3 wait, took 42 s\n");
  auto slow = view_of("a", "waiting", 1, "make");
  slow["usual"] = 65.0;
  CHECK(printed(true, {slow}) == "a.example.org: 1/3 make (42 s, usually 65 s) waiting\n" + up);
}

TEST_CASE("progress: live lines fit the window, characters of several bytes whole") {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "\xc3\xa4";
  const std::string drawn = printed(true, {view_of("a", "running", 1, "make", text)});
  const std::string line = drawn.substr(0, drawn.find('\n'));
  std::size_t columns = 0;
  for (const char c : line) columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1U : 0U;
  CHECK(columns < 80);
  CHECK(columns > 70);
  CHECK(line.ends_with("\xc3\xa4"));
}

TEST_CASE("progress: more hosts than lines: the screen is not run over") {
  std::vector<nlohmann::json> views;
  views.reserve(100);
  for (int i = 0; i < 100; ++i) views.push_back(view_of("h" + std::to_string(i), "running", 1, "make"));
  Captured captured;
  ProgressView progress(true);
  for (const auto& view : views) progress.heard(view);
  progress.clear();
  const std::string text = captured.text();
  const std::size_t last = text.rfind("\x1b[");  // ... "\x1b[22A\x1b[J"
  const std::size_t up = text.rfind("\x1b[", last - 1);
  CHECK(std::stoi(text.substr(up + 2)) < 24);
}

}  // namespace
}  // namespace jarvis::bot
