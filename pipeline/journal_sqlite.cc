#include "pipeline/journal_sqlite.h"

#include <atomic>
#include <mutex>

#include "pipeline/journal_sqlite_db.h"
#include "pipeline/journal_sqlite_reader.h"
#include "pipeline/journal_sqlite_schema.h"
#include "pipeline/journal_sqlite_writer.h"

namespace jarvis::pipeline {
namespace {

constexpr int kLogPages = 1000;  // 4 MB

// For the initializer list: what must have happened before a connection may open the file.
const std::filesystem::path& prepared(const std::filesystem::path& file) {
  sqlite::prepare_file(file);
  return file;
}

sqlite::Database& for_writing(sqlite::Database& database) {
  sqlite::prepare_writing(database);
  return database;
}

sqlite::Database& for_reading(sqlite::Database& database) {
  sqlite::prepare_reading(database);
  return database;
}

}  // namespace

struct SqliteJournal::Parts {
  explicit Parts(const std::filesystem::path& file)
      : writing(prepared(file)),
        writer(for_writing(writing)),
        upkeep(file),
        reading(file),
        reader(for_reading(reading)) {
    sqlite3_wal_hook(
        writing.handle(),
        [](void* parts, sqlite3*, const char*, int pages) {
          static_cast<Parts*>(parts)->log_grew(pages);
          return SQLITE_OK;
        },
        this);
    upkeep.execute("PRAGMA synchronous = FULL");
  }

  void log_grew(int pages) {
    if (pages < log_pages) tidy_at = kLogPages;  // it was moved into the database and started anew
    log_pages = pages;
  }

  template <typename Do>
  void in_transaction(Do&& apply) {
    const std::lock_guard lock(write_mutex);
    try {
      sqlite::Transaction transaction(writing, sqlite::Transaction::Intent::Write);
      apply();
      transaction.commit();
    } catch (...) {
      writer.forget();
      writing.patience(std::chrono::milliseconds{0});  // who waits behind us need not wait as well
      impatient = true;
      throw;
    }
    if (impatient) writing.patience(sqlite::kPatience);
    impatient = false;
  }

  std::mutex write_mutex;  // writing, writer, impatient
  sqlite::Database writing;
  sqlite::Writer writer;
  bool impatient = false;
  sqlite::Database upkeep;
  sqlite::Database reading;
  sqlite::Reader reader;
  std::atomic<int> log_pages{0};
  std::atomic<int> tidy_at{kLogPages};
};

SqliteJournal::SqliteJournal(const std::filesystem::path& file) : parts_(std::make_unique<Parts>(file)) {}
SqliteJournal::~SqliteJournal() = default;

void SqliteJournal::write(const std::vector<Record>& records) {
  parts_->in_transaction([&] {
    for (const Record& record : records) parts_->writer.apply(record);
  });
}

void SqliteJournal::set_note(const std::string& name, const std::string& value) {
  parts_->in_transaction([&] { parts_->writer.set_note(name, value); });
}

bool SqliteJournal::tidy_due() const {
  return parts_->log_pages >= parts_->tidy_at;
}

void SqliteJournal::tidy() {
  int pages = 0;
  // A failure (full disk) loses nothing: the log only grows, and the write that finds no room says so. Either way it is
  // not tried again before the log has grown as much once more.
  sqlite3_wal_checkpoint_v2(parts_->upkeep.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, nullptr);
  parts_->tidy_at = parts_->log_pages + kLogPages;
}

std::vector<RunRecord> SqliteJournal::runs(const RunFilter& filter) {
  return parts_->reader.runs(filter);
}
std::optional<RunRecord> SqliteJournal::run(const std::string& id) {
  return parts_->reader.run(id);
}

std::vector<std::string> SqliteJournal::hosts(const std::string& name) {
  return parts_->reader.hosts(name);
}

std::vector<AttemptRecord> SqliteJournal::attempts(const std::string& run, std::optional<int> step, bool with_logs) {
  return parts_->reader.attempts(run, step, with_logs);
}

std::optional<std::string> SqliteJournal::checkpoint(const std::string& run, int step) {
  return parts_->reader.checkpoint(run, step);
}

std::optional<std::pair<int, std::string>> SqliteJournal::newest_checkpoint(const std::string& run) {
  return parts_->reader.newest_checkpoint(run);
}

std::optional<std::chrono::milliseconds> SqliteJournal::usual(const std::string& provider, const std::string& task) {
  return parts_->reader.usual(provider, task);
}

std::optional<std::string> SqliteJournal::note(const std::string& name) {
  return parts_->reader.note(name);
}

}  // namespace jarvis::pipeline
