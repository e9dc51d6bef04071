#include "bot/retry_section.h"

namespace jarvis::bot {

pipeline::RetryOverride read_retry(const Value& value) {
  constexpr int kMostAttempts = 1000;
  Section section(value);
  pipeline::RetryOverride retry;
  if (const auto attempts = section.number("attempts", 1, kMostAttempts)) retry.attempts = static_cast<int>(*attempts);
  retry.delay = section.duration("delay");
  retry.max_delay = section.duration("max_delay");
  retry.deadline = section.duration("deadline");
  retry.after_timeout = section.flag("after_timeout");
  retry.after_failure = section.flag("after_failure");
  section.done();
  if (retry.delay && retry.max_delay && *retry.delay > *retry.max_delay) value.refuse("delay is longer than max_delay");
  return retry;
}

}  // namespace jarvis::bot
