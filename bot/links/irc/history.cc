#include "bot/links/irc/history.h"

#include <time.h>

namespace jarvis::bot::links::irc {

namespace {

// Longer than a lag that the watchdog lets pass for alive. A message that old is not obeyed even if it only was late.
constexpr std::chrono::seconds kLate{120};

}  // namespace

std::optional<History::Wall> server_time(const std::string& text) {
  tm parts{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr || (*rest != 'Z' && *rest != '.')) return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

void History::hear(const Line& line, Wall now) {
  if (line.command == "BATCH" && line.params.size() > 1 && line.params[0].starts_with('+')) {
    const std::string& type = line.params[1];
    const auto outer = open_.find(line.tag("batch").value_or(""));
    const bool playback = type.find("chathistory") != std::string::npos || type.find("playback") != std::string::npos;
    if (open_.size() < 100) open_[line.params[0].substr(1)] = playback || (outer != open_.end() && outer->second);
  } else if (line.command == "BATCH" && line.param(0).starts_with('-')) {
    open_.erase(line.params[0].substr(1));
  }
  const auto time = line.tag("time");
  if (!time || line.command == "PRIVMSG" || line.tag("batch")) return;
  if (const auto said = server_time(*time)) {
    const auto ahead = std::chrono::duration_cast<std::chrono::seconds>(*said - now);
    // The least late line shows the clock best; a clock that is set later on shows in the next numeric or PONG.
    const bool fresh = line.command == "PONG" || (line.command.size() == 3 && line.command[0] < 'A');
    if (fresh || !ahead_) ahead_ = ahead;
  }
}

bool History::is_old(const Line& line, Wall now) const {
  if (const auto batch = line.tag("batch")) {
    const auto open = open_.find(*batch);
    if (open != open_.end() && open->second) return true;
  }
  const auto time = line.tag("time");
  if (!time) return false;
  const auto said = server_time(*time);
  return said && ahead_ && *said < now + *ahead_ - kLate;
}

}  // namespace jarvis::bot::links::irc
