// The floor: the least that a forkserver with a clean process per task costs on this machine. A static zygote forks one
// child per request, which gets three pipes; a client keeps IN_FLIGHT tasks going until TASKS are over. No journal, no
// check of what comes out, no process groups, no timeouts: whatever jarvis adds is measured against this.
//
//   forkserver IN_FLIGHT TASKS both    4 KB in, 4 KB out, nothing on stderr
//   forkserver IN_FLIGHT TASKS in      4 KB in, nothing out
//   forkserver IN_FLIGHT TASKS none    nothing in, nothing out
//
// Prints the microseconds from the first request to the end of the last task. A task is over when its exit status and
// the ends of its stdout and stderr are in.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr std::size_t kClipboard = 4096;
constexpr int kMostInFlight = 256;  // so many messages fit into the sockets: blocking ones cannot deadlock
char clipboard[kClipboard];

[[noreturn]] void die(const char* doing) {
  std::perror(doing);
  std::exit(1);
}

int must(int result, const char* doing) {
  if (result < 0) die(doing);
  return result;
}

struct Request {
  std::uint32_t slot;
  bool answers;  // prints what it read
};
struct Report {
  std::uint32_t slot;
  int status;
};

union Control {
  cmsghdr header;
  char space[CMSG_SPACE(3 * sizeof(int))];
};

// In the child: all of stdin, then all of it back.
[[noreturn]] void be_task(const int (&fds)[3], bool answers) {
  for (int i = 0; i < 3; ++i) dup2(fds[i], i);
  close_range(3, ~0U, 0);
  char bytes[2 * kClipboard];
  std::size_t size = 0;
  for (ssize_t got = 0; (got = read(0, bytes + size, sizeof bytes - size)) > 0;) size += static_cast<std::size_t>(got);
  if (answers && write(1, bytes, size) != static_cast<ssize_t>(size)) _exit(1);
  _exit(0);
}

class Zygote {
 public:
  explicit Zygote(int socket) : socket_(socket) {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigprocmask(SIG_SETMASK, &wanted, nullptr);
    signals_ = must(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
  }

  void serve() {
    for (;;) {
      pollfd waits[2] = {{socket_, POLLIN, 0}, {signals_, POLLIN, 0}};
      must(poll(waits, 2, -1), "poll");
      if ((waits[1].revents & POLLIN) != 0) reap();
      if (waits[0].revents != 0 && !fork_one()) return;
    }
  }

 private:
  bool fork_one() {
    Request request{};
    Control control{};
    iovec part{&request, sizeof request};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    if (must(static_cast<int>(recvmsg(socket_, &message, MSG_CMSG_CLOEXEC)), "recvmsg") == 0) return false;
    if (control.header.cmsg_len != CMSG_LEN(3 * sizeof(int))) std::fprintf(stderr, "no pipes came\n"), std::exit(1);
    int fds[3];
    std::memcpy(fds, CMSG_DATA(&control.header), sizeof fds);
    const pid_t pid = must(fork(), "fork");
    if (pid == 0) be_task(fds, request.answers);
    for (const int fd : fds) close(fd);
    running_.push_back({pid, request.slot});
    return true;
  }

  void reap() {
    signalfd_siginfo ignored[16];
    while (read(signals_, ignored, sizeof ignored) > 0) {
    }
    Report reports[kMostInFlight];
    std::size_t count = 0;
    int status = 0;
    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
      for (auto& child : running_) {
        if (child.pid != pid) continue;
        reports[count++] = {child.slot, status};
        child = running_.back();
        running_.pop_back();
        break;
      }
    }
    if (count > 0) must(static_cast<int>(send(socket_, reports, count * sizeof *reports, 0)), "send");
  }

  struct Child {
    pid_t pid;
    std::uint32_t slot;
  };
  int socket_, signals_;
  std::vector<Child> running_;
};

class Client {
 public:
  Client(int socket, int tasks, bool feeds, bool answers)
      : socket_(socket),
        left_(tasks),
        feeds_(feeds),
        answers_(answers),
        loop_(must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    watch(socket_, kSocket);
  }

  void run(int in_flight) {
    slots_.resize(static_cast<std::size_t>(in_flight));
    for (std::uint32_t i = 0; i < slots_.size(); ++i) begin(i);
    while (under_way_ > 0) {
      epoll_event events[64];
      const int count = must(epoll_wait(loop_, events, 64, -1), "epoll_wait");
      for (int i = 0; i < count; ++i) {
        if (events[i].data.u32 == kSocket) {
          hear();
        } else {
          read_some(events[i].data.u32 / 2, events[i].data.u32 % 2);
        }
      }
    }
  }

 private:
  static constexpr std::uint32_t kSocket = ~0U;
  struct Slot {
    int ends[2];  // of its stdout and stderr, -1 when they have ended
    std::size_t got;
    bool exited;
  };

  void watch(int fd, std::uint32_t what) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = what;
    must(epoll_ctl(loop_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  void begin(std::uint32_t index) {
    if (left_ == 0) return;
    --left_;
    ++under_way_;
    int in[2], out[2], err[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) die("pipe2");
    Request request{index, answers_};
    Control control{};
    iovec part{&request, sizeof request};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = &control.header;
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(3 * sizeof(int));
    const int theirs[3] = {in[0], out[1], err[1]};
    std::memcpy(CMSG_DATA(header), theirs, sizeof theirs);
    must(static_cast<int>(sendmsg(socket_, &message, 0)), "sendmsg");
    for (const int fd : theirs) close(fd);
    if (feeds_) must(static_cast<int>(write(in[1], clipboard, kClipboard)), "write");
    close(in[1]);
    slots_[index] = {{out[0], err[0]}, 0, false};
    watch(out[0], 2 * index);
    watch(err[0], 2 * index + 1);
  }

  void hear() {
    Report reports[kMostInFlight];
    const auto size =
        static_cast<std::size_t>(must(static_cast<int>(recv(socket_, reports, sizeof reports, 0)), "recv"));
    for (std::size_t i = 0; i < size / sizeof *reports; ++i) {
      if (reports[i].status != 0) std::fprintf(stderr, "a task failed: status %d\n", reports[i].status), std::exit(1);
      slots_[reports[i].slot].exited = true;
      end_if_over(reports[i].slot);
    }
    if (size == 0) std::fprintf(stderr, "the zygote has ended\n"), std::exit(1);
  }

  void read_some(std::uint32_t index, std::uint32_t which) {
    Slot& slot = slots_[index];
    char bytes[2 * kClipboard];
    const ssize_t got = read(slot.ends[which], bytes, sizeof bytes);
    if (got > 0) {
      slot.got += static_cast<std::size_t>(got);
      return;
    }
    close(slot.ends[which]);
    slot.ends[which] = -1;
    end_if_over(index);
  }

  void end_if_over(std::uint32_t index) {
    const Slot& slot = slots_[index];
    if (!slot.exited || slot.ends[0] >= 0 || slot.ends[1] >= 0) return;
    if (slot.got != (answers_ ? kClipboard : 0)) std::fprintf(stderr, "%zu bytes came back\n", slot.got), std::exit(1);
    --under_way_;
    begin(index);
  }

  int socket_, left_, under_way_ = 0;
  bool feeds_, answers_;
  int loop_;
  std::vector<Slot> slots_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--zygote") == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Zygote(std::atoi(argv[2])).serve();
    return 0;
  }
  const int in_flight = argc == 4 ? std::atoi(argv[1]) : 0;
  const int tasks = argc == 4 ? std::atoi(argv[2]) : 0;
  if (in_flight < 1 || in_flight > kMostInFlight || tasks < 1) {
    std::fprintf(stderr, "usage: forkserver IN_FLIGHT(1-%d) TASKS both|in|none\n", kMostInFlight);
    return 2;
  }
  std::memset(clipboard, 'x', sizeof clipboard);
  int pair[2];
  must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), "socketpair");
  const int room = 1 << 20;
  for (const int end : pair) setsockopt(end, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  // By exec, as jarvis's forkservers: the zygote's memory is its own, however the client grows.
  const pid_t zygote = must(fork(), "fork");
  if (zygote == 0) {
    close(pair[0]);
    char number[16];
    std::snprintf(number, sizeof number, "%d", pair[1]);
    execl("/proc/self/exe", "forkserver", "--zygote", number, nullptr);
    die("exec");
  }
  close(pair[1]);
  fcntl(pair[0], F_SETFD, FD_CLOEXEC);
  const bool answers = std::strcmp(argv[3], "both") == 0;
  Client client(pair[0], tasks, answers || std::strcmp(argv[3], "in") == 0, answers);
  const auto began = std::chrono::steady_clock::now();
  client.run(in_flight);
  const auto took = std::chrono::steady_clock::now() - began;
  close(pair[0]);
  int status = 0;
  waitpid(zygote, &status, 0);
  std::printf("%lld\n", static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  return status == 0 ? 0 : 1;
}
