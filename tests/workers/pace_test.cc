// One pace for all processes (workers/pace.h).
#include "workers/pace.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>

#include "tests/workers/scratch.h"

using namespace jarvis::workers;
using namespace std::chrono_literals;
using jarvis::pipeline::Kind;
using jarvis::tests::error_of;
using jarvis::tests::TempDir;
using Clock = std::chrono::steady_clock;

namespace {

void write_due(const std::string& file, std::chrono::nanoseconds from_now) {
  const std::int64_t due = (std::chrono::system_clock::now().time_since_epoch() + from_now).count();
  jarvis::tests::write_text(file, std::string(reinterpret_cast<const char*>(&due), sizeof due));
}

}  // namespace

TEST_CASE("pace: a burst at once, then no faster than it says") {
  const TempDir dir;
  Pace pace(dir / "deep/api", 50, 3);
  const auto begin = Clock::now();
  for (int i = 0; i < 8; ++i) pace.take();
  CHECK(Clock::now() - begin >= 99ms);  // five of them waited 20 ms each
  struct stat about {};
  REQUIRE(::stat((dir / "deep/api").c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  REQUIRE(::stat((dir / "deep").c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0700);
}

TEST_CASE("pace: two processes share one file") {
  const TempDir dir;
  constexpr int kEach = 6;
  const auto begin = Clock::now();
  pid_t children[2];
  for (pid_t& child : children) {
    child = ::fork();
    if (child != 0) continue;
    try {
      Pace pace(dir / "api", 40, 1);
      for (int i = 0; i < kEach; ++i) pace.take();
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  for (const pid_t child : children) {
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(Clock::now() - begin >= 274ms);  // eleven intervals of 25 ms
}

TEST_CASE("pace: a turn that is far away is not waited for") {
  const TempDir dir;
  Pace pace(dir / "api", 0.05, 1);
  pace.take();
  for (int i = 0; i < 2; ++i) {  // and not taken: asking again moves nothing
    const auto begin = Clock::now();
    const auto error = error_of([&] { pace.take(); });
    CHECK(Clock::now() - begin < 2s);
    CHECK(error.kind() == Kind::Transient);
    REQUIRE(error.retry_after());
    CHECK(*error.retry_after() > 15s);
    CHECK(*error.retry_after() <= 20s);
  }
}

TEST_CASE("pace: a clock that was set back, or forth, stops nothing") {
  const TempDir dir;
  for (const auto from_now : {std::chrono::nanoseconds(30s), std::chrono::nanoseconds(30min),
                              std::chrono::nanoseconds(48h), std::chrono::nanoseconds(-48h)}) {
    CAPTURE(from_now.count());
    write_due(dir / "api", from_now);
    const auto begin = Clock::now();
    Pace(dir / "api", 10, 5).take();
    CHECK(Clock::now() - begin < 2s);
  }
}

TEST_CASE("pace: a damaged file counts as none, one that cannot be used is said") {
  const TempDir dir;
  jarvis::tests::write_text(dir / "api", "x");
  Pace(dir / "api", 10, 5).take();
  std::filesystem::create_directory(dir / "folder");
  CHECK(error_of([&] { Pace(dir / "folder", 10, 5).take(); }).kind() == Kind::Permanent);
  Pace(dir / "never made", 0, 1).take();  // no pace at all
  CHECK_FALSE(std::filesystem::exists(dir / "never made"));
}
