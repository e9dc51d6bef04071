// A link: the process that speaks one network of people for jarvis (docs/links.md), as the loop sees it. Starts it,
// starts it again with growing delay when it ends, hands over what it says, drops what it does not read. Knows no
// network, no person and no command. Loop's thread; nothing here blocks but the fork.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "bot/settings.h"
#include "pipeline/unique_fd.h"

namespace jarvis::bot {

// What speaks that network; `programs`: the directory of the built-in ones.
std::filesystem::path program_of(const LinkSettings& link, const std::filesystem::path& programs);

// How patient it is with its process.
struct LinkPatience {
  // Before it is started again: doubled from the first to the longest, and begun anew by one that lived that long.
  std::chrono::milliseconds first_delay{1'000}, longest_delay{60'000}, healthy{60'000};
  std::chrono::milliseconds stop{3'000};    // after it was asked to stop
  std::chrono::milliseconds linger{1'000};  // for what it said last, and for whoever keeps its pipes open after it
};

class Link : public std::enable_shared_from_this<Link> {
 public:
  using Heard = std::function<void(Link&, const nlohmann::json&)>;
  // `program`: absolute. `heard` gets every object that has a type; a `down` is made up when the process ends.
  Link(boost::asio::io_context& loop, LinkSettings settings, std::filesystem::path program, Heard heard,
       LinkPatience patience = {});
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void start();
  // Asks it to stop, is patient, then ends its process group.
  boost::asio::awaitable<void> stop();

  const LinkSettings& settings() const { return settings_; }
  const std::string& name() const { return settings_.name; }
  // As its last `up` said; of one that is down: as it was.
  bool up() const { return up_; }
  const std::string& nick() const { return nick_; }
  std::size_t limit() const { return limit_; }
  pid_t process() const { return pid_; }

  // Of something handed over: true when its network has it (with a link that does not tell: when the link has it),
  // false when it will not be said. Called once, from send() even, unless this object ends first.
  using Then = std::function<void(bool said)>;
  // Hands an object over. False when the link is not running, or does not read: it is dropped then.
  bool send(nlohmann::json object, Then then = {});

 private:
  boost::asio::awaitable<void> live();
  bool begin();
  boost::asio::awaitable<void> read_events();
  boost::asio::awaitable<void> read_log();
  void hear(const std::string& line);
  void bad_line(const std::string& why);
  void write();
  void reap();
  void settle(std::uint64_t id, bool said);

  boost::asio::io_context& loop_;
  LinkSettings settings_;
  std::filesystem::path program_;
  Heard heard_;
  LinkPatience patience_;
  boost::asio::posix::stream_descriptor in_, out_, log_, ended_;
  boost::asio::steady_timer timer_;
  std::deque<std::string> queue_;
  std::map<std::uint64_t, Then> awaited_;  // by the id that went with it
  std::uint64_t last_id_ = 0;
  std::size_t queued_ = 0;  // bytes
  bool writing_ = false, stopping_ = false, up_ = false, confirms_ = false;
  int bad_lines_ = 0, parts_ = 0, lives_ = 0;
  std::chrono::steady_clock::time_point bad_since_, began_;
  std::string nick_;
  std::size_t limit_ = 400;
  pid_t pid_ = 0;
};

}  // namespace jarvis::bot
