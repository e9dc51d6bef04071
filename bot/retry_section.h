// `retry: {attempts, delay, max_delay, deadline, after_timeout, after_failure}`, the same in workers and action lists.
#pragma once

#include "bot/config_reader.h"
#include "pipeline/action_list.h"

namespace jarvis::bot {

pipeline::RetryOverride read_retry(const Value& value);

}  // namespace jarvis::bot
