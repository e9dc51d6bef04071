// Whether what a link needs is there: its program, and the files that its configuration names, readable by this user
// and, if they hold secrets, by nobody else. Knows no network. Blocks for the disk; prints nothing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bot/settings.h"

namespace jarvis::bot {

struct LinkNeed {
  std::string what;   // "link freenet: sasl password_file /etc/jarvis/irc.password"
  std::string fault;  // empty: it is well
};

// `programs`: the directory of the built-in links.
std::vector<LinkNeed> link_needs(const LinkSettings& link, const std::filesystem::path& programs);

}  // namespace jarvis::bot
