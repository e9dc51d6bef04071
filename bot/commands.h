// What the commands do. Each is a coroutine on the house, for one talk, and returns the exit status of CONTRACTS §5.
// Errors leave as pipeline::Error; perform() turns them into one sentence and a status.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bot/house.h"
#include "bot/talk.h"
#include "pipeline/error.h"

namespace jarvis::bot {

enum Exit { kDone = 0, kFailed = 1, kUsage = 2, kRefused = 3, kCancelled = 4, kWouldChange = 5, kUnfinished = 6 };

// What sealed values that people see are bound to: any clipboard of this state.
inline constexpr const char* kShownAbout = "shown clipboard";

int exit_status_of(const pipeline::Error& error);

// The command of a talk, whichever it is, to its exit status.
boost::asio::awaitable<int> perform(House& house, Talk& talk);

boost::asio::awaitable<int> do_deploy(House& house, Talk& talk);  // deploy, redeploy
boost::asio::awaitable<int> do_destroy(House& house, Talk& talk);
boost::asio::awaitable<int> do_adopt(House& house, Talk& talk);
boost::asio::awaitable<int> do_replay(House& house, Talk& talk);
boost::asio::awaitable<int> do_retry(House& house, Talk& talk);
boost::asio::awaitable<int> do_confirm(House& house, Talk& talk);
boost::asio::awaitable<int> do_cancel(House& house, Talk& talk);
boost::asio::awaitable<int> do_plan(House& house, Talk& talk);
boost::asio::awaitable<int> do_status(House& house, Talk& talk);  // status, history
boost::asio::awaitable<int> do_explain(House& house, Talk& talk);
boost::asio::awaitable<int> do_logs(House& house, Talk& talk);
boost::asio::awaitable<int> do_clipboard(House& house, Talk& talk);
boost::asio::awaitable<int> do_hosts(House& house, Talk& talk);
boost::asio::awaitable<int> do_providers(House& house, Talk& talk);
boost::asio::awaitable<int> do_hold(House& house, Talk& talk);    // hold, release
boost::asio::awaitable<int> do_freeze(House& house, Talk& talk);  // freeze, thaw
boost::asio::awaitable<int> do_whoami(House& house, Talk& talk);
boost::asio::awaitable<int> do_audit(House& house, Talk& talk);
boost::asio::awaitable<int> do_follow(House& house, Talk& talk);  // follow, quiet

struct Begun {
  std::string run;
  std::optional<std::string> code;        // what it must be confirmed with first
  std::vector<std::string> changes = {};  // what it would change, as far as the tasks tell
};
// Waits for runs, tells the person how they go and how each ended; the worst exit status. With --detach prints their
// ids.
boost::asio::awaitable<int> follow(House& house, Talk& talk, std::vector<Begun> begun);
boost::asio::awaitable<int> follow(House& house, Talk& talk, std::string run, std::optional<std::string> code,
                                   std::vector<std::string> changes = {});

}  // namespace jarvis::bot
