#include "providers/ec2_nearest.h"

#include <algorithm>

#include "pipeline/error.h"
#include "workers/ascii.h"

namespace jarvis::providers {

using workers::lower_case;

std::string nearest_of(const std::string& word, std::vector<std::string> offered, const std::string& intro) {
  constexpr std::size_t kMost = 3;
  if (offered.empty()) return intro + " nothing";
  const std::string wanted = lower_case(word);
  const auto distance = [&](const std::string& one) { return pipeline::edit_distance(wanted, lower_case(one)); };
  std::stable_sort(offered.begin(), offered.end(),
                   [&](const std::string& a, const std::string& b) { return distance(a) < distance(b); });
  offered.resize(std::min(offered.size(), kMost));
  std::string text = intro + " ";
  for (const std::string& one : offered) text += (&one == &offered.front() ? "" : ", ") + one;
  return text;
}

}  // namespace jarvis::providers
