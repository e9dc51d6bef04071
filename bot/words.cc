#include "bot/words.h"

#include <cstdio>
#include <ctime>

namespace jarvis::bot {

using pipeline::RunState;
using pipeline::RunView;

namespace {

double seconds(std::chrono::milliseconds time) {
  return static_cast<double>(time.count()) / 1000.0;
}

std::string times_of(const RunView& view) {
  return "(" + in_words(view.elapsed) + (view.usual ? ", usually " + in_words(*view.usual) : "") + ")";
}

std::string at(const RunView& view) {
  return std::to_string(view.stage_number) + "/" + std::to_string(view.stages) + " " + view.stage;
}

}  // namespace

std::string in_words(std::chrono::milliseconds time) {
  const long long ms = time.count() < 0 ? 0 : time.count();
  const long long s = (ms + 500) / 1000;
  char text[64];
  if (ms < 9'950) {
    const long long tenths = (ms + 50) / 100;
    std::snprintf(text, sizeof text, tenths % 10 == 0 ? "%lld s" : "%lld.%lld s", tenths / 10, tenths % 10);
  } else if (s < 120) {
    std::snprintf(text, sizeof text, "%lld s", s);
  } else if (s < 7'200) {
    std::snprintf(text, sizeof text, "%lld min %lld s", s / 60, s % 60);
  } else if (s < 172'800) {
    std::snprintf(text, sizeof text, "%lld h %lld min", s / 3600, s % 3600 / 60);
  } else {
    std::snprintf(text, sizeof text, "%lld d %lld h", s / 86'400, s % 86'400 / 3600);
  }
  return text;
}

std::string rfc3339(pipeline::Time time) {
  const std::time_t whole = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  ::gmtime_r(&whole, &utc);
  char text[40], made[48];
  if (std::strftime(text, sizeof text, "%FT%T", &utc) == 0) return "?";
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
  std::snprintf(made, sizeof made, "%s.%03dZ", text, static_cast<int>(ms < 0 ? ms + 1000 : ms));
  return made;
}

std::string status_line(const RunView& view, const std::string& host) {
  const std::string text = view.text.empty() ? "" : ": " + view.text;
  switch (view.state) {
    case RunState::Succeeded:
      return host + (view.operation == "destroy" ? " is destroyed"
                     : view.operation == "adopt" ? " is jarvis's now"
                                                 : " is ready");
    case RunState::Failed:
      return host + " failed at " + at(view) + (view.error.empty() ? "" : ": " + view.error);
    case RunState::Cancelled:
      if (view.stage_number == 0)
        return host + ": " + view.operation + " was not begun" + (view.error.empty() ? "" : ": " + view.error);
      return host + " cancelled at " + at(view) + (view.error.empty() ? "" : ": " + view.error);
    case RunState::Interrupted:
      return host + " interrupted at " + at(view);
    case RunState::Confirming:
      return host + ": " + view.operation + " waits for its confirmation" +
             (view.confirm_until ? " until " + clock_of(*view.confirm_until) : "");
    case RunState::Paused:
      return host + ": " + at(view) + " paused" + text;
    case RunState::Undoing:
      return host + ": undoing " + view.stage + " with " + view.task + " " + times_of(view) + text;
    case RunState::Pending:
    case RunState::Running:
    case RunState::Waiting:
      break;
  }
  return host + ": " + at(view) + " " + times_of(view) + text;
}

std::string next_step(const RunView& view, const std::string& host) {
  switch (view.state) {
    case RunState::Failed:
      return "task " + view.task + "; `jarvis logs " + host + " " + view.task + "` shows its log, `jarvis retry " +
             host + "` goes on there";
    case RunState::Interrupted:
      return "`jarvis retry " + host + "` goes on there, `jarvis cancel " + host + "` gives it up";
    default:
      return {};
  }
}

nlohmann::json json_of(const RunView& view) {
  nlohmann::json made = {
      {"run", view.run},
      {"host", view.host},
      {"operation", view.operation},
      {"provider", view.provider},
      {"state", word(view.state)},
      {"stage", view.stage},
      {"stage_number", view.stage_number},
      {"stages", view.stages},
      {"task", view.task},
      {"attempt", view.attempt},
      {"text", view.text},
      {"started", rfc3339(view.started)},
      {"ended", nullptr},
      {"elapsed", seconds(view.elapsed)},
      {"usual", nullptr},
      {"error", nullptr},
      {"by", view.by},
  };
  if (view.ended) made["ended"] = rfc3339(*view.ended);
  if (view.usual) made["usual"] = seconds(*view.usual);
  if (!view.error.empty()) made["error"] = view.error;
  return made;
}

nlohmann::json json_of(const pipeline::AttemptRecord& attempt, const std::string& host, const std::string& task) {
  nlohmann::json made = {
      {"run", attempt.run},
      {"host", host},
      {"task", task},
      {"attempt", attempt.number},
      {"outcome", nullptr},
      {"not_yet", attempt.not_yet},
      {"started", rfc3339(attempt.started)},
      {"elapsed", nullptr},
      {"exit_status", attempt.exit_status},
      {"signal", attempt.signal},
      {"error", nullptr},
      {"cpu", static_cast<double>((attempt.cpu_user + attempt.cpu_system).count()) / 1e6},
      {"max_rss_kib", attempt.max_rss_kib},
      {"log", attempt.log},
  };
  if (attempt.outcome) made["outcome"] = word(*attempt.outcome);
  if (!attempt.last_words.empty()) made["error"] = attempt.last_words;
  if (attempt.ended)
    made["elapsed"] =
        static_cast<double>(
            std::chrono::duration_cast<std::chrono::milliseconds>(*attempt.ended - attempt.started).count()) /
        1000.0;
  return made;
}

}  // namespace jarvis::bot
