// bench:nothing and bench:echo: what an attempt costs when its task does next to nothing (tests/bench).
#pragma once

#include "workers/worker.h"

namespace jarvis::workers {

void bench_nothing(Call& call);
void bench_echo(Call& call);  // writes its step's name on the clipboard, so that all of it is printed

}  // namespace jarvis::workers
