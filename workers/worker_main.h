// The main of a forkserver executable: serves forks on an inherited socket, or runs one task by hand.
//   jarvis-core --serve SOCKET_FD LOCK_FD     started by jarvis
//   jarvis-core --task local:deploy < clipboard.yaml
//   jarvis-core --tasks                       the names it can run, one a line
#pragma once

#include <span>
#include <string>

#include "workers/worker.h"

namespace jarvis::workers {

int family_main(int argc, char** argv, std::span<const BuiltIn> tasks);

// One task in this process: clipboard from descriptor 0, the changed clipboard to descriptor 1 (kept private, so that a
// chatty library cannot spoil it), exit status as CONTRACTS §1 has it.
int run_task(std::span<const BuiltIn> tasks, const std::string& task);

}  // namespace jarvis::workers
