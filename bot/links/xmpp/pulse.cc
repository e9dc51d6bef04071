#include "bot/links/xmpp/pulse.h"

namespace jarvis::bot::links::xmpp {

Pulse::Pulse(milliseconds every, milliseconds timeout, milliseconds soon)
    : every_(every), timeout_(timeout), soon_(std::min(soon, every)) {}

void Pulse::begin(Time now) {
  next_ping_ = now + every_;
  waiting_ = false;
}

void Pulse::said(Time now) {
  next_ping_ = std::min(next_ping_, now + soon_);
}

bool Pulse::due(Time now) const {
  return !waiting_ && now >= next_ping_;
}

void Pulse::asked(Time now) {
  waiting_ = true;
  asked_ = now;
  next_ping_ = now + every_;
}

void Pulse::answered(Time now) {
  waiting_ = false;
  // What was said while waiting has brought the next ping forward; it is only late now, not lost.
  next_ping_ = std::max(next_ping_, now);
}

bool Pulse::is_dead(Time now) const {
  return waiting_ && now >= asked_ + timeout_;
}

Time Pulse::next() const {
  return waiting_ ? asked_ + timeout_ : next_ping_;
}

}  // namespace jarvis::bot::links::xmpp
