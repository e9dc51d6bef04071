// An action list: the ordered tasks of one operation for one provider, as a file of config/plans/ or of the operator
// says it. Data only: read and checked for form by bot/plans.h, turned into a checked plan by plan.h. Knows no rows and
// no hosts.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/retry.h"

namespace jarvis::pipeline {

// What a file says about asking again; the rest stays as the row has it.
struct RetryOverride {
  std::optional<int> attempts;
  std::optional<std::chrono::milliseconds> delay, max_delay, deadline;
  std::optional<bool> after_timeout, after_failure;

  RetryPolicy over(RetryPolicy policy) const {
    policy.attempts = attempts.value_or(policy.attempts);
    policy.delay = delay.value_or(policy.delay);
    policy.max_delay = max_delay.value_or(policy.max_delay);
    // Who asks for a first delay of five minutes does not mean the row's ceiling of one.
    if (!max_delay && policy.delay > policy.max_delay) policy.max_delay = policy.delay;
    policy.deadline = deadline.value_or(policy.deadline);
    policy.after_timeout = after_timeout.value_or(policy.after_timeout);
    policy.after_failure = after_failure.value_or(policy.after_failure);
    return policy;
  }
};

struct ActionList {
  struct Entry {
    std::string task;   // module:task
    std::string stage;  // empty: the row's
    std::optional<std::chrono::milliseconds> timeout, grace;
    RetryOverride retry;
    int line = 0;  // in the list's file, from 1
  };

  std::string provider;        // lower case
  std::string operation;       // deploy, redeploy, destroy, or a name of the operator's own
  std::string file;            // for messages: FILE:LINE
  std::vector<Entry> entries;  // never empty
};

}  // namespace jarvis::pipeline
