#include "pipeline/journal_sqlite_db.h"

#include <cstring>

namespace jarvis::pipeline::sqlite {
namespace {

std::string next_step(int code, int system_errno, const std::string& file) {
  std::string system = system_errno != 0 ? std::string(" (") + std::strerror(system_errno) + ")" : std::string();
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "; another program is writing to it: end that, then it goes on";
    case SQLITE_FULL:
      return "; make room on its file system, then it goes on";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "; nothing was deleted: keep a copy, put a backup back, or try: sqlite3 " + file + " .recover";
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return system + "; see that its directory can be written and its disk is sound";
    default:
      return system;
  }
}

bool is_our_fault(int code) {
  switch (code & 0xff) {
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return true;
    default:
      return false;
  }
}

}  // namespace

Database::Database(const std::filesystem::path& file) : file_(file.string()) {
  constexpr int kHow = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(file_.c_str(), &handle_, kHow, nullptr) != SQLITE_OK) {
    const Error failed = error("cannot open");
    sqlite3_close(handle_);
    throw failed;
  }
}

void Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) throw error("cannot run " + std::string(sql));
}

Error Database::error(std::string_view doing) const {
  const int code = sqlite3_extended_errcode(handle_);
  return {is_our_fault(code) ? Kind::Bug : Kind::Permanent, "journal " + file_ + ": " + std::string(doing) + ": " +
                                                                sqlite3_errmsg(handle_) +
                                                                next_step(code, sqlite3_system_errno(handle_), file_)};
}

std::string Row::text() {
  const auto* const start = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column_));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_));
  ++column_;
  return start == nullptr ? std::string() : std::string(start, size);
}

std::string Row::blob() {
  const auto* const start = static_cast<const char*>(sqlite3_column_blob(statement_, column_));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_));
  ++column_;
  return start == nullptr ? std::string() : std::string(start, size);
}

std::optional<Time> Row::optional_time() {
  const bool none = null();
  const Time value = time();
  return none ? std::nullopt : std::optional<Time>(value);
}

std::optional<int> Row::optional_integer() {
  const bool none = null();
  const int value = integer();
  return none ? std::nullopt : std::optional<int>(value);
}

Statement::Statement(Database& database, const char* sql) : database_(database) {
  if (sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) != SQLITE_OK) {
    throw database.error("cannot prepare " + std::string(sql));
  }
}

bool Statement::step() {
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      throw database_.error(sqlite3_stmt_readonly(statement_) != 0 ? "cannot read" : "cannot write");
  }
}

void Statement::check(int result) {
  if (result != SQLITE_OK) throw database_.error("cannot bind a value");
}

void Statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL.
  const char* const start = text.data() == nullptr ? "" : text.data();
  check(sqlite3_bind_text64(statement_, index, start, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind(int index, Blob blob) {
  check(sqlite3_bind_blob64(statement_, index, blob.bytes.data(), blob.bytes.size(), SQLITE_STATIC));
}

void Statement::bind(int index, Time time) {
  bind(index, std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()));
}

Transaction::Transaction(Database& database, Intent intent) : database_(database) {
  // Immediate: a lock held by others is met here, before anything was done, and never at the commit.
  database_.execute(intent == Intent::Write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  // SQLite has taken it back by itself after some errors (a full disk).
  if (sqlite3_get_autocommit(database_.handle()) == 0) {
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
}

}  // namespace jarvis::pipeline::sqlite
