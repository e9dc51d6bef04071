// "jarvis: status loki" and the like: what a chat line that is meant for jarvis asks for. Pure.
#pragma once

#include <string>
#include <vector>

namespace jarvis::bot {

// The command without its address: a first word that ends in `:` or `,` (the link has seen that it is our nick there,
// which may differ from room to room), or the link's prefix (may be empty). Without either it is the whole line: in a
// direct message no address is needed.
std::string without_address(const std::string& text, const std::string& prefix);

// Words as people type them: separated by blanks; "..." and '...' hold words together.
std::vector<std::string> words_of(const std::string& text);

// How jarvis is asked there, put in place of "`jarvis ": a hint that can be typed as it stands.
std::string as_said_in_chat(std::string text, const std::string& nick, bool direct);

}  // namespace jarvis::bot
