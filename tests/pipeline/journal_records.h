// Records for the journal's tests: a run with every field set, and records as text, to compare them in one line.
#pragma once

#include <sstream>
#include <string>

#include "pipeline/journal.h"

namespace jarvis::pipeline {

inline Time at(int seconds) {
  return Time{std::chrono::seconds{1'700'000'000 + seconds}};
}

inline StepRecord full_step(const std::string& run, int index) {
  StepRecord step;
  step.index = index;
  step.id = run + "-" + std::to_string(index);
  step.task = "local:task" + std::to_string(index);
  step.stage = "stage " + std::to_string(index / 2 + 1);
  step.stage_number = index / 2 + 1;
  step.family = "core";
  step.executable = index == 1 ? "/usr/bin/true" : "";
  step.needs = {"fqdn", "ipaddress"};
  step.gives = {"sshfp"};
  step.timeout = std::chrono::minutes{10};
  step.grace = std::chrono::seconds{5};
  step.retry = {4,    std::chrono::milliseconds{7}, std::chrono::milliseconds{70}, std::chrono::milliseconds{700}, true,
                false};
  step.destroys = index == 2;
  step.undo = "local:undo";
  return step;
}

inline RunCreated full_run(const std::string& id, const std::string& host = "loki.example.org", int steps = 3) {
  RunRecord run;
  run.id = id;
  run.host = host;
  run.operation = "deploy";
  run.provider = "local";
  run.state = RunState::Running;
  run.resume_as = RunState::Waiting;
  run.by = "unix:0 root";
  run.asker = "uid 0";
  run.where = "command line";
  run.source = "config/examples/loki.yaml";
  run.plan_digest = "0123abcd";
  run.directory = "/var/lib/jarvis/work";
  run.started = at(0);
  run.stages = 2;
  run.stage_number = 1;
  run.stage = "stage 1";
  run.task = "local:task0";
  for (int i = 0; i < steps; ++i) run.steps.push_back(full_step(id, i));
  return {run, std::string("sealed \0 first", 14)};
}

inline AttemptEnded full_end(const std::string& run, int step, int number, Outcome outcome, const std::string& sealed) {
  AttemptEnded ended;
  ended.attempt.run = run;
  ended.attempt.step = step;
  ended.attempt.number = number;
  ended.attempt.started = at(1);
  ended.attempt.ended = at(3);
  ended.attempt.outcome = outcome;
  ended.attempt.exit_status = outcome == Outcome::Succeeded ? 0 : 3;
  ended.attempt.last_words = "that was it";
  ended.attempt.log = "one line\nand another\n";
  ended.attempt.cpu_user = std::chrono::microseconds{11};
  ended.attempt.cpu_system = std::chrono::microseconds{12};
  ended.attempt.max_rss_kib = 1300;
  ended.step_state = outcome == Outcome::Succeeded ? StepRecord::State::Done : StepRecord::State::Todo;
  ended.counted = number;
  if (!sealed.empty()) ended.sealed_clipboard = sealed;
  return ended;
}

inline void put(std::ostream& out, const std::optional<Time>& time) {
  if (time) {
    out << time->time_since_epoch().count() << ' ';
  } else {
    out << "- ";
  }
}

inline std::string text(const StepRecord& step) {
  std::ostringstream out;
  out << step.index << ' ' << step.id << ' ' << step.task << ' ' << step.stage << ' ' << step.stage_number << ' '
      << step.family << ' ' << step.executable << ' ';
  for (const auto& key : step.needs) out << key << ',';
  for (const auto& key : step.gives) out << key << ';';
  out << ' ' << step.timeout.count() << ' ' << step.grace.count() << ' ' << step.retry.attempts << ' '
      << step.retry.delay.count() << ' ' << step.retry.max_delay.count() << ' ' << step.retry.deadline.count() << ' '
      << step.retry.after_timeout << step.retry.after_failure << step.destroys << step.plan_mode << ' ' << step.undo
      << ' ' << step.undoes.value_or(-1) << ' ' << step.skipped_because << ' ' << word(step.state) << ' '
      << step.counted << ' ' << step.tries << ' ' << step.elapsed.count() << ' ';
  put(out, step.next_at);
  return out.str();
}

inline std::string text(const RunRecord& run) {
  std::ostringstream out;
  out << run.id << ' ' << run.host << ' ' << run.operation << ' ' << run.provider << ' ' << word(run.state) << ' '
      << word(run.resume_as) << ' ' << run.by << ' ' << run.asker << ' ' << run.where << ' ' << run.source << ' '
      << run.plan_digest << ' ' << run.directory << ' ';
  put(out, run.started);
  put(out, run.ended);
  out << run.error << ' ' << run.confirm << ' ';
  put(out, run.confirm_until);
  out << run.stages << ' ' << run.stage_number << ' ' << run.stage << ' ' << run.task;
  for (const StepRecord& step : run.steps) out << "\n  " << text(step);
  return out.str();
}

inline std::string text(const AttemptRecord& attempt) {
  std::ostringstream out;
  out << attempt.run << ' ' << attempt.step << ' ' << attempt.number << ' ';
  put(out, attempt.started);
  put(out, attempt.ended);
  out << (attempt.outcome ? word(*attempt.outcome) : "-") << ' ' << attempt.not_yet << ' ' << attempt.exit_status << ' '
      << attempt.signal << ' ' << attempt.last_words << ' ' << attempt.log << ' ' << attempt.cpu_user.count() << ' '
      << attempt.cpu_system.count() << ' ' << attempt.max_rss_kib;
  return out.str();
}

}  // namespace jarvis::pipeline
