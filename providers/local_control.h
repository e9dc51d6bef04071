// What others do with a host that runs, or should: in the host's open directory, by its supervisor's lock and signals.
// Each blocks until it is so, waiting for events and never longer than about a minute. Knows no clipboard and no
// `machine`.
#pragma once

#include <string>

namespace jarvis::providers {

enum class Started { Ready, Busy, Failed };
struct StartResult {
  Started started = Started::Ready;
  std::string words;  // why not
};

// Well when the host runs already. `title` is what `ps` shows of the supervisor.
StartResult start_host(const std::string& host_directory, const std::string& title);
// Well when it does not run. Returns when no process of the host is left.
void stop_host(int directory);
// Off and on again; returns when the host answers with another boot_id. False if it does not run.
bool reboot_host(int directory);
// Why this machine cannot have hosts, or nothing: by trying.
std::string refusal_of_this_machine();
// Removes a host's files, whoever they belong to.
void remove_host_files(const std::string& path);

}  // namespace jarvis::providers
