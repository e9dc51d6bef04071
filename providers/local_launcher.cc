#include "providers/local_launcher.h"

#include <unistd.h>

#include <filesystem>
#include <vector>

#include "pipeline/error.h"
#include "providers/local_files.h"
#include "providers/local_program.h"

namespace jarvis::providers {

namespace {

using pipeline::Error;
using pipeline::Kind;

constexpr const char* kSystemdRuns = "/run/systemd/system";

// Stopping jarvis's unit stops every process of its control group: a host gets a scope of its own.
std::vector<std::string> in_a_scope(const std::string& fqdn, const std::vector<std::string>& command) {
  std::vector<std::string> made = {"systemd-run", "--scope", "--quiet", "--collect"};
  if (::geteuid() != 0) made.emplace_back("--user");
  made.push_back("--description=jarvis local host " + fqdn);
  made.push_back("--unit=jarvis-local-" + fqdn.substr(0, 200) + "-" + random_text(8, kHex));
  made.emplace_back("--");
  made.insert(made.end(), command.begin(), command.end());
  return made;
}

}  // namespace

std::string default_launcher() {
  std::error_code fault;
  return (std::filesystem::read_symlink("/proc/self/exe", fault).parent_path() / "jarvis-local").string();
}

void Launcher::check() const {
  if (::access(program_.c_str(), X_OK) == 0) return;
  throw pipeline::system_error("launcher: " + program_ +
                               " cannot be run (it is built and installed beside jarvis-core)");
}

void Launcher::probe() const {
  const ProgramEnd end = run_small({program_, "--probe"});
  if (end.status != kLauncherDone) throw Error(Kind::Permanent, end.output);
}

bool Launcher::start(const std::string& host_directory, const std::string& fqdn) const {
  const std::vector<std::string> command = {program_, "--start", host_directory};
  ProgramEnd end{1, {}};
  // 1 is systemd-run's own failure (no user manager, say): then a plain process has to do.
  if (::access(kSystemdRuns, F_OK) == 0) {
    try {
      end = run_small(in_a_scope(fqdn, command));
    } catch (const Error&) {
      end.status = 1;  // no systemd-run here
    }
  }
  if (end.status == 1) end = run_small(command);
  if (end.status == kLauncherDone) return true;
  if (end.status == kLauncherBusy) return false;
  throw Error(Kind::Permanent, "starting " + fqdn + ": " + end.output);
}

void Launcher::must(const std::string& verb, const std::string& directory) const {
  const ProgramEnd end = run_small({program_, verb, directory});
  if (end.status != kLauncherDone) throw Error(Kind::Permanent, end.output);
}

void Launcher::stop(const std::string& host_directory) const {
  must("--stop", host_directory);
}

bool Launcher::reboot(const std::string& host_directory) const {
  const ProgramEnd end = run_small({program_, "--reboot", host_directory});
  if (end.status == kLauncherOff) return false;
  if (end.status != kLauncherDone) throw Error(Kind::Permanent, end.output);
  return true;
}

void Launcher::remove(const std::string& path) const {
  must("--remove", path);
}

}  // namespace jarvis::providers
