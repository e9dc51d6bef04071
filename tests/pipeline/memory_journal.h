// A journal in memory, whole but not durable: for tests of what stands on a journal. FailingJournal is the same with
// writes that fail when the test says so. Used by any thread, one at a time.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/error.h"
#include "pipeline/journal.h"

namespace jarvis::pipeline {

class MemoryJournal : public Journal {
 public:
  void write(const std::vector<Record>& records) override {
    const std::lock_guard lock(mutex_);
    Change change{*this, {}, {}, {}};
    for (const Record& record : records) std::visit([&](const auto& what) { change.put(what); }, record);
    for (auto& [id, run] : change.runs) runs_[id] = std::move(run);
    order_.insert(order_.end(), change.created.begin(), change.created.end());
    for (auto& [key, took] : change.took) took_[key].push_back(took);
    ++writes_;
  }

  std::vector<RunRecord> runs(const RunFilter& filter) override {
    const std::lock_guard lock(mutex_);
    std::vector<RunRecord> found;
    for (auto id = order_.rbegin(); id != order_.rend(); ++id) {
      const RunRecord& run = runs_.at(*id).record;
      if (filter.limit > 0 && found.size() >= static_cast<std::size_t>(filter.limit)) break;
      if (filter.host && run.host != *filter.host) continue;
      if (filter.unfinished_only && ended(run.state)) continue;
      found.push_back(run);
      found.back().steps.clear();
    }
    return found;
  }

  std::vector<std::string> hosts(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    std::set<std::string> found;
    for (const auto& [id, run] : runs_) {
      const std::string& host = run.record.host;
      if (host == name || host.substr(0, host.find('.')) == name) found.insert(host);
    }
    return {found.begin(), found.end()};
  }

  std::optional<RunRecord> run(const std::string& id) override {
    const std::lock_guard lock(mutex_);
    if (id.empty()) return std::nullopt;
    if (const auto exact = runs_.find(id); exact != runs_.end()) return exact->second.record;
    std::optional<RunRecord> found;
    for (const auto& [name, run] : runs_) {
      if (name.compare(0, id.size(), id) != 0) continue;
      if (found) return std::nullopt;
      found = run.record;
    }
    return found;
  }

  std::vector<AttemptRecord> attempts(const std::string& id, std::optional<int> step, bool with_logs) override {
    const std::lock_guard lock(mutex_);
    std::vector<AttemptRecord> found;
    const auto run = runs_.find(id);
    if (run == runs_.end()) return found;
    for (const auto& [key, attempt] : run->second.attempts) {
      if (step && key.first != *step) continue;
      found.push_back(attempt);
      if (!with_logs) found.back().log.clear();
    }
    return found;
  }

  std::optional<std::string> checkpoint(const std::string& id, int step) override {
    const std::lock_guard lock(mutex_);
    const auto run = runs_.find(id);
    if (run == runs_.end()) return std::nullopt;
    const auto& checkpoints = run->second.checkpoints;
    const auto last =
        std::find_if(checkpoints.rbegin(), checkpoints.rend(), [&](const auto& c) { return c.first == step; });
    return last == checkpoints.rend() ? std::nullopt : std::optional(last->second);
  }

  std::optional<std::pair<int, std::string>> newest_checkpoint(const std::string& id) override {
    const std::lock_guard lock(mutex_);
    const auto run = runs_.find(id);
    if (run == runs_.end()) return std::nullopt;
    return run->second.checkpoints.back();
  }

  std::optional<std::chrono::milliseconds> usual(const std::string& provider, const std::string& task) override {
    const std::lock_guard lock(mutex_);
    const auto known = took_.find({provider, task});
    if (known == took_.end()) return std::nullopt;
    const auto& all = known->second;
    std::vector<std::chrono::milliseconds> last(all.end() - std::min<std::ptrdiff_t>(20, std::ssize(all)), all.end());
    std::sort(last.begin(), last.end());
    return (last[last.size() / 2] + last[(last.size() - 1) / 2]) / 2;
  }

  std::optional<std::string> note(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    const auto known = notes_.find(name);
    return known == notes_.end() ? std::nullopt : std::optional(known->second);
  }
  void set_note(const std::string& name, const std::string& value) override {
    const std::lock_guard lock(mutex_);
    notes_[name] = value;
  }

  // How many write() calls were made durable, for tests of grouping.
  int writes() const {
    const std::lock_guard lock(mutex_);
    return writes_;
  }

 private:
  struct Run {
    RunRecord record;
    std::map<std::pair<int, int>, AttemptRecord> attempts;
    std::vector<std::pair<int, std::string>> checkpoints;
  };
  using TaskKey = std::pair<std::string, std::string>;

  // The runs as one write() leaves them; nobody sees it before the whole write went well.
  struct Change {
    MemoryJournal& journal;
    std::map<std::string, Run> runs;
    std::vector<std::string> created;
    std::vector<std::pair<TaskKey, std::chrono::milliseconds>> took;

    Run& at(const std::string& id) {
      if (const auto here = runs.find(id); here != runs.end()) return here->second;
      const auto there = journal.runs_.find(id);
      if (there == journal.runs_.end()) throw Error(Kind::Bug, "journal: there is no run " + id);
      return runs[id] = there->second;
    }

    StepRecord& step(const std::string& id, int index) {
      for (StepRecord& step : at(id).record.steps) {
        if (step.index == index) return step;
      }
      throw Error(Kind::Bug, "journal: run " + id + " has no step " + std::to_string(index));
    }

    void put(const RunCreated& what) {
      if (runs.count(what.run.id) > 0 || journal.runs_.count(what.run.id) > 0) {
        throw Error(Kind::Bug, "journal: run " + what.run.id + " is there already");
      }
      created.push_back(what.run.id);
      runs[what.run.id] = {what.run, {}, {{-1, what.sealed_clipboard}}};
    }

    void put(const StepsAdded& what) {
      auto& steps = at(what.run).record.steps;
      steps.insert(steps.end(), what.steps.begin(), what.steps.end());
    }

    void put(const AttemptBegan& what) {
      StepRecord& step_record = step(what.run, what.step);
      step_record.state = StepRecord::State::Under;
      step_record.tries = what.number;
      step_record.next_at.reset();
      AttemptRecord attempt;
      attempt.run = what.run;
      attempt.step = what.step;
      attempt.number = what.number;
      attempt.started = what.at;
      if (!at(what.run).attempts.emplace(std::pair(what.step, what.number), attempt).second) {
        throw Error(Kind::Bug, "journal: run " + what.run + ": attempt began twice");
      }
    }

    void put(const AttemptEnded& what) {
      const AttemptRecord& attempt = what.attempt;
      Run& run = at(attempt.run);
      const auto begun = run.attempts.find({attempt.step, attempt.number});
      if (begun == run.attempts.end())
        throw Error(Kind::Bug, "journal: run " + attempt.run + ": an attempt ended but never began");
      const Time started = begun->second.started;
      begun->second = attempt;
      begun->second.started = started;
      StepRecord& step_record = step(attempt.run, attempt.step);
      step_record.state = what.step_state;
      step_record.counted = what.counted;
      step_record.elapsed = what.elapsed;
      step_record.next_at = what.next_at;
      if (what.sealed_clipboard) run.checkpoints.emplace_back(attempt.step, *what.sealed_clipboard);
      if (attempt.outcome == Outcome::Succeeded && attempt.ended && !step_record.plan_mode) {
        const auto last = std::chrono::duration_cast<std::chrono::milliseconds>(*attempt.ended - attempt.started);
        took.push_back({{run.record.provider, step_record.task}, std::max(what.elapsed, last)});
      }
    }

    void put(const StepChanged& what) {
      StepRecord& step_record = step(what.run, what.step);
      step_record.state = what.state;
      step_record.skipped_because = what.because;
      step_record.counted = what.counted;
      step_record.elapsed = what.elapsed;
      step_record.next_at.reset();
    }

    void put(const RunChanged& what) {
      RunRecord& run = at(what.run).record;
      run.state = what.state;
      run.resume_as = what.resume_as;
      run.error = what.error;
      run.ended = what.ended;
      run.stage_number = what.stage_number;
      run.stage = what.stage;
      run.task = what.task;
      run.confirm = what.confirm;
      run.confirm_until = what.confirm_until;
      run.asker = what.asker.value_or(run.asker);
    }
  };

  mutable std::mutex mutex_;
  std::map<std::string, Run> runs_;
  std::vector<std::string> order_;
  std::map<TaskKey, std::vector<std::chrono::milliseconds>> took_;
  std::map<std::string, std::string> notes_;
  int writes_ = 0;
};

class FailingJournal : public MemoryJournal {
 public:
  using Fails = std::function<bool(const std::vector<Record>&)>;
  explicit FailingJournal(Fails fails = {}) : fails_(std::move(fails)) {}

  // Asked at every write, from the thread that writes.
  void fail_when(Fails fails) { fails_ = std::move(fails); }

  void write(const std::vector<Record>& records) override {
    if (fails_ && fails_(records)) throw Error(Kind::Permanent, "journal: the test says no");
    MemoryJournal::write(records);
  }

 private:
  Fails fails_;
};

}  // namespace jarvis::pipeline
