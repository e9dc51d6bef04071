#include "bot/orphan_watch.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bot/log.h"
#include "bot/orphans.h"
#include "bot/words.h"
#include "pipeline/error.h"

namespace jarvis::bot {

namespace asio = boost::asio;
using asio::awaitable;
using pipeline::Error;
using std::chrono::milliseconds;

namespace {

constexpr const char* kLooked = "orphans";
constexpr milliseconds kSettle = std::chrono::minutes{1};  // after a start, before what is overdue
constexpr std::size_t kNamed = 8;                          // in one line

}  // namespace

OrphanWatch::OrphanWatch(asio::io_context& loop, House& house, Chat& chat)
    : loop_(loop), house_(house), chat_(chat), due_(loop), ended_(loop) {}

void OrphanWatch::begin() {
  under_way_ = true;
  asio::co_spawn(loop_, watch(), [this](std::exception_ptr) {
    under_way_ = false;
    ended_.cancel();
  });
}

awaitable<void> OrphanWatch::stop() {
  stopping_ = true;
  due_.cancel();
  while (under_way_) {
    ended_.expires_at(asio::steady_timer::time_point::max());
    boost::system::error_code woken;
    co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

milliseconds OrphanWatch::until_due() {
  const milliseconds every = house_.settings().orphans.every;
  const auto looked = time_from(house_.journal().note(kLooked).value_or(""));
  const auto now = pipeline::now();
  // A note from the future is a clock that was set back.
  if (!looked || *looked > now + every) {
    house_.journal().set_note(kLooked, rfc3339(now));
    return every;
  }
  return std::max(std::chrono::duration_cast<milliseconds>(*looked + every - now), milliseconds{0});
}

awaitable<void> OrphanWatch::watch() {
  bool first = true;
  while (!stopping_) {
    milliseconds wait{0};
    try {
      wait = until_due();
      if (std::exchange(first, false)) wait = std::max(wait, std::min(kSettle, house_.settings().orphans.every));
    } catch (const Error& e) {  // the journal cannot be written now
      log_warning(std::string("orphans: ") + e.what());
      wait = kSettle;
    }
    due_.expires_after(wait);
    boost::system::error_code woken;
    co_await due_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (stopping_) co_return;
    try {
      house_.journal().set_note(kLooked, rfc3339(pipeline::now()));
      co_await look();
    } catch (const std::exception& e) {
      log_warning(std::string("orphans: ") + e.what());
    }
  }
}

awaitable<void> OrphanWatch::look() {
  Owning owning = co_await ask_owned(house_, house_.directory_for(""), [](const std::string&) { return true; });
  if (stopping_) co_return;
  for (const std::string& fault : owning.faults) log_warning("orphans: " + fault);
  for (Thing& thing : owning.things) thing.host = host_of(house_, thing);
  const auto judged = co_await judge(house_, std::move(owning.things));
  const std::string line = orphans_line(judged);
  if (line.empty()) co_return;
  log_warning(line);
  for (const std::string& place : house_.settings().orphans.tell) {
    const std::size_t slash = place.find('/');
    Whence whence;
    whence.link = place.substr(0, slash);
    whence.place = place.substr(slash + 1);
    chat_.tell(whence, line);
  }
}

std::string orphans_line(const std::vector<Judged>& judged) {
  Sum sum;
  std::vector<std::string> names;
  for (const Judged& one : judged) {
    if (!one.orphan) continue;
    sum.add(one.thing.monthly, one.thing.currency);
    names.push_back(one.thing.host + " (" + one.thing.provider + " " + one.thing.kind + " " + one.thing.id + ")");
  }
  if (names.empty()) return {};
  std::string text = "no run accounts for " + std::to_string(names.size()) +
                     (names.size() == 1 ? " thing" : " things") + " with jarvis's marks" +
                     (sum.empty() ? "" : ", " + sum.text() + " a month") + ": ";
  for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kNamed) text += " and " + std::to_string(names.size() - kNamed) + " more";
  return text + "; `jarvis hosts --orphans` says why";
}

}  // namespace jarvis::bot
