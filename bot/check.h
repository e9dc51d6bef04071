// Two commands that need no jarvis that runs: `check` and `task`. Blocking.
#pragma once

#include "bot/front.h"
#include "bot/house.h"

namespace jarvis::bot {

// `jarvis check`: is the configuration right, and can this machine do what it asks for. One line a matter; 0 or 2.
int check_everything(const Settings& settings, const Installation& installation, bool json);

}  // namespace jarvis::bot
