#include "providers/local_state.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "pipeline/error.h"

namespace jarvis::providers {

namespace {

using pipeline::Error;
using pipeline::Kind;
using pipeline::system_error;

struct LocalPowerName {
  LocalPower power;
  const char* name;
};
constexpr LocalPowerName kPowers[] = {
    {LocalPower::Off, "off"}, {LocalPower::Starting, "starting"}, {LocalPower::Ready, "ready"}};

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

std::optional<Process> process_of(pid_t pid) {
  std::optional<std::string> stat;
  try {
    stat = read_small(AT_FDCWD, "/proc/" + std::to_string(pid) + "/stat");
  } catch (const Error&) {
    return std::nullopt;  // ended while it was read
  }
  if (!stat) return std::nullopt;
  // The name in brackets may hold anything; the 22nd field is the 20th behind it.
  std::size_t at = stat->rfind(')');
  for (int field = 0; field < 20 && at != std::string::npos; ++field) at = stat->find(' ', at + 1);
  if (at == std::string::npos) return std::nullopt;
  return Process{pid, std::strtoull(stat->c_str() + at, nullptr, 10)};
}

std::string text_of(const Process& process) {
  return std::to_string(process.pid) + " " + std::to_string(process.start);
}

std::optional<Process> parse_process(std::string_view text) {
  Process process;
  const char* end = text.data() + text.size();
  const auto pid = std::from_chars(text.data(), end, process.pid);
  if (pid.ec != std::errc() || pid.ptr == end || process.pid <= 0) return std::nullopt;
  if (std::from_chars(pid.ptr + 1, end, process.start).ec != std::errc()) return std::nullopt;
  return process;
}

Descriptor open_process(const Process& process) {
  if (process.pid <= 0) return Descriptor();
  Descriptor opened(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  const std::optional<Process> now = process_of(process.pid);
  if (!opened || !now || now->start != process.start) return Descriptor();
  return opened;
}

std::string HostState::text() const {
  std::string made;
  for (const LocalPowerName& one : kPowers) {
    if (one.power == power) made = std::string("state: ") + one.name + "\n";
  }
  made += "boot_id: " + boot_id + "\ninit: " + text_of(init) + "\n";
  std::string line = why.substr(0, 1000);
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  return made + "why: " + line + "\n";
}

HostState HostState::parse(std::string_view text) {
  HostState state;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 2);
    if (key == "boot_id") state.boot_id = value;
    if (key == "why") state.why = value;
    if (key == "init") state.init = parse_process(value).value_or(Process{});
    for (const LocalPowerName& one : kPowers) {
      if (key == "state" && value == one.name) state.power = one.power;
    }
  }
  return state;
}

HostState read_state(int directory) {
  return HostState::parse(read_small(directory, "state").value_or(""));
}

void write_state(int directory, const HostState& state) {
  replace_file(directory, "state", state.text(), false);
}

std::optional<pid_t> supervisor_of(int directory) {
  const Descriptor file(::openat(directory, kSupervisorFile, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return std::nullopt;
    throw system_error("opening the file `supervisor`");
  }
  struct flock lock = whole_file();
  if (::fcntl(file.get(), F_GETLK, &lock) != 0) throw system_error("asking who supervises");
  if (lock.l_type == F_UNLCK) return std::nullopt;
  if (lock.l_pid <= 0)
    throw Error(Kind::Refused, "its supervisor runs in a pid namespace that cannot be seen from here");
  return lock.l_pid;
}

Descriptor lock_supervisor(int directory) {
  Descriptor file(::openat(directory, kSupervisorFile, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return file;
    throw system_error("opening the file `supervisor`");
  }
  struct flock lock = whole_file();
  if (::fcntl(file.get(), F_SETLK, &lock) != 0) {
    if (errno == EACCES || errno == EAGAIN) return Descriptor();
    throw system_error("locking the file `supervisor`");
  }
  struct stat state {};
  if (::fstat(file.get(), &state) != 0 || state.st_nlink == 0) return Descriptor();
  return file;
}

}  // namespace jarvis::providers
