// How much somebody may ask in a row, and how often after that: a token bucket. Pure; whoever asks gives the time.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

namespace jarvis::bot {

class Bucket {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr double kBurst = 20, kPerSecond = 2;

  explicit Bucket(Time now) : filled_(now) {}

  // One command; false: too many.
  bool take(Time now) {
    tokens_ = std::min(kBurst, tokens_ + std::chrono::duration<double>(now - filled_).count() * kPerSecond);
    filled_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    told_ = false;
    return true;
  }
  // True once, until something is taken again: he is told one time.
  bool to_be_told() { return !std::exchange(told_, true); }

 private:
  double tokens_ = kBurst;
  Time filled_;
  bool told_ = false;
};

}  // namespace jarvis::bot
