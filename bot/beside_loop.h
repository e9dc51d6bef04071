// What blocks for longer than the loop may stand still, and is no task: done by one thread beside it, one thing after
// the other. The thread is there once something was asked for. Loop's thread; must outlive what was begun.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>

namespace jarvis::bot {

class BesideLoop {
 public:
  // What `work` makes; what it throws is thrown in the loop. `work` must touch nothing that the loop may touch
  // meanwhile.
  template <typename Work>
  boost::asio::awaitable<std::invoke_result_t<Work>> run(Work work) {
    if (!thread_) thread_ = std::make_unique<boost::asio::thread_pool>(1);
    auto made = co_await boost::asio::co_spawn(*thread_, made_by(std::move(work)), boost::asio::use_awaitable);
    co_return made;
  }

 private:
  template <typename Work>
  static boost::asio::awaitable<std::invoke_result_t<Work>> made_by(Work work) {
    co_return work();
  }

  std::unique_ptr<boost::asio::thread_pool> thread_;
};

}  // namespace jarvis::bot
