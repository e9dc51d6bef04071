// How jarvis says things: the same sentences in chat, on a terminal and in the log, and the documented JSON
// (docs/json.md). Pure: views in, text out.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "pipeline/journal.h"
#include "pipeline/run_view.h"

namespace jarvis::bot {

// "0.4 s", "42 s", "3 min 5 s", "2 h 10 min", "3 d 4 h".
std::string in_words(std::chrono::milliseconds time);
// RFC 3339 in UTC, milliseconds: "2026-11-21T10:15:00.123Z".
std::string rfc3339(pipeline::Time time);
using pipeline::clock_of;

// "loki: 9/19 wait for ssh (42 s, usually 65 s)", "loki is ready", "loki failed at 4/9 wait for ssh: no route to host",
// ...
std::string status_line(const pipeline::RunView& view, const std::string& host);
// What to do about a run that failed, was interrupted or waits: "task ssh:wait; `jarvis retry loki` goes on there". May
// be empty.
std::string next_step(const pipeline::RunView& view, const std::string& host);

nlohmann::json json_of(const pipeline::RunView& view);
nlohmann::json json_of(const pipeline::AttemptRecord& attempt, const std::string& host, const std::string& task);

}  // namespace jarvis::bot
