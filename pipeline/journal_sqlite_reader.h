// Reads records back from the tables of a SqliteJournal. A word it does not know is an Error(Permanent) that names
// file, run and word: a damaged or foreign row is never taken for something else.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/journal.h"
#include "pipeline/journal_sqlite_db.h"

namespace jarvis::pipeline::sqlite {

class Reader {
 public:
  explicit Reader(Database& database);

  std::vector<RunRecord> runs(const RunFilter& filter);
  std::vector<std::string> hosts(const std::string& name);
  std::optional<RunRecord> run(const std::string& id);
  std::vector<AttemptRecord> attempts(const std::string& run, std::optional<int> step, bool with_logs);
  std::optional<std::string> checkpoint(const std::string& run, int step);
  std::optional<std::pair<int, std::string>> newest_checkpoint(const std::string& run);
  std::optional<std::chrono::milliseconds> usual(const std::string& provider, const std::string& task);
  std::optional<std::string> note(const std::string& name);

 private:
  RunRecord run_from(Row& row) const;
  StepRecord step_from(Row& row, const std::string& run) const;
  Error unknown_word(const std::string& run, const std::string& word) const;

  Database& database_;
  Statement runs_, host_runs_, open_runs_, open_host_runs_, hosts_, run_, prefixed_, steps_;
  Statement attempts_, attempts_with_logs_, checkpoint_, first_checkpoint_, newest_checkpoint_, took_, note_;
};

}  // namespace jarvis::pipeline::sqlite
