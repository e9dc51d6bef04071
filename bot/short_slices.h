// For whoever answers people on a machine that is busy with everything else.
#pragma once

namespace jarvis::bot {

// Asks the scheduler for slices of 0.2 ms for this thread: when something is to be done it comes before those that
// compute in slices of the usual length, and gets no more of the processor for it (sched(7), sched_setattr(2):
// `sched_runtime` of SCHED_OTHER, Linux 6.12 and later; earlier ones take no notice). What this thread forks has the
// usual slices again. A policy that somebody chose (chrt) is left alone, and so is everything if it is not allowed.
// Only system calls: also for a child between fork and exec.
void ask_for_short_slices() noexcept;

}  // namespace jarvis::bot
