// What a server says of itself in RPL_ISUPPORT (005), as far as it concerns us.
#pragma once

#include <string>
#include <vector>

#include "bot/links/irc/casemap.h"

namespace jarvis::bot::links::irc {

struct Isupport {
  Casemapping casemapping = Casemapping::Rfc1459;
  std::string channel_prefixes = "#&";
  std::string status_prefixes = "@+";  // before a nick in NAMES: the signs of PREFIX=(ov)@+
  std::string status_messages;         // STATUSMSG: "@#ops" is what only its operators read
  std::size_t nick_length = 30;        // RFC 1459 says 9; no server of today is that short without saying so
  bool monitor = false, whox = false;
  char bot_flag = 0;  // BOT=B: the letter in WHO flags that marks a bot

  // The parameters of one 005, our nick first and the closing text last.
  void learn(const std::vector<std::string>& params);
};

}  // namespace jarvis::bot::links::irc
