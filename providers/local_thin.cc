#include "providers/local_thin.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "pipeline/error.h"
#include "providers/local_files.h"
#include "providers/local_namespaces.h"

namespace jarvis::providers {

namespace {

using pipeline::Error;
using pipeline::Kind;
using pipeline::system_error;
using Clock = std::chrono::steady_clock;

// Any directory that every machine has: the host's disk is mounted over it, in the host's own mount namespace.
constexpr const char* kStage = "/tmp";

void mount_at(const char* source, const char* target, const char* type, unsigned long flags,
              const char* options = nullptr) {
  if (::mount(source, target, type, flags, options) != 0) {
    const int fault = errno;
    throw Error(Kind::Permanent, mount_refused(target[0] == '/' ? target : "/" + std::string(target), fault));
  }
}

// Not remount: that would have to repeat the flags which a user namespace may not clear.
void make_read_only(const char* target) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(AT_FDCWD, target, AT_RECURSIVE, &attributes, sizeof attributes) != 0) {
    throw system_error(std::string("making /") + target + " read-only");
  }
}

// The disk belongs to the host's root, who may have put anything in the place of a mount point: never followed.
void make_mount_point(const char* name) {
  struct stat state {};
  if (::mkdir(name, 0755) != 0 && errno != EEXIST) throw system_error(std::string("making /") + name);
  if (::lstat(name, &state) != 0 || !S_ISDIR(state.st_mode)) {
    throw Error(Kind::Permanent, std::string("/") + name + " of the host is no directory");
  }
}

void make_file(const char* name, mode_t mode, std::string_view text = {}) {
  const Descriptor file(::open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file || ::fchmod(file.get(), mode) != 0) throw system_error(std::string("making /") + name);
  write_all(file.get(), text);
}

void make_link(const char* target, const char* name) {
  if (::symlink(target, name) != 0) throw system_error(std::string("making /") + name);
}

void mount_devices() {
  mount_at("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=1m");
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    const std::string target = std::string("dev/") + name;
    make_file(target.c_str(), 0666);
    mount_at(("/" + target).c_str(), target.c_str(), nullptr, MS_BIND);
  }
  make_mount_point("dev/pts");
  make_mount_point("dev/shm");
  mount_at("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5");
  mount_at("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
  make_link("pts/ptmx", "dev/ptmx");
  make_link("/proc/self/fd", "dev/fd");
  make_link("/proc/self/fd/0", "dev/stdin");
  make_link("/proc/self/fd/1", "dev/stdout");
  make_link("/proc/self/fd/2", "dev/stderr");
}

void mount_run(const Boot& boot) {
  mount_at("tmpfs", "run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
  make_mount_point("run/sshd");
  make_mount_point("run/lock");
  if (::chmod("run/lock", 01777) != 0) throw system_error("making /run/lock");
  make_file("run/utmp", 0644);
  // The kernel's own boot_id is the machine's and never changes: with one of its own a reboot of the host can be seen.
  make_file("run/boot_id", 0444, boot.boot_id + "\n");
  mount_at("run/boot_id", "proc/sys/kernel/random/boot_id", nullptr, MS_BIND);
}

// The machine's own, read-only.
void bind_machine(const char* name) {
  mount_at(("/" + std::string(name)).c_str(), name, nullptr, MS_BIND | MS_REC);
  make_read_only(name);
}

pid_t start_sshd(const LocalMachine& machine) {
  std::string address = "ListenAddress=" + machine.address;
  std::string port = "Port=" + std::to_string(machine.port);
  char program[] = "/usr/sbin/sshd";
  char stay[] = "-D";
  char errors[] = "-e";
  char option[] = "-o";
  char* const arguments[] = {program, stay, errors, option, address.data(), option, port.data(), nullptr};
  char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  char language[] = "LANG=C.UTF-8";
  char* const environment[] = {path, language, nullptr};
  const pid_t child = ::fork();
  if (child < 0) throw system_error("starting sshd");
  if (child > 0) return child;
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setsid();
  ::execve(program, arguments, environment);
  const std::string fault = std::string("jarvis-local: starting /usr/sbin/sshd: ") + std::strerror(errno) + "\n";
  write_all(2, fault);
  ::_exit(71);
}

// Everything in the host is asked to end; what has not ended after two seconds dies with the first process.
void end_everything() {
  ::kill(-1, SIGTERM);
  ::kill(-1, SIGCONT);
  sigset_t child_ended;
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(2);
  for (;;) {
    pid_t ended = 0;
    do ended = ::waitpid(-1, nullptr, WNOHANG);
    while (ended > 0);
    if (ended < 0 && errno == ECHILD) return;
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - Clock::now()).count();
    if (left <= 0) return;
    const timespec wait{left / 1'000'000'000, left % 1'000'000'000};
    ::sigtimedwait(&child_ended, nullptr, &wait);
  }
}

void take_host_name() {
  std::string name = read_small(AT_FDCWD, "/etc/hostname").value_or("");
  name = name.substr(0, std::min<std::size_t>(name.find_first_of(" \t\r\n"), 64));
  if (!name.empty() && ::sethostname(name.data(), name.size()) != 0) throw system_error("setting the host name");
}

}  // namespace

void enter_thin_disk(const Boot& boot) {
  ::umask(022);
  // First of all: nothing that is mounted here may show on the machine.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    throw Error(Kind::Permanent, mount_refused("/ privately", errno));
  }
  // By `.`, because the way here may lead through directories which the host's root must not enter.
  mount_at(".", kStage, nullptr, MS_BIND | MS_REC);
  if (::chdir(kStage) != 0) throw system_error("entering the host's disk");
  for (const char* name : {"usr", "proc", "sys", "dev", "run"}) make_mount_point(name);
  bind_machine("usr");
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    struct stat state {};
    if (::lstat(name, &state) == 0 && S_ISDIR(state.st_mode)) bind_machine(name);
  }
  // Links into /usr, which have to be those of this /usr.
  if (::access("/etc/alternatives", X_OK) == 0) {
    make_mount_point("etc");
    make_mount_point("etc/alternatives");
    bind_machine("etc/alternatives");
  }
  mount_at("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
  bind_machine("sys");
  mount_devices();
  mount_run(boot);
  if (::syscall(SYS_pivot_root, ".", ".") != 0) throw system_error("changing the root directory");
  if (::umount2(".", MNT_DETACH) != 0) throw system_error("leaving the machine's root directory");
  if (::chdir("/") != 0) throw system_error("entering the new root directory");
}

void run_thin(const Boot& boot) {
  take_host_name();
  sigset_t heard;
  sigemptyset(&heard);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&heard, signal);
  ::sigprocmask(SIG_SETMASK, &heard, nullptr);
  Clock::time_point started = Clock::now();
  pid_t sshd = start_sshd(boot.machine);
  for (;;) {
    siginfo_t signal{};
    if (::sigwaitinfo(&heard, &signal) < 0) continue;
    if (signal.si_signo == SIGTERM) {  // power off
      end_everything();
      ::_exit(0);
    }
    if (signal.si_signo == SIGINT) {  // as Ctrl-Alt-Del: reboot
      end_everything();
      ::reboot(RB_AUTOBOOT);
      ::_exit(0);
    }
    int status = 0;
    for (pid_t ended = ::waitpid(-1, &status, WNOHANG); ended > 0; ended = ::waitpid(-1, &status, WNOHANG)) {
      if (ended != sshd) continue;
      // One that ends at once cannot be helped by another; later somebody in the host ended it, and wants it back.
      if (Clock::now() - started < std::chrono::seconds(2)) ::_exit(71);
      started = Clock::now();
      sshd = start_sshd(boot.machine);
    }
  }
}

}  // namespace jarvis::providers
