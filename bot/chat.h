// Chat: everything that is said over links. Keeps the links, turns what people say into commands, takes answers back to
// where they came from, and knows what could not be said yet because a network is away. Knows no protocol. Loop's
// thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bot/bucket.h"
#include "bot/house.h"
#include "bot/link.h"
#include "bot/talk.h"
#include "bot/whence.h"

namespace jarvis::bot {

class Chat {
 public:
  Chat(boost::asio::io_context& loop, House& house);
  ~Chat();
  Chat(const Chat&) = delete;
  Chat& operator=(const Chat&) = delete;

  // Starts the links of the settings, and stops and starts what a new configuration changed; the others stay connected.
  void arrange();
  // Ends when the links have ended, and every command that was being obeyed.
  boost::asio::awaitable<void> stop();

  // Says one thing, split into lines that the network takes; in a channel the link puts the name of whoever is meant
  // before each.
  // While the link is away it is kept and said later (at most kMostKept for a link, the oldest are dropped).
  // `then`: called when it was said, or when nobody is to be told any more (true), or when it got lost on the way
  // (false); not while it is kept.
  void tell(const Whence& whence, const std::string& text, Link::Then then = {});
  // The same for something that comes late: a direct message goes out only while its nick is still proven to be the one
  // who asked.
  void tell_late(const Whence& whence, const std::string& text, Link::Then then = {});
  // A status line for the networks that have such a thing.
  void presence(const std::string& text);

  // Called whenever a network is back.
  void on_up(std::function<void()> call) { on_up_ = std::move(call); }
  // Whether what is told there now would be said now.
  bool reaches(const Whence& whence) const;
  std::string nick_on(const std::string& link) const;
  // Where a direct message to the sender goes.
  std::string direct_place(const Whence& whence) const;

 private:
  struct Held {  // back on the line, or proven again: then it is said
    Whence whence;
    std::string text;
    bool late = false;
    Link::Then then;

    void settle(bool said) const {
      if (then) then(said);
    }
  };

  Link* find(const std::string& name) const;
  void heard(Link& link, const nlohmann::json& event);
  void heard_message(Link& link, const nlohmann::json& event);
  void heard_identity(Link& link, const nlohmann::json& event);
  void heard_gone(Link& link, const nlohmann::json& event);
  boost::asio::awaitable<void> obey(Whence whence, Asker asker, std::string command);
  Asker asker_of(const Whence& whence) const;
  void note_ignored(const Whence& whence, const std::string& command, const std::string& why);
  bool in_bounds(const Whence& whence);
  void keep(Held held);
  void say_kept(Link& link);

  boost::asio::io_context& loop_;
  House& house_;
  std::map<std::string, std::shared_ptr<Link>> links_;
  std::map<std::string, std::deque<Held>> kept_;           // by link
  std::map<std::string, std::vector<Held>> to_be_proven_;  // by link and sender; never empty ones
  std::map<std::string, Bucket> buckets_;                  // by link and sender
  std::string presence_;
  std::function<void()> on_up_;
  bool stopping_ = false;
  int obeying_ = 0;
};

}  // namespace jarvis::bot
