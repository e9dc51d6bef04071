// The scheduler's word for it, of threads and processes of this test.
#include "bot/short_slices.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <thread>

using jarvis::bot::ask_for_short_slices;

namespace {

constexpr std::uint64_t kShort = 200'000;

// sched_setattr(2); the kernel's header does not go together with <sched.h>.
struct Attributes {
  std::uint32_t size, policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime, deadline, period;
};

Attributes attributes() {
  Attributes made{};
  REQUIRE(::syscall(SYS_sched_getattr, 0, &made, sizeof made, 0) == 0);
  return made;
}

// Of a thread of its own: these attributes are a thread's, and this test's own must not change.
template <typename F>
void in_a_thread(F f) {
  std::thread(f).join();
}

}  // namespace

TEST_CASE("short slices: asked for, and not handed on to a child") {
  in_a_thread([] {
    const Attributes before = attributes();
    ask_for_short_slices();
    const Attributes after = attributes();
    CHECK(after.policy == before.policy);
    CHECK(after.nice == before.nice);
    const bool known = before.runtime != 0;  // earlier kernels than 6.12 tell none
    CHECK(after.runtime == (known ? kShort : 0));
    const pid_t child = ::fork();
    if (child == 0) {
      Attributes theirs{};
      const bool told = ::syscall(SYS_sched_getattr, 0, &theirs, sizeof theirs, 0) == 0;
      ::_exit(told && theirs.runtime == before.runtime && theirs.flags == 0 ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  });
}

TEST_CASE("short slices: a policy that somebody chose stays") {
  in_a_thread([] {
    Attributes chosen = attributes();
    chosen.policy = SCHED_BATCH;
    REQUIRE(::syscall(SYS_sched_setattr, 0, &chosen, 0) == 0);
    const Attributes before = attributes();
    ask_for_short_slices();
    const Attributes after = attributes();
    CHECK(after.policy == SCHED_BATCH);
    CHECK(after.runtime == before.runtime);
    CHECK(after.flags == before.flags);
  });
}
