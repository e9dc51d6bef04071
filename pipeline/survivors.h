// Processes of an attempt that outlived it, found by JARVIS_STEP in their environment: grandchildren in sessions of
// their own, and whatever was left when jarvis and its forkservers were killed at once. Reads /proc; Linux only.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace jarvis::pipeline {

// Pids (never our own) whose environment holds JARVIS_STEP=X with wanted(X). Takes about 5 us per process on the
// machine.
std::vector<pid_t> survivors(const std::function<bool(std::string_view step)>& wanted);

// Sends KILL to all of them; how many there were. Call again until it says 0: a killed process needs a moment to go.
int kill_survivors(const std::function<bool(std::string_view step)>& wanted);

}  // namespace jarvis::pipeline
