#include "bot/audit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <utility>

#include "bot/log.h"
#include "bot/words.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using pipeline::Error;

namespace {

constexpr const char* kBroken = "unknown";  // no hash: the record that says so follows nothing

pipeline::UniqueFd open_private(const std::filesystem::path& file, int how) {
  pipeline::UniqueFd fd(::open(file.c_str(), how | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) throw pipeline::system_error("the audit log " + file.string());
  return fd;
}

// All of it or nothing: half a record would spoil the next one.
void append(int fd, const std::string& text, const std::filesystem::path& file) {
  const off_t before = ::lseek(fd, 0, SEEK_END);
  const ssize_t n = ::write(fd, text.data(), text.size());
  if (n == static_cast<ssize_t>(text.size())) return;
  const int why = n < 0 ? errno : ENOSPC;
  if (n > 0 && before >= 0) (void)!::ftruncate(fd, before);
  errno = why;
  throw pipeline::system_error("the audit log " + file.string());
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void add(nlohmann::ordered_json& object, const char* key, const std::string& value) {
  if (!value.empty()) object[key] = value;
}

void add(nlohmann::ordered_json& object, const char* key, const std::vector<std::string>& values) {
  if (!values.empty()) object[key] = values;
}

// The last line and the one before it. Read from the end: a log of years must not keep a `status` waiting.
std::pair<std::string, std::string> last_lines(const std::filesystem::path& file) {
  constexpr std::streamoff kChunk = 64 << 10;
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  const std::streamoff size = in.tellg();
  std::string tail;
  for (std::streamoff from = size; from > 0;) {
    const std::streamoff next = std::max<std::streamoff>(0, from - kChunk);
    std::string chunk(static_cast<std::size_t>(from - next), '\0');
    in.seekg(next);
    in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    tail.insert(0, chunk);
    from = next;
    // The end of the line before the last two is in it: both are whole.
    if (std::count(tail.begin(), tail.end(), '\n') > 3) break;
  }
  std::string before, last;
  std::istringstream lines(tail);
  for (std::string line; std::getline(lines, line);) {
    before = std::move(last);
    last = std::move(line);
  }
  return {before, last};
}

}  // namespace

Audit::Audit(const std::filesystem::path& state, const pipeline::Seal& seal)
    : file_(state / "audit.log"),
      head_file_(state / "audit.head"),
      seal_(seal),
      log_(open_private(file_, O_RDWR | O_APPEND)),
      head_(open_private(head_file_, O_RDWR)) {
  const auto [before, last] = last_lines(file_);
  const std::string hash = last.empty() ? "" : pipeline::digest(last);
  last_ = hash;
  char end = '\n';
  const off_t size = ::lseek(log_.get(), 0, SEEK_END);
  if (size > 0 && ::pread(log_.get(), &end, 1, size - 1) == 1 && end != '\n') {
    append(log_.get(), "\n", file_);  // cut short by a crash; it stays, and the next record speaks for it
  }
  const std::string head = contents(head_file_);
  const auto wanted = head_of(hash);
  if (wanted && last.empty() && head.empty()) {
    write_head();  // the first jarvis here: from now on an empty head is none of its own
  } else if (wanted && head != *wanted) {
    // Killed between a record and its head: the head still speaks of the record before. Anything else was not jarvis,
    // and the record that comes next must not make it good.
    const bool one_behind = !last.empty() && head == *head_of(before.empty() ? "" : pipeline::digest(before));
    if (one_behind) write_head();
    if (!one_behind) last_ = kBroken;
  }
}

std::optional<std::string> Audit::head_of(const std::string& hash) const {
  try {
    return audit_head(seal_, hash);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void Audit::write_head() {
  const auto head = head_of(last_);
  if (!head) return;
  if (::pwrite(head_.get(), head->data(), head->size(), 0) != static_cast<ssize_t>(head->size()))
    throw pipeline::system_error("the audit log " + head_file_.string());
}

void Audit::write(const AuditRecord& record, Sync sync) {
  nlohmann::ordered_json object;
  object["at"] = rfc3339(pipeline::now());
  add(object, "who", record.who);
  add(object, "proof", record.proof);
  add(object, "where", record.where);
  object["command"] = record.command;
  add(object, "hosts", record.hosts);
  add(object, "spec", record.spec);
  add(object, "plan", record.plan);
  add(object, "run", record.run);
  add(object, "rule", record.rule);
  add(object, "reason", record.reason);
  add(object, "approvers", record.approvers);
  object["result"] = record.result;
  object["before"] = last_;
  const std::string line = object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  append(log_.get(), line + "\n", file_);
  last_ = pipeline::digest(line);
  write_head();
  if (sync == Sync::Yes && (::fdatasync(log_.get()) != 0 || ::fdatasync(head_.get()) != 0))
    throw pipeline::system_error("the audit log " + file_.string());
  const bool taken = syslog_.write(line);
  if (!taken && !std::exchange(syslog_behind_, true) && std::filesystem::exists("/dev/log"))
    log_warning("syslog does not take the records of the audit log; they are in " + file_.string() + " only");
  if (taken) syslog_behind_ = false;
}

AuditReading Audit::reading() const {
  return {file_, contents(head_file_), seal_};
}

}  // namespace jarvis::bot
