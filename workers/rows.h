// The one table of built-in tasks: rows only, no code, so that the loop can plan without linking a single worker.
// A new built-in worker is one source file, its rows here, and its line in its family's main.
#pragma once

#include "pipeline/task.h"

namespace jarvis::workers {

// Every built-in row and every built-in secret key.
void add_built_in(pipeline::TaskTable& table);

}  // namespace jarvis::workers
