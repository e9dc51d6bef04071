// What the commands do. Each is a coroutine on the house, for one session, and returns the exit status of CONTRACTS §5.
// Errors leave as pipeline::Error; perform() turns them into one sentence and a status.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "bot/house.h"
#include "bot/session.h"
#include "pipeline/error.h"

namespace jarvis::bot {

enum Exit { kDone = 0, kFailed = 1, kUsage = 2, kRefused = 3, kCancelled = 4, kWouldChange = 5, kUnfinished = 6 };

// What sealed values that people see are bound to: any clipboard of this state.
inline constexpr const char* kShownAbout = "shown clipboard";

int exit_status_of(const pipeline::Error& error);

// The command of a session, whichever it is, to its exit status.
boost::asio::awaitable<int> perform(House& house, Session& session);

boost::asio::awaitable<int> do_deploy(House& house, Session& session);  // deploy, redeploy
boost::asio::awaitable<int> do_destroy(House& house, Session& session);
boost::asio::awaitable<int> do_replay(House& house, Session& session);
boost::asio::awaitable<int> do_retry(House& house, Session& session);
boost::asio::awaitable<int> do_confirm(House& house, Session& session);
boost::asio::awaitable<int> do_cancel(House& house, Session& session);
boost::asio::awaitable<int> do_plan(House& house, Session& session);
boost::asio::awaitable<int> do_status(House& house, Session& session);  // status, history
boost::asio::awaitable<int> do_logs(House& house, Session& session);
boost::asio::awaitable<int> do_clipboard(House& house, Session& session);

struct Begun {
  std::string run;
  std::optional<std::string> code;  // what it must be confirmed with first
};
// Waits for runs, tells the session how they go and how each ended; the worst exit status. With --detach prints their
// ids.
boost::asio::awaitable<int> follow(House& house, Session& session, std::vector<Begun> begun);
boost::asio::awaitable<int> follow(House& house, Session& session, std::string run, std::optional<std::string> code);

}  // namespace jarvis::bot
