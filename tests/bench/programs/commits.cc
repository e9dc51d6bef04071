// The floor of a durable record: SQLite as jarvis's journal uses it (WAL, synchronous FULL), one table, one row of 4
// KB.
//
//   commits FILE ROWS ROWS_PER_COMMIT
//
// Prints the microseconds for all rows. The write-ahead log is folded back outside the measured time, as the journal
// does.
#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

sqlite3* database = nullptr;

void must(int result, const char* doing) {
  if (result == SQLITE_OK || result == SQLITE_DONE) return;
  std::fprintf(stderr, "%s: %s\n", doing, sqlite3_errmsg(database));
  std::exit(1);
}

void execute(const char* sql) {
  must(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), sql);
}

}  // namespace

int main(int argc, char** argv) {
  const int rows = argc == 4 ? std::atoi(argv[2]) : 0;
  const int batch = argc == 4 ? std::atoi(argv[3]) : 0;
  if (rows < 1 || batch < 1) {
    std::fprintf(stderr, "usage: commits FILE ROWS ROWS_PER_COMMIT\n");
    return 2;
  }
  must(sqlite3_open(argv[1], &database), "open");
  execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0");
  execute("CREATE TABLE IF NOT EXISTS checkpoint (seq INTEGER PRIMARY KEY, sealed BLOB NOT NULL)");
  execute("DELETE FROM checkpoint");
  execute("PRAGMA wal_checkpoint(TRUNCATE)");
  sqlite3_stmt* insert = nullptr;
  must(sqlite3_prepare_v2(database, "INSERT INTO checkpoint (sealed) VALUES (?)", -1, &insert, nullptr), "prepare");
  const std::string clipboard(4096, 'x');
  const auto began = std::chrono::steady_clock::now();
  for (int done = 0; done < rows;) {
    execute("BEGIN IMMEDIATE");
    for (int i = 0; i < batch && done < rows; ++i, ++done) {
      must(sqlite3_bind_blob(insert, 1, clipboard.data(), static_cast<int>(clipboard.size()), SQLITE_STATIC), "bind");
      must(sqlite3_step(insert), "insert");
      must(sqlite3_reset(insert), "reset");
    }
    execute("COMMIT");
  }
  const auto took = std::chrono::steady_clock::now() - began;
  sqlite3_finalize(insert);
  must(sqlite3_close(database), "close");
  std::printf("%lld\n", static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
}
