#include "bot/check_links.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "bot/link.h"
#include "pipeline/plan.h"
#include "pipeline/unique_fd.h"

namespace jarvis::bot {

namespace {

constexpr const char* kFiles[] = {"ca_file", "cert_file", "key_file", "password_file"};

bool holds_secret(const std::string& key) {
  return key == "key_file" || key == "password_file";
}

std::string file_fault(const std::string& path, bool secret) {
  const pipeline::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat found {};
  if (!fd || ::fstat(fd.get(), &found) != 0) return std::strerror(errno);
  if (!S_ISREG(found.st_mode)) return "is no file";
  if (secret && (found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return "holds credentials but is open to other users; chmod 600 it";
  return found.st_size == 0 ? "is empty" : "";
}

// The files that one mapping of a link's configuration names.
void add_files(const std::string& whose, const nlohmann::json& config, std::vector<LinkNeed>& needs) {
  for (const std::string key : kFiles) {
    const auto found = config.find(key);
    if (found == config.end() || !found->is_string()) continue;
    const std::string path = *found;
    needs.push_back({whose + " " + key + " " + path, file_fault(path, holds_secret(key))});
  }
}

}  // namespace

std::vector<LinkNeed> link_needs(const LinkSettings& link, const std::filesystem::path& programs) {
  const std::string name = "link " + link.name + ":";
  const std::string program = program_of(link, programs).string();
  std::vector<LinkNeed> needs = {{name + " program " + program, pipeline::why_not_runnable(program)}};
  if (link.kind == LinkSettings::Kind::Other) return needs;  // what its keys mean only it knows
  const auto config = nlohmann::json::parse(link.config);
  add_files(name, config, needs);
  for (const char* part : {"sasl", "nickserv"}) {
    if (config.contains(part)) add_files(name + " " + part, config[part], needs);
  }
  for (const auto& [list, key] : {std::pair("channels", "name"), std::pair("rooms", "room")}) {
    for (const auto& place : config.value(list, nlohmann::json::array())) {
      if (place.is_object()) add_files(name + " " + place.value(key, ""), place, needs);
    }
  }
  return needs;
}

}  // namespace jarvis::bot
