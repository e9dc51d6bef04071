#include "providers/ec2_patience.h"

#include <time.h>

#include <algorithm>

namespace jarvis::providers {

using pipeline::Error;
using pipeline::Kind;

bool passes(const std::string& code) {
  constexpr const char* kPassing[] = {
      "IncorrectState",
      "IncorrectInstanceState",
      "InvalidInstanceID.NotFound",
      "InvalidVolume.NotFound",
      "InvalidAllocationID.NotFound",
      "InvalidKeyPair.NotFound",
      "VolumeInUse",
      "Resource.AlreadyAssociated",
  };
  return std::any_of(std::begin(kPassing), std::end(kPassing), [&](const char* known) { return code == known; });
}

Ec2Api::Answer change_or_wait(Ec2Api& api, const Query& query, std::chrono::milliseconds delay) {
  try {
    return api.change(query);
  } catch (const Ec2Refusal& e) {
    if (!passes(e.code)) throw;
    Error error(Kind::Transient, e.what());
    throw error.retry_after(delay);
  }
}

void change_unless(Ec2Api& api, const Query& query, const std::string& reached_when) {
  try {
    (void)api.change(query);
  } catch (const Ec2Refusal& e) {
    if (!e.code.starts_with(reached_when)) throw;
  }
}

bool wait_until(const std::function<bool()>& done, std::chrono::milliseconds poll, std::chrono::milliseconds most) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + most;
  const auto step = std::min<std::chrono::nanoseconds>(poll, std::chrono::seconds(2));
  const timespec moment{static_cast<time_t>(step.count() / 1'000'000'000),
                        static_cast<long>(step.count() % 1'000'000'000)};
  for (;;) {
    if (done()) return true;
    if (Clock::now() >= deadline) return false;
    ::nanosleep(&moment, nullptr);
  }
}

}  // namespace jarvis::providers
