#include "bot/links/irc/isupport.h"

#include <charconv>
#include <string_view>

namespace jarvis::bot::links::irc {

void Isupport::learn(const std::vector<std::string>& params) {
  for (std::size_t i = 1; i + 1 < params.size(); ++i) {
    const std::string_view token = params[i];
    const std::string_view key = token.substr(0, token.find('='));
    const std::string_view value = key.size() < token.size() ? token.substr(key.size() + 1) : std::string_view();
    if (key == "CASEMAPPING") casemapping = casemapping_of(value);
    if (key == "CHANTYPES") channel_prefixes = value;
    if (key == "STATUSMSG") status_messages = value;
    if (key == "MONITOR") monitor = true;
    if (key == "WHOX") whox = true;
    if (key == "BOT" && value.size() == 1) bot_flag = value[0];
    if (key == "PREFIX" && value.find(')') != std::string_view::npos) {
      status_prefixes = value.substr(value.find(')') + 1);
    }
    if (key == "NICKLEN") {
      std::size_t length = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
      if (error == std::errc() && length > 0 && length < 200) nick_length = length;
    }
  }
}

}  // namespace jarvis::bot::links::irc
