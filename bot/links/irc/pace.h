// When what we say may go out: a token bucket, and what waits for it. Knows no server; the time is always passed in.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace jarvis::bot::links::irc {

using Time = std::chrono::steady_clock::time_point;
using Seconds = std::chrono::duration<double>;

inline Time after(Time now, Seconds delay) {
  return now + std::chrono::duration_cast<Time::duration>(delay);
}

// "12 s".
std::string text_of(Seconds seconds);

// Servers punish who is faster (RFC 1459 section 8.10: one line per two seconds, some in advance).
class Pace {
 public:
  Pace(double burst, double per_second) : burst_(burst), per_second_(per_second), tokens_(burst) {}

  bool may_send(Time now) const { return tokens(now) >= 1; }
  // Counts one line, also one that could not wait; then the others wait longer.
  void sent(Time now);
  // When the next line may go.
  Time ready(Time now) const;

 private:
  double tokens(Time now) const;

  double burst_, per_second_, tokens_;  // the tokens as of counted_
  Time counted_ = Time::min();
};

// What waits to be sent. Questions and joins go before what is said; each kind in its order.
struct Outgoing {
  enum class Kind { Raw, Say, CtcpReply } kind = Kind::Raw;
  std::string place;  // not for Raw
  std::string text;
  std::uint64_t id = 0;  // of one that jarvis wants to know about, else 0
};

class Outbox {
 public:
  // A line of protocol. False when there are too many, which only a server that answers nothing causes.
  bool ask(std::string line);
  // What is said. False when a thousand wait already: it was dropped.
  bool say(Outgoing said);
  std::optional<Outgoing> next();
  bool empty() const { return asked_.empty() && said_.empty(); }
  std::size_t said() const { return said_.size(); }
  // After a loss of the connection: questions are void, and so is what `keep` refuses, which is returned.
  std::vector<Outgoing> lost(const std::function<bool(const Outgoing&)>& keep);

 private:
  std::deque<std::string> asked_;
  std::deque<Outgoing> said_;
};

// Delays between attempts: doubling from `first` to `most`, each a fifth longer or shorter by chance, so that many
// links do not come back in the same moment.
class Backoff {
 public:
  Backoff(Seconds first, Seconds most) : first_(first), most_(most), next_(first) {}
  Seconds next(std::minstd_rand& random);
  void reset() { next_ = first_; }

 private:
  Seconds first_, most_, next_;
};

}  // namespace jarvis::bot::links::irc
