// Several coroutines at once, waited for as one. Loop's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <vector>

namespace jarvis::bot {

// Begins all of `work` and ends when all have; what each threw, if it did, in the same order.
inline boost::asio::awaitable<std::vector<std::exception_ptr>> together(
    std::vector<boost::asio::awaitable<void>> work) {
  namespace asio = boost::asio;
  struct Shared {
    Shared(const asio::any_io_executor& loop, std::size_t count)
        : faults(count), left(count), ended(loop, asio::steady_timer::time_point::max()) {}
    std::vector<std::exception_ptr> faults;
    std::size_t left;
    asio::steady_timer ended;
  };
  const auto loop = co_await asio::this_coro::executor;
  const auto shared = std::make_shared<Shared>(loop, work.size());
  for (std::size_t i = 0; i < work.size(); ++i) {
    asio::co_spawn(loop, std::move(work[i]), [shared, i](std::exception_ptr fault) {
      shared->faults[i] = std::move(fault);
      if (--shared->left == 0) shared->ended.cancel();
    });
  }
  while (shared->left > 0) {
    boost::system::error_code woken;
    co_await shared->ended.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  co_return std::move(shared->faults);
}

}  // namespace jarvis::bot
