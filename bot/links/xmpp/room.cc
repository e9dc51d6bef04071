#include "bot/links/xmpp/room.h"

#include <utility>

namespace jarvis::bot::links::xmpp {

namespace {

constexpr milliseconds kFirst{2000}, kMost{300000}, kAnswer{30000}, kHealthy{60000};
constexpr int kMostNicks = 4;

}  // namespace

Room::Room(std::string jid, std::string nick, std::string password_file)
    : jid_(std::move(jid)),
      wanted_(std::move(nick)),
      nick_(wanted_),
      password_file_(std::move(password_file)),
      delay_(kFirst, kMost) {}

Time Room::next() const {
  switch (state_) {
    case State::Out:
      return next_try_;
    case State::Asked:
      return give_up_;
    case State::In:
      break;
  }
  return Time::max();
}

void Room::ask(Time now) {
  state_ = State::Asked;
  give_up_ = now + kAnswer;
  occupants_.clear();
}

bool Room::another_nick() {
  if (++tried_ > kMostNicks) {
    tried_ = 0;
    nick_ = wanted_;
    return false;
  }
  nick_ += "_";
  return true;
}

void Room::in(const std::string& nick, Time now) {
  nick_ = nick;
  if (state_ != State::In) since_ = now;
  state_ = State::In;
  reason_.clear();
}

std::map<std::string, std::string> Room::out(Time now, bool slowly) {
  if (state_ == State::In && now - since_ >= kHealthy) delay_.reset();
  state_ = State::Out;
  nick_ = wanted_;
  tried_ = 0;
  const milliseconds wait = delay_.grow(random_);
  next_try_ = now + (slowly ? kMost : wait);
  return std::exchange(occupants_, {});
}

std::string Room::left(const std::string& nick) {
  const auto found = occupants_.find(nick);
  if (found == occupants_.end()) return "";
  std::string jid = std::move(found->second);
  occupants_.erase(found);
  return jid;
}

std::optional<std::string> Room::identity(const std::string& nick) const {
  const auto found = occupants_.find(nick);
  if (found == occupants_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

bool Room::is_news(const std::string& reason) {
  return std::exchange(reason_, reason) != reason;
}

}  // namespace jarvis::bot::links::xmpp
