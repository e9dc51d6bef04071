// The journal in one SQLite file: write-ahead log, every write synced, mode 0600. Knows no keys and no processes.
// Owned by main; one jarvis at a time writes (the state directory's lock sees to that), anybody may read the file.
// Format: docs/journal.md. PRAGMA user_version is the number of schema steps applied (journal_sqlite_schema.cc).
//
// Three connections: writes (any thread, one at a time), upkeep, and reads (the loop's thread), so that a status never
// waits for a commit. A locked file is waited for 250 ms, then every write fails at once until one works again.
#pragma once

#include <filesystem>
#include <memory>

#include "pipeline/journal.h"

namespace jarvis::pipeline {

class SqliteJournal : public Journal {
 public:
  // Opens or makes the file, brings an older one up to date. Error(Permanent) naming file and reason when it is no
  // journal, a newer jarvis's, damaged, locked, or cannot be made; nothing is changed then.
  explicit SqliteJournal(const std::filesystem::path& file);
  ~SqliteJournal() override;

  void write(const std::vector<Record>& records) override;
  // The write-ahead log has grown to about 4 MB since it was last moved into the database.
  bool tidy_due() const override;
  void tidy() override;

  std::vector<RunRecord> runs(const RunFilter& filter) override;
  std::vector<std::string> hosts(const std::string& name) override;
  std::optional<RunRecord> run(const std::string& id) override;
  std::vector<AttemptRecord> attempts(const std::string& run, std::optional<int> step, bool with_logs) override;
  std::optional<std::string> checkpoint(const std::string& run, int step) override;
  std::optional<std::pair<int, std::string>> newest_checkpoint(const std::string& run) override;
  std::optional<std::chrono::milliseconds> usual(const std::string& provider, const std::string& task) override;
  std::optional<std::string> note(const std::string& name) override;
  // A write of its own: blocks for the disk, throws as write() does.
  void set_note(const std::string& name, const std::string& value) override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace jarvis::pipeline
