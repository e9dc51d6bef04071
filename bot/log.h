// jarvis's own log (spdlog): what the process does, never what a worker said or a secret is. Runs' logs are in the
// journal.
#pragma once

#include <string>

#include "bot/settings.h"

namespace jarvis::bot {

// Once, by main. `quiet`: warnings and errors only, whatever the configuration says (a foreground command).
void open_log(const Settings& settings, bool quiet);

bool log_debugs();  // whether a debug line would be seen: ask before making a dear one
void log_debug(const std::string& text);
void log_info(const std::string& text);
void log_warning(const std::string& text);
void log_error(const std::string& text);

}  // namespace jarvis::bot
