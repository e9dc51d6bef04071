// What a person sees while runs go on: on a terminal finished stages as lines and one live line a host below them; else one plain
// line a stage. Knows only the views that come over the socket.
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

 private:
  struct Host {
    nlohmann::json view;
    std::chrono::steady_clock::time_point at;
    int number = 0;
    std::string stage, state;
  };
  std::string live_line(const Host& host) const;
  void stage_over(const Host& host);

  bool live_;
  int drawn_ = 0;  // live lines on the screen
  std::map<std::string, Host> hosts_;
};

}  // namespace jarvis::bot
