// The settings: what the configuration file says, typed and checked. The only place that knows the file's keys.
// Knows neither argv nor the environment (the mains do: they choose the file and the state directory), runs nothing,
// and keeps no secret: credential files are read when a module's environment is made. A value type, owned by the main.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/granted.h"
#include "pipeline/task.h"

namespace jarvis::bot {

// An external worker: any executable that keeps the contract of docs/workers.md.
struct ExternalWorker {
  std::string module;
  std::filesystem::path run;         // absolute; whether it can be run is checked when a plan needs it
  std::filesystem::path env_file;    // empty: none
  std::vector<std::string> secrets;  // keys whose values are blanked and sealed like the built-in ones
  pipeline::TaskRow any_task;        // the row of every task, if `tasks` lists none
  std::vector<pipeline::TaskRow> tasks;
  std::string where;  // FILE:LINE:COL, for messages
};

// One value that the configuration grants a built-in module; its worker finds it as environment variable MODULE_NAME.
struct ModuleSetting {
  std::string name;      // upper case: TOKEN, ADDRESSES
  std::string value;     // or the path of the file to read, if in_file
  bool in_file = false;  // a secret: read at the last moment, never kept
};

struct Person {
  std::string name;
  std::vector<std::string> roles;
  std::vector<unsigned> uids;  // unix: who this is on the command line
  // By link: what its network proves of this person: services accounts, `cert:SHA256`, bare JIDs.
  std::map<std::string, std::vector<std::string>> identities;
};

// A network of people, spoken by a process of its own.
struct LinkSettings {
  enum class Kind { Irc, Xmpp, Other };
  std::string name;  // how people: and replies call it
  Kind kind = Kind::Other;
  std::filesystem::path run;  // of links by others; absolute
  std::string prefix;         // besides "jarvis:" and "jarvis,"; may be empty
  std::string config;         // what the link is told first, JSON; paths in it are absolute, secrets are files
};

// What a role allows. A list left out allows nothing, `*` everything.
struct Role {
  std::string name;
  std::vector<std::string> commands, hosts, providers, places;
  int approvals = 1;  // people, each counted once, who must confirm what destroys; of two or more the asker is none
  int runs = 0;       // that this person may have in flight at once; 0: any number
  std::optional<std::int64_t> monthly = {};  // what one order may cost a month, in the provider's currency
};

enum class LogLevel { Debug, Info, Warn, Error };

struct Settings {
  std::filesystem::path file;      // where this came from; empty: defaults
  std::filesystem::path state;     // empty: not said, the main decides and fills it in
  std::filesystem::path key_file;  // empty: STATE/key, see key_path()
  std::string domain;              // completes a bare hostname; may be empty
  int max_workers = 64;
  std::chrono::milliseconds grace{std::chrono::seconds{30}};  // for running tasks, on a polite stop
  std::size_t clipboard_bytes = 8U << 20U;
  std::vector<std::filesystem::path> plans;  // the operator's; the built-in lists lie beneath them
  std::vector<ExternalWorker> workers;
  struct {
    LogLevel level = LogLevel::Info;
    std::filesystem::path file;  // empty: standard error
  } log;
  std::map<std::string, std::vector<ModuleSetting>> modules;  // built-in ones: providers, monitoring, spec
  std::vector<LinkSettings> links;
  std::vector<Person> people;
  std::map<std::string, Role> roles;
  // Told of what carries our marks and no run accounts for.
  struct {
    std::vector<std::string> tell;  // LINK/PLACE
    std::chrono::milliseconds every{std::chrono::hours{24}};
  } orphans;
  std::vector<std::string> unused_sections;  // known to the contract, not to this version: worth a warning

  std::filesystem::path key_path() const { return key_file.empty() ? state / "key" : key_file; }
};

Settings default_settings();

// Error(Usage) with one line "FILE:LINE:COL: KEY: what is wrong" for every fault. Blocks on the disk.
Settings read_settings(const std::filesystem::path& file);

// The first of `candidates` that exists, else the defaults. One that exists but cannot be read is an error, not
// skipped.
Settings read_first_settings(const std::vector<std::filesystem::path>& candidates);

// The person whom the configuration knows by this uid, or nullptr. Root and the state's owner are not its concern.
const Person* person_of_uid(const Settings& settings, unsigned uid);

// Adds the rows and secret keys of the external workers. The table must hold the built-in rows already: Error(Usage)
// for each module whose name is taken.
void add_external_workers(const Settings& settings, pipeline::TaskTable& table);

// What the worker process of `module` gets besides the JARVIS_* variables, PATH, HOME, LANG and TMPDIR: "NAME=value"
// each. Reads credential and env files now: Error(Usage) naming the file when one is missing, open to others or
// malformed. settings.state must be set. The result holds secrets: hand it to the worker, never print it. Blocks on the
// disk.
std::vector<std::string> module_environment(const Settings& settings, const std::string& module);
// The same, with the values among them that are credentials (what came from files).
pipeline::Granted grants_of(const Settings& settings, const std::string& module);

}  // namespace jarvis::bot
