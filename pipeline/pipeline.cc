#include "pipeline/pipeline.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>
#include <thread>

#include "pipeline/error.h"
#include "pipeline/survivors.h"

namespace jarvis::pipeline {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr int kRunIdLength = 6;

// The row as it was planned, whatever this binary's table says today.
Row row_of(const StepRecord& step) {
  TaskRow row;
  row.name = step.task;
  row.stage = step.stage;
  row.family = step.family;
  row.executable = step.executable;
  row.needs = step.needs;
  row.gives = step.gives;
  row.timeout = step.timeout;
  row.grace = step.grace;
  row.retry = step.retry;
  row.destroys = step.destroys;
  row.plan = step.plan_mode;
  row.undo = step.undo;
  return std::make_shared<const TaskRow>(std::move(row));
}

RunStep step_of(const StepRecord& record) {
  RunStep step;
  step.row = row_of(record);
  step.stage_number = record.stage_number;
  step.state = record.state;
  step.counted = record.counted;
  step.tries = record.tries;
  step.elapsed = record.elapsed;
  step.next_at = record.next_at;
  step.undoes = record.undoes;
  step.skipped_because = record.skipped_because;
  return step;
}

RunChanged line_of(const RunRecord& record) {
  return {record.id,           record.state, record.resume_as, record.error,   record.ended,
          record.stage_number, record.stage, record.task,      record.confirm, record.confirm_until};
}

}  // namespace

Pipeline::Pipeline(asio::io_context& loop, Journal& journal, JournalThread& pen, const Seal& seal,
                   const TaskTable& table, WorkshopOptions options)
    : shop_(loop, journal, pen, seal, table, std::move(options)),
      idle_(loop),
      some_ended_(loop, asio::steady_timer::time_point::max()) {}

Pipeline::~Pipeline() = default;

// A run's line does not follow every step; the steps know where it stood.
void Pipeline::stand_where_it_stopped(RunRecord& record) {
  const auto whole = shop_.journal().run(record.id);
  for (const StepRecord& step : whole ? whole->steps : std::vector<StepRecord>{}) {
    if (step.undoes || (step.state != StepRecord::State::Todo && step.state != StepRecord::State::Under)) continue;
    record.stage = step.stage;
    record.task = step.task;
    record.stage_number = step.stage_number;
    return;
  }
}

void Pipeline::take_stock(bool only_looks) {
  only_looks_ = only_looks;
  if (const auto how = frozen()) shop_.freeze("frozen " + how->words());
  std::vector<Record> changes;
  std::set<std::string, std::less<>> unfinished;
  for (RunRecord& record : shop_.journal().runs({std::nullopt, true, 0})) {
    const bool expired = record.state == RunState::Confirming && record.confirm_until && *record.confirm_until <= now();
    if (expired) {
      record.state = RunState::Cancelled;
      record.error = "not confirmed within five minutes";
      record.ended = record.confirm_until;
      changes.emplace_back(line_of(record));
      continue;
    }
    holders_[record.host] = record.id;
    if (record.state == RunState::Confirming) continue;
    unfinished.insert(record.id);
    if (record.state == RunState::Interrupted) continue;
    if (record.state == RunState::Undoing) record.resume_as = RunState::Undoing;
    record.state = RunState::Interrupted;
    stand_where_it_stopped(record);
    changes.emplace_back(line_of(record));
  }
  try {
    if (!changes.empty()) shop_.journal().write(changes);
  } catch (const Error&) {
    if (!only_looks) throw;
  }
  if (unfinished.empty()) return;
  // Whoever was killed together with its forkserver may have left workers' children at work.
  const auto ours = [&](std::string_view step) { return unfinished.count(step.substr(0, step.find('.'))) > 0; };
  for (int again = 0; again < 1000 && kill_survivors(ours) > 0; ++again) std::this_thread::sleep_for(5ms);
}

std::shared_ptr<Run> Pipeline::make(RunRecord record, std::vector<RunStep> steps, std::string clipboard) {
  Facts facts = facts_of(Clipboard::parse(clipboard, shop_.options().bounds), shop_.table().secrets());
  return std::make_shared<Run>(shop_, std::move(record), std::move(steps), std::move(clipboard), std::move(facts),
                               [this](const Run& run, Run::What what) { told(run, what); });
}

std::shared_ptr<Run> Pipeline::load(const std::string& id, const std::string& directory) {
  auto record = shop_.journal().run(id);
  if (!record) throw Error(Kind::Usage, "no run " + id);
  std::vector<RunStep> steps;
  for (const StepRecord& step : record->steps) steps.push_back(step_of(step));
  record->steps.clear();
  record->steps.shrink_to_fit();
  if (!directory.empty()) record->directory = directory;
  std::string board = clipboard(record->id, std::nullopt);
  return make(std::move(*record), std::move(steps), std::move(board));
}

void Pipeline::carry(std::shared_ptr<Run> run) {
  runs_[run->record().id] = run;
  holders_[run->record().host] = run->record().id;
  if (stopping_) run->stop();
  asio::co_spawn(
      shop_.loop(), [run]() -> asio::awaitable<void> { co_await run->walk(); }, asio::detached);
}

void Pipeline::told(const Run& run, Run::What what) {
  // One of them may leave while it is told.
  for (auto next = listeners_.begin(); next != listeners_.end();) {
    const int id = next->first;
    const Listener listener = next->second;
    listener(run, what);
    next = listeners_.upper_bound(id);
  }
  if (what != Run::What::Ended) return;
  const RunRecord& record = run.record();
  const auto holder = holders_.find(record.host);
  if (ended(record.state) && holder != holders_.end() && holder->second == record.id) holders_.erase(holder);
  runs_.erase(record.id);
  idle_.cancel();
  some_ended_.cancel();
}

// The lock on a host, or the refusal that says who holds it and since when.
asio::awaitable<void> Pipeline::take_lock(std::string host, std::string run) {
  // Anything may have happened while this waited, so it looks again after every wait.
  for (;;) {
    refuse_if_frozen();
    if (const auto hold = held(host))
      throw Error(Kind::Refused, host + " is held " + hold->words() + "; `jarvis release " + host + "` lets it go");
    const auto holder = holders_.find(host);
    if (holder == holders_.end() || holder->second == run) break;
    const auto held = view(holder->second);
    if (!held) throw Error(Kind::Refused, host + " is held by run " + holder->second + ", ordered this moment");
    if (ended(held->state)) break;
    const std::string who = host + " is held by run " + held->run + ": " + held->operation + " by " + held->by +
                            " since " + clock_of(held->started);
    if (held->state == RunState::Interrupted) {
      throw Error(Kind::Refused, who + ", interrupted at " + std::to_string(held->stage_number) + "/" +
                                     std::to_string(held->stages) + " " + held->stage + "; `jarvis retry " + host +
                                     "` goes on with it, `jarvis cancel " + host + "` gives it up");
    }
    if (held->state != RunState::Confirming) throw Error(Kind::Refused, who);
    co_await cancel(held->run, "a newer command");  // it has changed nothing yet
    while (carried(held->run)) {
      boost::system::error_code woken;
      co_await some_ended_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
  }
  holders_[host] = run;
}

void Pipeline::leave_lock(const std::string& host, const std::string& run) {
  const auto holder = holders_.find(host);
  if (holder != holders_.end() && holder->second == run) holders_.erase(holder);
}

void Pipeline::refuse_if_stopping() const {
  if (stopping_) throw Error(Kind::Refused, "jarvis is stopping");
}

asio::awaitable<std::string> Pipeline::submit(Order order, std::optional<std::string>& code) {
  refuse_if_stopping();
  RunRecord record;
  do {
    record.id = random_word(kRunIdLength);
  } while (shop_.journal().run(record.id));
  record.host = order.plan.host;
  record.operation = order.plan.operation;
  record.provider = order.plan.provider;
  record.by = std::move(order.by);
  record.asker = order.asker;
  record.where = std::move(order.where);
  record.source = std::move(order.source);
  record.directory = std::move(order.directory);
  record.plan_digest = digest_of(order.plan, order.first.text());
  record.started = now();
  record.stages = order.plan.stages;
  record.state = RunState::Running;
  if (!order.plan.steps.empty()) {
    record.stage = order.plan.steps.front().row->stage;
    record.task = order.plan.steps.front().row->name;
  }
  if (order.plan.destroys()) code = demand_code(record, order.approvals, order.asker);
  std::vector<RunStep> steps;
  for (const PlanStep& step : order.plan.steps) {
    RunStep made;
    made.row = step.row;
    made.stage_number = step.stage_number;
    steps.push_back(std::move(made));
  }
  const std::string id = record.id, host = record.host;
  std::string first = std::move(order.first).take();
  co_await take_lock(host, id);
  try {
    auto run = make(std::move(record), std::move(steps), std::move(first));
    std::vector<Record> records;
    records.emplace_back(run->created());
    co_await shop_.write(std::move(records));
    carry(std::move(run));
  } catch (...) {
    leave_lock(host, id);
    throw;
  }
  co_return id;
}

std::vector<RunRecord> Pipeline::interrupted(const std::optional<std::string>& host) {
  std::vector<RunRecord> made;
  for (RunRecord& record : shop_.journal().runs({host, true, 0})) {
    if (record.state == RunState::Interrupted && !carried(record.id)) made.push_back(std::move(record));
  }
  return made;
}

void Pipeline::resume(const std::string& id, const std::string& directory) {
  if (carried(id)) return;
  const OnTheWay mine(*this, id);
  carry(load(id, directory));
}

namespace {

// Steps that a person lets a retry pass over. Error(Usage) for a task that is not among those still to do.
void skip_steps(RunRecord& record, const std::vector<std::pair<std::string, std::string>>& skip,
                std::vector<Record>& changes) {
  for (const auto& [task, reason] : skip) {
    bool found = false;
    for (StepRecord& step : record.steps) {
      if (step.task != task || step.undoes || step.state == StepRecord::State::Done) continue;
      found = true;
      step.state = StepRecord::State::Skipped;
      step.skipped_because = reason;
      changes.emplace_back(StepChanged{record.id, step.index, step.state, reason, step.counted, step.elapsed});
    }
    if (!found) throw Error(Kind::Usage, "run " + record.id + " has no task " + task + " still to do");
  }
}

// A new chance for what is still to do: attempts and deadline begin anew. True: one of these steps destroys.
bool begin_anew(RunRecord& record, std::vector<Record>& changes) {
  bool destroys = false;
  for (StepRecord& step : record.steps) {
    if (step.undoes || step.state == StepRecord::State::Done || step.state == StepRecord::State::Skipped) continue;
    step.state = StepRecord::State::Todo;
    step.counted = 0;
    step.elapsed = 0ms;
    step.next_at.reset();
    changes.emplace_back(StepChanged{record.id, step.index, step.state, "", 0, 0ms});
    destroys = destroys || step.destroys;
  }
  record.state = RunState::Running;
  record.resume_as = RunState::Running;
  record.error.clear();
  record.ended.reset();
  return destroys;
}

}  // namespace

asio::awaitable<std::string> Pipeline::retry(Retry what, std::optional<std::string>& code) {
  auto record = shop_.journal().run(what.run);
  if (!record) throw Error(Kind::Usage, "no run " + what.run);
  if (carried(record->id) || (record->state != RunState::Failed && record->state != RunState::Interrupted)) {
    throw Error(Kind::Usage, "run " + record->id + " of " + record->host + " is " +
                                 std::string(word(view(record->id)->state)) + ", there is nothing to retry");
  }
  const bool failed = record->state == RunState::Failed;
  const std::string id = record->id, host = record->host;
  const OnTheWay mine(*this, id);
  co_await take_lock(host, id);
  try {
    std::vector<Record> changes;
    skip_steps(*record, what.skip, changes);
    if (failed && begin_anew(*record, changes)) code = demand_code(*record, what.approvals, what.asker);
    record->asker = what.asker;
    RunChanged line = line_of(*record);
    line.asker = record->asker;
    changes.emplace_back(std::move(line));
    std::vector<RunStep> steps;
    for (const StepRecord& step : record->steps) steps.push_back(step_of(step));
    record->steps.clear();
    if (!what.directory.empty()) record->directory = what.directory;
    auto run = make(std::move(*record), std::move(steps), clipboard(id, std::nullopt));
    co_await shop_.write(std::move(changes));
    carry(std::move(run));
  } catch (...) {
    if (failed) leave_lock(host, id);
    throw;
  }
  co_return id;
}

asio::awaitable<std::string> Pipeline::cancel(std::string id, std::string by) {
  const auto live = runs_.find(id);
  if (live != runs_.end()) {
    const auto run = live->second;
    co_await run->cancel(by);
    co_return id;
  }
  const auto record = shop_.journal().run(id);
  if (!record || ended(record->state)) throw Error(Kind::Usage, "run " + id + " has ended, there is nothing to cancel");
  const OnTheWay mine(*this, record->id);
  auto run = load(record->id, "");
  co_await run->cancel(by);
  carry(std::move(run));
  co_return record->id;
}

std::size_t Pipeline::busy() const {
  return static_cast<std::size_t>(std::count_if(
      runs_.begin(), runs_.end(), [](const auto& one) { return one.second->record().state != RunState::Confirming; }));
}

int Pipeline::listen(Listener listener) {
  listeners_[next_listener_] = std::move(listener);
  return next_listener_++;
}

asio::awaitable<void> Pipeline::stop(std::chrono::milliseconds grace) {
  stopping_ = true;
  for (const auto& end : asides_) end();
  const auto all = runs_;
  for (const auto& [id, run] : all) run->stop();
  const auto until = std::chrono::steady_clock::now() + grace;
  bool abandoned = false;
  while (!runs_.empty()) {
    if (!abandoned && std::chrono::steady_clock::now() >= until) {
      abandoned = true;
      const auto left = runs_;
      for (const auto& [id, run] : left) run->abandon();
    }
    idle_.expires_at(abandoned ? std::chrono::steady_clock::now() + 1s : until);
    boost::system::error_code woken;
    co_await idle_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

void Pipeline::hurry() {
  const auto left = runs_;
  for (const auto& [id, run] : left) run->abandon();
}

}  // namespace jarvis::pipeline
