#include "bot/links/xmpp/outbox.h"

#include <set>
#include <utility>

namespace jarvis::bot::links::xmpp {

Outbox::Outbox(double burst, double per_second, std::size_t most)
    : burst_(std::max(burst, 1.0)), per_second_(std::max(per_second, 0.01)), tokens_(burst_), most_(most) {}

std::optional<Say> Outbox::push(Say say) {
  waiting_.push_back(std::move(say));
  if (waiting_.size() <= most_) return std::nullopt;
  Say oldest = std::move(waiting_.front());
  waiting_.pop_front();
  return oldest;
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
    recent_.push_back(std::move(*it));
    waiting_.erase(it);
    ++said_;
    if (recent_.size() > most_) recent_.pop_front();
    return recent_.back();
  }
  return std::nullopt;
}

std::vector<std::uint64_t> Outbox::confirm(std::size_t mark) {
  std::vector<std::uint64_t> ids;
  const std::size_t first = said_ - recent_.size() + 1;
  for (std::size_t number = std::max(first, confirmed_ + 1); number <= std::min(mark, said_); ++number) {
    const Say& say = recent_[number - first];
    if (say.id != 0) ids.push_back(say.id);
  }
  confirmed_ = std::max(confirmed_, std::min(mark, said_));
  return ids;
}

void Outbox::refused(std::size_t number) {
  const std::size_t first = said_ - recent_.size() + 1;
  if (number < first || number > said_) return;
  // The others keep their numbers, so the place in the row stays, empty.
  Say& say = recent_[number - first];
  if (!say.text.empty()) waiting_.push_front(std::move(say));
  say = {};
}

void Outbox::lost() {
  for (std::size_t number = said_; number > confirmed_ && !recent_.empty(); --number) {
    if (!recent_.back().text.empty()) waiting_.push_front(std::move(recent_.back()));
    recent_.pop_back();
  }
  recent_.clear();
  confirmed_ = said_;
  while (waiting_.size() > most_) waiting_.pop_front();
}

Time Outbox::next_token(Time now) const {
  if (tokens_ >= 1 || filled_ == Time{}) return now;
  const std::chrono::duration<double> wait((1 - tokens_) / per_second_);
  return filled_ + std::chrono::ceil<milliseconds>(wait);
}

}  // namespace jarvis::bot::links::xmpp
