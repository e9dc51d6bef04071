// Runs a short program from a task or the launcher: argument list, fixed environment (nothing of ours, so that what
// survives is not taken for an attempt's process), no descriptor but 0-2, default signals. Blocks until the program
// ends and its output is closed.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace jarvis::providers {

struct ProgramEnd {
  int status = 0;      // 128 + signal when killed
  std::string output;  // standard output and error, the last newline cut off; at most 64 KiB are kept
};

struct Start {
  int out = -1;                // descriptor for 1 and 2
  bool new_session = false;    // out of the attempt's process group
  const char* file = nullptr;  // what to execute, when it is not arguments[0]
};

// Error(Permanent) if it cannot be started. The caller waits for it.
pid_t start_program(const std::vector<std::string>& arguments, const Start& start);
ProgramEnd run_small(const std::vector<std::string>& arguments);
int wait_for(pid_t child);  // its status, as above

}  // namespace jarvis::providers
