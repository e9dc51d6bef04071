#include "workers/bench.h"

namespace jarvis::workers {

void bench_nothing(Call&) {}

void bench_echo(Call& call) {
  call.clipboard.set("bench", call.step);
}

}  // namespace jarvis::workers
