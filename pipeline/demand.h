// What a run that destroys waits for: a code, and how many people must say it. Sealed into the run's record, bound to
// run and plan, so that it outlives a restart and reading the journal confirms nothing. Pure.
#pragma once

#include <string>
#include <vector>

namespace jarvis::pipeline {

struct Demand {
  std::string code;
  int needed = 1;                      // people; of two or more the asker is none
  std::string asker;                   // names as access knows them; one person counts once
  std::vector<std::string> approvers;  // so far

  int missing() const { return needed - static_cast<int>(approvers.size()); }
  std::string text() const;
  static Demand from(const std::string& text);
};

}  // namespace jarvis::pipeline
