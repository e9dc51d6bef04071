// A journal that is only looked at: for who wants to know where everything stands while the disk is full or read-only,
// when SQLite's shared memory cannot be made and SqliteJournal cannot open. One connection that writes nothing, not
// even beside the file. The state directory's lock must be held: nobody else may have the journal open. Loop's thread.
#pragma once

#include "pipeline/journal_sqlite_db.h"
#include "pipeline/journal_sqlite_reader.h"

namespace jarvis::pipeline {

class LookOnlyJournal : public Journal {
 public:
  // Error(Permanent) as SqliteJournal's; `why` is what kept that one from opening, said again when somebody writes.
  LookOnlyJournal(const std::filesystem::path& file, std::string why);

  // Both throw Error(Permanent), always.
  void write(const std::vector<Record>& records) override;
  void set_note(const std::string& name, const std::string& value) override;

  std::vector<RunRecord> runs(const RunFilter& filter) override { return reader_.runs(filter); }
  std::vector<std::string> hosts(const std::string& name) override { return reader_.hosts(name); }
  std::optional<RunRecord> run(const std::string& id) override { return reader_.run(id); }
  std::vector<AttemptRecord> attempts(const std::string& run, std::optional<int> step, bool with_logs) override {
    return reader_.attempts(run, step, with_logs);
  }
  std::optional<std::string> checkpoint(const std::string& run, int step) override {
    return reader_.checkpoint(run, step);
  }
  std::optional<std::pair<int, std::string>> newest_checkpoint(const std::string& run) override {
    return reader_.newest_checkpoint(run);
  }
  std::optional<std::chrono::milliseconds> usual(const std::string& provider, const std::string& task) override {
    return reader_.usual(provider, task);
  }
  std::optional<std::string> note(const std::string& name) override { return reader_.note(name); }

 private:
  std::string why_;
  sqlite::Database database_;
  sqlite::Reader reader_;
};

}  // namespace jarvis::pipeline
