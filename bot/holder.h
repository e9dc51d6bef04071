// A jarvis that holds a state directory: loop, house, control socket. `serve` stays until it is told to stop; a
// foreground command stays until all runs have ended. Only main makes one.
#pragma once

#include <functional>

#include "bot/front.h"
#include "bot/house.h"

namespace jarvis::bot {

// Carries a command in this process until it and every other run in flight has ended; its exit status.
int hold_for_command(Settings settings, const Installation& installation, StateDirectory& state,
                     const FrontRequest& request);

// `jarvis serve`: until SIGTERM or SIGINT; the exit status. `reread` reads the configuration again, on SIGHUP.
int hold_and_serve(Settings settings, const Installation& installation, StateDirectory& state,
                   std::function<Settings()> reread);

}  // namespace jarvis::bot
