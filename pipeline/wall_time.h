// Points in time as people and the journal know them.
#pragma once

#include <chrono>
#include <string>

namespace jarvis::pipeline {

using Time = std::chrono::system_clock::time_point;  // stored as microseconds since 1970, UTC

Time now();
// For people: local date and time to the second.
std::string clock_of(Time time);

}  // namespace jarvis::pipeline
