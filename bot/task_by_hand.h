// `jarvis task MODULE:TASK`: one attempt of one task, clipboard on standard input, clipboard on standard output, log on
// standard error. Holds no lock and writes no journal, but stands in the audit log (by_hand.h): asked before it is
// done, and how it ended. Blocks until the attempt ends.
#pragma once

#include "bot/front.h"
#include "bot/house.h"

namespace jarvis::bot {

// The attempt's exit status, 128 + signal when it was killed; 2 for a clipboard or task that is none.
int run_task_by_hand(Settings settings, const Installation& installation, const FrontRequest& request);

}  // namespace jarvis::bot
