#include "workers/worker_main.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "pipeline/fork_serve.h"

namespace jarvis::workers {

namespace {

constexpr int kNotYet = 75;  // EX_TEMPFAIL of sysexits.h
constexpr int kRefused = pipeline::kRefusedStatus;

std::string read_all(int fd) {
  std::string text;
  for (;;) {
    // As much as is there, so that a small clipboard touches little memory in a process that lives for a moment.
    int there = 0;
    if (::ioctl(fd, FIONREAD, &there) != 0 || there <= 0) there = 1;
    const std::size_t before = text.size();
    text.resize(before + static_cast<std::size_t>(there));
    const ssize_t n = ::read(fd, text.data() + before, static_cast<std::size_t>(there));
    if (n < 0 && errno != EINTR) throw pipeline::system_error("reading the clipboard");
    text.resize(before + static_cast<std::size_t>(n < 0 ? 0 : n));
    if (n == 0) return text;
    if (text.size() > pipeline::Bounds{}.bytes) throw Error(Kind::Usage, "the clipboard is larger than 8 MiB");
  }
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw pipeline::system_error("printing the clipboard");
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Moves descriptor 1 away and points 1 at stderr: what a library prints there is a log line, not clipboard.
int private_stdout() {
  const int out = ::fcntl(1, F_DUPFD_CLOEXEC, 3);
  if (out < 0 || ::dup2(2, 1) < 0) throw pipeline::system_error("setting standard output aside");
  return out;
}

std::string environment(const char* name, const char* otherwise = "") {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

}  // namespace

int run_task(std::span<const BuiltIn> tasks, const std::string& task) {
  try {
    const BuiltIn* found = nullptr;
    for (const BuiltIn& one : tasks) {
      if (task == one.name) found = &one;
    }
    if (found == nullptr) throw Error(Kind::Usage, "unknown task " + task);
    const int out = private_stdout();
    Call call{task,
              environment("JARVIS_RUN"),
              environment("JARVIS_STEP"),
              std::atoi(environment("JARVIS_ATTEMPT", "1").c_str()),
              environment("JARVIS_MODE", "apply") == "plan",
              found->checks_input ? Clipboard::parse(read_all(0)) : Clipboard::checked(read_all(0))};
    const std::string before = call.clipboard.text();
    found->function(call);
    if (!call.plan && call.clipboard.text() != before) write_all(out, call.clipboard.text());
    ::close(out);
    return 0;
  } catch (const Error& e) {
    if (e.kind() == Kind::Transient) {
      if (e.retry_after()) {
        char line[64];
        std::snprintf(line, sizeof line, "retry-after: %.3f\n", static_cast<double>(e.retry_after()->count()) / 1000.0);
        std::fputs(line, stderr);
      }
      std::fprintf(stderr, "%s\n", e.what());
      return kNotYet;
    }
    std::fprintf(stderr, "%s\n", e.what());
    // Whoever plans wants to know whether the spec is wrong or what is there is somebody else's.
    return e.kind() == Kind::Refused && environment("JARVIS_MODE") == "plan" ? kRefused : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}

int family_main(int argc, char** argv, std::span<const BuiltIn> tasks) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "--serve" && argc == 4) {
    return pipeline::fork_serve(
        {std::atoi(argv[2]), std::atoi(argv[3]), [tasks](const std::string& task) { return run_task(tasks, task); }});
  }
  if (verb == "--task" && argc == 3) return run_task(tasks, argv[2]);
  if (verb == "--tasks") {
    for (const BuiltIn& one : tasks) std::puts(one.name);
    return 0;
  }
  std::fprintf(stderr, "%s is started by jarvis; by hand: %s --task MODULE:TASK < clipboard.yaml\n", argv[0], argv[0]);
  return 2;
}

}  // namespace jarvis::workers
