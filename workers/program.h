// Runs one program to its end from inside a task (Boost.Process): argument list, no shell, clean environment.
#pragma once

#include <string>
#include <vector>

namespace jarvis::workers {

struct ProgramResult {
  int exit_status = 0;  // 128 + signal when killed
  std::string output;   // stdout, at most 1 MiB
};

// Blocks until the program has exited and its stdout is closed (by its children, too). arguments[0] is a path, or a
// name to find in PATH. `input` goes to stdin, which then ends; a program that does not read it all is no error. stderr
// is the task's own (the attempt's log). The environment is PATH HOME LANG TMPDIR of the task plus `extra_environment`
// ("NAME=VALUE"). Error(Permanent) naming the program if it cannot be started, or when it prints more than 1 MiB (it is
// killed then). The task's own timeout bounds it: a killed task takes its programs along (process group). One thread
// only.
ProgramResult run_program(const std::vector<std::string>& arguments, const std::string& input = {},
                          const std::vector<std::string>& extra_environment = {});

}  // namespace jarvis::workers
