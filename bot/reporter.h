// The reporter: tells people in chat how their runs go. One line when a run starts; then only what they want to know:
// a stage that takes longer than usual, a retry, the end. `follow` and `quiet` change that per person. Hears of every
// run from the pipeline, says through chat. An end that could not be said, because the network was away or jarvis was
// killed first, is said after a restart. Loop's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bot/chat.h"
#include "bot/house.h"

namespace jarvis::bot {

class Reporter {
 public:
  Reporter(boost::asio::io_context& loop, House& house, Chat& chat);
  ~Reporter();
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  // Runs that ended without anybody being told, within the last day. After the interrupted ones were resumed.
  void catch_up();
  void stop();

 private:
  struct Followed {  // a run whose people hear of it
    Whence whence;
    std::string host;   // as people call it
    std::string stage;  // the last one that was looked at
    bool slow_told = false;
  };
  struct End {
    std::string key;          // of the run, and of this end of it: whoever retries it ends it again
    std::string ready, line;  // a host that is ready, else what is to be said
  };
  struct Ends {  // of one moment and one place: told in as few lines as possible
    Whence whence;
    std::vector<End> all;
  };

  void heard(const pipeline::Run& run, pipeline::Run::What what);
  void begun(const pipeline::Run& run);
  void ended(const pipeline::RunView& view);
  void tell_end(const Whence& whence, const pipeline::RunView& view);
  void tell_followers(const pipeline::RunView& view, const std::string& line, const std::string& except);
  boost::asio::awaitable<void> watch_slow_ones();
  void say_ends();
  void say(const Whence& whence, const std::string& line, std::vector<End> ends);
  void wait(const Whence& whence, std::vector<End> ends);
  void show_presence();
  bool wants(const pipeline::RunView& view, const Whence& whence) const;
  // Rights are asked whenever something is to be told: people and roles may have changed since.
  bool may_hear(const std::string& person, const std::string& command, const Whence& where,
                const pipeline::RunView& view) const;
  // Who ordered it there; empty: nobody whom the configuration knows (any more).
  std::string person_at(const Whence& whence) const;
  void note_told(const std::string& end);
  void keep_told();

  boost::asio::io_context& loop_;
  House& house_;
  Chat& chat_;
  int id_ = 0;
  std::map<std::string, Followed> followed_;  // by run
  std::map<std::string, Ends> ends_;          // by where
  // The newest ends that were said; kept in the journal.
  std::set<std::string> told_;
  std::deque<std::string> told_in_order_;
  boost::asio::steady_timer tick_, soon_, presence_due_;
  bool presence_waits_ = false, ends_wait_ = false;
};

}  // namespace jarvis::bot
