// The process that stays with one host: starts it, starts it again when it reboots, ends when it is off. Holds the lock
// on the host's file `supervisor`, and the host dies with it. Knows no clipboard; reads `machine`, writes `state` and
// `log`.
//
// SIGTERM: power off, then end. SIGHUP: power off and on again.
#pragma once

#include <span>
#include <string>

namespace jarvis::providers {

// The first line that a supervisor prints, once it is known; then it lets go of its standard output.
inline constexpr const char* kReady = "ready";     // the host answers
inline constexpr const char* kOther = "other";     // this host has a supervisor already (or is being removed)
inline constexpr const char* kBusy = "busy ";      // the address is taken; what follows is for a person
inline constexpr const char* kFailed = "failed ";  // what follows is for a person

// The life of a supervisor, of the host whose directory this is. Returns its exit status. `arguments` are the process's
// own argv: the host's first process is renamed to `init` there.
int supervise(const std::string& host_directory, std::span<char*> arguments);

enum class Asked { Nothing, Off, Reboot };
enum class Next { Off, Again, Failed };

// What follows when the host's first process has ended. reboot(2) in a pid namespace kills it by SIGHUP (restart) or
// SIGINT (halt, power off); exit 0 is a polite power off.
Next next_power(Asked asked, int wait_status, bool was_ready);

}  // namespace jarvis::providers
