// Whom a line of chat is meant for. Pure.
#pragma once

#include <string>
#include <string_view>

namespace jarvis::bot::links::xmpp {

// Does the text begin with the nick (ASCII letters without case) followed by `:` or `,`, or with the prefix? An empty
// nick or prefix addresses nobody.
bool is_addressed(std::string_view text, std::string_view nick, std::string_view prefix);

// The text with "to: " before it, unless it begins with that name already. An empty `to` leaves it as it is.
std::string addressed_to(const std::string& to, const std::string& text);

}  // namespace jarvis::bot::links::xmpp
