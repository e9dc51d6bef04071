#include "bot/links/irc/address.h"

namespace jarvis::bot::links::irc {

bool is_addressed(std::string_view text, std::string_view nick, std::string_view prefix, Casemapping casemapping) {
  if (!prefix.empty() && text.starts_with(prefix)) return true;
  return text.size() > nick.size() && (text[nick.size()] == ':' || text[nick.size()] == ',') &&
         same_name(text.substr(0, nick.size()), nick, casemapping);
}

std::string substitute_nick(const std::string& wanted, std::size_t n, std::size_t longest) {
  if (wanted.size() + n <= longest && n <= 4) return wanted + std::string(n, '_');
  const std::string number = "_" + std::to_string(n);
  return wanted.substr(0, longest > number.size() ? longest - number.size() : 0) + number;
}

}  // namespace jarvis::bot::links::irc
