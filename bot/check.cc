#include "bot/check.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "bot/check_links.h"
#include "bot/listed.h"
#include "bot/offering.h"
#include "bot/one_off.h"
#include "pipeline/clipboard.h"
#include "pipeline/error.h"
#include "pipeline/plan.h"
#include "pipeline/seal.h"

namespace jarvis::bot {

using pipeline::Error;

namespace {

class Report {
 public:
  explicit Report(bool json) : json_(json) {}
  // `fault` empty: it is well.
  void tell(const std::string& what, const std::string& fault) {
    faults_ += fault.empty() ? 0 : 1;
    if (json_) {
      const nlohmann::json line = {
          {"what", what}, {"ok", fault.empty()}, {"error", fault.empty() ? nlohmann::json() : nlohmann::json(fault)}};
      std::printf("%s\n", line.dump().c_str());
    } else {
      std::printf("%s: %s\n", what.c_str(), fault.empty() ? "ok" : fault.c_str());
    }
  }
  template <typename F>
  void attempt(const std::string& what, F check) {
    try {
      check();
      tell(what, "");
    } catch (const std::exception& e) {
      tell(what, e.what());
    }
  }
  int faults() const { return faults_; }

 private:
  bool json_;
  int faults_ = 0;
};

// Every list against the table; what a spec must bring is left to the spec.
std::string list_faults(const pipeline::ActionList& list, const pipeline::TaskTable& table) {
  std::string faults;
  for (const auto& entry : list.entries) {
    std::string fault;
    try {
      const auto row = table.require(entry.task);
      const std::string why = row->executable.empty() ? "" : pipeline::why_not_runnable(row->executable);
      if (!why.empty()) fault = row->executable + ": " + why;
    } catch (const Error& e) {
      fault = e.what();
    }
    if (!fault.empty())
      faults += (faults.empty() ? "" : "\n") + (list.file + ":" + std::to_string(entry.line) + ": " + fault);
  }
  return faults;
}

// What only its task knows: `local` is asked whether it could make a host here, the others for what they offer, which
// needs credentials, and an answer.
void ask_provider(const Settings& settings, const pipeline::TaskTable& table, const Installation& installation,
                  const std::string& provider) {
  const bool local = provider == "local";
  const pipeline::Row row = listed_row(table, provider, local ? "can_deploy" : "offers");
  OneOff one_off(settings, table, installation, pipeline::Seal::missing("check opens nothing"));
  const auto result = one_off.attempt(
      *row, {"check", "check.0", 1, local},
      local ? "hostname: check\nfqdn: check.invalid\nprovider: local\n" : "provider: " + provider + "\n");
  if (result.outcome != pipeline::Outcome::Succeeded)
    throw Error(pipeline::Kind::Usage, result.last_words.empty() ? result.why : result.last_words);
  if (local) return;
  (void)one_off.check(result.output);
  (void)read_offers(result.output);
}

// One line for each LDAP server, from the task that asks them.
void ask_directory(const Settings& settings, const pipeline::TaskTable& table, const Installation& installation,
                   Report& report) {
  OneOff one_off(settings, table, installation, pipeline::Seal::missing("check opens nothing"));
  const auto result = one_off.attempt(*table.require("spec:ldap_check"), {"check", "check.0", 1, false}, "{}\n");
  if (result.outcome != pipeline::Outcome::Succeeded)
    throw Error(pipeline::Kind::Usage, result.last_words.empty() ? result.why : result.last_words);
  for (const auto& [server, said] : pipeline::Clipboard::parse(result.output).map("ldap_servers"))
    report.tell("ldap " + server, said == "ok" ? "" : said);
}

bool has_directory(const Settings& settings) {
  const auto found = settings.modules.find("spec");
  return found != settings.modules.end() && std::any_of(found->second.begin(), found->second.end(),
                                                        [](const auto& one) { return one.name == "LDAP_BASE"; });
}

}  // namespace

int check_everything(const Settings& settings, const Installation& installation, bool json) {
  Report report(json);
  report.tell("configuration " + (settings.file.empty() ? std::string("(defaults)") : settings.file.string()), "");
  for (const std::string& section : settings.unused_sections)
    report.tell("section " + section, "not used by this version");
  const pipeline::TaskTable table = task_table(settings);
  std::set<std::string> modules;
  std::vector<std::string> providers;
  report.attempt("action lists", [&] {
    const ActionLists lists = ActionLists::read(settings.plans, installation.plans);
    providers = configured_providers(settings, lists, table);
    for (const std::string& provider : lists.providers()) {
      for (const std::string& operation : lists.operations(provider)) {
        const auto* list = lists.find(provider, operation);
        report.tell("action list " + provider + " " + operation, list_faults(*list, table));
        for (const auto& entry : list->entries) {
          const std::string module = entry.task.substr(0, entry.task.find(':'));
          // Built-in lists name providers that nobody here has an account with.
          const bool used =
              module != provider || std::find(providers.begin(), providers.end(), provider) != providers.end();
          if (used && table.has_module(module)) modules.insert(module);
        }
      }
    }
  });
  if (settings.modules.count("spec") > 0) modules.insert("spec");
  for (const std::string& module : modules) {
    report.attempt("credentials of " + module, [&] { (void)module_environment(settings, module); });
  }
  std::error_code error;
  if (std::filesystem::exists(settings.key_path(), error)) {
    report.attempt("key " + settings.key_path().string(),
                   [&] { (void)pipeline::Seal::from_file(settings.key_path()); });
  }
  for (const char* family : {"jarvis-core", "jarvis-ssh", "jarvis-http", "jarvis-ldap"}) {
    report.tell(std::string("forkserver ") + family, pipeline::why_not_runnable(installation.forkservers / family));
  }
  for (const LinkSettings& link : settings.links) {
    for (const LinkNeed& need : link_needs(link, installation.forkservers)) report.tell(need.what, need.fault);
  }
  for (const std::string& provider : providers) {
    if (listed_row(table, provider, provider == "local" ? "can_deploy" : "offers") == nullptr) continue;
    report.attempt("provider " + provider, [&] { ask_provider(settings, table, installation, provider); });
  }
  if (has_directory(settings)) {
    // Its own lines tell what is well; only a directory that could not be asked at all is told here.
    try {
      ask_directory(settings, table, installation, report);
    } catch (const std::exception& e) {
      report.tell("ldap", e.what());
    }
  }
  return report.faults() == 0 ? 0 : 2;
}

}  // namespace jarvis::bot
