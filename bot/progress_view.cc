#include "bot/progress_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "bot/words.h"

namespace jarvis::bot {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

milliseconds as_time(const nlohmann::json& seconds) { return milliseconds(static_cast<long long>(seconds.get<double>() * 1000)); }

std::pair<std::size_t, int> window() {
  winsize size{};
  if (::ioctl(1, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {80, 24};
  return {size.ws_col, size.ws_row};
}

// At most `width` columns, counting every character as one.
std::string fitted(const std::string& text, std::size_t width) {
  std::size_t columns = 0, at = 0;
  while (at < text.size() && columns < width) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) ++at;
    ++columns;
  }
  return text.substr(0, at);
}

bool over(const std::string& state) { return state == "succeeded" || state == "failed" || state == "cancelled" || state == "interrupted"; }

}  // namespace

std::string ProgressView::live_line(const Host& host) const {
  const auto& view = host.view;
  const auto elapsed = as_time(view["elapsed"]) + std::chrono::duration_cast<milliseconds>(steady_clock::now() - host.at);
  std::string line = view["host"].get<std::string>() + ": " + std::to_string(host.number) + "/" + std::to_string(view["stages"].get<int>()) + " " + host.stage + " (" + in_words(elapsed);
  if (!view["usual"].is_null()) line += ", usually " + in_words(as_time(view["usual"]));
  line += ")";
  if (host.state != "running") line += " " + host.state;
  const auto text = view["text"].get<std::string>();
  return text.empty() ? line : line + ": " + text;
}

// Live: the stage that is over stays on the screen with the time it took.
void ProgressView::stage_over(const Host& host) {
  const auto took = as_time(host.view["elapsed"]) + std::chrono::duration_cast<milliseconds>(steady_clock::now() - host.at);
  std::printf("%s: %d/%d %s, took %s\n", host.view["host"].get<std::string>().c_str(), host.number, host.view["stages"].get<int>(), host.stage.c_str(), in_words(took).c_str());
}

void ProgressView::heard(const nlohmann::json& view) {
  Host& host = hosts_[view["run"].get<std::string>()];
  const int number = view["stage_number"].get<int>();
  const auto stage = view["stage"].get<std::string>();
  const auto state = view["state"].get<std::string>();
  const bool new_stage = host.number != number || host.stage != stage;
  const bool undoing = state == "undoing";
  clear();
  if (live_) {
    if (new_stage && host.number != 0 && !undoing) stage_over(host);
  } else if (!over(state) && state != "confirming" && (new_stage || (state != host.state && (undoing || state == "paused")))) {
    std::string line = view["host"].get<std::string>() + ": " + std::to_string(number) + "/" + std::to_string(view["stages"].get<int>()) + " " + stage;
    if (undoing) line += ", undoing " + view["task"].get<std::string>();
    if (state == "paused") line += ", paused: " + view["text"].get<std::string>();
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }
  host = {view, steady_clock::now(), number, stage, state};
  if (live_ && state == "succeeded") stage_over(host);
  if (over(state)) hosts_.erase(view["run"].get<std::string>());
  draw();
}

void ProgressView::draw() {
  if (!live_) return;
  clear();
  const auto [width, height] = window();
  for (const auto& [run, host] : hosts_) {
    if (drawn_ + 2 >= height) break;
    std::printf("%s\n", fitted(live_line(host), width - 1).c_str());
    ++drawn_;
  }
  std::fflush(stdout);
}

void ProgressView::clear() {
  if (drawn_ > 0) std::printf("\x1b[%dA\x1b[J", drawn_);
  drawn_ = 0;
}

}  // namespace jarvis::bot
