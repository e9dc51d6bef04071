// The channels we want to be in, whether we are, and when to try again. Knows no connection: it says which to ask for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bot/links/irc/casemap.h"
#include "bot/links/irc/pace.h"

namespace jarvis::bot::links::irc {

class Channels {
 public:
  struct Wanted {
    std::string name, key;
  };

  // `first`: the delay before the first try to come back; it doubles, to ten minutes at most.
  explicit Channels(Seconds first) : first_(first) {}

  void begin(const std::vector<Wanted>& wanted, Casemapping casemapping, Time now);

  bool wants(const std::string& name) const { return find(name) != nullptr; }
  bool is_in(const std::string& name) const;
  // As the configuration spells it: people may write #OPS, and then the server says #OPS.
  std::string spelled(const std::string& name) const;

  // Those to ask for now. Asked for again later if the server says nothing.
  std::vector<Wanted> to_join(Time now);
  Time due() const;

  void joined(const std::string& name, Time now);
  // Kicked, or made to part. Text for the log.
  std::string thrown_out(const std::string& name, const std::string& why, Time now);
  // The server does not let us in. Text for the log, once per reason.
  std::optional<std::string> refused(const std::string& name, const std::string& why, Time now);
  void invited(const std::string& name, Time now);

 private:
  struct Channel {
    Wanted wanted;
    bool in = false;
    Time next = Time::min(), since = Time::min();  // when to try; in since
    std::optional<Backoff> delay;
    std::string complaint;  // the last one, so that it is said once
  };

  const Channel* find(const std::string& name) const;
  Channel* find(const std::string& name);

  Seconds first_;
  Casemapping casemapping_ = Casemapping::Rfc1459;
  std::vector<Channel> channels_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace jarvis::bot::links::irc
