#include "pipeline/forkserver.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <set>

#include "pipeline/error.h"
#include "pipeline/fork_serve.h"
#include "pipeline/survivors.h"

extern char** environ;

namespace jarvis::pipeline {

namespace {

namespace asio = boost::asio;

constexpr int kSocketNumber = 3, kLockNumber = 4;  // in the forkserver
constexpr int kDeathsInARow = 10;                  // after which its requests fail instead of being asked again

std::string step_of(const std::vector<std::string>& environment) {
  for (const std::string& one : environment) {
    if (one.starts_with("JARVIS_STEP=")) return one.substr(12);
  }
  return {};
}

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

Forkserver::Forkserver(asio::io_context& loop, std::filesystem::path executable, int lock)
    : loop_(loop), executable_(std::move(executable)), lock_(lock), socket_(loop) {}

Forkserver::~Forkserver() {
  join();
}

void Forkserver::join() {
  if (socket_.is_open()) socket_.close();
  if (pid_ > 0) {
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  pid_ = -1;
}

void Forkserver::start() {
  if (socket_.is_open()) return;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    throw system_error("socketpair");
  UniqueFd ours(ends[0]), theirs(ends[1]);
  // Out of the way of the numbers that the child gets.
  UniqueFd high(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, 20));
  UniqueFd lock(lock_ >= 0 ? ::fcntl(lock_, F_DUPFD_CLOEXEC, 20) : -1);
  SpawnActions actions;
  ::posix_spawn_file_actions_addopen(actions.get(), 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(actions.get(), 2, 1);
  ::posix_spawn_file_actions_adddup2(actions.get(), high.get(), kSocketNumber);
  if (lock) ::posix_spawn_file_actions_adddup2(actions.get(), lock.get(), kLockNumber);
  // Nothing else of ours: neither sockets (whoever waits at their other end would never see them closed) nor what we
  // inherited.
  ::posix_spawn_file_actions_addclosefrom_np(actions.get(), lock ? kLockNumber + 1 : kSocketNumber + 1);
  std::string name = executable_.string(), serve = "--serve", socket = std::to_string(kSocketNumber),
              held = lock ? std::to_string(kLockNumber) : "-1";
  char* arguments[] = {name.data(), serve.data(), socket.data(), held.data(), nullptr};
  std::string step_label = kStepLabel;
  std::vector<char*> environment = {step_label.data()};
  for (char** one = environ; *one != nullptr; ++one) environment.push_back(*one);
  environment.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, name.c_str(), actions.get(), nullptr, arguments, environment.data());
  if (error != 0) throw system_error("cannot start " + name, error);
  pid_ = pid;
  socket_.assign(ours.release());
  wait_readable();
}

std::uint64_t Forkserver::fork(const ForkRequest& request, std::array<UniqueFd, 3> descriptors,
                               ForkListener& listener) {
  const std::uint64_t id = next_id_++;
  ForkMessage message;
  message.what = ForkMessage::What::Fork;
  message.id = id;
  message.task = request.task;
  message.executable = request.executable;
  message.directory = request.directory;
  message.environment = request.environment;
  flying_[id] = {&listener, 0, step_of(request.environment)};
  try {
    if (deaths_ >= kDeathsInARow) throw Error(Kind::Permanent, executable_.string() + " keeps dying");
    start();
    if (encode(message).size() > kForkMessageLimit)
      throw Error(Kind::Usage, "the environment of " + request.task + " is larger than 128 KiB");
    say(message, std::move(descriptors));
  } catch (const Error& e) {
    fail_later(id, e.what());
  }
  return id;
}

void Forkserver::fail_later(std::uint64_t id, const std::string& why) {
  asio::post(loop_, [this, id, why, life = std::weak_ptr<int>(life_)] {
    if (life.expired()) return;
    const auto found = flying_.find(id);
    if (found == flying_.end()) return;
    ForkListener* listener = found->second.listener;
    flying_.erase(found);
    listener->not_forked(why);
  });
}

void Forkserver::signal(std::uint64_t id, int number) {
  ForkMessage message;
  message.what = ForkMessage::What::Signal;
  message.id = id;
  message.number = number;
  say(message);
}

void Forkserver::release(std::uint64_t id) {
  ForkMessage message;
  message.what = ForkMessage::What::Release;
  message.id = id;
  say(message);
}

void Forkserver::forget(std::uint64_t id) {
  flying_.erase(id);
}

void Forkserver::say(const ForkMessage& message, std::array<UniqueFd, 3> descriptors) {
  if (!socket_.is_open()) return;  // it died: those in flight hear of it
  backlog_.push_back({encode(message), std::move(descriptors)});
  if (!writing_) flush();
}

void Forkserver::flush() {
  try {
    while (!backlog_.empty()) {
      Waiting& next = backlog_.front();
      const ThreeFds fds = {next.descriptors[0].get(), next.descriptors[1].get(), next.descriptors[2].get()};
      if (!send_packet(socket_.native_handle(), next.bytes, fds[0] >= 0 ? &fds : nullptr)) return wait_writable();
      backlog_.pop_front();
    }
  } catch (const Error&) {
    // The other end is gone; the reading side sees it too and tells everybody.
  }
}

void Forkserver::wait_writable() {
  writing_ = true;
  socket_.async_wait(asio::posix::stream_descriptor::wait_write, [this, life = std::weak_ptr<int>(life_)](auto error) {
    if (life.expired()) return;
    writing_ = false;
    if (!error) flush();
  });
}

void Forkserver::wait_readable() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_read, [this, life = std::weak_ptr<int>(life_)](auto error) {
    if (life.expired() || error) return;
    receive();
  });
}

void Forkserver::receive() {
  for (int batch = 0; batch < 64; ++batch) {
    auto packet = receive_packet(socket_.native_handle());
    if (!packet) break;
    if (packet->bytes.empty()) return died();
    const auto message = decode(packet->bytes);
    if (!message) continue;
    const auto found = flying_.find(message->id);
    if (found == flying_.end()) {
      if (message->what == ForkMessage::What::Exited && message->group_left) release(message->id);
      continue;
    }
    ForkListener* listener = found->second.listener;
    if (message->what == ForkMessage::What::Started) {
      found->second.pid = message->pid;
      listener->started(message->pid);
    } else {
      flying_.erase(found);
      deaths_ = 0;
      if (message->what == ForkMessage::What::Exited) listener->exited(*message);
      if (message->what == ForkMessage::What::NotForked)
        listener->not_forked(std::string("fork: ") + std::strerror(message->number));
    }
  }
  wait_readable();
}

void Forkserver::died() {
  socket_.close();
  backlog_.clear();
  writing_ = false;
  ++deaths_;
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
  auto dead = std::move(flying_);
  flying_.clear();
  // Its children died with it (parent-death signal); whom they started did not.
  for (const auto& [id, one] : dead) {
    if (one.pid > 0) ::kill(-one.pid, SIGKILL);
  }
  bury(std::move(dead), 0);
}

// Nobody is told before the last survivor is gone: the next attempt must not overlap with this one.
void Forkserver::bury(std::unordered_map<std::uint64_t, Flying> dead, int tries) {
  std::set<std::string, std::less<>> steps;
  for (const auto& [id, one] : dead) {
    if (!one.step.empty()) steps.insert(one.step);
  }
  const int left = steps.empty() ? 0 : kill_survivors([&](std::string_view step) { return steps.count(step) > 0; });
  if (left > 0 && tries < 2000) {
    auto timer = std::make_shared<asio::steady_timer>(loop_, std::chrono::milliseconds(5));
    auto kept = std::make_shared<std::unordered_map<std::uint64_t, Flying>>(std::move(dead));
    timer->async_wait([this, timer, kept, tries, life = std::weak_ptr<int>(life_)](auto) {
      if (!life.expired()) bury(std::move(*kept), tries + 1);
    });
    return;
  }
  for (auto& [id, one] : dead) one.listener->lost();
}

}  // namespace jarvis::pipeline
