// How an attempt's process ended, before anybody judged its clipboard.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/outcome.h"

namespace jarvis::pipeline {

struct Usage {
  std::chrono::microseconds user{0}, system{0};
  std::int64_t max_rss_kib = 0;
};

// What something costs a month, as a task in plan mode says it: `cost: 5.00 USD`.
struct Cost {
  double monthly = 0;
  std::string currency;  // may be empty
  bool operator==(const Cost&) const = default;
};

struct AttemptResult {
  Outcome outcome = Outcome::Failed;  // Succeeded: exit 0, the output is yet to be judged
  bool not_yet = false;               // exit 75
  bool lost = false;                  // cut short by the death of jarvis or of a forkserver: does not count
  int exit_status = 0, signal = 0;
  std::optional<std::chrono::milliseconds> retry_after;
  std::string why;                   // "exit 3", "killed by signal 9 (Killed)", "timed out after 10 s"
  std::string last_words;            // the worker's; not blanked yet
  std::string output;                // stdout
  std::string log;                   // stderr; not blanked yet
  std::vector<std::string> changes;  // plan mode
  std::vector<Cost> costs;           // plan mode
  Usage usage;
};

}  // namespace jarvis::pipeline
