#include "bot/plans.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "bot/config_reader.h"
#include "bot/config_values.h"
#include "bot/retry_section.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using pipeline::ActionList;
using pipeline::Error;
using pipeline::Kind;

namespace {

const std::vector<std::string> kWords = {"provider", "deploy", "redeploy", "destroy"};

void set_task(const Value& value, ActionList::Entry& entry) {
  entry.task = value.text().value_or("");
  if (!entry.task.empty() && !is_module_and_task(entry.task)) value.refuse("must be a task, written module:task");
}

ActionList::Entry read_entry(const Value& value) {
  ActionList::Entry entry;
  entry.line = value.line();
  if (value.node().IsScalar()) {
    set_task(value, entry);
    return entry;
  }
  if (!value.node().IsMap()) {
    value.refuse("must be module:task, or a mapping with task:");
    return entry;
  }
  Section section(value);
  if (const auto task = section.take("task")) {
    set_task(*task, entry);
  } else if (value.node().size() == 1 && value.node().begin()->second.IsScalar() && !section.has("task")) {
    value.refuse("task is missing; a task has no blank after its colon");
    return entry;
  } else {
    value.refuse("task is missing");
  }
  entry.stage = section.text("stage").value_or("");
  entry.timeout = section.duration("timeout");
  entry.grace = section.duration("grace");
  if (const auto retry = section.take("retry")) entry.retry = read_retry(*retry);
  section.done();
  return entry;
}

struct PlacedList {
  ActionList list;
  int line, column;
};

// A name near one of ours is a slip; any other lower-case word is an operation of the operator's own.
bool is_operation(const Value& value) {
  const std::string& name = value.key();
  if (std::find(kWords.begin(), kWords.end(), name) != kWords.end()) return true;
  if (const auto meant = pipeline::nearest(name, kWords)) {
    value.refuse("unknown key, did you mean " + *meant + "?");
    return false;
  }
  if (is_module_name(name) && lower_case(name) == name) return true;
  value.refuse("an operation's name is a lower-case letter, then lower-case letters, digits, _ and -");
  return false;
}

std::vector<PlacedList> read_lists(ConfigFile& file) {
  std::vector<PlacedList> lists;
  Section root = file.root();
  std::string provider;
  if (const auto value = root.take("provider")) {
    provider = lower_case(value->text().value_or(""));
    if (!provider.empty() && !is_module_name(provider)) value->refuse("is no name of a provider");
  } else {
    file.note_fault(1, 1, "provider: missing: which provider are these lists for?");
  }
  for (const Value& operation : root.take_all()) {
    if (operation.key() == "provider" || !is_operation(operation)) continue;
    PlacedList placed{{provider, operation.key(), file.name(), {}}, operation.line(), operation.column()};
    for (const Value& item : operation.items()) placed.list.entries.push_back(read_entry(item));
    if (placed.list.entries.empty() && !operation.node().IsMap()) {
      operation.refuse("has no tasks; leave the key out instead");
    }
    lists.push_back(std::move(placed));
  }
  return lists;
}

void add_fault(std::string& faults, const std::string& fault) {
  if (fault.empty()) return;
  if (!faults.empty()) faults += '\n';
  faults += fault;
}

// Every file once, however often and by whatever way it was named; those of a directory in order of name.
std::vector<std::filesystem::path> files_of(const std::vector<std::filesystem::path>& places, std::string& faults) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  std::set<fs::path> seen;
  const auto add = [&](const fs::path& file) {
    std::error_code ignored;
    const fs::path real = fs::weakly_canonical(file, ignored);
    if (seen.insert(real.empty() ? file : real).second) files.push_back(file);
  };
  for (const fs::path& place : places) {
    std::error_code error;
    if (!fs::is_directory(place, error)) {
      add(place);
      continue;
    }
    std::vector<fs::path> found;
    for (fs::directory_iterator entry(place, error), end; !error && entry != end; entry.increment(error)) {
      const fs::path& path = entry->path();
      const bool hidden = path.filename().string().front() == '.';
      if (!hidden && (path.extension() == ".yaml" || path.extension() == ".yml")) found.push_back(path);
    }
    if (error) add_fault(faults, place.string() + ": " + error.message());
    std::sort(found.begin(), found.end());
    for (const fs::path& path : found) add(path);
  }
  return files;
}

}  // namespace

ActionLists ActionLists::read(const std::vector<std::filesystem::path>& plans, const std::filesystem::path& built_in) {
  ActionLists lists;
  std::string faults;
  // The operator's first: what they name is then only filled up from beneath.
  std::map<std::pair<std::string, std::string>, std::string> places;
  const auto read_all = [&](const std::vector<std::filesystem::path>& where, bool beneath) {
    for (const auto& path : files_of(where, faults)) {
      try {
        ConfigFile file(path);
        auto found = read_lists(file);
        for (PlacedList& placed : found) {
          const std::pair name(placed.list.provider, placed.list.operation);
          const std::string place = file.name() + ":" + std::to_string(placed.line);
          const auto [taken, is_new] = places.emplace(name, (beneath ? "built-in " : "") + place);
          if (is_new) {
            lists.lists_[name.first].emplace(name.second, std::move(placed.list));
          } else if (!beneath || taken->second.rfind("built-in ", 0) == 0) {
            file.note_fault(placed.line, placed.column,
                            placed.list.operation + ": the list for provider " + name.first + " stands in " +
                                taken->second + " too");
          }
        }
        add_fault(faults, file.faults());
      } catch (const Error& error) {
        add_fault(faults, error.what());
      }
    }
  };
  read_all(plans, false);
  if (!built_in.empty()) read_all({built_in}, true);
  if (!faults.empty()) throw Error(Kind::Usage, faults);
  return lists;
}

const ActionList* ActionLists::find(std::string_view provider, std::string_view operation) const {
  const auto by_operation = lists_.find(lower_case(provider));
  if (by_operation == lists_.end()) return nullptr;
  const auto list = by_operation->second.find(operation);
  return list == by_operation->second.end() ? nullptr : &list->second;
}

std::vector<std::string> ActionLists::providers() const {
  std::vector<std::string> names;
  for (const auto& [name, unused] : lists_) names.push_back(name);
  return names;
}

std::vector<std::string> ActionLists::operations(std::string_view provider) const {
  std::vector<std::string> names;
  const auto by_operation = lists_.find(lower_case(provider));
  if (by_operation == lists_.end()) return names;
  for (const auto& [name, unused] : by_operation->second) names.push_back(name);
  return names;
}

}  // namespace jarvis::bot
