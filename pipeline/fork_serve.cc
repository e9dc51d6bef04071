#include "pipeline/fork_serve.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <set>
#include <span>
#include <unordered_map>

#include "pipeline/error.h"
#include "pipeline/fork_protocol.h"
#include "pipeline/survivors.h"

extern char** environ;

namespace jarvis::pipeline {

namespace {

constexpr int kCannotRun = 126, kNotFound = 127;  // what a shell says
constexpr int kYoung = 5;                         // ms: a child that ends sooner is reported once, as ended

struct Child {
  std::uint64_t id;
  std::string step;
};

std::int64_t microseconds(const timeval& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_usec;
}

std::string step_of(const std::vector<std::string>& environment) {
  for (const std::string& one : environment) {
    if (one.starts_with("JARVIS_STEP=")) return one.substr(12);
  }
  return {};
}

class ForkLoop {
 public:
  explicit ForkLoop(const ForkServeOptions& options) : options_(options) {}
  int run();

 private:
  void prepare();
  void receive();
  void fork_one(ForkMessage& request, Packet& packet);
  [[noreturn]] void become(const ForkMessage& request, const Packet& packet, pid_t parent);
  void label(std::string_view step) const;
  void reap();
  void announce();
  void say(const ForkMessage& message);
  void flush();
  void end_everything();

  const ForkServeOptions& options_;
  UniqueFd signals_;
  std::span<char> label_;  // the blanks of kStepLabel where the kernel shows them
  sigset_t original_mask_{};
  rlimit original_files_{};
  std::unordered_map<pid_t, Child> children_;
  std::unordered_map<std::uint64_t, pid_t> groups_;  // of children, and of those that left somebody behind
  std::vector<pid_t> young_;                         // begun, but not yet said so
  std::chrono::steady_clock::time_point oldest_;
  std::deque<std::string> backlog_;
  bool gone_ = false;
};

void ForkLoop::prepare() {
  for (char** one = environ; *one != nullptr && label_.empty(); ++one) {
    if (kStepLabel == *one) label_ = {*one + kStepVariable.size(), kStepLabel.size() - kStepVariable.size()};
  }
  // Children start with default signals. By the bare call: glibc keeps two numbers to itself, and posix_spawn leaves
  // them ignored.
  struct {
    void (*handler)(int) = SIG_DFL;
    unsigned long flags = 0;
    void (*restorer)() = nullptr;
    unsigned long mask = 0;
  } defaults;
  for (int number = 1; number < NSIG; ++number)
    ::syscall(SYS_rt_sigaction, number, &defaults, nullptr, sizeof defaults.mask);
  ::umask(077);
  ::setsid();  // a Ctrl-C on jarvis's terminal is jarvis's business
  sigset_t wanted;
  ::sigemptyset(&wanted);
  ::sigaddset(&wanted, SIGCHLD);
  ::sigemptyset(&original_mask_);
  if (::sigprocmask(SIG_SETMASK, &wanted, nullptr) != 0) throw system_error("blocking SIGCHLD");
  signals_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) throw system_error("signalfd");
  if (options_.lock >= 0) ::fcntl(options_.lock, F_SETFD, FD_CLOEXEC);
  ::fcntl(options_.socket, F_SETFD, FD_CLOEXEC);
  ::getrlimit(RLIMIT_NOFILE, &original_files_);
  rlimit more = original_files_;
  more.rlim_cur = more.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &more);
}

int ForkLoop::run() {
  prepare();
  while (!gone_) {
    pollfd waits[2] = {{options_.socket, POLLIN, 0}, {signals_.get(), POLLIN, 0}};
    if (!backlog_.empty()) waits[0].events |= POLLOUT;
    const int ready = ::poll(waits, 2, young_.empty() ? -1 : kYoung);
    if (ready < 0 && errno != EINTR) throw system_error("poll");
    if (!young_.empty() && std::chrono::steady_clock::now() - oldest_ >= std::chrono::milliseconds(kYoung)) announce();
    if (ready <= 0) continue;
    // The loop is dead: what it asked for last is not begun any more.
    if ((waits[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) break;
    if ((waits[1].revents & POLLIN) != 0) reap();
    if ((waits[0].revents & POLLOUT) != 0) flush();
    if ((waits[0].revents & POLLIN) != 0) receive();
  }
  end_everything();
  return 0;
}

void ForkLoop::receive() {
  auto packet = receive_packet(options_.socket);
  if (!packet) return;
  if (packet->bytes.empty()) {
    gone_ = true;
    return;
  }
  auto message = decode(packet->bytes);
  if (!message) return;
  switch (message->what) {
    case ForkMessage::What::Fork:
      fork_one(*message, *packet);
      return;
    case ForkMessage::What::Signal:
      if (const auto group = groups_.find(message->id); group != groups_.end()) {
        // A child that has not come as far as its own group yet is hit by itself.
        if (::kill(-group->second, message->number) != 0 && children_.count(group->second) > 0)
          ::kill(group->second, message->number);
      }
      return;
    case ForkMessage::What::Release:
      groups_.erase(message->id);
      return;
    default:
      return;
  }
}

void ForkLoop::fork_one(ForkMessage& request, Packet& packet) {
  ForkMessage answer;
  answer.id = request.id;
  answer.what = ForkMessage::What::NotForked;
  answer.number = EPROTO;
  if (packet.descriptors.size() == 3) {
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) become(request, packet, parent);
    if (pid > 0) {
      children_[pid] = {request.id, step_of(request.environment)};
      groups_[request.id] = pid;
      if (young_.empty()) oldest_ = std::chrono::steady_clock::now();
      young_.push_back(pid);
      return;
    }
    answer.number = errno;
  }
  say(answer);
}

// Says of the children that are no longer young that they have begun.
void ForkLoop::announce() {
  for (const pid_t pid : std::exchange(young_, {})) {
    const auto child = children_.find(pid);
    if (child == children_.end()) continue;
    ForkMessage started;
    started.what = ForkMessage::What::Started;
    started.id = child->second.id;
    started.pid = pid;
    say(started);
  }
}

// In the child: the environment of CONTRACTS §1, then the task. Nothing of the forkserver survives in it.
void ForkLoop::become(const ForkMessage& request, const Packet& packet, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kCannotRun);  // it died before the line above
  ::setpgid(0, 0);
  // They came over the socket while 0 to 2 were open, so none of them is one of these.
  for (int i = 0; i < 3; ++i) ::dup2(packet.descriptors[static_cast<std::size_t>(i)].get(), i);
  ::close_range(3, ~0U, 0);
  if (original_files_.rlim_cur != original_files_.rlim_max) ::setrlimit(RLIMIT_NOFILE, &original_files_);
  ::sigprocmask(SIG_SETMASK, &original_mask_, nullptr);
  if (!request.directory.empty() && ::chdir(request.directory.c_str()) != 0) {
    ::dprintf(2, "cannot go to the working directory %s: %s\n", request.directory.c_str(), std::strerror(errno));
    ::_exit(kCannotRun);
  }
  label(step_of(request.environment));
  if (request.executable.empty()) {
    ::clearenv();
    for (const std::string& one : request.environment) ::putenv(const_cast<char*>(one.c_str()));
    ::_exit(options_.run_task(request.task));
  }
  std::vector<char*> environment;
  for (const std::string& one : request.environment) environment.push_back(const_cast<char*>(one.c_str()));
  environment.push_back(nullptr);
  std::string name = request.task.substr(request.task.find(':') + 1);
  char* arguments[] = {const_cast<char*>(request.executable.c_str()), name.data(), nullptr};
  // "Text file busy": somebody still holds the program open for writing, as right after it was installed.
  for (int again = 0; again < 50; ++again) {
    ::execve(arguments[0], arguments, environment.data());
    if (errno != ETXTBSY) break;
    ::usleep(10'000);
  }
  const int why = errno;
  ::dprintf(2, "cannot run %s: %s\n", arguments[0], std::strerror(why));
  ::_exit(why == ENOENT ? kNotFound : kCannotRun);
}

// A child that is not another program shows, in /proc/PID/environ, the environment that the forkserver was started
// with: the blank label in it becomes the child's step, so that survivors() finds it and whom it forks.
void ForkLoop::label(std::string_view step) const {
  if (label_.empty()) return;
  std::fill(label_.begin(), label_.end(), '\0');
  std::copy_n(step.begin(), std::min(step.size(), label_.size() - 1), label_.begin());
}

void ForkLoop::reap() {
  signalfd_siginfo ignored[16];
  while (::read(signals_.get(), ignored, sizeof ignored) > 0) {
  }
  for (;;) {
    ForkMessage report;
    rusage usage{};
    const pid_t pid = ::wait4(-1, &report.status, WNOHANG, &usage);
    if (pid <= 0) return;
    const auto found = children_.find(pid);
    if (found == children_.end()) continue;
    report.what = ForkMessage::What::Exited;
    report.id = found->second.id;
    report.group_left = ::kill(-pid, 0) == 0;
    report.user_us = microseconds(usage.ru_utime);
    report.system_us = microseconds(usage.ru_stime);
    report.max_rss_kib = usage.ru_maxrss;
    if (!report.group_left) groups_.erase(report.id);
    children_.erase(found);
    say(report);
  }
}

void ForkLoop::say(const ForkMessage& message) {
  backlog_.push_back(encode(message));
  flush();
}

void ForkLoop::flush() {
  try {
    while (!backlog_.empty() && send_packet(options_.socket, backlog_.front())) backlog_.pop_front();
  } catch (const Error&) {
    gone_ = true;
  }
}

// The loop is gone. Nobody may go on working for it, and the state's lock, which this process holds, is not let go
// before.
void ForkLoop::end_everything() {
  std::set<std::string, std::less<>> steps;
  for (const auto& [pid, child] : children_) {
    ::kill(-pid, SIGKILL);
    steps.insert(child.step);
  }
  for (const auto& [id, group] : groups_) ::kill(-group, SIGKILL);
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  if (steps.empty()) return;
  const auto wanted = [&](std::string_view step) { return steps.count(step) > 0; };
  for (int again = 0; again < 1000 && kill_survivors(wanted) > 0; ++again) ::usleep(5'000);
}

}  // namespace

int fork_serve(const ForkServeOptions& options) {
  try {
    return ForkLoop(options).run();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "forkserver: %s\n", e.what());
    return 1;
  }
}

}  // namespace jarvis::pipeline
