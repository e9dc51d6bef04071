// What jarvis wants to say and the server has not confirmed yet: paced by a token bucket, kept in order per place, held
// back while a place cannot be spoken to, bounded (the oldest line falls out), and said again after a lost connection
// unless the server is known to have taken it. So a line may appear twice after a crash of the server, but a line that
// was accepted while the connection hung is not lost. Pure; single thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bot/links/xmpp/delay.h"

namespace jarvis::bot::links::xmpp {

struct Say {
  std::string place, text;
  std::uint64_t id = 0;  // of one that jarvis wants to know about, else 0
};

class Outbox {
 public:
  Outbox(double burst, double per_second, std::size_t most);

  // The oldest line, when it had to make room.
  std::optional<Say> push(Say say);
  // The next line that may be said now, in a place that `is_open`; it then counts as under way.
  std::optional<Say> next(Time now, const std::function<bool(const std::string& place)>& is_open);
  // How many lines were ever handed out: a mark for confirm().
  std::size_t mark() const { return said_; }
  // The server has everything that was handed out before the mark was taken. The ids among it that are news.
  std::vector<std::uint64_t> confirm(std::size_t mark);
  // The line that was handed out as number mark() was refused by its place: say it again when the place is open again.
  // A room elsewhere may refuse what our server has confirmed long since, so the last lines are kept for this.
  void refused(std::size_t number);
  // The connection is gone: what was not confirmed is to be said again, first.
  void lost();

  // Whether something was handed out that the server has not confirmed.
  bool under_way() const { return confirmed_ < said_; }
  bool empty() const { return waiting_.empty(); }
  // When the next token is there (only meaningful while something waits).
  Time next_token(Time now) const;

 private:
  void refill(Time now);

  double burst_, per_second_, tokens_;
  Time filled_{};
  std::size_t most_, said_ = 0, confirmed_ = 0;  // lines are numbered from 1
  std::deque<Say> waiting_, recent_;             // recent_ ends with line number said_
};

}  // namespace jarvis::bot::links::xmpp
