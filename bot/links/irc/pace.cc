#include "bot/links/irc/pace.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace jarvis::bot::links::irc {

namespace {

constexpr std::size_t kMostAsked = 500, kMostSaid = 1000;

}  // namespace

std::string text_of(Seconds seconds) {
  return std::to_string(std::lround(seconds.count())) + " s";
}

double Pace::tokens(Time now) const {
  if (counted_ == Time::min() || now <= counted_) return tokens_;
  return std::min(burst_, tokens_ + Seconds(now - counted_).count() * per_second_);
}

void Pace::sent(Time now) {
  tokens_ = tokens(now) - 1;
  counted_ = std::max(counted_, now);
}

Time Pace::ready(Time now) const {
  const double missing = 1 - tokens(now);
  if (missing <= 0) return now;
  // Rounded up: woken a moment too early, the loop would turn for nothing.
  return now + std::chrono::milliseconds(static_cast<long>(std::ceil(missing / per_second_ * 1000)));
}

bool Outbox::ask(std::string line) {
  if (asked_.size() >= kMostAsked) return false;
  asked_.push_back(std::move(line));
  return true;
}

bool Outbox::say(Outgoing said) {
  if (said_.size() >= kMostSaid) return false;
  said_.push_back(std::move(said));
  return true;
}

std::optional<Outgoing> Outbox::next() {
  Outgoing next;
  if (!asked_.empty()) {
    next.text = std::move(asked_.front());
    asked_.pop_front();
  } else if (!said_.empty()) {
    next = std::move(said_.front());
    said_.pop_front();
  } else {
    return std::nullopt;
  }
  return next;
}

std::vector<Outgoing> Outbox::lost(const std::function<bool(const Outgoing&)>& keep) {
  asked_.clear();
  std::vector<Outgoing> refused;
  for (Outgoing& said : std::exchange(said_, {})) {
    if (keep(said)) {
      said_.push_back(std::move(said));
    } else {
      refused.push_back(std::move(said));
    }
  }
  return refused;
}

Seconds Backoff::next(std::minstd_rand& random) {
  const Seconds delay = next_ * std::uniform_real_distribution<double>(0.8, 1.2)(random);
  next_ = std::min(next_ * 2, most_);
  return delay;
}

}  // namespace jarvis::bot::links::irc
