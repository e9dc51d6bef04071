// The loop in a test: turned by hand until something has happened, with a deadline instead of sleeps; and attempts on
// it, served by jarvis-test (test_forkserver.cc).
#pragma once

#include <doctest/doctest.h>
#include <signal.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/attempt.h"
#include "tests/pipeline/scratch.h"

namespace jarvis::pipeline {

inline std::filesystem::path test_forkserver() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "jarvis-test";
}

class Loop {
 public:
  Loop() { ::signal(SIGPIPE, SIG_IGN); }  // as jarvis does: a worker need not read its input

  boost::asio::io_context& context() { return context_; }

  void run_until(const std::function<bool()>& happened, const char* what = "what the test waits for") {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!happened()) {
      CAPTURE(std::string(what));
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      context_.run_one_for(std::chrono::milliseconds{5});
    }
  }

  // Everything that is due now.
  void settle() {
    while (context_.poll() > 0) {
    }
  }

  template <typename T>
  T wait_for(boost::asio::awaitable<T> what) {
    std::exception_ptr error;
    std::optional<T> made;
    boost::asio::co_spawn(context_, std::move(what), [&](std::exception_ptr thrown, T value) {
      error = std::move(thrown);
      made = std::move(value);
    });
    run_until([&] { return made.has_value(); });
    if (error) std::rethrow_exception(error);
    return std::move(*made);
  }

  void wait_for(boost::asio::awaitable<void> what) {
    std::exception_ptr error;
    bool done = false;
    boost::asio::co_spawn(context_, std::move(what), [&](std::exception_ptr thrown) {
      error = std::move(thrown);
      done = true;
    });
    run_until([&] { return done; });
    if (error) std::rethrow_exception(error);
  }

 private:
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context_.get_executor()};
};

// An attempt that has begun, and its result once it is there.
struct Begun {
  std::unique_ptr<Attempt> attempt;
  std::optional<AttemptResult> result;
  std::chrono::steady_clock::time_point ended;
};

// A loop with one forkserver.
class Stage {
 public:
  explicit Stage(int lock = -1) : server_(loop_.context(), test_forkserver(), lock) {}
  ~Stage() {
    for (const auto& one : begun_) one->attempt.reset();  // a failed test leaves some that the loop still knows
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  Loop& loop() { return loop_; }
  Forkserver& server() { return server_; }
  const Scratch& scratch() const { return scratch_; }

  AttemptRequest request(const std::string& task, const std::string& input = "") {
    AttemptRequest made;
    made.fork.task = task;
    made.fork.environment = {"TEST_DIR=" + scratch_.path().string(),
                             "JARVIS_STEP=" + scratch_.path().string() + "." + std::to_string(++steps_)};
    made.input = std::make_shared<const std::string>(input);
    made.timeout = std::chrono::seconds{30};
    made.grace = std::chrono::seconds{5};
    return made;
  }

  std::shared_ptr<Begun> begin(AttemptRequest what, std::function<void()> on_progress = {}) {
    auto begun = std::make_shared<Begun>();
    begun_.push_back(begun);
    begun->attempt = std::make_unique<Attempt>(loop_.context(), server_, std::move(what), std::move(on_progress));
    boost::asio::co_spawn(loop_.context(), begun->attempt->run(),
                          [begun](const std::exception_ptr& error, AttemptResult result) {
                            if (error) std::rethrow_exception(error);
                            begun->result = std::move(result);
                            begun->ended = std::chrono::steady_clock::now();
                          });
    return begun;
  }

  AttemptResult end(const std::shared_ptr<Begun>& begun) {
    loop_.run_until([&] { return begun->result.has_value(); }, "an attempt's end");
    return *begun->result;
  }

  AttemptResult run(const std::string& task, const std::string& input = "") { return end(begin(request(task, input))); }

 private:
  Loop loop_;
  Scratch scratch_;
  Forkserver server_;
  std::vector<std::shared_ptr<Begun>> begun_;
  int steps_ = 0;
};

}  // namespace jarvis::pipeline
