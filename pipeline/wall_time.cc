#include "pipeline/wall_time.h"

#include <ctime>

namespace jarvis::pipeline {

Time now() {
  return std::chrono::system_clock::now();
}

std::string clock_of(Time time) {
  const std::time_t whole = std::chrono::system_clock::to_time_t(time);
  std::tm local{};
  ::localtime_r(&whole, &local);
  char text[32];
  return std::strftime(text, sizeof text, "%F %T", &local) > 0 ? text : "?";
}

}  // namespace jarvis::pipeline
