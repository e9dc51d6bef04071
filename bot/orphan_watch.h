// Once a day (`orphans: {every: ...}`): asks every provider what it has of ours, and tells of what no run accounts for,
// in the log and in the places that the configuration names. Quiet when there is nothing. When it looked last stands in
// the journal, so that a restart is no reason to look again. Loop's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bot/chat.h"
#include "bot/house.h"
#include "bot/offering.h"

namespace jarvis::bot {

class OrphanWatch {
 public:
  // Both must outlive it.
  OrphanWatch(boost::asio::io_context& loop, House& house, Chat& chat);

  // Until stop().
  void begin();
  // Ends when nothing of it is under way any more. After Pipeline::stop(), which ends what is being asked.
  boost::asio::awaitable<void> stop();

 private:
  boost::asio::awaitable<void> watch();
  boost::asio::awaitable<void> look();
  std::chrono::milliseconds until_due();

  boost::asio::io_context& loop_;
  House& house_;
  Chat& chat_;
  boost::asio::steady_timer due_, ended_;
  bool stopping_ = false, under_way_ = false;
};

// One line for people; empty when there are no orphans. Pure.
std::string orphans_line(const std::vector<Judged>& judged);

}  // namespace jarvis::bot
