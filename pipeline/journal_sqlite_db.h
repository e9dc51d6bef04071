// A thin skin over SQLite's C interface: a connection, a prepared statement, a row. Used by the journal_sqlite files
// only. Not safe for two threads at once. Every failure is an Error that names the file, what was being done, SQLite's
// reason and the next step; kind Permanent for what the world does (disk, locks, damage), Bug for what jarvis does
// wrong.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "pipeline/error.h"
#include "pipeline/journal.h"

namespace jarvis::pipeline::sqlite {

class Database {
 public:
  explicit Database(const std::filesystem::path& file);
  ~Database() { sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const char* sql);
  // What the last failed call says.
  Error error(std::string_view doing) const;
  // How long a locked file is waited for.
  void patience(std::chrono::milliseconds time) { sqlite3_busy_timeout(handle_, static_cast<int>(time.count())); }

  sqlite3* handle() const { return handle_; }
  const std::string& file() const { return file_; }

 private:
  sqlite3* handle_ = nullptr;
  std::string file_;
};

struct Blob {
  std::string_view bytes;
};

// The columns of the row a statement stands at, read from left to right.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  std::int64_t number() { return sqlite3_column_int64(statement_, column_++); }
  int integer() { return static_cast<int>(number()); }
  bool flag() { return number() != 0; }
  std::string text();
  std::string blob();
  std::chrono::milliseconds milliseconds() { return std::chrono::milliseconds{number()}; }
  std::chrono::microseconds microseconds() { return std::chrono::microseconds{number()}; }
  Time time() { return Time{std::chrono::microseconds{number()}}; }
  bool null() const { return sqlite3_column_type(statement_, column_) == SQLITE_NULL; }
  void skip() { ++column_; }
  std::optional<Time> optional_time();
  std::optional<int> optional_integer();

 private:
  sqlite3_stmt* statement_;
  int column_ = 0;
};

class Statement {
 public:
  Statement(Database& database, const char* sql);
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Binds the values to ?1, ?2 ... and runs to the end. Returns how many rows were changed.
  template <typename... Values>
  int run(const Values&... values) {
    each([](Row&) {}, values...);
    return sqlite3_changes(sqlite3_db_handle(statement_));
  }

  // Binds, and calls use(row) for every row.
  template <typename Use, typename... Values>
  void each(Use&& use, const Values&... values) {
    const Reset reset{statement_};
    int index = 0;
    (bind(++index, values), ...);
    while (step()) {
      Row row(statement_);
      use(row);
    }
  }

 private:
  // A statement that is not reset keeps its snapshot, and the write-ahead log could never start anew.
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() { sqlite3_reset(statement); }
  };

  bool step();
  void check(int result);
  // Text is bound without a copy: the values outlive the call they are given to.
  void bind(int index, std::string_view text);
  void bind(int index, const std::string& text) { bind(index, std::string_view{text}); }
  void bind(int index, const char* text) { bind(index, std::string_view{text}); }
  void bind(int index, Blob blob);
  void bind(int index, Time time);
  void bind(int index, std::chrono::milliseconds time) { check(sqlite3_bind_int64(statement_, index, time.count())); }
  void bind(int index, std::chrono::microseconds time) { check(sqlite3_bind_int64(statement_, index, time.count())); }
  template <typename Number, typename = std::enable_if_t<std::is_integral_v<Number>>>
  void bind(int index, Number number) {
    check(sqlite3_bind_int64(statement_, index, static_cast<sqlite3_int64>(number)));
  }
  template <typename Value>
  void bind(int index, const std::optional<Value>& value) {
    if (value) {
      bind(index, *value);
    } else {
      check(sqlite3_bind_null(statement_, index));
    }
  }

  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

// BEGIN to COMMIT; everything is taken back unless commit() returned.
class Transaction {
 public:
  enum class Intent { Read, Write };
  Transaction(Database& database, Intent intent);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
};

}  // namespace jarvis::pipeline::sqlite
