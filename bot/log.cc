#include "bot/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <filesystem>

namespace jarvis::bot {

namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warn:
      return spdlog::level::warn;
    case LogLevel::Error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

void open_log(const Settings& settings, bool quiet) {
  const bool to_file = !settings.log.file.empty();
  const mode_t before = ::umask(077);
  auto logger =
      to_file ? spdlog::basic_logger_st("jarvis", settings.log.file.string()) : spdlog::stderr_logger_st("jarvis");
  ::umask(before);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  const auto wanted = level_of(settings.log.level);
  logger->set_level(quiet && !to_file ? std::max(wanted, spdlog::level::warn) : wanted);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

bool log_debugs() {
  return spdlog::should_log(spdlog::level::debug);
}
void log_debug(const std::string& text) {
  spdlog::debug("{}", text);
}
void log_info(const std::string& text) {
  spdlog::info("{}", text);
}
void log_warning(const std::string& text) {
  spdlog::warn("{}", text);
}
void log_error(const std::string& text) {
  spdlog::error("{}", text);
}

}  // namespace jarvis::bot
