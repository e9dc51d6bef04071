// What a person sees while runs go on: on a terminal finished stages as lines and one live line a host below them; else
// one plain line a stage. Knows only the views that come over the socket.
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace jarvis::bot {

class ProgressView {
 public:
  explicit ProgressView(bool live) : live_(live) {}

  void heard(const nlohmann::json& view);
  // The live lines again, with times moved on. Nothing when not live.
  void draw();
  // Takes the live lines off the screen, so that something else can be printed.
  void clear();

  // Who was heard of last; empty if nobody.
  const std::string& last_host() const { return last_host_; }
  const std::string& last_run() const { return last_run_; }

 private:
  struct Host {
    nlohmann::json view;
    std::chrono::steady_clock::time_point at;
    int number = 0;
    std::string stage, state;
    int order = 0;  // in which they came
    std::chrono::milliseconds elapsed() const;
  };
  std::string live_line(const Host& host, std::size_t width) const;
  void stage_over(const Host& host);
  void plain_line(const nlohmann::json& view);

  bool live_;
  int seen_ = 0;
  int drawn_ = 0;  // live lines on the screen
  std::map<std::string, Host> hosts_;
  std::string last_host_, last_run_;
};

}  // namespace jarvis::bot
