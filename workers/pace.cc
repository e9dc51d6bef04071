#include "workers/pace.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "workers/worker.h"

namespace jarvis::workers {

using std::chrono::nanoseconds;

namespace {

constexpr nanoseconds kLongestWait = std::chrono::seconds(5);

class Locked {
 public:
  explicit Locked(const std::filesystem::path& file)
      : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)), name_(file.string()) {
    if (fd_ < 0) throw pipeline::system_error(name_);
    while (::flock(fd_, LOCK_EX) != 0) {
      if (errno != EINTR) {
        const int error = errno;
        ::close(fd_);
        throw pipeline::system_error(name_, error);
      }
    }
  }
  ~Locked() { ::close(fd_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

  nanoseconds due() const {
    std::int64_t stored = 0;
    return nanoseconds(::pread(fd_, &stored, sizeof stored, 0) == sizeof stored ? stored : 0);
  }
  void set_due(nanoseconds time) const {
    const std::int64_t stored = time.count();
    if (::pwrite(fd_, &stored, sizeof stored, 0) != sizeof stored) throw pipeline::system_error(name_);
  }

 private:
  int fd_;
  std::string name_;
};

nanoseconds now() {
  return std::chrono::system_clock::now().time_since_epoch();
}

}  // namespace

Pace::Pace(std::filesystem::path file, double per_second, double burst)
    : file_(std::move(file)), per_second_(per_second), burst_(std::max(burst, 1.0)) {}

void Pace::take() {
  if (per_second_ <= 0) return;
  const auto interval = nanoseconds(static_cast<std::int64_t>(1e9 / per_second_));
  const auto allowance = nanoseconds(static_cast<std::int64_t>((burst_ - 1) * 1e9 / per_second_));
  if (file_.has_parent_path()) {
    std::error_code there_already;
    if (std::filesystem::create_directories(file_.parent_path(), there_already))
      std::filesystem::permissions(file_.parent_path(), std::filesystem::perms::owner_all, there_already);
  }
  nanoseconds wait{0};
  {
    const Locked locked(file_);
    const nanoseconds time = now();
    nanoseconds due = locked.due();
    // Farther away than any turn that was ever taken: a clock was set back, which must not stop everything.
    if (due < time || due > time + allowance + kLongestWait + interval) due = time;
    wait = std::max(due - allowance - time, nanoseconds(0));
    if (wait > kLongestWait) {
      Error error(Kind::Transient, "too many calls are due before this one");
      throw error.retry_after(std::chrono::ceil<std::chrono::milliseconds>(wait));
    }
    locked.set_due(due + interval);
  }
  timespec left{static_cast<time_t>(wait.count() / 1'000'000'000), static_cast<long>(wait.count() % 1'000'000'000)};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

}  // namespace jarvis::workers
