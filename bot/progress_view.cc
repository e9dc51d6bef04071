#include "bot/progress_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "bot/words.h"

namespace jarvis::bot {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

milliseconds as_time(const nlohmann::json& seconds) {
  return milliseconds(static_cast<long long>(seconds.get<double>() * 1000));
}

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

constexpr std::size_t kShortStage = 12;

bool over(const std::string& state) {
  return state == "succeeded" || state == "failed" || state == "cancelled" || state == "interrupted";
}

}  // namespace

std::string ProgressView::live_line(const Host& host, std::size_t width) const {
  const auto& view = host.view;
  const auto name = view["host"].get<std::string>();
  std::string head = name + ": " + std::to_string(host.number) + "/" + std::to_string(view["stages"].get<int>()) + " ";
  std::string stage = host.stage;
  std::string times = " (" + in_words(host.elapsed());
  if (!view["usual"].is_null()) times += ", usually " + in_words(as_time(view["usual"]));
  times += ")";
  if (host.state == "undoing") {
    head = name + ": undoing ";
    stage += " with " + view["task"].get<std::string>();
  } else if (host.state != "running") {
    times += " " + host.state;
  }
  const auto text = view["text"].get<std::string>();
  if (!text.empty()) times += ": " + text;
  // What moves is worth more than the whole name of the stage.
  if (head.size() + stage.size() + times.size() > width && stage.size() > kShortStage) {
    const std::size_t over = head.size() + stage.size() + times.size() - width;
    stage = fitted(stage, stage.size() > kShortStage + over ? stage.size() - over : kShortStage) + "..";
  }
  return fitted(head + stage + times, width);
}

milliseconds ProgressView::Host::elapsed() const {
  return as_time(view["elapsed"]) + std::chrono::duration_cast<milliseconds>(steady_clock::now() - at);
}

// Live: the stage that is over stays on the screen with the time it took.
void ProgressView::stage_over(const Host& host) {
  std::printf("%s: %d/%d %s, took %s\n", host.view["host"].get<std::string>().c_str(), host.number,
              host.view["stages"].get<int>(), host.stage.c_str(), in_words(host.elapsed()).c_str());
}

void ProgressView::plain_line(const nlohmann::json& view) {
  const auto name = view["host"].get<std::string>(), stage = view["stage"].get<std::string>();
  std::string line = name + ": " + std::to_string(view["stage_number"].get<int>()) + "/" +
                     std::to_string(view["stages"].get<int>()) + " " + stage;
  if (view["state"] == "undoing") line = name + ": undoing " + stage + " with " + view["task"].get<std::string>();
  if (view["state"] == "paused") line += ", paused: " + view["text"].get<std::string>();
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void ProgressView::heard(const nlohmann::json& view) {
  const auto run = view["run"].get<std::string>(), state = view["state"].get<std::string>(),
             stage = view["stage"].get<std::string>();
  const int number = view["stage_number"].get<int>();
  if (state == "confirming") return;
  clear();
  const auto known = hosts_.find(run);
  const bool was_there = known != hosts_.end();
  if (over(state)) {
    if (live_ && was_there && state == "succeeded") stage_over(known->second);
    if (was_there) hosts_.erase(known);
    return draw();
  }
  const bool new_stage = !was_there || known->second.number != number || known->second.stage != stage;
  const bool new_state = was_there && known->second.state != state && (state == "undoing" || state == "paused");
  if (live_ && was_there && new_stage && state != "undoing" && known->second.number > 0) stage_over(known->second);
  const bool begun = number > 0 || state == "paused";
  if (!live_ && begun && (new_stage || new_state)) plain_line(view);
  last_host_ = view["host"].get<std::string>();
  last_run_ = run;
  const int order = was_there ? known->second.order : ++seen_;
  hosts_[run] = {view, steady_clock::now(), number, stage, state, order};
  draw();
}

void ProgressView::draw() {
  if (!live_) return;
  clear();
  const auto [width, height] = window();
  std::vector<const Host*> in_order;
  for (const auto& [run, host] : hosts_) in_order.push_back(&host);
  std::sort(in_order.begin(), in_order.end(), [](const Host* a, const Host* b) { return a->order < b->order; });
  const std::size_t room = static_cast<std::size_t>(std::max(2, height - 2));
  const std::size_t shown = in_order.size() <= room ? in_order.size() : room - 1;
  for (std::size_t i = 0; i < shown; ++i) std::printf("%s\n", live_line(*in_order[i], width - 1).c_str());
  if (shown < in_order.size()) std::printf("... and %zu more\n", in_order.size() - shown);
  drawn_ = static_cast<int>(shown) + (shown < in_order.size() ? 1 : 0);
  std::fflush(stdout);
}

void ProgressView::clear() {
  if (drawn_ > 0) std::printf("\x1b[%dA\x1b[J", drawn_);
  drawn_ = 0;
}

}  // namespace jarvis::bot
