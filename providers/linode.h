// The tasks of the module linode: those of machine_tasks.h over LinodeProvider, and three of its own.
#pragma once

#include <span>

#include "workers/worker.h"

namespace jarvis::providers {

std::span<const workers::BuiltIn> linode_tasks();

}  // namespace jarvis::providers
