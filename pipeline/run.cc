#include "pipeline/run.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "pipeline/error.h"

namespace jarvis::pipeline {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kCancelled = "cancelled by ";  // a run's error that begins so: it ends as cancelled

}  // namespace

Run::Run(Workshop& shop, RunRecord record, std::vector<RunStep> steps, std::string clipboard, Facts facts,
         Changed changed)
    : shop_(shop),
      record_(std::move(record)),
      steps_(std::move(steps)),
      clipboard_(std::make_shared<const std::string>(std::move(clipboard))),
      facts_(std::move(facts)),
      changed_(std::move(changed)),
      timer_(shop.loop()),
      stage_began_(Clock::now()) {}

StepRecord Run::record_of(int index) const {
  const RunStep& step = steps_[static_cast<std::size_t>(index)];
  const TaskRow& row = *step.row;
  StepRecord made;
  made.index = index;
  made.id = step_id(index);
  made.task = row.name;
  made.stage = row.stage;
  made.family = row.family;
  made.executable = row.executable;
  made.stage_number = step.stage_number;
  made.needs = row.needs;
  made.gives = row.gives;
  made.timeout = row.timeout;
  made.grace = row.grace;
  made.retry = row.retry;
  made.destroys = row.destroys;
  made.plan_mode = row.plan;
  made.undo = row.undo;
  made.undoes = step.undoes;
  made.skipped_because = step.skipped_because;
  made.state = step.state;
  made.counted = step.counted;
  made.tries = step.tries;
  made.elapsed = step.elapsed;
  made.next_at = step.next_at;
  return made;
}

RunChanged Run::line(RunState state) const {
  RunChanged made;
  made.run = record_.id;
  made.state = state;
  made.resume_as = record_.resume_as;
  made.error = record_.error;
  made.ended = record_.ended;
  made.stage_number = record_.stage_number;
  made.stage = record_.stage;
  made.task = record_.task;
  made.confirm = record_.confirm;
  made.confirm_until = record_.confirm_until;
  return made;
}

// Moving on to the next step is no change of the run's line: the steps tell where it stands, which saves a third of the
// journal's work. The end of a run has its place in its line.
void Run::note(RunState state) {
  if (noted_ == state) return;
  noted_ = state;
  pending_.emplace_back(line(state));
}

void Run::enter(RunState state) {
  if (record_.state == state) return;
  record_.state = state;
  if (state == RunState::Running || state == RunState::Waiting || state == RunState::Undoing)
    record_.resume_as = undoing_ ? RunState::Undoing : RunState::Running;
  changed_(*this, What::State);
}

void Run::stand_at(int index) {
  current_ = index;
  const RunStep& step = steps_[static_cast<std::size_t>(index)];
  // An undo stands at the stage that it takes back.
  const std::string& stage = step.undoes ? steps_[static_cast<std::size_t>(*step.undoes)].row->stage : step.row->stage;
  const bool new_stage = record_.stage_number != step.stage_number || record_.stage != stage || step.undoes;
  record_.stage_number = step.stage_number;
  record_.stage = stage;
  record_.task = step.row->name;
  if (new_stage) stage_began_ = Clock::now();
  if (new_stage) changed_(*this, What::Stage);
}

RunCreated Run::created() const {
  RunRecord whole = record_;
  for (int i = 0; i < static_cast<int>(steps_.size()); ++i) whole.steps.push_back(record_of(i));
  return {std::move(whole), shop_.seal().seal(*clipboard_, record_.id)};
}

asio::awaitable<void> Run::walk() {
  try {
    if (record_.state == RunState::Confirming) {
      const bool go = co_await confirmed();
      if (!go) co_return;
    }
    undoing_ = record_.resume_as == RunState::Undoing;
    cancelled_ = cancelled_ || record_.error.starts_with(kCancelled);
    if (undoing_ && !cancelled_) failure_ = record_.error;
    if (!undoing_) co_await walk_steps();
    undoing_ = undoing_ || cancelled_ || ending_ == Ending::Failed;
    if (undoing_ && ending_ != Ending::Stopped) co_await undo();
  } catch (const std::exception& e) {
    // A fault of jarvis itself must not take other runs along.
    failure_ = std::string("a fault in jarvis: ") + e.what();
  }
  if (ending_ == Ending::Stopped) {
    note(RunState::Interrupted);
    co_await flush();
    enter(RunState::Interrupted);
  } else {
    co_await finish(cancelled_ ? RunState::Cancelled : failure_.empty() ? RunState::Succeeded : RunState::Failed);
  }
  changed_(*this, What::Ended);
}

asio::awaitable<bool> Run::confirmed() {
  changed_(*this, What::State);
  const auto left = record_.confirm_until.value_or(now()) - now();
  timer_.expires_after(std::chrono::duration_cast<Clock::duration>(left));
  boost::system::error_code woken;
  if (!confirmed_ && !must_halt()) co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (confirmed_) {
    record_.confirm.clear();
    record_.confirm_until.reset();
    enter(RunState::Running);
    note(RunState::Running);
    co_return true;
  }
  if (stopping_ && !cancelled_) {  // still to be confirmed: the journal says so already
    changed_(*this, What::Ended);
    co_return false;
  }
  if (!cancelled_) record_.error = "not confirmed within five minutes";
  co_await finish(RunState::Cancelled);
  changed_(*this, What::Ended);
  co_return false;
}

void Run::confirm() {
  confirmed_ = true;
  timer_.cancel();
}

asio::awaitable<void> Run::cancel(std::string by) {
  if (cancelled_ || finishing_ || ended(record_.state)) co_return;
  RunChanged record = line(record_.state);
  record.error = std::string(kCancelled) + by;
  const std::string error = record.error;
  std::vector<Record> records;
  records.emplace_back(std::move(record));
  co_await shop_.write(std::move(records));
  if (finishing_) co_return;  // it ended meanwhile
  record_.error = error;
  cancelled_ = true;
  timer_.cancel();
  if (place_wait_ != nullptr && !undoing_) place_wait_->cancel();
  if (attempt_ && !undoing_) attempt_->cancel();
}

void Run::stop() {
  stopping_ = true;
  timer_.cancel();
  if (place_wait_ != nullptr) place_wait_->cancel();
}

void Run::abandon() {
  stop();
  if (attempt_) attempt_->abandon();
}

asio::awaitable<void> Run::walk_steps() {
  const int count = static_cast<int>(steps_.size());
  for (int i = 0; i < count && ending_ == Ending::Done; ++i) {
    const RunStep& step = steps_[static_cast<std::size_t>(i)];
    if (step.undoes || step.state == StepRecord::State::Done || step.state == StepRecord::State::Skipped) continue;
    if (must_halt()) {
      ending_ = halt();
    } else {
      ending_ = co_await perform(i);
    }
  }
}

// One step to its end: attempts, waits, retries.
asio::awaitable<Run::Ending> Run::perform(int index) {
  stand_at(index);
  RunStep& step = steps_[static_cast<std::size_t>(index)];
  step_began_ = Clock::now() - step.elapsed;
  for (;;) {
    Ending ending = co_await ready(index);
    if (ending != Ending::Done) co_return ending;
    // The place is ours, the intent is on disk.
    const Time started = now();
    AttemptResult result;
    {
      const Places::Taken place(shop_.places());
      try {
        attempt_ = shop_.attempt(*step.row, {record_.id, step_id(index), step.counted + 1, false}, clipboard_,
                                 record_.directory, [this] { changed_(*this, What::Progress); });
        result = co_await attempt_->run();
      } catch (const Error& e) {  // no credentials, no forkserver: nothing ran
        result.outcome = Outcome::Failed;
        result.why = e.what();
      } catch (const std::exception& e) {  // no descriptors left: that may pass
        result.outcome = Outcome::Crashed;
        result.why = e.what();
      }
      attempt_.reset();
    }
    ending = co_await settle(index, std::move(result), started);
    if (ending != Ending::Stopped || must_halt()) co_return ending == Ending::Stopped ? halt() : ending;
    // Stopped without a halt: to be asked again.
  }
}

// Waits until the step is due and a worker's place is free, then writes the intent.
asio::awaitable<Run::Ending> Run::ready(int index) {
  RunStep& step = steps_[static_cast<std::size_t>(index)];
  if (step.next_at && *step.next_at > now()) {
    // Written before waiting, so that a restart knows when the step is due.
    const bool noted = co_await flush();
    if (!noted) co_return halt();
    enter(RunState::Waiting);
    while (step.next_at && *step.next_at > now() && !must_halt()) {
      timer_.expires_after(std::chrono::duration_cast<Clock::duration>(*step.next_at - now()));
      boost::system::error_code woken;
      co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
  }
  if (must_halt()) co_return halt();
  if (!shop_.places().try_take()) {
    const bool noted = co_await flush();
    if (!noted || must_halt()) co_return halt();  // told to end while that was written
    text_ = !shop_.frozen().empty()
                ? shop_.frozen()
                : "waits for a free place, " + std::to_string(shop_.options().max_workers) + " workers are at work";
    Places::Wait wait(shop_.places());
    place_wait_ = &wait;
    const bool taken = co_await wait.taken();
    place_wait_ = nullptr;
    if (!taken) co_return halt();
  }
  text_.clear();
  step.next_at.reset();
  step.state = StepRecord::State::Under;
  ++step.tries;
  pending_.push_back(AttemptBegan{record_.id, index, step.tries, now()});
  note(undoing_ ? RunState::Undoing : RunState::Running);
  const bool written = co_await flush();
  if (!written || must_halt()) {
    shop_.places().give_back();
    co_return halt();
  }
  enter(undoing_ ? RunState::Undoing : RunState::Running);
  co_return Ending::Done;
}

asio::awaitable<void> Run::finish(RunState state) {
  finishing_ = true;
  if (state == RunState::Failed) record_.error = failure_;
  if (state == RunState::Cancelled && !failure_.empty() && failure_ != record_.error) record_.error += "; " + failure_;
  record_.ended = now();
  record_.confirm.clear();
  record_.confirm_until.reset();
  note(state);
  // Never goes on without a record, not even to the end: but somebody who stops jarvis gets his way.
  for (bool written = false; !written && !stopping_;) written = co_await flush();
  text_.clear();
  enter(state);
}

// Writes what is pending. While the journal cannot be written the run is paused: nothing is begun without a record.
// False: a halt came instead.
asio::awaitable<bool> Run::flush() {
  if (pending_.empty()) co_return true;
  const RunState before = record_.state;
  for (;;) {
    try {
      co_await shop_.write(pending_);
      pending_ = {};  // its memory too: a run in flight mostly waits
      if (record_.state == RunState::Paused) {
        text_.clear();
        enter(before);
      }
      co_return true;
    } catch (const Error& e) {
      text_ = std::string("nothing is begun while the journal cannot be written: ") + e.what();
    }
    enter(RunState::Paused);
    if (stopping_) co_return false;
    co_await pause(shop_.options().journal_again);
  }
}

asio::awaitable<void> Run::pause(std::chrono::milliseconds time) {
  timer_.expires_after(time);
  boost::system::error_code woken;
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

}  // namespace jarvis::pipeline
