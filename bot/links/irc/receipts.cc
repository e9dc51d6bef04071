#include "bot/links/irc/receipts.h"

#include <utility>

namespace jarvis::bot::links::irc {

Receipts::Ids Receipts::answered() {
  Ids arrived;
  for (; marked_ > 0; --marked_) {
    arrived.push_back(sent_.front().id);
    sent_.pop_front();
  }
  return arrived;
}

Receipts::Ids Receipts::refused(const std::function<bool(const std::string&)>& is_that) {
  Ids missing;
  std::deque<Sent> others;
  std::size_t marked = 0;
  for (std::size_t i = 0; i < sent_.size(); ++i) {
    if (is_that(sent_[i].place)) {
      missing.push_back(sent_[i].id);
      continue;
    }
    others.push_back(std::move(sent_[i]));
    if (i < marked_) ++marked;
  }
  sent_ = std::move(others);
  marked_ = marked;
  return missing;
}

Receipts::Ids Receipts::lost() {
  Ids unknown;
  for (const Sent& one : sent_) unknown.push_back(one.id);
  sent_.clear();
  marked_ = 0;
  return unknown;
}

}  // namespace jarvis::bot::links::irc
