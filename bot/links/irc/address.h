// Whom a message is for, and under which nick we speak when ours is taken.
#pragma once

#include <string>
#include <string_view>

#include "bot/links/irc/casemap.h"

namespace jarvis::bot::links::irc {

// Does the text begin with our nick and `:` or `,`, or with the prefix (empty: there is none)?
bool is_addressed(std::string_view text, std::string_view nick, std::string_view prefix, Casemapping casemapping);

// The nth substitute of a nick that is taken (n from 1): jarvis_, jarvis__, ...; shortened and numbered where that
// would be longer than the server takes.
std::string substitute_nick(const std::string& wanted, std::size_t n, std::size_t longest);

}  // namespace jarvis::bot::links::irc
