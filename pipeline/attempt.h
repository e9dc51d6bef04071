// One try of a task: a child process from fork to its end. The end is exit status AND end of stdout AND end of stderr;
// who holds a pipe open after the exit gets 10 s. Timeout and cancel: TERM to the group, grace, KILL. Knows no
// clipboard, no retry and no journal; the run judges what comes out (judge.h). Loop's thread; never blocks.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "pipeline/attempt_log.h"
#include "pipeline/attempt_result.h"
#include "pipeline/forkserver.h"

namespace jarvis::pipeline {

struct AttemptRequest {
  ForkRequest fork;
  std::shared_ptr<const std::string> input;  // for stdin
  std::chrono::milliseconds timeout{0}, grace{0};
  std::size_t output_limit = 8U << 20U;
  std::chrono::milliseconds linger{10'000};  // for a grandchild that keeps a pipe open after the exit
};

class Attempt final : public ForkListener {
 public:
  // `server` must outlive the attempt. `on_progress` is called when log().progress() changed.
  Attempt(boost::asio::io_context& loop, Forkserver& server, AttemptRequest request,
          std::function<void()> on_progress = {});
  ~Attempt() override;

  // Once. The attempt must live until it is done.
  boost::asio::awaitable<AttemptResult> run();

  void cancel();   // ends as Cancelled, unless it ends by itself first
  void abandon();  // jarvis stops: KILL at once; ends as lost, which does not count
  const AttemptLog& log() const { return log_; }
  pid_t pid() const { return pid_; }

 private:
  // Young: nobody watches its pipes yet, they hold what it says. Most short tasks never grow older, which saves half of
  // the loop's work for them.
  enum class Phase { Young, Running, Terminating, Killing, Lingering };
  using Descriptor = boost::asio::posix::stream_descriptor;

  void started(pid_t pid) override;
  void exited(const ForkMessage& report) override;
  void not_forked(const std::string& why) override;
  void lost() override;

  struct Stream {        // stdout or stderr
    UniqueFd fd;         // while young
    Descriptor watched;  // afterwards
    bool open = false;
  };

  void begin();
  void write_input();
  void grow_up();
  void watch(Stream& from);
  void drain(Stream& from);
  void close(Stream& from);
  bool too_much(Stream& from, std::string_view bytes);
  void deadline_passed();
  void terminate();
  void kill();
  void end_survivors();
  void wake() { timer_.cancel(); }
  bool over() const { return lost_ || not_forked_ || (exited_ && !out_.open && !err_.open); }
  AttemptResult result();

  boost::asio::io_context& loop_;
  Forkserver& server_;
  AttemptRequest request_;
  std::function<void()> on_progress_;
  boost::asio::steady_timer timer_;
  UniqueFd in_;
  std::unique_ptr<Descriptor> in_watched_;  // only if the clipboard does not fit into the pipe at once
  Stream out_, err_;
  std::string step_;
  std::size_t written_ = 0;
  std::uint64_t id_ = 0;
  pid_t pid_ = 0;
  Phase phase_ = Phase::Young;
  std::chrono::steady_clock::time_point deadline_;  // of the phase
  bool exited_ = false, lost_ = false, not_forked_ = false, group_left_ = false;
  bool timed_out_ = false, cancelled_ = false, too_large_ = false, abandoned_ = false;
  int status_ = 0;
  std::string output_, why_;
  AttemptLog log_;
  Usage usage_;
  std::shared_ptr<int> life_ = std::make_shared<int>(0);
};

}  // namespace jarvis::pipeline
