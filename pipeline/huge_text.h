// Moves this program's code onto huge pages. A forkserver forks for a living: a child that shares its parent's code by
// one entry of the page table, instead of mapping page after page as it gets there, costs a tenth less. For static
// programs whose segments are linked 2 MiB apart; elsewhere, and where the system does not let it, nothing happens.
#pragma once

namespace jarvis::pipeline {

// Once, at the start, in a single thread. True if the code was moved.
bool code_to_huge_pages();

}  // namespace jarvis::pipeline
