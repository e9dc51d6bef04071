#include "bot/audit_reading.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "pipeline/error.h"

namespace jarvis::bot {

using pipeline::Error;

namespace {

constexpr std::size_t kPiece = 1U << 20U;

// What stands between two places of the file; less when it is shorter by now.
std::string piece_of(int fd, std::uint64_t from, std::size_t bytes, const std::filesystem::path& file) {
  std::string text(bytes, '\0');
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t n = ::pread(fd, text.data() + got, bytes - got, static_cast<off_t>(from + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw pipeline::system_error("reading the audit log " + file.string());
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  text.resize(got);
  return text;
}

}  // namespace

std::string audit_head(const pipeline::Seal& seal, const std::string& hash) {
  constexpr int kLength = 40;
  return seal.code("audit " + hash, kLength);
}

AuditReading::AuditReading(const std::filesystem::path& file, std::string head, const pipeline::Seal& seal)
    : file_(file), head_(std::move(head)), seal_(seal), log_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat about {};
  if (!log_ || ::fstat(log_.get(), &about) != 0) throw pipeline::system_error("the audit log " + file.string());
  size_ = static_cast<std::uint64_t>(about.st_size);
}

AuditReading::Verified AuditReading::verify(
    const std::function<void(const nlohmann::json&, std::uint64_t at)>& each) const {
  Verified made;
  std::string expected, hash;
  const auto found = [&](const std::string& what) {
    if (made.fault.empty()) made.fault = what;
  };
  const auto take = [&](const std::string& line, std::uint64_t at) {
    ++made.records;
    const std::string which = "record " + std::to_string(made.records) + " of " + file_.string();
    const auto object = nlohmann::json::parse(line, nullptr, false);
    hash = pipeline::digest(line);
    if (object.is_object()) {
      const auto said = object.find("before");
      if (said == object.end() || *said != expected)
        found(which + " does not follow the one before: one of the two was changed, or one between them is missing");
      try {
        each(object, at);
      } catch (const nlohmann::json::exception& e) {  // a field of another type than jarvis writes
        found(which + " was changed: " + e.what());
      }
    }
    expected = hash;
  };
  std::string rest;  // of a line whose end is in the next piece
  for (std::uint64_t from = 0; from < size_;) {
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, size_ - from));
    const std::string piece = piece_of(log_.get(), from, bytes, file_);
    if (piece.empty()) break;  // cut short meanwhile: the head will tell
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = piece.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const std::uint64_t at = from + begin - rest.size();
      take(rest + piece.substr(begin, end - begin), at);
      rest.clear();
    }
    rest += piece.substr(begin);
    from += piece.size();
  }
  if (!rest.empty()) take(rest, size_ - rest.size());
  std::string head;
  try {
    head = audit_head(seal_, hash);
  } catch (const Error& e) {
    found("the end of " + file_.string() + " cannot be verified: " + e.what());
  }
  if (head != head_) found("the last record of " + file_.string() + " was changed, or records at its end are missing");
  return made;
}

nlohmann::json AuditReading::record_at(std::uint64_t at) const {
  std::string line;
  for (std::size_t bytes = 4096;; bytes *= 8) {
    line = piece_of(log_.get(), at, bytes, file_);
    const std::size_t end = line.find('\n');
    if (end != std::string::npos) line.resize(end);
    if (end != std::string::npos || line.size() < bytes) break;
  }
  auto object = nlohmann::json::parse(line, nullptr, false);
  return object.is_object() ? object : nlohmann::json();
}

}  // namespace jarvis::bot
