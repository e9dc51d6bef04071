#include "providers/local_control.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>

#include "pipeline/error.h"
#include "providers/local_files.h"
#include "providers/local_flavour.h"
#include "providers/local_namespaces.h"
#include "providers/local_program.h"
#include "providers/local_state.h"
#include "providers/local_supervisor.h"

namespace jarvis::providers {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using pipeline::Error;
using pipeline::Kind;
using pipeline::system_error;

constexpr auto kDeadline = 60s;
constexpr auto kPolite = 15s;

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

// True when it ended in time.
bool wait_for_end(const Descriptor& process, Clock::duration patience) {
  const Clock::time_point deadline = Clock::now() + patience;
  for (;;) {
    pollfd ended{process.get(), POLLIN, 0};
    const int found = ::poll(&ended, 1, milliseconds_until(deadline));
    if (found > 0) return true;
    if (found == 0) return false;
    if (errno != EINTR) throw system_error("waiting for a process");
  }
}

void send(const Descriptor& process, int signal) {
  if (::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) != 0 && errno != ESRCH) {
    throw system_error("signalling a process");
  }
}

// The supervisor as it is now; empty if there is none.
Descriptor open_supervisor(int directory) {
  for (int round = 0; round < 10; ++round) {
    const std::optional<pid_t> pid = supervisor_of(directory);
    if (!pid) return Descriptor();
    const std::optional<Process> process = process_of(*pid);
    Descriptor opened = process ? open_process(*process) : Descriptor();
    // Asked again, so that the descriptor is the lock's holder and not a later owner of its pid.
    if (opened && supervisor_of(directory) == pid) return opened;
  }
  throw Error(Kind::Transient, "the host's supervisor changes all the time");
}

// Waits until the host answers under a boot_id that is not `old`.
StartResult wait_until_ready(int directory, const std::string& old) {
  const Clock::time_point deadline = Clock::now() + kDeadline;
  const Descriptor changes(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::string path = "/proc/self/fd/" + std::to_string(directory) + "/.";
  if (!changes || ::inotify_add_watch(changes.get(), path.c_str(), IN_MOVED_TO) < 0) {
    throw system_error("watching the host's state (fs.inotify.max_user_instances?)");
  }
  for (;;) {
    const Descriptor supervisor = open_supervisor(directory);
    const HostState state = read_state(directory);
    if (state.power == LocalPower::Ready && state.boot_id != old && supervisor) return {};
    if (!supervisor) return {Started::Failed, state.why.empty() ? "it went off" : state.why};
    pollfd events[] = {{changes.get(), POLLIN, 0}, {supervisor.get(), POLLIN, 0}};
    const int found = ::poll(events, 2, milliseconds_until(deadline));
    if (found == 0) return {Started::Failed, "it was not ready within 60 s"};
    if (found < 0 && errno != EINTR) throw system_error("waiting for the host");
    char buffer[4096];
    while (::read(changes.get(), buffer, sizeof buffer) > 0) {
    }
  }
}

// The first line of a new supervisor, or what it died with.
std::string first_line(int report, pid_t supervisor) {
  const Clock::time_point deadline = Clock::now() + kDeadline;
  std::string text;
  for (;;) {
    pollfd readable{report, POLLIN, 0};
    const int found = ::poll(&readable, 1, milliseconds_until(deadline));
    if (found == 0) {
      ::kill(supervisor, SIGKILL);
      return kFailed + std::string("its supervisor said nothing for 60 s");
    }
    char buffer[1024];
    const ssize_t n = found < 0 ? -1 : ::read(report, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error("reading from the supervisor");
    text.append(buffer, static_cast<std::size_t>(n));
    const std::size_t end = text.find('\n');
    if (end != std::string::npos) return text.substr(0, end);
    if (n == 0) return kFailed + std::string("its supervisor ended without a word");
  }
}

int run_in_user_namespace(Wanted wanted, const std::function<void()>& life, std::string& words) {
  Pipe voice = make_pipe();
  const pid_t child = clone_into(wanted, voice.write.get(), life);
  voice.write.reset();
  char buffer[4096];
  ssize_t n = 0;
  while ((n = ::read(voice.read.get(), buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
    if (n > 0) words.append(buffer, static_cast<std::size_t>(n));
  }
  while (!words.empty() && words.back() == '\n') words.pop_back();
  const std::string prefix = "jarvis-local: ";
  if (words.starts_with(prefix)) words.erase(0, prefix.size());
  return wait_for(child);
}

}  // namespace

StartResult start_host(const std::string& host_directory, const std::string& title) {
  Pipe report = make_pipe();
  const pid_t supervisor =
      start_program({title, "--supervise", host_directory}, {report.write.get(), true, "/proc/self/exe"});
  report.write.reset();
  const std::string line = first_line(report.read.get(), supervisor);
  if (line == kReady) return {};
  wait_for(supervisor);
  if (line == kOther) {
    const Descriptor directory = open_directory(AT_FDCWD, host_directory);
    if (!directory) return {Started::Failed, "its directory is gone"};
    return wait_until_ready(directory.get(), "");
  }
  const std::string busy = kBusy;
  const std::string failed = kFailed;
  if (line.starts_with(busy)) return {Started::Busy, line.substr(busy.size())};
  return {Started::Failed, line.starts_with(failed) ? line.substr(failed.size()) : line};
}

void stop_host(int directory) {
  const Descriptor supervisor = open_supervisor(directory);
  // Read after the supervisor was found. Without one it is the last host's, which may still be dying.
  const Descriptor init = open_process(read_state(directory).init);
  if (supervisor) {
    send(supervisor, SIGTERM);
    if (!wait_for_end(supervisor, kPolite)) {
      send(supervisor, SIGKILL);
      if (!wait_for_end(supervisor, kPolite)) throw Error(Kind::Transient, "its supervisor cannot be killed");
    }
  }
  // The first process ends after every other process of the host has.
  if (init) {
    send(init, SIGKILL);
    if (!wait_for_end(init, kPolite)) throw Error(Kind::Transient, "a process of the host cannot be killed");
  }
}

bool reboot_host(int directory) {
  const Descriptor supervisor = open_supervisor(directory);
  if (!supervisor) return false;
  const std::string old = read_state(directory).boot_id;
  send(supervisor, SIGHUP);
  const StartResult result = wait_until_ready(directory, old);
  if (result.started != Started::Ready) throw Error(Kind::Permanent, "it did not come back: " + result.words);
  return true;
}

std::string refusal_of_this_machine() {
  std::string words;
  try {
    const Flavour& flavour = find_flavour("thin");
    flavour.fill_disk({});
    const auto life = [&] {
      // The real thing, on a disk in memory that ends with it.
      if (::mount("tmpfs", "/tmp", "tmpfs", 0, nullptr) != 0) {
        throw Error(Kind::Permanent, mount_refused("/tmp", errno));
      }
      if (::chdir("/tmp") != 0) throw system_error("entering /tmp");
      flavour.enter_disk({});
    };
    if (run_in_user_namespace(Wanted::Host, life, words) != 0 && words.empty()) words = "trying new namespaces failed";
  } catch (const std::exception& e) {
    return e.what();
  }
  return words;
}

void remove_host_files(const std::string& path) {
  if (::geteuid() == 0) return remove_tree(path);
  // What the host's users own belongs to ids that only a user namespace lets us act as.
  std::string words;
  if (run_in_user_namespace(
          Wanted::UserOnly, [&] { remove_tree(path); }, words) != 0) {
    throw Error(Kind::Permanent, "removing " + path + ": " + words);
  }
}

}  // namespace jarvis::providers
