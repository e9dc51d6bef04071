#include "pipeline/survivors.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "pipeline/unique_fd.h"

namespace jarvis::pipeline {

namespace {

constexpr std::string_view kVariable = "JARVIS_STEP=";

std::string environment_of(const char* pid) {
  const UniqueFd file(::open(("/proc/" + std::string(pid) + "/environ").c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!file) return text;
  char buffer[16384];
  for (ssize_t n = 0; (n = ::read(file.get(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

std::string_view step_in(std::string_view environment) {
  while (!environment.empty()) {
    const std::size_t end = environment.find('\0');
    const std::string_view one = environment.substr(0, end);
    if (one.starts_with(kVariable)) return one.substr(kVariable.size());
    if (end == std::string_view::npos) break;
    environment.remove_prefix(end + 1);
  }
  return {};
}

}  // namespace

std::vector<pid_t> survivors(const std::function<bool(std::string_view step)>& wanted) {
  std::vector<pid_t> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), ::closedir);
  if (!directory) return found;
  const pid_t self = ::getpid();
  while (const dirent* entry = ::readdir(directory.get())) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 1 || pid == self) continue;
    const std::string environment = environment_of(entry->d_name);
    const std::string_view step = step_in(environment);
    if (!step.empty() && wanted(step)) found.push_back(pid);
  }
  return found;
}

int kill_survivors(const std::function<bool(std::string_view step)>& wanted) {
  const std::vector<pid_t> found = survivors(wanted);
  for (const pid_t pid : found) ::kill(pid, SIGKILL);
  return static_cast<int>(found.size());
}

}  // namespace jarvis::pipeline
