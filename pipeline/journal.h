// The journal: the durable record of runs, and the only place that writes run state. What makes resume, status, history
// and replay possible. An interface on purpose: SQLite is the embedded default (journal_sqlite.h); a shared store will
// sit behind the same calls, so a run needs nothing but its journal to go on.
//
// The journal stores sealed bytes and clean text; it does not know keys, secrets, clipboards or processes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pipeline/outcome.h"
#include "pipeline/retry.h"
#include "pipeline/wall_time.h"

namespace jarvis::pipeline {

// One step as it was planned: everything a resume needs, whatever the binary's rows have become since.
struct StepRecord {
  int index = 0;   // from 0; undo steps follow the plan's own
  std::string id;  // JARVIS_STEP
  std::string task, stage, family, executable;
  int stage_number = 0;  // from 1
  std::vector<std::string> needs, gives;
  std::chrono::milliseconds timeout{0}, grace{0};
  RetryPolicy retry;
  bool destroys = false;
  bool plan_mode = false;
  std::string undo;
  std::optional<int> undoes;    // an undo step: index of the step it takes back
  std::string skipped_because;  // not empty: passed over by `retry --skip`
  // Where it stands.
  enum class State { Todo, Under, Done, Undone, Skipped } state = State::Todo;
  int counted = 0;                       // attempts that count so far
  int tries = 0;                         // attempts begun, all of them
  std::chrono::milliseconds elapsed{0};  // of the deadline, used up by earlier lives of jarvis
  std::optional<Time> next_at;           // a wait or a retry delay is due then
};
std::string_view word(StepRecord::State state);
std::optional<StepRecord::State> step_state_from(std::string_view word);

struct RunRecord {
  std::string id;
  std::string host, operation, provider;
  RunState state = RunState::Pending;
  RunState resume_as = RunState::Running;  // what an interrupted run was doing: running, waiting, undoing
  std::string by;                          // who asked, as proven ("root (uid 0)")
  std::string asker;   // for whom it counts: the name of the person who ordered it, or retried it last
  std::string where;   // where replies go ("command line", "freenet/#ops")
  std::string source;  // spec source as given, e.g. a path or URL; never its text
  std::string plan_digest;
  std::string directory;  // working directory of its workers
  Time started{};
  std::optional<Time> ended;
  std::string error;    // last words, when failed or cancelled
  std::string confirm;  // while confirming: the digest of the code
  std::optional<Time> confirm_until;
  int stages = 0;
  std::vector<StepRecord> steps;  // empty in listings
  int stage_number = 0;           // of the step where it stands, kept with the run so that listings need no steps
  std::string stage, task;
};

struct AttemptRecord {
  std::string run;
  int step = 0, number = 0;
  Time started{};
  std::optional<Time> ended;
  std::optional<Outcome> outcome;  // nothing: under way, or cut short by a crash
  bool not_yet = false;            // exit 75
  int exit_status = 0, signal = 0;
  std::string last_words;
  std::string log;  // blanked lines, bounded
  std::chrono::microseconds cpu_user{0}, cpu_system{0};
  std::int64_t max_rss_kib = 0;
};

// What can be written. Every record is small; those given to one write() become durable together or not at all.
struct RunCreated {
  RunRecord run;
  std::string sealed_clipboard;
};
struct StepsAdded {
  std::string run;
  std::vector<StepRecord> steps;
};  // undo
struct AttemptBegan {
  std::string run;
  int step = 0;
  int number = 0;
  Time at{};
};                     // intent; the step is now Under
struct AttemptEnded {  // outcome
  AttemptRecord attempt;
  StepRecord::State step_state = StepRecord::State::Under;
  int counted = 0;
  std::chrono::milliseconds elapsed{0};  // of the deadline, used up so far, this attempt included
  std::optional<Time> next_at;
  std::optional<std::string> sealed_clipboard;  // checkpoint; nothing: as before
};
struct StepChanged {
  std::string run;
  int step = 0;
  StepRecord::State state{};
  std::string because;
  int counted = 0;
  std::chrono::milliseconds elapsed{0};
};
struct RunChanged {  // the run's own line: state and where it stands
  std::string run;
  RunState state{};
  RunState resume_as = RunState::Running;
  std::string error;
  std::optional<Time> ended;
  int stage_number = 0;
  std::string stage, task;
  std::string confirm;
  std::optional<Time> confirm_until;
  std::optional<std::string> asker = std::nullopt;  // nothing: as before
};
using Record = std::variant<RunCreated, StepsAdded, AttemptBegan, AttemptEnded, StepChanged, RunChanged>;

struct RunFilter {
  std::optional<std::string> host;
  bool unfinished_only = false;
  int limit = 50;  // newest first; 0: all
};

class Journal {
 public:
  virtual ~Journal() = default;

  // Durable when it returns. Blocks for the disk (0.1 to 10 ms). Error(Permanent) when nothing was written: the caller
  // must not go on without a record. Error(Bug) when a record speaks of a run or step that is not there. It may be
  // called again after either. Any thread; writers wait for each other.
  virtual void write(const std::vector<Record>& records) = 0;

  // Upkeep that may take long (10 ms) and that no write should pay for: JournalThread asks and does it between writes.
  virtual bool tidy_due() const { return false; }
  virtual void tidy() {}

  // Reading blocks shortly (own connection, no writer is waited for); the loop's thread only.
  virtual std::vector<RunRecord> runs(const RunFilter& filter) = 0;
  // The fqdns of all hosts with a run whose first label, or whole name, is `name`.
  virtual std::vector<std::string> hosts(const std::string& name) = 0;
  // With steps. `id` may be a unique prefix; one that fits several runs finds nothing.
  virtual std::optional<RunRecord> run(const std::string& id) = 0;
  virtual std::vector<AttemptRecord> attempts(const std::string& run, std::optional<int> step, bool with_logs) = 0;
  // The sealed clipboard after `step` (-1: the first one); nothing when that step left none.
  virtual std::optional<std::string> checkpoint(const std::string& run, int step) = 0;
  // The newest checkpoint of a run with the step it stands after.
  virtual std::optional<std::pair<int, std::string>> newest_checkpoint(const std::string& run) = 0;
  // How long this task took when it succeeded: medians over the last 20 for that provider; nothing before the first.
  virtual std::optional<std::chrono::milliseconds> usual(const std::string& provider, const std::string& task) = 0;

  virtual std::optional<std::string> note(const std::string& name) = 0;  // small facts: key fingerprint, freeze
  virtual void set_note(const std::string& name, const std::string& value) = 0;
};

}  // namespace jarvis::pipeline
