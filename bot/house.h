// The house: everything a jarvis that holds a state directory has, put together once. Commands are functions on it.
// Owned by main; loop's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "bot/audit.h"
#include "bot/beside_loop.h"
#include "bot/bounds.h"
#include "bot/followings.h"
#include "bot/plans.h"
#include "bot/settings.h"
#include "bot/state_directory.h"
#include "pipeline/journal_thread.h"
#include "pipeline/pipeline.h"
#include "pipeline/spec.h"

namespace jarvis::bot {

// Where the parts of jarvis lie: beside the executable, or where `cmake --install` put them.
struct Installation {
  std::filesystem::path forkservers;  // jarvis-core, ...
  std::filesystem::path plans;        // the built-in action lists
  static Installation beside(const std::filesystem::path& executable);
};

// Built-in rows and those of the configuration.
pipeline::TaskTable task_table(const Settings& settings);

// The key in `file`; made if it is missing and the state is fresh, that is: nothing was sealed with another one. Error
// as Seal's.
pipeline::Seal open_or_make_key(const std::filesystem::path& file, bool fresh);

class House {
 public:
  // What this jarvis is there for: to serve, to carry one command, or only to look, which a full disk does not stop.
  enum class Purpose { Serve, Carry, Look };
  // Opens journal and key. Blocks for the disk. `state` must be locked.
  House(boost::asio::io_context& loop, Settings settings, Installation installation, StateDirectory& state,
        Purpose purpose);

  pipeline::Pipeline& pipeline() { return *pipeline_; }
  pipeline::Journal& journal() { return *journal_; }
  const Settings& settings() const { return settings_; }
  Audit& audit() { return *audit_; }
  Followings& followings() { return *followings_; }
  Bounds& bounds() { return *bounds_; }
  BesideLoop& beside_loop() { return beside_loop_; }
  const Installation& installation() const { return installation_; }
  // Another configuration, for whatever comes from now on: people, roles, action lists, workers, credentials. Runs in
  // flight keep the rows they were planned with. Throws, and changes nothing, when it cannot be used.
  void reload(Settings settings);
  const ActionLists& lists() const { return lists_; }
  const pipeline::TaskTable& table() const { return table_; }
  const StateDirectory& state() const { return state_; }
  bool serves() const { return purpose_ == Purpose::Serve; }
  // Where workers of a command run: the caller's directory, or STATE/work under serve.
  std::string directory_for(const std::string& callers) const;

  // The fqdn that a person's HOST means. Error(Usage) when it fits none, or several.
  std::string host_of(const std::string& name);
  // How people call a host: the hostname where it fits just one, else the fqdn.
  std::string shown(const std::string& fqdn);
  // The run that HOST or RUN means: the newest of a host.
  pipeline::RunView run_of(const std::string& host_or_run);

  pipeline::SpecRules spec_rules() const;
  // The action list, or Error(Usage) naming what there is.
  const pipeline::ActionList& list_of(const std::string& provider, const std::string& operation) const;

 private:
  Settings settings_;
  Installation installation_;
  StateDirectory& state_;
  Purpose purpose_;
  pipeline::TaskTable table_;
  ActionLists lists_;
  std::unique_ptr<pipeline::Journal> journal_;
  std::unique_ptr<pipeline::JournalThread> pen_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
  std::unique_ptr<Audit> audit_;
  std::unique_ptr<Followings> followings_;
  std::unique_ptr<Bounds> bounds_;
  BesideLoop beside_loop_;
  std::vector<std::string> providers_;
  // What names mean, so that a `status` asks no disk: what the journal knew when first asked, and hosts that came
  // since.
  const std::vector<std::string>& hosts_called(const std::string& name);
  void know(const std::string& host);
  std::map<std::string, std::vector<std::string>, std::less<>> called_;
  std::set<std::string, std::less<>> seen_;
};

}  // namespace jarvis::bot
