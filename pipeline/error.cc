#include "pipeline/error.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace jarvis::pipeline {

Error& Error::within(std::string_view context) {
  text_ = std::string(context) + ": " + text_;
  return *this;
}

Error& Error::retry_after(std::chrono::milliseconds delay) {
  retry_after_ = delay;
  return *this;
}

Error system_error(std::string_view text) {
  return system_error(text, errno);
}

Error system_error(std::string_view text, int error_number) {
  return {Kind::Permanent, std::string(text) + ": " + std::strerror(error_number)};
}

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace jarvis::pipeline
