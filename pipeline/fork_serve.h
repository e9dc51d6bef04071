// The forkserver's own end: a lean single-threaded process that forks one child per request and reports how it ended.
// Started by exec with two inherited descriptors: the request socket, and the state directory's lock (or none). It
// lives as long as its socket's other end: when the loop dies, it kills every group it started, and only then lets the
// lock go. Knows no task: `run_task` performs one in the child and returns its exit status.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace jarvis::pipeline {

// What the forkserver's environment begins with: room for the JARVIS_STEP of a child that is no program of its own.
inline constexpr std::string_view kStepVariable = "JARVIS_STEP=";
inline const std::string kStepLabel = std::string(kStepVariable) + std::string(255, ' ');

struct ForkServeOptions {
  int socket = -1;
  int lock = -1;  // held open in this process only, closed in every child
  std::function<int(const std::string& task)> run_task;
};

// Returns when the socket's other end is closed and no child is left: the process's exit status.
int fork_serve(const ForkServeOptions& options);

}  // namespace jarvis::pipeline
