// jarvis-irc: the IRC link as a process. Speaks the link contract (docs/links.md) on standard input and output; the
// first line is an entry of the configuration's `irc:`. Exits 2 when that line is wrong, else 0.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>
#include <vector>

#include "bot/links/irc/link.h"

int main() {
  using namespace jarvis::bot::links;
  using irc::Time;
  const auto clock = [] { return std::chrono::steady_clock::now(); };
  ::signal(SIGPIPE, SIG_IGN);

  Wire wire;
  std::optional<irc::Link> link;
  std::optional<std::string> fault;
  bool hears = true;
  while (!fault && !(link && link->ended()) && (hears || link)) {
    std::vector<pollfd> polled;
    if (hears) polled.push_back({wire.fd(), POLLIN, 0});
    if (link) link->watch(polled);
    const Time due = link ? link->due() : Time::max();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::max(due, clock()) - clock()).count();
    const int wait = due == Time::max() ? -1 : static_cast<int>(std::min<long>(left, 60'000));
    ::poll(polled.data(), polled.size(), wait);

    if (hears && polled.front().revents != 0) {
      hears = wire.hear([&](const nlohmann::json& line) {
        if (link) return link->hear(line, clock());
        if (fault) return;
        try {
          link.emplace(wire, irc::Network::from(line), clock());
        } catch (const std::exception& error) {
          fault = error.what();
        }
      });
      if (!hears && link) link->stop(clock());
    }
    if (link) link->step(clock());
  }
  if (!fault) return 0;
  wire.down(*fault);
  std::cerr << *fault << std::endl;
  return 2;
}
