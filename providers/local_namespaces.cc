#include "providers/local_namespaces.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>

#include "pipeline/error.h"
#include "providers/local_files.h"
#include "providers/local_program.h"

namespace jarvis::providers {

namespace {

using pipeline::Error;
using pipeline::Kind;
using pipeline::system_error;

constexpr const char* kAppArmor = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
constexpr const char* kNewUidMap = "/usr/bin/newuidmap";
constexpr const char* kNewGidMap = "/usr/bin/newgidmap";

std::string slurp(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Error clone_refused(int fault) {
  const std::string here = "this machine refuses new namespaces: ";
  if (fault == ENOSPC || fault == EUSERS) {
    std::string lowest;
    long least = 16;
    for (const char* name : {"user", "mnt", "pid", "uts", "ipc"}) {
      const std::string setting = "max_" + std::string(name) + "_namespaces";
      const long limit = read_number("/proc/sys/user/" + setting).value_or(least);
      if (limit >= least) continue;
      least = limit;
      lowest = "user." + setting + " is " + std::to_string(limit);
    }
    if (!lowest.empty()) return {Kind::Permanent, here + lowest + "; raise it with sysctl"};
    return {Kind::Permanent, here + "one of the limits user.max_*_namespaces is reached; raise it with sysctl"};
  }
  if (read_number("/proc/sys/kernel/unprivileged_userns_clone") == 0) {
    return {Kind::Permanent, here + "kernel.unprivileged_userns_clone is 0; set it to 1 with sysctl, or run as root"};
  }
  if (read_number(kAppArmor).value_or(0) > 0) {
    return {Kind::Permanent,
            here + "kernel.apparmor_restrict_unprivileged_userns is 1; set it to 0 with sysctl, or run as root"};
  }
  return {Kind::Permanent,
          here + std::strerror(fault) + " (a container's seccomp filter, or a missing capability of it)"};
}

// Without the C library's name service, which a static program cannot use: the name of `uid` in /etc/passwd.
std::string user_name(uid_t uid) {
  std::istringstream lines(slurp("/etc/passwd"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t name = line.find(':');
    const std::size_t number = line.find(':', name + 1);
    if (number == std::string::npos) continue;
    if (line.compare(number + 1, line.find(':', number + 1) - number - 1, std::to_string(uid)) == 0)
      return line.substr(0, name);
  }
  return {};
}

void write_map(pid_t child, const char* name) {
  const std::string path = "/proc/" + std::to_string(child) + "/" + name;
  const std::string map = "0 " + std::to_string(kRootBase) + " " + std::to_string(kRootCount) + "\n";
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), map.data(), map.size()) < 0) {
    const std::string last = std::to_string(kRootBase + kRootCount - 1);
    throw system_error("mapping the ids " + std::to_string(kRootBase) + " to " + last +
                       " into a new namespace (does this container have them?)");
  }
}

void call_mapper(const char* program, const char* ranges, pid_t child, unsigned own) {
  if (::access(program, X_OK) != 0) {
    throw Error(Kind::Permanent,
                std::string("this machine has no ") + program + ": install the package uidmap, or run as root");
  }
  const std::string user = user_name(::getuid());
  const std::optional<SubIds> ids = find_sub_ids(slurp(ranges), user, ::getuid());
  if (!ids) {
    const std::string who = user.empty() ? std::to_string(::getuid()) : user;
    throw Error(Kind::Permanent, std::string(ranges) + " has no line for " + who + ": add `" + who +
                                     ":100000:65536` (or another free range), or run as root");
  }
  const ProgramEnd end = run_small({program, std::to_string(child), "0", std::to_string(own), "1", "1",
                                    std::to_string(ids->first), std::to_string(std::min(ids->count, kRootCount - 1))});
  if (end.status != 0) throw Error(Kind::Permanent, std::string(program) + " failed: " + end.output);
}

void map_ids(pid_t child) {
  if (::geteuid() == 0) {
    write_map(child, "uid_map");
    write_map(child, "gid_map");
  } else {
    call_mapper(kNewUidMap, "/etc/subuid", child, ::getuid());
    call_mapper(kNewGidMap, "/etc/subgid", child, ::getgid());
  }
}

bool read_byte(int fd) {
  char byte = 0;
  for (;;) {
    const ssize_t n = ::read(fd, &byte, 1);
    if (n >= 0 || errno != EINTR) return n == 1;
  }
}

// In the child: waits for its ids, takes them, and binds its life to its parent's.
void become_root(int parent, int bound) {
  if (!read_byte(parent)) ::_exit(70);  // the parent gave up, and said why
  if (::setgroups(0, nullptr) != 0 || ::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) {
    throw system_error("becoming root of the new namespaces");
  }
  // After the ids, which would reset it. A parent that died before this line has closed its end.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) throw system_error("asking to die with the supervisor");
  pollfd gone{parent, POLLIN, 0};
  if (::poll(&gone, 1, 0) != 0) ::_exit(70);
  write_all(bound, "b");
}

}  // namespace

std::optional<SubIds> find_sub_ids(std::string_view text, std::string_view user, uid_t uid) {
  const std::string number = std::to_string(uid);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, first);
    if (name != number && (user.empty() || name != user)) continue;
    SubIds ids;
    std::from_chars(line.data() + first + 1, line.data() + second, ids.first);
    std::from_chars(line.data() + second + 1, line.data() + line.size(), ids.count);
    if (ids.first > 0 && ids.count > 0) return ids;
  }
  return std::nullopt;
}

pid_t clone_into(Wanted wanted, int voice, const std::function<void()>& life) {
  Pipe mapped = make_pipe();
  Pipe bound = make_pipe();
  const int more = wanted == Wanted::Host ? CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC : 0;
  const long child = ::syscall(SYS_clone, CLONE_NEWUSER | more | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (child < 0) throw clone_refused(errno);
  if (child == 0) {
    mapped.write.reset();
    bound.read.reset();
    ::dup2(voice, 2);
    try {
      become_root(mapped.read.get(), bound.write.get());
      mapped.read.reset();
      bound.write.reset();
      life();
      ::_exit(0);
    } catch (const std::exception& e) {
      write_all(2, std::string("jarvis-local: ") + e.what() + "\n");
      ::_exit(70);
    }
  }
  const auto pid = static_cast<pid_t>(child);
  bound.write.reset();
  try {
    map_ids(pid);
  } catch (...) {
    mapped.write.reset();
    wait_for(pid);
    throw;
  }
  write_all(mapped.write.get(), "m");
  // Keeps our end open until the child is bound to us. One that fails before says why on its own.
  static_cast<void>(read_byte(bound.read.get()));
  return pid;
}

std::string mount_refused(const std::string& what, int error_number) {
  std::string sentence = "mounting " + what + " in new namespaces: " + std::strerror(error_number);
  if (error_number != EPERM && error_number != EACCES) return sentence;
  if (read_number(kAppArmor).value_or(0) > 0) {
    return sentence + ": kernel.apparmor_restrict_unprivileged_userns is 1; set it to 0 with sysctl, or run as root";
  }
  if (what == "/proc") return sentence + ": this container hides part of its /proc; run it with an unmasked /proc";
  return sentence;
}

}  // namespace jarvis::providers
