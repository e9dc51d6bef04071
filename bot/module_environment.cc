#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "bot/config_reader.h"
#include "bot/settings.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr std::size_t kMostSecretBytes = 64U << 10U;

// A credential that others can read is no longer one; better told now than found out later.
std::string read_private_file(const std::filesystem::path& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) throw Error(Kind::Usage, file.string() + ": " + std::strerror(errno));
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Error(Kind::Usage, file.string() + ": holds credentials but is open to other users; chmod 600 it");
  }
  std::string text = read_text_file(file, kMostSecretBytes);
  if (text.find('\0') != std::string::npos) throw Error(Kind::Usage, file.string() + ": holds a zero byte");
  return text;
}

std::string read_secret(const std::filesystem::path& file) {
  std::string text = read_private_file(file);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.empty()) throw Error(Kind::Usage, file.string() + ": is empty");
  return text;
}

bool is_variable_name(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && plain(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return plain(c) || (c >= '0' && c <= '9'); });
}

// Why a variable of this name cannot come from an env file; empty if it can.
std::string refusal(const std::string& name) {
  if (!is_variable_name(name)) return "a line must be NAME=value";  // the line may be a secret: not echoed
  if (name.rfind("JARVIS_", 0) == 0) return name + " is jarvis's own";
  for (const char* set : {"PATH", "HOME", "LANG", "TMPDIR"}) {
    if (name == set) return name + " is set by jarvis";
  }
  return {};
}

// NAME=value lines; blank lines and lines that begin with # are skipped, values are taken as they stand.
std::vector<std::string> read_env_file(const std::filesystem::path& file) {
  const std::string text = read_private_file(file);
  std::vector<std::string> lines;
  std::set<std::string> names;
  int number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.find_first_not_of(" \t") == std::string::npos || line.front() == '#') continue;
    const std::size_t equals = line.find('=');
    const std::string name = equals == std::string::npos ? "" : line.substr(0, equals);
    std::string wrong = refusal(name);
    if (wrong.empty() && !names.insert(name).second) wrong = name + " stands here a second time";
    if (!wrong.empty()) throw Error(Kind::Usage, file.string() + ":" + std::to_string(number) + ": " + wrong);
    lines.push_back(line);
  }
  return lines;
}

std::string variable(const std::string& module, const std::string& name) {
  std::string text = module + "_" + name;
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == '-') c = '_';
  }
  return text;
}

}  // namespace

std::vector<std::string> module_environment(const Settings& settings, const std::string& module) {
  if (settings.state.empty())
    throw Error(Kind::Bug, "a module's environment was asked for before the state directory was known");
  for (const ExternalWorker& worker : settings.workers) {
    if (worker.module != module) continue;
    return worker.env_file.empty() ? std::vector<std::string>() : read_env_file(worker.env_file);
  }
  std::vector<std::string> environment;
  const auto found = settings.modules.find(module);
  if (found != settings.modules.end()) {
    for (const ModuleSetting& setting : found->second) {
      const std::string value = setting.in_file ? read_secret(setting.value) : setting.value;
      environment.push_back(variable(module, setting.name) + "=" + value);
    }
  }
  // A place of its own below the state: hosts, caches, the pace of its calls.
  for (const char* provider : {"local", "linode", "ec2", "vmware"}) {
    const std::string name = variable(module, "DIR") + "=";
    const bool has_dir = std::any_of(environment.begin(), environment.end(),
                                     [&](const std::string& line) { return line.rfind(name, 0) == 0; });
    if (module == provider && !has_dir) environment.push_back(name + (settings.state / module).string());
  }
  return environment;
}

pipeline::Granted grants_of(const Settings& settings, const std::string& module) {
  pipeline::Granted made{module_environment(settings, module), {}};
  std::set<std::string> secret;  // names of variables
  const auto found = settings.modules.find(module);
  if (found != settings.modules.end()) {
    for (const ModuleSetting& setting : found->second) {
      if (setting.in_file) secret.insert(variable(module, setting.name));
    }
  }
  // An env file is where an operator puts tokens: all of it is taken for secret.
  const bool external = std::any_of(settings.workers.begin(), settings.workers.end(),
                                    [&](const ExternalWorker& worker) { return worker.module == module; });
  for (const std::string& line : made.environment) {
    const std::size_t equals = line.find('=');
    if (external || secret.count(line.substr(0, equals)) > 0) made.credentials.push_back(line.substr(equals + 1));
  }
  return made;
}

}  // namespace jarvis::bot
