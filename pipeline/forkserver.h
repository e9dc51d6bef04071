// The loop's end of a forkserver: starts its executable, hands it requests, hears how children end, starts it again
// when it dies. Never blocks: what the socket does not take now waits in a backlog. Lives on the loop's thread. Only
// here and in fork_serve.cc are processes made.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "pipeline/fork_protocol.h"

namespace jarvis::pipeline {

// How a child that was asked for is doing. Called on the loop's thread, never from inside fork().
class ForkListener {
 public:
  virtual ~ForkListener() = default;
  virtual void started(pid_t pid) = 0;
  virtual void exited(const ForkMessage& report) = 0;
  // There is no child and there will be none: the system refused, or the forkserver cannot be started.
  virtual void not_forked(const std::string& why) = 0;
  // The forkserver died, and all that it had started for this request is dead by now.
  virtual void lost() = 0;
};

struct ForkRequest {
  std::string task;        // module:task
  std::string executable;  // empty: a built-in task of the family
  std::string directory;   // working directory; empty: as jarvis
  std::vector<std::string> environment;
};

class Forkserver {
 public:
  // `lock`: a descriptor that the forkserver holds open as long as it lives, or -1. Borrowed.
  Forkserver(boost::asio::io_context& loop, std::filesystem::path executable, int lock);
  // Closes the socket: the forkserver ends its children and itself. Does not wait for it; see join().
  ~Forkserver();
  Forkserver(const Forkserver&) = delete;
  Forkserver& operator=(const Forkserver&) = delete;

  // Starts the process now rather than at the first request. Error(Permanent) if it cannot be started.
  void start();
  // Closes the socket and waits until the forkserver has ended its children and itself. Blocks; at the end of the main.
  void join();

  // Asks for a child with these descriptors as 0, 1, 2; they are closed here in any case. `listener` must live until it
  // was told exited, not_forked or lost, or until forget().
  std::uint64_t fork(const ForkRequest& request, std::array<UniqueFd, 3> descriptors, ForkListener& listener);
  void signal(std::uint64_t id, int number);  // to the child's whole group
  void release(std::uint64_t id);             // after exited with group_left: nothing more will be signalled
  void forget(std::uint64_t id);              // no more calls for this one

  pid_t pid() const { return pid_; }
  std::size_t in_flight() const { return flying_.size(); }

 private:
  struct Flying {
    ForkListener* listener;
    pid_t pid = 0;
    std::string step;
  };
  struct Waiting {
    std::string bytes;
    std::array<UniqueFd, 3> descriptors;
  };
  void say(const ForkMessage& message, std::array<UniqueFd, 3> descriptors = {});
  void flush();
  void wait_readable();
  void wait_writable();
  void receive();
  void died();
  void bury(std::unordered_map<std::uint64_t, Flying> dead, int tries);
  void fail_later(std::uint64_t id, const std::string& why);

  boost::asio::io_context& loop_;
  std::filesystem::path executable_;
  int lock_;
  boost::asio::posix::stream_descriptor socket_;
  pid_t pid_ = -1;
  int deaths_ = 0;  // in a row, without a child that ended in between
  std::uint64_t next_id_ = 1;
  std::unordered_map<std::uint64_t, Flying> flying_;
  std::deque<Waiting> backlog_;
  bool writing_ = false;
  std::shared_ptr<int> life_ = std::make_shared<int>(0);  // callbacks that outlive this object see it gone
};

}  // namespace jarvis::pipeline
