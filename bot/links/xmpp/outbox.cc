#include "bot/links/xmpp/outbox.h"

#include <set>
#include <utility>

namespace jarvis::bot::links::xmpp {

Outbox::Outbox(double burst, double per_second, std::size_t most)
    : burst_(std::max(burst, 1.0)), per_second_(std::max(per_second, 0.01)), tokens_(burst_), most_(most) {}

bool Outbox::push(Say say) {
  waiting_.push_back(std::move(say));
  if (waiting_.size() <= most_) return true;
  waiting_.pop_front();
  return false;
}

void Outbox::refill(Time now) {
  if (filled_ != Time{}) {
    tokens_ = std::min(burst_, tokens_ + per_second_ * std::chrono::duration<double>(now - filled_).count());
  }
  filled_ = now;
}

std::optional<Say> Outbox::next(Time now, const std::function<bool(const std::string&)>& is_open) {
  refill(now);
  if (tokens_ < 1) return std::nullopt;
  std::set<std::string> closed;
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (closed.count(it->place) != 0) continue;
    if (!is_open(it->place)) {
      closed.insert(it->place);
      continue;
    }
    tokens_ -= 1;
    under_way_.push_back(std::move(*it));
    waiting_.erase(it);
    ++said_;
    if (under_way_.size() > most_) under_way_.pop_front();
    return under_way_.back();
  }
  return std::nullopt;
}

void Outbox::confirm(std::size_t mark) {
  const std::size_t after = said_ - std::min(mark, said_);
  while (under_way_.size() > after) under_way_.pop_front();
}

void Outbox::refused(std::size_t number) {
  // The others keep their numbers, so the place in the row stays, empty.
  const std::size_t first = said_ - under_way_.size() + 1;
  if (number < first || number > said_) return;
  Say& say = under_way_[number - first];
  if (!say.text.empty()) waiting_.push_front(std::move(say));
  say = {};
}

void Outbox::lost() {
  while (!under_way_.empty()) {
    if (!under_way_.back().text.empty()) waiting_.push_front(std::move(under_way_.back()));
    under_way_.pop_back();
  }
  under_way_.clear();
  while (waiting_.size() > most_) waiting_.pop_front();
}

Time Outbox::next_token(Time now) const {
  if (tokens_ >= 1 || filled_ == Time{}) return now;
  const std::chrono::duration<double> wait((1 - tokens_) / per_second_);
  return filled_ + std::chrono::ceil<milliseconds>(wait);
}

}  // namespace jarvis::bot::links::xmpp
