// monitoring:silence and monitoring:unsilence: runs the program that the configuration names (settings SILENCE,
// UNSILENCE: absolute path) with the fqdn as its argument; without one says so in the log and is done.
#pragma once

#include "workers/worker.h"

namespace jarvis::workers {

void silence(Call& call);
void unsilence(Call& call);

}  // namespace jarvis::workers
