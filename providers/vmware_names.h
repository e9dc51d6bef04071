// Names in an inventory: as people write them, and exactly one thing for each. Never a guess: a name that is not there
// is an error with the nearest that is, one that fits several things names them all by their paths. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/error.h"

namespace jarvis::providers::vmware {

// vSphere keeps "/", "\" and "%" in names as %2f, %5c and %25.
std::string decoded_name(std::string_view name);

struct Named {
  std::string name;
  std::string path;  // "linux/web": what tells two of one name apart; may be empty
};

// The index of the only one whose name or path is `wanted`. Error(Usage) "KEY: WANTED is not in WHERE; did you mean X?"
// or "...; there are A, B and 3 more", or "KEY: WANTED fits several: A, B".
std::size_t the_one(const std::string& key, const std::string& wanted, const std::vector<Named>& offered,
                    const std::string& where);
// The index of the only one at all. Error(Usage) "KEY: missing, and WHERE has several: A, B", or "WHERE has none".
std::size_t the_only(const std::string& key, const std::vector<Named>& offered, const std::string& where);

// "a, b, c and 4 more".
std::string shown_names(const std::vector<Named>& offered, std::size_t most = 6);

}  // namespace jarvis::providers::vmware
