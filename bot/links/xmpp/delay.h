// Time on the link's clock, and a waiting time that doubles with every failure, with some jitter so that many clients
// of one server do not come back in step.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace jarvis::bot::links::xmpp {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using std::chrono::milliseconds;

class GrowingDelay {
 public:
  GrowingDelay(milliseconds first, milliseconds most) : first_(first), most_(most), next_(first) {}

  // How long to wait this time: between 80 and 120 percent of the nominal delay; the next one is twice as long.
  template <class Random>
  milliseconds grow(Random& random) {
    const milliseconds nominal = next_;
    next_ = std::min(next_ * 2, most_);
    std::uniform_int_distribution<milliseconds::rep> percent(80, 120);
    return nominal * percent(random) / 100;
  }
  void reset() { next_ = first_; }

 private:
  milliseconds first_, most_, next_;
};

}  // namespace jarvis::bot::links::xmpp
