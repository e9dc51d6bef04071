// jarvis-test: a forkserver whose tasks are what the tests of attempts and runs need. Stands beside the test program.
//   jarvis-test --serve SOCKET LOCK      started by a Forkserver
//   jarvis-test --loop DIRECTORY         a loop of its own, for tests that kill one: takes the lock DIRECTORY/lock,
//   begins a
//                                        task that hangs, prints "ready"
//   jarvis-test WORD                     the same tasks as an external worker
// A task is VERB or VERB_WORD; TEST_DIR in its environment is the test's directory, where every call leaves a line.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>

#include "pipeline/attempt.h"
#include "pipeline/fork_serve.h"

extern char** environ;

namespace {

using namespace jarvis::pipeline;

std::string directory() {
  const char* value = std::getenv("TEST_DIR");
  return value != nullptr ? value : "/nonexistent";
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

void write_all(int fd, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(fd, text.data() + at, text.size() - at);
    if (n <= 0) ::_exit(99);
    at += static_cast<std::size_t>(n);
  }
}

std::string read_all(int fd) {
  std::string text;
  char buffer[65536];
  for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

std::string file(const std::string& name) {
  return read_all(::open((directory() + "/" + name).c_str(), O_RDONLY));
}

// A line of DIRECTORY/log for this call; how many there are for this task now.
int mark(const std::string& task) {
  const int fd = ::open((directory() + "/log").c_str(), O_RDWR | O_APPEND | O_CREAT, 0600);
  write_all(fd, task + " " + variable("JARVIS_STEP") + " " + variable("JARVIS_ATTEMPT") + "\n");
  ::close(fd);
  int count = 0;
  std::istringstream lines(file("log"));
  for (std::string line; std::getline(lines, line);) count += line.starts_with(task + " ") ? 1 : 0;
  return count;
}

void say(const std::string& line) {
  write_all(2, line + "\n");
}

[[noreturn]] void pause_for_ever() {
  for (;;) ::pause();
}

// Checks, then applies, as every worker.
int note(const std::string& word) {
  const std::string board = read_all(0), line = word + ": done\n";
  write_all(1, board.find("\n" + line) == std::string::npos ? board + line : board);
  return 0;
}

// What a child finds, a fact a line.
int facts() {
  std::string text = "pid: " + std::to_string(::getpid()) + "\ngroup: " + std::to_string(::getpgrp()) + "\n";
  const mode_t mask = ::umask(0);
  char octal[16];
  std::snprintf(octal, sizeof octal, "%03o", mask);
  text += std::string("umask: '") + octal + "'\ndescriptors:";
  for (int fd = 0; fd < 4096; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) text += " " + std::to_string(fd);
  }
  text += "\n";
  sigset_t blocked;
  ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
  int changed = 0, masked = 0;
  for (int number = 1; number < 32; ++number) {
    struct sigaction now {};
    changed += ::sigaction(number, nullptr, &now) == 0 && now.sa_handler != SIG_DFL ? 1 : 0;
    masked += ::sigismember(&blocked, number) == 1 ? 1 : 0;
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  char here[4096];
  text += "changed signals: " + std::to_string(changed) + "\nblocked signals: " + std::to_string(masked) +
          "\nfiles: " + std::to_string(files.rlim_cur) +
          "\ndirectory: " + (::getcwd(here, sizeof here) != nullptr ? here : "?") + "\nenvironment:\n";
  for (char** one = environ; *one != nullptr; ++one) text += "  - " + std::string(*one) + "\n";
  write_all(1, text);
  return 0;
}

// Leaves somebody behind who holds our stdout; his pid goes to DIRECTORY/left.
int leave(bool session, bool closed) {
  int gate[2];
  if (::pipe(gate) != 0) return 99;
  const pid_t child = ::fork();
  if (child == 0) {
    if (session) ::setsid();
    if (closed) {
      for (int fd = 0; fd < 3; ++fd) ::close(fd);
    }
    // By exec, as workers start their programs: who looks for survivors sees the environment of such a one only.
    ::fcntl(gate[1], F_SETFD, FD_CLOEXEC);
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    ::execl(self.c_str(), self.c_str(), "pause", nullptr);
    ::_exit(99);
  }
  ::close(gate[1]);
  char byte = 0;
  (void)!::read(gate[0], &byte, 1);  // the end: it is another program now
  std::ofstream(directory() + "/left") << child << "\n";
  write_all(1, "left: " + std::to_string(child) + "\n");
  return 0;
}

int stubborn() {
  ::signal(SIGTERM, SIG_IGN);
  say("progress: hanging");
  pause_for_ever();
}

std::string polite_end;

void finish_politely(int) {
  write_all(1, polite_end);
  ::_exit(0);
}

int polite() {
  polite_end = read_all(0) + "polite: done\n";
  ::signal(SIGTERM, finish_politely);
  say("progress: hanging");
  pause_for_ever();
}

int hang(const std::string& word) {
  say("progress: hanging");
  if (word.empty()) pause_for_ever();
  char byte = 0;
  (void)!::read(::open((directory() + "/go_" + word).c_str(), O_RDONLY), &byte, 1);  // a FIFO: until the test says go
  return note(word);
}

int perform(const std::string& task) {
  const std::string whole = task.substr(task.find(':') + 1);
  const std::size_t line = whole.find('_');
  const std::string verb = whole.substr(0, line), word = line == std::string::npos ? "" : whole.substr(line + 1);
  if (verb == "echo") return write_all(1, read_all(0)), 0;
  if (verb == "facts") return facts();
  if (verb == "both") {  // says much before it reads anything
    write_all(1, std::string(1U << 20U, 'o'));
    say("read " + std::to_string(read_all(0).size()));
    return 0;
  }
  if (verb == "flood") return write_all(2, std::string(4U << 20U, 'e') + "\nlast words\n"), 3;
  if (verb == "endless") {
    for (const std::string text(65536, 'x');;) write_all(1, text);
  }
  if (verb == "pause") pause_for_ever();
  if (verb == "exit") return say("so be it"), std::stoi(word);
  if (verb == "signal") return say("so be it"), ::raise(std::stoi(word)), 0;
  if (verb == "partial") return write_all(1, "half"), ::raise(SIGKILL), 0;
  if (verb == "stubborn") return stubborn();
  if (verb == "polite") return polite();
  if (verb == "leave") return leave(word == "session", word == "closed");
  if (verb == "stay") return leave(word == "session", false), hang("");
  if (verb == "forsake") return leave(false, word == "closed"), ::raise(SIGKILL), 0;
  if (verb == "unread") return 0;
  if (verb == "change") {  // plan mode
    if (variable("JARVIS_MODE") != "plan") return say("changed something in mode " + variable("JARVIS_MODE")), 1;
    return say("change: " + word + " of " + variable("JARVIS_TASK")), say("change: and more"), 0;
  }
  // What runs are made of.
  const int calls = mark(whole);
  if (verb == "note") return note(word);
  if (verb == "quiet") return 0;
  if (verb == "drop") return write_all(1, "fqdn: loki.example.org\nhostname: loki\n"), 0;
  if (verb == "print") return write_all(1, file(word)), 0;
  if (verb == "fail") return say("no such luck"), 1;
  if (verb == "mended") return calls == 1 ? (say("not this time"), 1) : note(word);
  if (verb == "later") return calls < 3 ? (say("retry-after: 0.02\nnot yet"), 75) : note(word);
  if (verb == "never") return say("retry-after: 0.02\nnot yet"), 75;
  if (verb == "wait") return say("retry-after: 3600\nnot yet"), 75;
  if (verb == "crash") return calls == 1 ? (::raise(SIGKILL), 0) : note(word);
  if (verb == "crashes") return ::raise(SIGKILL), 0;
  if (verb == "hang") return hang(word);
  say("no such task: " + task);
  return 2;
}

int loop(const std::string& where) {
  const int lock = ::open((where + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) return 1;
  boost::asio::io_context context;
  Forkserver server(context, std::filesystem::read_symlink("/proc/self/exe"), lock);
  const auto begin = [&](const std::string& task) {
    AttemptRequest request;
    request.fork.task = task;
    request.fork.environment = {"TEST_DIR=" + where, "JARVIS_STEP=" + where + task};
    request.input = std::make_shared<const std::string>();
    request.timeout = std::chrono::hours{1};
    return std::make_unique<Attempt>(context, server, std::move(request), [] { write_all(1, "ready\n"); });
  };
  // One whose child is in a session of its own, and one that ignores TERM.
  const auto first = begin("test:stay_session"), second = begin("test:stubborn");
  for (Attempt* one : {first.get(), second.get()}) {
    boost::asio::co_spawn(
        context, [one]() -> boost::asio::awaitable<void> { co_await one->run(); }, boost::asio::detached);
  }
  context.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "--serve" && argc == 4) return fork_serve({std::atoi(argv[2]), std::atoi(argv[3]), perform});
  if (first == "--loop" && argc == 3) return loop(argv[2]);
  return perform(first);
}
