#include "workers/program.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/env.hpp>
#include <boost/process/environment.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/io.hpp>
#include <boost/process/pipe.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "pipeline/error.h"

namespace jarvis::workers {

namespace process = boost::process;
using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr std::size_t kMostOutput = 1U << 20U;

// Ignored only while we write, and only after the program was started: it must not inherit that.
class NoBrokenPipe {
 public:
  NoBrokenPipe() : before_(std::signal(SIGPIPE, SIG_IGN)) {}
  ~NoBrokenPipe() { std::signal(SIGPIPE, before_); }
  NoBrokenPipe(const NoBrokenPipe&) = delete;
  NoBrokenPipe& operator=(const NoBrokenPipe&) = delete;

 private:
  void (*before_)(int);
};

// Boost makes its pipes without close-on-exec; the child's own ends are duplicates, which lose it again.
void close_on_exec(const process::pipe& pipe) {
  ::fcntl(pipe.native_source(), F_SETFD, FD_CLOEXEC);
  ::fcntl(pipe.native_sink(), F_SETFD, FD_CLOEXEC);
}

void close_sink(process::pipe& pipe) {
  ::close(pipe.native_sink());
  pipe.assign_sink(-1);
}

process::environment clean_environment(const std::vector<std::string>& extra) {
  process::environment made;
  for (const char* name : {"PATH", "HOME", "LANG", "TMPDIR"}) {
    const char* value = std::getenv(name);
    if (value != nullptr) made[name] = value;
  }
  for (const std::string& one : extra) {
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos) throw Error(Kind::Bug, "an environment entry without `=`");
    made[one.substr(0, equals)] = one.substr(equals + 1);
  }
  return made;
}

std::string found_in_path(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    std::string file = std::string(folder) + '/' + name;
    if (!folder.empty() && ::access(file.c_str(), X_OK) == 0) return file;
  }
  throw Error(Kind::Permanent, "cannot run " + name + ": it is not in PATH");
}

// Both directions at once: a program may print before it has read everything. False when it printed too much.
bool exchange(process::pipe& in, process::pipe& out, std::string_view input, std::string& output) {
  const NoBrokenPipe guard;
  ::fcntl(in.native_sink(), F_SETFL, O_NONBLOCK);
  if (input.empty()) close_sink(in);
  std::array<char, 65536> buffer{};
  for (;;) {
    std::array<pollfd, 2> ends{pollfd{out.native_source(), POLLIN, 0}, pollfd{in.native_sink(), POLLOUT, 0}};
    if (::poll(ends.data(), ends.size(), -1) < 0 && errno != EINTR)
      throw pipeline::system_error("waiting for a program");
    if (ends[1].revents != 0) {
      const ssize_t n = ::write(in.native_sink(), input.data(), input.size());
      if (n > 0) input.remove_prefix(static_cast<std::size_t>(n));
      if (input.empty() || (n < 0 && errno != EINTR && errno != EAGAIN)) close_sink(in);
    }
    if (ends[0].revents == 0) continue;
    const ssize_t n = ::read(out.native_source(), buffer.data(), buffer.size());
    if (n == 0) return true;
    if (n < 0 && errno != EINTR) throw pipeline::system_error("reading from a program");
    if (n > 0) output.append(buffer.data(), static_cast<std::size_t>(n));
    if (output.size() > kMostOutput) return false;
  }
}

int shell_status(int native) {
  return WIFSIGNALED(native) ? 128 + WTERMSIG(native) : WEXITSTATUS(native);
}

}  // namespace

ProgramResult run_program(const std::vector<std::string>& arguments, const std::string& input,
                          const std::vector<std::string>& extra_environment) {
  const std::string executable = found_in_path(arguments.at(0));
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  process::environment environment = clean_environment(extra_environment);
  process::pipe in;
  process::pipe out;
  close_on_exec(in);
  close_on_exec(out);
  // With an error_code, not an exception: Boost's exception forgets to close the child's ends of the pipes.
  std::error_code error;
  process::child child(process::exe = executable, process::args = rest, environment,
                       process::std_in<in, process::std_out> out, error);
  if (error) throw pipeline::system_error("cannot run " + executable, error.value());
  ProgramResult result;
  if (!exchange(in, out, input, result.output)) {
    child.terminate();
    throw Error(Kind::Permanent, executable + " printed more than 1 MiB and was killed");
  }
  child.wait();
  result.exit_status = shell_status(child.native_exit_code());
  return result;
}

}  // namespace jarvis::workers
