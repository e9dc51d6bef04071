// jarvis-local: the launcher of local hosts, and the supervisor that stays with each. Started by the local provider's
// tasks, in an environment of its own; by hand, DIRECTORY being a host's:
//
//   jarvis-local --start DIRECTORY       well when it runs. Exit 0: ready; 3: its address is taken; 4: anything else
//   jarvis-local --stop DIRECTORY        well when it is off
//   jarvis-local --reboot DIRECTORY      exit 5 if it does not run
//   jarvis-local --remove DIRECTORY      its files, whoever they belong to
//   jarvis-local --probe                 whether this machine can have hosts
//   jarvis-local --supervise DIRECTORY   the supervisor itself
//
// What goes wrong is on standard output.
#include <fcntl.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <span>
#include <string>

#include "pipeline/error.h"
#include "providers/local_control.h"
#include "providers/local_files.h"
#include "providers/local_launcher.h"
#include "providers/local_supervisor.h"

namespace {

using namespace jarvis::providers;

int start(const std::string& directory) {
  const StartResult result =
      start_host(directory, "jarvis-local: " + std::filesystem::path(directory).filename().string());
  if (result.started == Started::Ready) return kLauncherDone;
  std::puts(result.words.c_str());
  return result.started == Started::Busy ? kLauncherBusy : kLauncherFailed;
}

Descriptor opened(const std::string& directory) {
  Descriptor found = open_directory(AT_FDCWD, directory);
  if (!found) throw jarvis::pipeline::Error(jarvis::pipeline::Kind::Usage, "there is no directory " + directory);
  return found;
}

int probe() {
  const std::string words = refusal_of_this_machine();
  if (!words.empty()) std::puts(words.c_str());
  return words.empty() ? kLauncherDone : kLauncherFailed;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  try {
    if (argc == 2 && verb == "--probe") return probe();
    if (argc == 3) {
      const std::string directory = argv[2];
      if (verb == "--supervise") return supervise(directory, std::span(argv, static_cast<std::size_t>(argc)));
      if (verb == "--start") return start(directory);
      if (verb == "--stop") return stop_host(opened(directory).get()), kLauncherDone;
      if (verb == "--reboot") return reboot_host(opened(directory).get()) ? kLauncherDone : kLauncherOff;
      if (verb == "--remove") return remove_host_files(directory), kLauncherDone;
    }
  } catch (const std::exception& e) {
    std::puts(e.what());
    return kLauncherFailed;
  }
  std::puts(
      "jarvis-local is started by jarvis; by hand: jarvis-local --start|--stop|--reboot|--remove DIRECTORY, or "
      "--probe");
  return 2;
}
