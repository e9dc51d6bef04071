#include "providers/local_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "pipeline/error.h"
#include "providers/local_files.h"

namespace jarvis::providers {

namespace {

std::vector<std::string> environment() {
  std::vector<std::string> made = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"};
  // What `systemd-run --user` finds its manager by.
  if (::geteuid() != 0) made.push_back("XDG_RUNTIME_DIR=/run/user/" + std::to_string(::geteuid()));
  return made;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> made;
  made.reserve(texts.size() + 1);
  for (std::string& one : texts) made.push_back(one.data());
  made.push_back(nullptr);
  return made;
}

}  // namespace

pid_t start_program(const std::vector<std::string>& arguments, const Start& start) {
  std::vector<std::string> own_arguments = arguments;
  std::vector<std::string> own_environment = environment();
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, start.out, 1);
  ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  const int session = start.new_session ? POSIX_SPAWN_SETSID : 0;
  ::posix_spawnattr_setflags(&attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | session));
  pid_t child = -1;
  const char* file = start.file != nullptr ? start.file : arguments.front().c_str();
  const int fault = ::posix_spawnp(&child, file, &actions, &attributes, pointers(own_arguments).data(),
                                   pointers(own_environment).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (fault != 0) throw pipeline::system_error("starting " + arguments.front(), fault);
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw pipeline::system_error("waiting for a program");
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

ProgramEnd run_small(const std::vector<std::string>& arguments) {
  Pipe pipe = make_pipe();
  const pid_t child = start_program(arguments, {pipe.write.get()});
  pipe.write.reset();
  ProgramEnd end;
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(pipe.read.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    if (end.output.size() < 65536) end.output.append(buffer, static_cast<std::size_t>(n));
  }
  end.status = wait_for(child);
  while (!end.output.empty() && end.output.back() == '\n') end.output.pop_back();
  return end;
}

}  // namespace jarvis::providers
