// Is a message old, played back by the server or a bouncer after we joined? Then it must not be obeyed. Told by the
// batch it stands in (IRCv3 batch, chathistory), else by its time (IRCv3 server-time) against the server's own clock.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "bot/links/irc/line.h"

namespace jarvis::bot::links::irc {

class History {
 public:
  using Wall = std::chrono::system_clock::time_point;

  void begin() { open_.clear(), ahead_.reset(); }

  // To be called with each line. BATCH opens and closes; what is no message tells how late it is at the server.
  void hear(const Line& line, Wall now);
  bool is_old(const Line& line, Wall now) const;

 private:
  std::map<std::string, bool> open_;           // batch: is it a playback?
  std::optional<std::chrono::seconds> ahead_;  // the server's clock, against ours
};

// "2026-11-21T13:51:19.123Z"; nothing when it is not of that form.
std::optional<History::Wall> server_time(const std::string& text);

}  // namespace jarvis::bot::links::irc
