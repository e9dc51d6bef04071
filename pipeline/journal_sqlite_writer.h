// Puts records into the tables of a SqliteJournal. Knows nothing of transactions: the journal wraps one around.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "pipeline/journal.h"
#include "pipeline/journal_sqlite_db.h"

namespace jarvis::pipeline::sqlite {

class Writer {
 public:
  explicit Writer(Database& database);

  // Error(Bug) when the record speaks of a run or step that is not there.
  void apply(const Record& record);
  void set_note(const std::string& name, const std::string& value);
  // The transaction was taken back: forget what was learned in it.
  void forget();

 private:
  void put(const RunCreated& created);
  void put(const StepsAdded& added);
  void put(const AttemptBegan& began);
  void put(const AttemptEnded& ended);
  void put(const StepChanged& changed);
  void put(const RunChanged& changed);
  void add_step(std::int64_t run, const StepRecord& step);
  // Its seq: who keeps it finds the checkpoint again.
  std::int64_t add_checkpoint(std::int64_t run, int step, const std::string& sealed);
  void remember_duration(std::int64_t run, const AttemptEnded& ended);
  std::int64_t seq_of(const std::string& run);

  Database& database_;
  std::pair<std::string, std::int64_t> last_run_;  // most writes speak of one run only
  Statement find_run_, add_run_, move_run_, change_run_, set_asker_, add_plan_step_, add_step_, begin_step_, end_step_,
      change_step_;
  Statement begin_attempt_, end_attempt_, add_log_, add_checkpoint_, set_first_checkpoint_, find_task_, add_took_,
      set_note_;
};

}  // namespace jarvis::pipeline::sqlite
