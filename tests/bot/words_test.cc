#include "bot/words.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <time.h>

namespace jarvis::bot {
namespace {

using namespace std::chrono_literals;
using pipeline::Outcome;
using pipeline::RunState;
using pipeline::RunView;
using pipeline::Time;
using std::chrono::milliseconds;

TEST_CASE("words: durations") {
  struct Case {
    std::string text;
    milliseconds time;
  };
  for (const Case& c : std::vector<Case>{
           {"0 s", 0ms},
           {"0 s", -5s},
           {"0 s", 49ms},
           {"0.1 s", 50ms},
           {"0.4 s", 420ms},
           {"1 s", 1s},
           {"1 s", 1049ms},
           {"1.1 s", 1050ms},
           {"9.9 s", 9949ms},
           {"10 s", 9950ms},
           {"42 s", 42'499ms},
           {"43 s", 42'500ms},
           {"119 s", 119s},
           {"2 min 0 s", 119'500ms},
           {"3 min 5 s", 185s},
           {"119 min 59 s", 7199s},
           {"2 h 0 min", 2h},
           {"2 h 10 min", 2h + 10min + 59s},
           {"47 h 59 min", 48h - 1s},
           {"2 d 0 h", 48h},
           {"3 d 4 h", 76h},
           {"365 d 0 h", 24h * 365},
       }) {
    CAPTURE(c.text);
    CHECK(in_words(c.time) == c.text);
  }
}

TEST_CASE("words: times are RFC 3339 in UTC, whatever the zone here") {
  ::setenv("TZ", "Asia/Kathmandu", 1);
  ::tzset();
  struct Case {
    std::string text;
    std::int64_t ms;
  };
  for (const Case& c : std::vector<Case>{
           {"1970-01-01T00:00:00.000Z", 0},
           {"2026-11-21T10:15:00.123Z", 1'795'256'100'123},
           {"2000-02-29T23:59:59.999Z", 951'868'799'999},
           {"2038-01-19T03:14:08.000Z", 2'147'483'648'000},
       }) {
    CAPTURE(c.text);
    CHECK(rfc3339(Time(milliseconds(c.ms))) == c.text);
  }
  CHECK_MESSAGE(clock_of(Time(milliseconds(1'795'256'100'123))) == "2026-11-21 16:00:00", "people get their own clock");
  ::unsetenv("TZ");
  ::tzset();
}

RunView view_in(RunState state) {
  RunView view;
  view.run = "k3xw9a";
  view.host = "loki.example.org";
  view.operation = "deploy";
  view.provider = "local";
  view.state = state;
  view.stage = "wait for ssh";
  view.task = "ssh:wait";
  view.stage_number = 9;
  view.stages = 19;
  view.attempt = 2;
  view.elapsed = 42s;
  view.usual = 65s;
  view.by = "root (uid 0)";
  view.started = Time(milliseconds(1'795'256'100'123));
  return view;
}

TEST_CASE("words: a line for each state") {
  struct Case {
    std::string name;
    RunState state;
    std::string want;
    std::function<void(RunView&)> change = {};
  };
  for (const Case& c : std::vector<Case>{
           {"running", RunState::Running, "loki: 9/19 wait for ssh (42 s, usually 65 s)"},
           {"waiting", RunState::Waiting, "loki: 9/19 wait for ssh (42 s, usually 65 s)"},
           {"pending", RunState::Pending, "loki: 9/19 wait for ssh (42 s, usually 65 s)"},
           {"nobody knows how long it takes", RunState::Running, "loki: 9/19 wait for ssh (42 s)",
            [](RunView& v) { v.usual.reset(); }},
           {"with its own words", RunState::Running, "loki: 9/19 wait for ssh (42 s, usually 65 s): port 22 is closed",
            [](RunView& v) { v.text = "port 22 is closed"; }},
           {"ready", RunState::Succeeded, "loki is ready"},
           {"ready, made anew", RunState::Succeeded, "loki is ready", [](RunView& v) { v.operation = "redeploy"; }},
           {"destroyed", RunState::Succeeded, "loki is destroyed", [](RunView& v) { v.operation = "destroy"; }},
           {"failed", RunState::Failed, "loki failed at 9/19 wait for ssh: no route to host",
            [](RunView& v) { v.error = "no route to host"; }},
           {"failed without a word", RunState::Failed, "loki failed at 9/19 wait for ssh"},
           {"cancelled", RunState::Cancelled, "loki cancelled at 9/19 wait for ssh: cancelled by thor",
            [](RunView& v) { v.error = "cancelled by thor"; }},
           {"interrupted", RunState::Interrupted, "loki interrupted at 9/19 wait for ssh"},
           {"confirming", RunState::Confirming, "loki: destroy waits for its confirmation",
            [](RunView& v) { v.operation = "destroy"; }},
           {"paused", RunState::Paused, "loki: 9/19 wait for ssh paused: the disk is full",
            [](RunView& v) { v.text = "the disk is full"; }},
       }) {
    CAPTURE(c.name);
    RunView view = view_in(c.state);
    if (c.change) c.change(view);
    CHECK(status_line(view, "loki") == c.want);
  }
  const std::string undoing = status_line(view_in(RunState::Undoing), "loki");
  CHECK(undoing.find("loki: undoing") == 0);
  CHECK(undoing.find("ssh:wait") != std::string::npos);
}

TEST_CASE("words: what to do next names the command") {
  CHECK(next_step(view_in(RunState::Failed), "loki").find("`jarvis retry loki`") != std::string::npos);
  CHECK(next_step(view_in(RunState::Failed), "loki").find("`jarvis logs loki ssh:wait`") != std::string::npos);
  CHECK(next_step(view_in(RunState::Interrupted), "loki").find("`jarvis retry loki`") != std::string::npos);
  CHECK(next_step(view_in(RunState::Succeeded), "loki") == "");
  CHECK(next_step(view_in(RunState::Running), "loki") == "");
}

TEST_CASE("words: the JSON of a run has its documented fields") {
  RunView view = view_in(RunState::Running);
  nlohmann::json made = json_of(view);
  for (const std::string key : {"run", "host", "operation", "provider", "state", "stage", "stage_number", "stages",
                                "task", "attempt", "text", "started", "elapsed", "usual", "error"}) {
    CAPTURE(key);
    CHECK(made.contains(key));
  }
  CHECK(made["state"] == "running");
  CHECK(made["stages"] == 19);
  CHECK(made["stages"].is_number_integer());
  CHECK(made["stage_number"] == 9);
  CHECK(made["elapsed"] == 42.0);
  CHECK(made["usual"] == 65.0);
  CHECK(made["started"] == "2026-11-21T10:15:00.123Z");
  CHECK(made["ended"].is_null());
  CHECK(made["error"].is_null());
  view.ended = view.started + 90s;
  view.usual.reset();
  view.error = "no route to host";
  made = json_of(view);
  CHECK(made["ended"] == "2026-11-21T10:16:30.123Z");
  CHECK(made["usual"].is_null());
  CHECK(made["error"] == "no route to host");
  // Every state under its own word.
  for (const auto& one : std::vector<std::pair<RunState, std::string>>{{RunState::Pending, "pending"},
                                                                       {RunState::Confirming, "confirming"},
                                                                       {RunState::Running, "running"},
                                                                       {RunState::Waiting, "waiting"},
                                                                       {RunState::Paused, "paused"},
                                                                       {RunState::Undoing, "undoing"},
                                                                       {RunState::Interrupted, "interrupted"},
                                                                       {RunState::Succeeded, "succeeded"},
                                                                       {RunState::Failed, "failed"},
                                                                       {RunState::Cancelled, "cancelled"}}) {
    CAPTURE(one.second);
    CHECK(json_of(view_in(one.first))["state"] == one.second);
  }
}

TEST_CASE("words: the JSON of an attempt") {
  pipeline::AttemptRecord attempt;
  attempt.run = "k3xw9a";
  attempt.number = 3;
  attempt.started = Time(milliseconds(1'795'256'100'123));
  nlohmann::json made = json_of(attempt, "loki.example.org", "ssh:wait");
  CHECK_MESSAGE(made["outcome"].is_null(), "under way");
  CHECK(made["elapsed"].is_null());
  CHECK(made["error"].is_null());
  attempt.ended = attempt.started + 1500ms;
  attempt.outcome = Outcome::Failed;
  attempt.not_yet = true;
  attempt.exit_status = 75;
  attempt.last_words = "not yet";
  attempt.log = "one\ntwo\n";
  attempt.cpu_user = 20ms;
  attempt.cpu_system = 5ms;
  attempt.max_rss_kib = 1234;
  made = json_of(attempt, "loki.example.org", "ssh:wait");
  CHECK(made["task"] == "ssh:wait");
  CHECK(made["host"] == "loki.example.org");
  CHECK(made["attempt"] == 3);
  CHECK(made["outcome"] == "failed");
  CHECK(made["not_yet"] == true);
  CHECK(made["exit_status"] == 75);
  CHECK(made["elapsed"] == 1.5);
  CHECK(made["error"] == "not yet");
  CHECK(made["log"] == "one\ntwo\n");
  CHECK(made["cpu"] == 0.025);
  CHECK(made["max_rss_kib"] == 1234);
}

}  // namespace
}  // namespace jarvis::bot
