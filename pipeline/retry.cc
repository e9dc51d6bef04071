#include "pipeline/retry.h"

#include <algorithm>

namespace jarvis::pipeline {
namespace {

using std::chrono::milliseconds;

milliseconds doubled(const RetryPolicy& policy, int counted) {
  milliseconds delay = policy.delay;
  for (int attempt = 1; attempt < counted && delay < policy.max_delay; ++attempt) delay *= 2;
  return std::min(delay, policy.max_delay);
}

NextMove ask_again(const RetryPolicy& policy, milliseconds delay, milliseconds elapsed) {
  delay = std::max(delay, milliseconds{0});
  // Subtracted, not added: a worker may have asked for a delay near the end of the type.
  if (delay > policy.deadline - elapsed) return {NextMove::Do::Fail, milliseconds{0}, true};
  return {NextMove::Do::AskAgain, delay, false};
}

}  // namespace

NextMove after_attempt(const RetryPolicy& policy, Outcome outcome, bool not_yet, int counted,
                       std::optional<milliseconds> retry_after, milliseconds elapsed) {
  bool again = false;
  switch (outcome) {
    case Outcome::Succeeded:
      return {NextMove::Do::Advance};
    case Outcome::Cancelled:
      return {NextMove::Do::Fail};
    case Outcome::Crashed:
      again = true;
      break;
    case Outcome::TimedOut:
      again = policy.after_timeout;
      break;
    case Outcome::Failed:
      if (not_yet) return ask_again(policy, retry_after.value_or(kNotYetDelay), elapsed);
      again = policy.after_failure;
      break;
  }
  if (!again || counted >= policy.attempts) return {NextMove::Do::Fail};
  return ask_again(policy, doubled(policy, counted), elapsed);
}

}  // namespace jarvis::pipeline
