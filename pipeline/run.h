// A run: one execution of a plan, as a coroutine that walks its steps. Everything that matters is in the journal before
// it happens (intent) or before the next thing does (outcome, checkpoint); what stands here only is what a resume can
// do without. Owned by the pipeline; lives on the loop's thread. Knows no chat and no command.
//
// States:  confirming -> running <-> waiting -> undoing? -> succeeded | failed | cancelled
//          paused: the journal cannot be written; interrupted: jarvis stops, the next one goes on.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/run_view.h"
#include "pipeline/workshop.h"

namespace jarvis::pipeline {

inline std::chrono::milliseconds since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - then);
}

// A step as a run holds it: the row is shared, everything else is small.
struct RunStep {
  Row row;
  int stage_number = 0;
  StepRecord::State state = StepRecord::State::Todo;
  int counted = 0, tries = 0;
  std::chrono::milliseconds elapsed{0};
  std::optional<Time> next_at;
  std::optional<int> undoes;
  std::string skipped_because;
};

class Run {
 public:
  // `record` without steps; `clipboard` has passed its check and `facts` are its. `changed` is called for everything
  // that a person may want to know.
  enum class What { Stage, Progress, AskedAgain, State, Ended };
  using Changed = std::function<void(const Run&, What)>;
  Run(Workshop& shop, RunRecord record, std::vector<RunStep> steps, std::string clipboard, Facts facts,
      Changed changed);

  // What makes it known to the journal; written by whoever takes the order, before walk().
  RunCreated created() const;
  // Walks to the end, or to where jarvis stops. Once; the run must live until it is done. Never throws.
  boost::asio::awaitable<void> walk();

  void confirm();
  // Somebody confirmed, others must: what the record says of it from now on.
  void replace_demand(std::string sealed) { record_.confirm = std::move(sealed); }
  // Writes down that it is to end before it ends anything: a crash does not bring a cancelled run back. Undo follows.
  boost::asio::awaitable<void> cancel(std::string by);
  // Begins no further attempt; the one under way may end. Then the run is interrupted.
  void stop();
  // Ends the attempt under way too.
  void abandon();

  const RunRecord& record() const { return record_; }
  const std::string& clipboard() const { return *clipboard_; }
  RunView view() const;
  // The log so far of the attempt under way, blanked; empty if there is none.
  std::string live_log() const;
  pid_t worker() const { return attempt_ ? attempt_->pid() : 0; }
  int current_step() const { return current_; }
  // Of the deadline of the step where it stands.
  std::chrono::milliseconds spent() const { return since(step_began_); }

 private:
  enum class Ending { Done, Failed, Cancelled, Stopped };

  boost::asio::awaitable<void> walk_steps();
  boost::asio::awaitable<bool> confirmed();
  boost::asio::awaitable<Ending> perform(int index);
  boost::asio::awaitable<Ending> ready(int index);
  boost::asio::awaitable<Ending> settle(int index, AttemptResult result, Time started);
  boost::asio::awaitable<void> undo();
  boost::asio::awaitable<void> finish(RunState state);
  boost::asio::awaitable<bool> judge(AttemptResult& result, std::optional<std::string>& clipboard, Facts& facts);
  boost::asio::awaitable<bool> flush();
  boost::asio::awaitable<void> pause(std::chrono::milliseconds time);
  std::string reason(const AttemptResult& result, const Blanker& blanker) const;
  std::string step_id(int index) const { return record_.id + "." + std::to_string(index); }
  StepRecord record_of(int index) const;
  RunChanged line(RunState state) const;
  void note(RunState state);  // line() into the next write, unless the journal says so already
  void enter(RunState state);
  void stand_at(int index);
  // An undo goes on although the run is cancelled.
  bool must_halt() const { return stopping_ || (cancelled_ && !undoing_); }
  Ending halt() const { return cancelled_ && !undoing_ ? Ending::Cancelled : Ending::Stopped; }

  Workshop& shop_;
  RunRecord record_;
  std::vector<RunStep> steps_;
  std::shared_ptr<const std::string> clipboard_;
  Facts facts_;
  Changed changed_;
  boost::asio::steady_timer timer_;  // whatever the run waits for that is no attempt and no place
  Places::Wait* place_wait_ = nullptr;
  std::unique_ptr<Attempt> attempt_;
  int current_ = -1;
  std::vector<Record> pending_;  // goes into the next write
  std::string text_;             // why it is where it is, when no worker says so
  std::chrono::steady_clock::time_point stage_began_, step_began_;
  bool confirmed_ = false, cancelled_ = false, stopping_ = false, undoing_ = false, finishing_ = false;
  Ending ending_ = Ending::Done;
  std::optional<RunState> noted_;  // the state that the journal has, or will have after the next write
  std::string failure_;            // last words of the step that ended the run
};

}  // namespace jarvis::pipeline
