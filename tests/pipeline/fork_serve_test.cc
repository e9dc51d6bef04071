#include "pipeline/fork_serve.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/fork_protocol.h"
#include "pipeline/survivors.h"
#include "tests/pipeline/loop.h"
#include "tests/pipeline/processes.h"

extern char** environ;

namespace jarvis::pipeline {
namespace {

// Another process with a loop, a forkserver and two children at work; its stdout.
struct OtherLoop {
  explicit OtherLoop(const Scratch& scratch) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    said.reset(ends[0]);
    const UniqueFd theirs(ends[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), 1);
    std::string program = test_forkserver(), word = "--loop", where = scratch.path();
    char* arguments[] = {program.data(), word.data(), where.data(), nullptr};
    REQUIRE(::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environ) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  ~OtherLoop() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  void wait_until_ready() {
    std::string text;
    while (text != "ready\nready\n") {
      pollfd wait{said.get(), POLLIN, 0};
      REQUIRE(::poll(&wait, 1, 20'000) == 1);
      char bytes[64];
      const ssize_t n = ::read(said.get(), bytes, sizeof bytes);
      REQUIRE(n > 0);
      text.append(bytes, static_cast<std::size_t>(n));
    }
  }
  pid_t pid = -1;
  UniqueFd said;
};

// Nobody tells when a lock is free: asked every 2 ms, with a deadline.
bool lock_within_20_s(int fd) {
  for (int again = 0; again < 10'000; ++again) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
    ::poll(nullptr, 0, 2);
  }
  return false;
}

TEST_CASE("fork_serve: when the loop is killed its children go, and only then is the lock free") {
  const Scratch scratch;
  OtherLoop other(scratch);
  other.wait_until_ready();
  const auto ours = [&](std::string_view step) { return step.starts_with(scratch.path().string()); };
  const std::vector<pid_t> children = survivors(ours);
  REQUIRE(children.size() == 3);  // two children and a grandchild in a session of its own
  const UniqueFd lock(::open((scratch / "lock").c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::flock(lock.get(), LOCK_EX | LOCK_NB) == -1);
  ::kill(other.pid, SIGKILL);
  REQUIRE(lock_within_20_s(lock.get()));
  CHECK(survivors(ours).empty());
  for (const pid_t pid : children) CHECK_FALSE(alive(pid));
}

TEST_CASE("fork_serve: a polite end of the loop ends them too") {
  const Scratch scratch;
  OtherLoop other(scratch);
  other.wait_until_ready();
  const UniqueFd lock(::open((scratch / "lock").c_str(), O_RDWR | O_CLOEXEC));
  ::kill(other.pid, SIGTERM);
  REQUIRE(lock_within_20_s(lock.get()));
  CHECK(survivors([&](std::string_view step) { return step.starts_with(scratch.path().string()); }).empty());
}

TEST_CASE("fork_serve: a packet that is no message is passed over") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
  UniqueFd ours(ends[0]);
  std::string program = test_forkserver(), serve = "--serve", socket = std::to_string(ends[1]), none = "-1";
  ::fcntl(ours.get(), F_SETFD, FD_CLOEXEC);
  char* arguments[] = {program.data(), serve.data(), socket.data(), none.data(), nullptr};
  pid_t pid = -1;
  REQUIRE(::posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ) == 0);
  ::close(ends[1]);
  const auto answer = [&] {
    pollfd wait{ours.get(), POLLIN, 0};
    REQUIRE(::poll(&wait, 1, 20'000) == 1);
    return decode(receive_packet(ours.get())->bytes);
  };
  ForkMessage message;
  message.id = 7;
  message.task = "test:unread";
  CHECK(send_packet(ours.get(), "nonsense"));
  message.what = ForkMessage::What::Started;  // not for a forkserver
  CHECK(send_packet(ours.get(), encode(message)));
  message.what = ForkMessage::What::Signal;  // for nobody
  CHECK(send_packet(ours.get(), encode(message)));
  message.what = ForkMessage::What::Fork;  // without its descriptors
  CHECK(send_packet(ours.get(), encode(message)));
  const auto refused = answer();
  REQUIRE(refused);
  CHECK(refused->what == ForkMessage::What::NotForked);
  CHECK(refused->id == 7);
  message.id = 8;
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const ThreeFds fds = {null.get(), null.get(), null.get()};
  CHECK(send_packet(ours.get(), encode(message), &fds));
  auto exited = answer();
  REQUIRE(exited);
  if (exited->what == ForkMessage::What::Started) exited = answer();  // of one that ends at once it may not be said
  REQUIRE(exited);
  CHECK(exited->what == ForkMessage::What::Exited);
  CHECK(exited->status == 0);
  CHECK_FALSE(exited->group_left);
  ours.reset();
  int status = -1;
  CHECK(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}

}  // namespace
}  // namespace jarvis::pipeline
