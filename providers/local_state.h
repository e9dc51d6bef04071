// What the supervisor of a host leaves in its directory for everybody else: the lock that says who it is, and the small
// file `state`. Written by the supervisor only. A reader may trust the lock for "is there a supervisor", never a bare
// pid.
//
//   supervisor   locked for the supervisor's whole life; "PID START" of it (START: as in /proc/PID/stat, pids are used
//   again) state        `key: value` lines: state (starting ready off), boot_id, init (PID START of the host's first
//   process), why
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "providers/local_files.h"

namespace jarvis::providers {

struct Process {
  pid_t pid = 0;
  unsigned long long start = 0;
};
std::optional<Process> process_of(pid_t pid);
std::string text_of(const Process& process);
std::optional<Process> parse_process(std::string_view text);
// A descriptor that is readable once this very process has ended; empty if it has.
Descriptor open_process(const Process& process);

enum class LocalPower { Off, Starting, Ready };

struct HostState {
  LocalPower power = LocalPower::Off;
  std::string boot_id;
  Process init;
  std::string why;  // the last words of a host that is off

  std::string text() const;
  static HostState parse(std::string_view text);  // what is missing or odd stays as it is above
};
HostState read_state(int directory);
void write_state(int directory, const HostState& state);

inline constexpr const char* kSupervisorFile = "supervisor";

// The pid that holds the supervisor's lock, or nothing. Error(Refused) if it cannot be seen from here (another pid
// namespace).
std::optional<pid_t> supervisor_of(int directory);
// Takes the lock: empty if somebody has it, or if the host's directory is being removed. Held until the descriptor is
// closed, or any other descriptor of this file in this process is.
Descriptor lock_supervisor(int directory);

}  // namespace jarvis::providers
