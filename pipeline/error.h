// The one exception of jarvis. It carries what went wrong, in words for a person, and grows context on its way out:
// "loki: linode:deploy failed: 429 Too Many Requests". Knows nothing of chat, exit codes or journals; the mains turn
// its kind into an exit status, the run turns process results into outcomes (outcome.h).
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace jarvis::pipeline {

// What the reader can do about it. The kind survives every added context.
enum class Kind {
  Usage,      // wrong input: spec, configuration, command. Nothing was changed.
  Refused,    // a rule forbids it (access, lock, foreign machine)
  Permanent,  // the world said no, asking again will not help
  Transient,  // may well succeed when asked again, see retry_after()
  Bug,        // jarvis itself is wrong
};

// How a built-in worker ends that may not touch what it found (Refused); to the run it is a failure like any other.
inline constexpr int kRefusedStatus = 3;

class Error : public std::exception {
 public:
  Error(Kind kind, std::string message) : kind_(kind), text_(std::move(message)) {}

  Kind kind() const { return kind_; }
  const char* what() const noexcept override { return text_.c_str(); }

  // Puts "CONTEXT: " before the text and keeps the kind; returns *this for `throw e.within(...)`.
  Error& within(std::string_view context);

  // Only for Transient: when to ask again, if the other side said so.
  std::optional<std::chrono::milliseconds> retry_after() const { return retry_after_; }
  Error& retry_after(std::chrono::milliseconds delay);

 private:
  Kind kind_;
  std::string text_;
  std::optional<std::chrono::milliseconds> retry_after_;
};

// "TEXT: strerror(errno)", kind Permanent. Reads errno first, so it may be built inline after a failed call.
Error system_error(std::string_view text);
Error system_error(std::string_view text, int error_number);

// The nearest of `candidates` to `word` by edit distance (at most a third of its length), or nothing. For "did you
// mean".
template <typename Range>
std::optional<std::string> nearest(std::string_view word, const Range& candidates);

int edit_distance(std::string_view a, std::string_view b);

template <typename Range>
std::optional<std::string> nearest(std::string_view word, const Range& candidates) {
  std::optional<std::string> best;
  int best_distance = static_cast<int>(word.size()) / 3 + 1;
  for (const auto& candidate : candidates) {
    const int distance = edit_distance(word, candidate);
    if (distance <= best_distance && (!best || distance < best_distance)) {
      best = std::string(candidate);
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace jarvis::pipeline
