// What every journal does, whatever it stores records in. Called by a TEST_CASE with a maker of empty journals; every
// subcase gets a journal of its own.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>

#include "pipeline/error.h"
#include "tests/pipeline/journal_records.h"

namespace jarvis::pipeline {

inline std::vector<std::string> ids(const std::vector<RunRecord>& runs) {
  std::vector<std::string> found;
  found.reserve(runs.size());
  for (const RunRecord& run : runs) found.push_back(run.id);
  return found;
}

inline void journal_contract(const std::function<std::unique_ptr<Journal>()>& make) {
  const std::unique_ptr<Journal> journal = make();
  using State = StepRecord::State;
  using Ids = std::vector<std::string>;

  SUBCASE("a run comes back as it was created") {
    RunCreated created = full_run("abc");
    created.run.confirm = "digest";
    created.run.confirm_until = at(300);
    created.run.steps[1].next_at = at(9);
    created.run.steps[2].undoes = 0;
    created.run.steps[2].needs.clear();
    journal->write({created});
    REQUIRE(journal->run("abc"));
    CHECK(text(*journal->run("abc")) == text(created.run));
    CHECK(journal->checkpoint("abc", -1) == created.sealed_clipboard);
    CHECK(journal->newest_checkpoint("abc") == std::pair(-1, created.sealed_clipboard));
    CHECK(journal->attempts("abc", {}, true).empty());
  }

  SUBCASE("nothing is found of what is not there") {
    CHECK(journal->runs({}).empty());
    CHECK_FALSE(journal->run("abc"));
    CHECK_FALSE(journal->run(""));
    CHECK(journal->attempts("abc", {}, true).empty());
    CHECK_FALSE(journal->checkpoint("abc", -1));
    CHECK_FALSE(journal->newest_checkpoint("abc"));
    CHECK_FALSE(journal->usual("local", "local:task0"));
    CHECK_FALSE(journal->note("key"));
  }

  SUBCASE("a step goes from todo over under to done") {
    journal->write({full_run("abc")});
    journal->write({AttemptBegan{"abc", 0, 1, at(1)}});
    CHECK(journal->run("abc")->steps[0].state == State::Under);
    CHECK(journal->run("abc")->steps[0].tries == 1);
    CHECK_FALSE(journal->attempts("abc", 0, true).at(0).outcome);

    AttemptEnded wait = full_end("abc", 0, 1, Outcome::Failed, "");
    wait.attempt.not_yet = true;
    wait.counted = 0;
    wait.elapsed = std::chrono::milliseconds{2000};
    wait.next_at = at(8);
    journal->write({wait});
    CHECK(journal->run("abc")->steps[0].next_at == at(8));
    CHECK(journal->run("abc")->steps[0].elapsed == wait.elapsed);
    CHECK(journal->newest_checkpoint("abc")->first == -1);

    journal->write({AttemptBegan{"abc", 0, 2, at(8)}});
    CHECK_FALSE(journal->run("abc")->steps[0].next_at);
    AttemptEnded done = full_end("abc", 0, 2, Outcome::Succeeded, "sealed after 0");
    done.attempt.started = at(8);
    RunChanged moved{"abc", RunState::Running, RunState::Running, "", {}, 1, "stage 1", "local:task1", "", {}};
    journal->write({done, AttemptBegan{"abc", 1, 1, at(9)}, moved});
    const RunRecord run = journal->run("abc").value();
    CHECK(run.steps[0].state == State::Done);
    CHECK(run.steps[0].tries == 2);
    CHECK(run.steps[1].state == State::Under);
    CHECK(run.task == "local:task1");
    CHECK(run.asker == "uid 0");
    moved.asker = "thor";  // retried by somebody else: it counts for him from now on
    journal->write({moved});
    CHECK(journal->run("abc")->asker == "thor");
    CHECK(journal->run("abc")->by == "unix:0 root");
    CHECK(journal->checkpoint("abc", 0) == "sealed after 0");
    CHECK_FALSE(journal->checkpoint("abc", 1));
    CHECK(journal->newest_checkpoint("abc") == std::pair<int, std::string>(0, "sealed after 0"));

    const auto attempts = journal->attempts("abc", 0, true);
    REQUIRE(attempts.size() == 2);
    CHECK(text(attempts[0]) == text(wait.attempt));
    CHECK(text(attempts[1]) == text(done.attempt));
    CHECK(journal->attempts("abc", 0, false).at(0).log.empty());
    CHECK(journal->attempts("abc", {}, true).size() == 3);
  }

  SUBCASE("the newest checkpoint is the one written last") {
    journal->write({full_run("abc")});
    journal->write({AttemptBegan{"abc", 1, 1, at(1)}, full_end("abc", 1, 1, Outcome::Succeeded, "after 1")});
    journal->write({AttemptBegan{"abc", 0, 1, at(2)}, full_end("abc", 0, 1, Outcome::Succeeded, "after 0")});
    CHECK(journal->newest_checkpoint("abc") == std::pair<int, std::string>(0, "after 0"));
    journal->write({AttemptBegan{"abc", 0, 2, at(3)}, full_end("abc", 0, 2, Outcome::Succeeded, "after 0, again")});
    CHECK(journal->checkpoint("abc", 0) == "after 0, again");
  }

  SUBCASE("undo steps follow, steps are skipped") {
    journal->write({full_run("abc")});
    StepRecord undo = full_step("abc", 3);
    undo.undoes = 1;
    journal->write({StepsAdded{"abc", {undo}},
                    StepChanged{"abc", 1, State::Undone, "", 2, std::chrono::milliseconds{5}},
                    StepChanged{"abc", 2, State::Skipped, "known broken", 0, {}}});
    const RunRecord run = journal->run("abc").value();
    REQUIRE(run.steps.size() == 4);
    CHECK(text(run.steps[3]) == text(undo));
    CHECK(run.steps[1].state == State::Undone);
    CHECK(run.steps[1].counted == 2);
    CHECK(run.steps[1].elapsed == std::chrono::milliseconds{5});
    CHECK(run.steps[2].skipped_because == "known broken");
  }

  SUBCASE("a run's own line") {
    journal->write({full_run("abc")});
    RunChanged ended{"abc", RunState::Failed, RunState::Undoing, "no route", at(77),
                     2,     "stage 2",        "local:task2",     "code",     at(99)};
    journal->write({ended});
    const RunRecord run = journal->run("abc").value();
    CHECK(run.state == RunState::Failed);
    CHECK(run.resume_as == RunState::Undoing);
    CHECK(run.error == "no route");
    CHECK(run.ended == at(77));
    CHECK(run.stage_number == 2);
    CHECK(run.confirm == "code");
    CHECK(run.confirm_until == at(99));
    CHECK(run.by == "unix:0 root");
  }

  SUBCASE("listings: newest first, by host, unfinished, bounded, without steps") {
    journal->write({full_run("one", "loki"), full_run("two", "thor"), full_run("three", "loki")});
    RunChanged over{"one", RunState::Succeeded, RunState::Running, "", at(5), 2, "", "", "", {}};
    journal->write({over});
    CHECK(ids(journal->runs({})) == Ids{"three", "two", "one"});
    CHECK(ids(journal->runs({"loki", false, 50})) == Ids{"three", "one"});
    CHECK(ids(journal->runs({"loki", true, 50})) == Ids{"three"});
    CHECK(ids(journal->runs({{}, true, 0})) == Ids{"three", "two"});
    CHECK(ids(journal->runs({{}, false, 2})) == Ids{"three", "two"});
    CHECK(journal->runs({}).at(0).steps.empty());
    over.state = RunState::Interrupted;
    over.ended.reset();
    journal->write({over});
    CHECK(ids(journal->runs({{}, true, 0})) == Ids{"three", "two", "one"});
  }

  SUBCASE("hosts, by their whole name or its first label") {
    journal->write({full_run("1", "loki.example.org"), full_run("2", "loki.example.net"),
                    full_run("3", "loki2.example.net"), full_run("4", "loki-2.example.net"),
                    full_run("5", "loki.example.org"), full_run("6", "lokj")});
    CHECK(journal->hosts("loki") == Ids{"loki.example.net", "loki.example.org"});
    CHECK(journal->hosts("loki.example.org") == Ids{"loki.example.org"});
    CHECK(journal->hosts("lokj") == Ids{"lokj"});
    CHECK(journal->hosts("lok").empty());
    CHECK(journal->hosts("loki.example").empty());
    CHECK(journal->hosts("example.org").empty());
    CHECK(journal->hosts("").empty());
  }

  SUBCASE("a prefix finds the one run it fits") {
    journal->write({full_run("abcd"), full_run("abef"), full_run("ab")});
    CHECK(journal->run("abc")->id == "abcd");
    CHECK(journal->run("ab")->id == "ab");
    CHECK_FALSE(journal->run("abx"));
    CHECK_FALSE(journal->run("a"));
  }

  SUBCASE("records are written together or not at all, and the journal goes on") {
    journal->write({full_run("abc")});
    const std::string before = text(*journal->run("abc"));
    struct Case {
      const char* name;
      Record bad;
    };
    for (const auto& c : {Case{"no such run", RunChanged{"nobody", {}, {}, "", {}, 0, "", "", "", {}}},
                          Case{"no such step", StepChanged{"abc", 9, State::Done, "", 0, {}}},
                          Case{"ended without a beginning", full_end("abc", 1, 1, Outcome::Failed, "x")},
                          Case{"created twice", full_run("abc")}, Case{"steps of nobody", StepsAdded{"nobody", {}}},
                          Case{"began twice", AttemptBegan{"abc", 0, 1, at(2)}}}) {
      CAPTURE(c.name);
      try {
        journal->write({full_run("new"), AttemptBegan{"new", 0, 1, at(1)}, AttemptBegan{"abc", 0, 1, at(1)}, c.bad});
        FAIL("was written");
      } catch (const Error& error) {
        CHECK(error.kind() == Kind::Bug);
      }
      CHECK_FALSE(journal->run("new"));
      CHECK(text(*journal->run("abc")) == before);
    }
    journal->write({full_run("new"), AttemptBegan{"new", 0, 1, at(1)}});
    CHECK(journal->run("new"));
  }

  SUBCASE("usual: the median of the last 20, by provider") {
    RunCreated created = full_run("abc", "loki", 30);
    for (StepRecord& step : created.run.steps) step.task = "ssh:wait";
    created.run.steps[29].plan_mode = true;
    journal->write({created});
    const auto take = [&](int step, int seconds, Outcome outcome) {
      AttemptEnded ended = full_end("abc", step, 1, outcome, "");
      ended.attempt.started = at(step * 1000);
      ended.attempt.ended = at(step * 1000 + seconds);
      journal->write({AttemptBegan{"abc", step, 1, at(step * 1000)}, ended});
    };
    for (int step = 0; step < 5; ++step) take(step, 500, Outcome::Succeeded);  // forgotten below
    take(5, 900, Outcome::Failed);
    CHECK(journal->usual("local", "ssh:wait") == std::chrono::seconds{500});
    for (int step = 6; step < 26; ++step) take(step, step, Outcome::Succeeded);
    take(29, 900, Outcome::Succeeded);
    CHECK(journal->usual("local", "ssh:wait") == std::chrono::milliseconds{15'500});
    CHECK_FALSE(journal->usual("linode", "ssh:wait"));
    CHECK_FALSE(journal->usual("local", "ssh:other"));
  }

  SUBCASE("usual counts the waits of a step") {
    journal->write({full_run("abc")});
    AttemptEnded done = full_end("abc", 0, 1, Outcome::Succeeded, "");
    done.elapsed = std::chrono::seconds{65};
    journal->write({AttemptBegan{"abc", 0, 1, at(1)}, done});
    CHECK(journal->usual("local", "local:task0") == std::chrono::seconds{65});
  }

  SUBCASE("notes") {
    journal->set_note("key", "one");
    journal->set_note("key", "two");
    CHECK(journal->note("key") == "two");
    CHECK_FALSE(journal->note("other"));
  }
}

}  // namespace jarvis::pipeline
