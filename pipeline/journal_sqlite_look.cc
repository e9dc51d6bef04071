#include "pipeline/journal_sqlite_look.h"

#include "pipeline/journal_sqlite_schema.h"

namespace jarvis::pipeline {
namespace {

sqlite::Database& for_looking(sqlite::Database& database) {
  // In exclusive mode the index of the write-ahead log is kept in memory instead of in a file beside it
  // (sqlite.org/wal.html, "Use of WAL without shared-memory"); moving the log into the database at the end would write.
  database.execute("PRAGMA locking_mode = EXCLUSIVE");
  sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite::prepare_reading(database);
  return database;
}

}  // namespace

LookOnlyJournal::LookOnlyJournal(const std::filesystem::path& file, std::string why)
    : why_(std::move(why)), database_(file), reader_(for_looking(database_)) {}

void LookOnlyJournal::write(const std::vector<Record>& /*records*/) {
  throw Error(Kind::Permanent, why_);
}

void LookOnlyJournal::set_note(const std::string& /*name*/, const std::string& /*value*/) {
  throw Error(Kind::Permanent, why_);
}

}  // namespace jarvis::pipeline
