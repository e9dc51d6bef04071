// The file of a SqliteJournal: making it, checking whose it is, bringing an older one up to date. Never deletes
// anything.
#pragma once

#include <filesystem>

#include "pipeline/journal_sqlite_db.h"

namespace jarvis::pipeline::sqlite {

inline constexpr std::chrono::milliseconds kPatience{250};

// Makes an empty file (mode 0600, its directory synced) if there is none, and takes rights from a file others may read.
void prepare_file(const std::filesystem::path& file);

// Sets a connection up for one who writes; applies what is missing of the schema in one transaction.
// Error(Permanent) for a journal of a newer jarvis (names both versions) and for a database that is no journal.
void prepare_writing(Database& database);
void prepare_reading(Database& database);

}  // namespace jarvis::pipeline::sqlite
