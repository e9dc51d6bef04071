// How the local provider's tasks reach jarvis-local: as a program of its own, because what it does needs a process
// without threads, without an attempt's environment, and (where systemd runs) in a scope of its own. Each blocks until
// the program has ended.
#pragma once

#include <string>

namespace jarvis::providers {

// Exit statuses of jarvis-local. None is 1, which systemd-run ends with on its own.
inline constexpr int kLauncherDone = 0;
inline constexpr int kLauncherBusy = 3;
inline constexpr int kLauncherFailed = 4;
inline constexpr int kLauncherOff = 5;

class Launcher {
 public:
  explicit Launcher(std::string program) : program_(std::move(program)) {}

  void check() const;  // Error(Permanent) if there is no such program
  void probe() const;  // Error(Permanent) with the sentence why this machine cannot have hosts
  // True: the host answers. False: its address is taken. Error(Permanent) otherwise.
  bool start(const std::string& host_directory, const std::string& fqdn) const;
  void stop(const std::string& host_directory) const;
  bool reboot(const std::string& host_directory) const;  // false if it does not run
  void remove(const std::string& path) const;

 private:
  void must(const std::string& verb, const std::string& directory) const;

  std::string program_;
};

// Beside this executable.
std::string default_launcher();

}  // namespace jarvis::providers
