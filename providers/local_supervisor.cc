#include "providers/local_supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <optional>

#include "pipeline/error.h"
#include "providers/local_files.h"
#include "providers/local_flavour.h"
#include "providers/local_machine.h"
#include "providers/local_namespaces.h"
#include "providers/local_state.h"

namespace jarvis::providers {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using pipeline::Error;
using pipeline::Kind;
using pipeline::system_error;

constexpr auto kBootDeadline = 45s;
constexpr auto kStopDeadline = 5s;  // the host itself gives its processes two
constexpr int kBootTries = 10;      // after a reboot, when somebody took the address in between
constexpr off_t kLogBytes = 131'072;

std::string new_boot_id() {
  std::string id = random_text(32, kHex);
  id[12] = '4';
  id[16] = "89ab"[id[16] % 4];
  for (const std::size_t at : {20U, 16U, 12U, 8U}) id.insert(at, "-");
  return id;
}

// What `ps` in the host shows of its first process, whose memory is a copy of the supervisor's.
void rename_to_init(std::span<char*> arguments) {
  if (arguments.empty()) return;
  const char* end = arguments.back() + std::strlen(arguments.back());
  const auto room = static_cast<std::size_t>(end - arguments.front());
  std::memset(arguments.front(), 0, room);
  std::memcpy(arguments.front(), "init", std::min<std::size_t>(room, 4));
  ::prctl(PR_SET_NAME, "init");
}

std::string end_of(int wait_status) {
  if (WIFSIGNALED(wait_status)) return "was killed by signal " + std::to_string(WTERMSIG(wait_status));
  return "ended with status " + std::to_string(WEXITSTATUS(wait_status));
}

class Supervisor {
 public:
  Supervisor(Descriptor directory, std::span<char*> arguments)
      : directory_(std::move(directory)), arguments_(arguments) {}
  int run();

 private:
  struct Ended {
    int status = 0;
    bool ready = false;
    std::string words;
  };
  void listen_for_signals();
  pid_t boot();
  Ended watch(pid_t init);
  void take_signals(pid_t init, std::optional<int>& status);
  void take_lines(Ended& ended);
  void take_line(std::string_view line, Ended& ended);
  bool wait_a_second();
  void report(const std::string& line);
  void log(std::string_view line);
  void say_off(const std::string& why);

  Descriptor directory_, disk_, lock_, signals_, voice_;
  std::span<char*> arguments_;
  std::string pending_;  // of voice_, a line not yet complete
  HostState state_;
  Asked asked_ = Asked::Nothing;
  Clock::time_point deadline_;
  bool reported_ = false;
};

void Supervisor::report(const std::string& line) {
  if (reported_) return;
  reported_ = true;
  write_all(1, line + "\n");
  ::dup2(0, 1);
  ::dup2(0, 2);
}

void Supervisor::log(std::string_view line) {
  Descriptor file(::openat(directory_.get(), "log", O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file && ::lseek(file.get(), 0, SEEK_END) > kLogBytes) {
    ::renameat(directory_.get(), "log", directory_.get(), "log.1");
    file.reset(::openat(directory_.get(), "log", O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  }
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char stamp[32];
  const std::size_t length = std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ ", &parts);
  std::string text(stamp, length);
  for (const char c : line.substr(0, 1000)) text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  write_all(file.get(), text + "\n");
}

void Supervisor::listen_for_signals() {
  sigset_t heard;
  sigemptyset(&heard);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&heard, signal);
  if (::sigprocmask(SIG_BLOCK, &heard, nullptr) != 0) throw system_error("blocking signals");
  ::signal(SIGPIPE, SIG_IGN);
  signals_.reset(::signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) throw system_error("listening for signals");
}

pid_t Supervisor::boot() {
  const std::optional<LocalMachine> machine = read_machine(directory_.get());
  if (!machine) throw Error(Kind::Permanent, "the file `machine` is gone");
  if (!machine->wanted) throw Error(Kind::Refused, "the host is switched off");
  const Flavour& flavour = find_flavour(machine->flavour);
  const Boot boot{*machine, new_boot_id()};
  Pipe voice = make_pipe();
  ::fcntl(voice.read.get(), F_SETFL, O_NONBLOCK);
  pending_.clear();
  // Entered before: a new mount namespace takes the working directory along, but no open directory.
  if (::fchdir(disk_.get()) != 0) throw system_error("entering the host's disk");
  const pid_t init = clone_into(Wanted::Host, voice.write.get(), [&] {
    ::dup2(0, 1);
    ::close_range(3, ~0U, 0);
    ::signal(SIGPIPE, SIG_DFL);
    rename_to_init(arguments_);
    flavour.enter_disk(boot);
    flavour.run(boot);
  });
  if (::fchdir(directory_.get()) != 0) throw system_error("leaving the host's disk");
  voice_ = std::move(voice.read);
  state_ = {LocalPower::Starting, boot.boot_id, process_of(init).value_or(Process{}), ""};
  write_state(directory_.get(), state_);
  log("started, boot " + boot.boot_id + ", address " + machine->address + " port " + std::to_string(machine->port));
  return init;
}

void Supervisor::take_line(std::string_view line, Ended& ended) {
  if (line.empty()) return;
  log(line);
  if (ended.ready) return;
  if (line.starts_with("Server listening on ")) {
    ended.ready = true;
    state_.power = LocalPower::Ready;
    write_state(directory_.get(), state_);
    if (asked_ == Asked::Nothing) deadline_ = Clock::time_point::max();
    report(kReady);
    return;
  }
  // The first reason, not the last consequence ("Cannot bind any address.").
  if (ended.words.empty()) ended.words = line.substr(0, 500);
}

void Supervisor::take_lines(Ended& ended) {
  char buffer[4096];
  // A bound, so that a host which floods its log cannot keep the supervisor from its signals.
  for (int round = 0; round < 16; ++round) {
    const ssize_t n = ::read(voice_.get(), buffer, sizeof buffer);
    if (n == 0) voice_.reset();
    if (n <= 0) return;
    for (const char c : std::string_view(buffer, static_cast<std::size_t>(n))) {
      if (c != '\n' && c != '\r') {
        if (pending_.size() < 1000) pending_ += c;
        continue;
      }
      take_line(pending_, ended);
      pending_.clear();
    }
  }
}

void Supervisor::take_signals(pid_t init, std::optional<int>& status) {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGCHLD) continue;
    const Asked asked = signal.ssi_signo == SIGHUP ? Asked::Reboot : Asked::Off;
    if (asked_ == Asked::Off) continue;  // stays off
    asked_ = asked;
    deadline_ = Clock::now() + kStopDeadline;
    ::kill(init, SIGTERM);
  }
  int ended = 0;
  if (::waitpid(init, &ended, WNOHANG) == init) status = ended;
}

Supervisor::Ended Supervisor::watch(pid_t init) {
  Ended ended;
  std::optional<int> status;
  asked_ = Asked::Nothing;
  deadline_ = Clock::now() + kBootDeadline;
  while (!status) {
    pollfd events[] = {{signals_.get(), POLLIN, 0}, {voice_.get(), POLLIN, 0}};
    int wait = -1;
    if (deadline_ != Clock::time_point::max()) {
      wait = static_cast<int>(
          std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count()));
    }
    const int found = ::poll(events, 2, wait);
    if (found < 0 && errno != EINTR) throw system_error("waiting for the host");
    if (found == 0 && deadline_ <= Clock::now()) {
      if (!ended.ready && asked_ == Asked::Nothing) ended.words = "its sshd did not listen within 45 s";
      ::kill(init, SIGKILL);
      deadline_ = Clock::time_point::max();
    }
    if (events[1].revents != 0) take_lines(ended);
    if (events[0].revents != 0) take_signals(init, status);
  }
  if (voice_) take_lines(ended);
  ended.status = *status;
  return ended;
}

// False when asked to end meanwhile.
bool Supervisor::wait_a_second() {
  const Clock::time_point until = Clock::now() + 1s;
  for (auto left = 1000ms; left > 0ms; left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now())) {
    pollfd event{signals_.get(), POLLIN, 0};
    ::poll(&event, 1, static_cast<int>(left.count()));
    signalfd_siginfo signal{};
    while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
      if (signal.ssi_signo == SIGTERM || signal.ssi_signo == SIGINT) return false;
    }
  }
  return true;
}

void Supervisor::say_off(const std::string& why) {
  state_.power = LocalPower::Off;
  state_.why = why;
  log("off" + (why.empty() ? "" : ": " + why));
  write_state(directory_.get(), state_);
}

int Supervisor::run() {
  listen_for_signals();
  disk_ = open_directory(directory_.get(), "disk");
  lock_ = lock_supervisor(directory_.get());
  if (!lock_ || !disk_) {
    report(kOther);
    return 0;
  }
  const std::string record = text_of(process_of(::getpid()).value_or(Process{})) + "\n";
  if (::ftruncate(lock_.get(), 0) != 0) throw system_error("recording the supervisor");
  write_all(lock_.get(), record);
  int failures = 0;
  for (;;) {
    Ended ended;
    try {
      ended = watch(boot());
    } catch (const std::exception& e) {
      report(kFailed + std::string(e.what()));
      say_off(e.what());
      return 1;
    }
    const std::string prefix = "jarvis-local: ";
    if (ended.words.starts_with(prefix)) ended.words.erase(0, prefix.size());
    switch (next_power(asked_, ended.status, ended.ready || failures > 0)) {
      case Next::Off:
        report(kFailed + std::string("it was switched off while it started"));
        say_off("");
        return 0;
      case Next::Again:
        failures = 0;
        log("reboot");
        continue;
      case Next::Failed:
        break;
    }
    const bool busy = ended.words.find("Address already in use") != std::string::npos;
    if (ended.words.empty()) ended.words = "its first process " + end_of(ended.status);
    const bool was_up = reported_ && !ended.ready;  // came down by a reboot, and did not come up again
    if (was_up && ++failures < kBootTries && wait_a_second()) continue;
    report((busy ? kBusy : kFailed) + ended.words);
    say_off(ended.words);
    return 1;
  }
}

}  // namespace

Next next_power(Asked asked, int wait_status, bool was_ready) {
  if (asked == Asked::Off) return Next::Off;
  if (asked == Asked::Reboot) return Next::Again;
  if (WIFSIGNALED(wait_status)) {
    if (WTERMSIG(wait_status) == SIGHUP) return was_ready ? Next::Again : Next::Failed;
    if (WTERMSIG(wait_status) == SIGINT) return Next::Off;
  }
  if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) return Next::Off;
  return Next::Failed;
}

int supervise(const std::string& host_directory, std::span<char*> arguments) {
  ::umask(077);
  if (::chdir(host_directory.c_str()) != 0) {
    write_all(1, std::string(kOther) + "\n");
    return 0;
  }
  Descriptor directory(::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) throw system_error("opening " + host_directory);
  return Supervisor(std::move(directory), arguments).run();
}

}  // namespace jarvis::providers
