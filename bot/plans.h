// The action lists: read from the built-in directory and from the files that the operator names. A list of the
// operator's replaces the built-in one of the same provider and operation whole. Checks the form only; whether the
// tasks exist and fit together is the plan's question. Immutable once read; owned by the main.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/action_list.h"

namespace jarvis::bot {

class ActionLists {
 public:
  // `plans`: files and directories (their *.yaml and *.yml, not deeper); `built_in` may be empty: none.
  // Error(Usage) with one line for every fault of every file. Blocks on the disk.
  static ActionLists read(const std::vector<std::filesystem::path>& plans, const std::filesystem::path& built_in);

  // Matches the provider without case. nullptr if there is none; the pointer lives as long as this object.
  const pipeline::ActionList* find(std::string_view provider, std::string_view operation) const;
  std::vector<std::string> providers() const;  // lower case, sorted
  std::vector<std::string> operations(std::string_view provider) const;

 private:
  using ByOperation = std::map<std::string, pipeline::ActionList, std::less<>>;
  std::map<std::string, ByOperation, std::less<>> lists_;
};

}  // namespace jarvis::bot
