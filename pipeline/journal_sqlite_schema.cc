#include "pipeline/journal_sqlite_schema.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace jarvis::pipeline::sqlite {
namespace {

constexpr int kApplication = 0x6a727673;  // "jrvs"

// Step n brings a journal of version n to n + 1. A step that was released is never edited: journals were made by it.
//
// A commit costs by the page, so: rows refer to a run by its seq, what changes often (step, attempt) stands apart from
// what was planned (plan_step), and a checkpoint is found through its step (or run, for the first), not by an index.
constexpr std::array<const char*, 3> kSchema{R"sql(
CREATE TABLE run (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  host TEXT NOT NULL, operation TEXT NOT NULL, provider TEXT NOT NULL,
  state TEXT NOT NULL, resume_as TEXT NOT NULL,
  "by" TEXT NOT NULL, place TEXT NOT NULL, source TEXT NOT NULL, plan_digest TEXT NOT NULL, directory TEXT NOT NULL,
  started INTEGER NOT NULL, ended INTEGER, error TEXT NOT NULL, confirm TEXT NOT NULL, confirm_until INTEGER,
  stages INTEGER NOT NULL, stage_number INTEGER NOT NULL, stage TEXT NOT NULL, task TEXT NOT NULL,
  checkpoint INTEGER
) STRICT;
CREATE INDEX run_host ON run (host);
CREATE INDEX run_unfinished ON run (seq) WHERE state NOT IN ('succeeded', 'failed', 'cancelled');

CREATE TABLE plan_step (
  run INTEGER NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL,
  task TEXT NOT NULL, stage TEXT NOT NULL, stage_number INTEGER NOT NULL, family TEXT NOT NULL, executable TEXT NOT NULL,
  needs TEXT NOT NULL, gives TEXT NOT NULL, timeout INTEGER NOT NULL, grace INTEGER NOT NULL,
  attempts INTEGER NOT NULL, delay INTEGER NOT NULL, max_delay INTEGER NOT NULL, deadline INTEGER NOT NULL,
  after_timeout INTEGER NOT NULL, after_failure INTEGER NOT NULL,
  destroys INTEGER NOT NULL, plan_mode INTEGER NOT NULL, undo TEXT NOT NULL, undoes INTEGER,
  PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE step (
  run INTEGER NOT NULL, number INTEGER NOT NULL,
  state TEXT NOT NULL, counted INTEGER NOT NULL, tries INTEGER NOT NULL, elapsed INTEGER NOT NULL, next_at INTEGER,
  skipped_because TEXT NOT NULL, checkpoint INTEGER,
  PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
  run INTEGER NOT NULL, step INTEGER NOT NULL, number INTEGER NOT NULL,
  started INTEGER NOT NULL, ended INTEGER, outcome TEXT, not_yet INTEGER NOT NULL DEFAULT 0,
  exit_status INTEGER NOT NULL DEFAULT 0, signal INTEGER NOT NULL DEFAULT 0, last_words TEXT NOT NULL DEFAULT '',
  cpu_user INTEGER NOT NULL DEFAULT 0, cpu_system INTEGER NOT NULL DEFAULT 0, max_rss_kib INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (run, step, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
  run INTEGER NOT NULL, step INTEGER NOT NULL, attempt INTEGER NOT NULL, lines TEXT NOT NULL,
  PRIMARY KEY (run, step, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
  seq INTEGER PRIMARY KEY, run INTEGER NOT NULL, step INTEGER NOT NULL, sealed BLOB NOT NULL
) STRICT;

CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
)sql",
                                             R"sql(
CREATE TABLE took (
  provider TEXT NOT NULL, task TEXT NOT NULL, at INTEGER NOT NULL, elapsed INTEGER NOT NULL,
  PRIMARY KEY (provider, task, at)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO took
  SELECT run.provider, plan_step.task, attempt.ended, max(step.elapsed, (attempt.ended - attempt.started) / 1000)
  FROM attempt
  JOIN run ON run.seq = attempt.run
  JOIN plan_step ON plan_step.run = attempt.run AND plan_step.number = attempt.step
  JOIN step ON step.run = attempt.run AND step.number = attempt.step
  WHERE attempt.outcome = 'succeeded' AND NOT plan_step.plan_mode AND attempt.ended IS NOT NULL;
)sql",
                                             // For whom a run counts; of older ones in flight what stood before "(...".
                                             R"sql(
ALTER TABLE run ADD COLUMN asker TEXT NOT NULL DEFAULT '';
UPDATE run SET asker = CASE instr("by", ' (') WHEN 0 THEN "by" ELSE substr("by", 1, instr("by", ' (') - 1) END
  WHERE state NOT IN ('succeeded', 'failed', 'cancelled');
)sql"};

int number_of(Database& database, const char* sql) {
  int number = 0;
  Statement(database, sql).each([&](Row& row) { number = row.integer(); });
  return number;
}

void sync_directory(const std::filesystem::path& file) {
  const std::filesystem::path parent = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const int directory = open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) throw system_error("journal " + file.string() + ": cannot open its directory");
  const int failed = fsync(directory) != 0 ? errno : 0;
  close(directory);
  if (failed != 0) throw system_error("journal " + file.string() + ": cannot sync its directory", failed);
}

// The version of the journal, 0 for an empty file.
int check_owner(Database& database) {
  const int version = number_of(database, "PRAGMA user_version");
  const int application = number_of(database, "PRAGMA application_id");
  const bool empty = number_of(database, "SELECT count(*) FROM sqlite_schema") == 0;
  if (version == 0 && empty) return 0;
  const std::string name = "journal " + database.file();
  if (application != kApplication || version < 1) {
    throw Error(Kind::Permanent, name + ": is a database, but not a jarvis journal; name another state directory");
  }
  if (version > static_cast<int>(kSchema.size())) {
    throw Error(Kind::Permanent, name + ": has version " + std::to_string(version) +
                                     ", this jarvis reads up to version " + std::to_string(kSchema.size()) +
                                     "; start the newer jarvis that made it");
  }
  return version;
}

}  // namespace

void prepare_file(const std::filesystem::path& file) {
  // Made here, not by SQLite, which would use the umask; it gives -wal and -shm the rights of the file.
  const int made = open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made >= 0) {
    close(made);
    sync_directory(file);
    return;
  }
  if (errno != EEXIST) throw system_error("journal " + file.string() + ": cannot create");
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const std::string name = file.string() + suffix;
    struct stat status {};
    if (stat(name.c_str(), &status) != 0 || (status.st_mode & 077U) == 0) continue;
    if (chmod(name.c_str(), 0600) != 0)
      throw system_error("journal " + name + ": others may read it, cannot change that");
  }
}

void prepare_writing(Database& database) {
  database.patience(kPatience);
  check_owner(database);  // before anything is changed
  database.execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY");
  std::string mode;
  Statement(database, "PRAGMA journal_mode = WAL").each([&](Row& row) { mode = row.text(); });
  if (mode != "wal") {
    throw Error(Kind::Permanent, "journal " + database.file() + ": its file system has no shared memory for a " +
                                     "write-ahead log; put the state directory on a local disk");
  }
  database.execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0");

  Transaction transaction(database, Transaction::Intent::Write);
  const auto version = static_cast<std::size_t>(check_owner(database));
  if (version == kSchema.size()) return;
  for (std::size_t step = version; step < kSchema.size(); ++step) database.execute(kSchema.at(step));
  database.execute(("PRAGMA application_id = " + std::to_string(kApplication) +
                    "; PRAGMA user_version = " + std::to_string(kSchema.size()))
                       .c_str());
  transaction.commit();
  // A journal that lost its log must not look like an empty file to the next one who opens it.
  database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

void prepare_reading(Database& database) {
  database.patience(kPatience);
  database.execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA query_only = ON");
}

}  // namespace jarvis::pipeline::sqlite
