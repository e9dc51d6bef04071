// What a worker says on stderr, line by line, bounded: the beginning and the end of a flood are kept. Understands the
// words of docs/workers.md: `progress: TEXT`, `retry-after: SECONDS`, `change: TEXT`, `cost: AMOUNT CURRENCY`. Pure;
// blanks nothing (the run does, when the attempt has ended and all its secrets are known).
#pragma once

#include <chrono>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/attempt_result.h"

namespace jarvis::pipeline {

class AttemptLog {
 public:
  // Bytes as they come; returns true if a progress line was among them.
  bool feed(std::string_view bytes);
  // End of stderr: what stands behind the last newline is a line too.
  void finish();

  const std::string& progress() const { return progress_; }
  std::optional<std::chrono::milliseconds> retry_after() const { return retry_after_; }
  const std::vector<std::string>& changes() const { return changes_; }
  const std::vector<Cost>& costs() const { return costs_; }
  // All lines kept, in order, "... N lines left out ..." where the middle is missing.
  std::string text() const;
  // The last line that is not one of these words: what a failure quotes.
  const std::string& last_words() const { return last_words_; }

 private:
  void line(std::string_view text);

  static constexpr std::size_t kHead = 32U << 10U, kTail = 96U << 10U, kLine = 4096, kChanges = 1000;
  std::string partial_;
  bool cut_ = false;  // partial_ is full, the rest of its line is passed over
  std::string head_;
  std::list<std::string> tail_;  // not a deque, which takes 576 bytes before there is a line
  std::size_t tail_bytes_ = 0, left_out_ = 0;
  std::string progress_, last_words_;
  std::optional<std::chrono::milliseconds> retry_after_;
  std::vector<std::string> changes_;
  std::vector<Cost> costs_;
};

}  // namespace jarvis::pipeline
