// One line of IRC: message tags (IRCv3 message-tags), source, command, parameters (RFC 1459 section 2.3.1). Knows no
// connection. What the server sends is data from outside: whatever does not parse is dropped.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jarvis::bot::links::irc {

// Bytes of a line without its tags and its end that are taken in. The rule is 510 (RFC 1459 section 2.3); some servers
// send more; libircclient stops for ever at 1,024.
inline constexpr std::size_t kLongestTaken = 1000;
// Bytes of a line that we send, its end not counted.
inline constexpr std::size_t kLongestSent = 510;

struct Line {
  std::map<std::string, std::string> tags;  // unescaped; a tag without value is there with an empty one
  std::string source;                       // "nick!user@host", or a server's name, or empty
  std::string command;                      // capitals, or three digits
  std::vector<std::string> params;

  std::string nick() const;          // of the source
  std::string user_at_host() const;  // of the source; empty for a server
  std::optional<std::string> tag(const std::string& name) const;
  std::string param(std::size_t i) const { return i < params.size() ? params[i] : std::string(); }
  std::string last() const { return params.empty() ? std::string() : params.back(); }
};

std::optional<Line> parse_line(std::string_view text);

// The line in its plainest form, without tags: what libircclient gets to see.
std::string without_tags(const Line& line);

// May this line go to the server as one line: not empty, at most kLongestSent, no CR, LF, NUL or other control
// character? Only a NOTICE that answers a CTCP has some: one 0x01 at each end of its text.
bool may_be_sent(std::string_view line);

// Is this a name that a message can go to: a nick, or a channel with one of the server's prefixes? Refuses lists,
// masks ("$*"), white space and control characters.
bool is_channel(std::string_view name, std::string_view channel_prefixes);
bool is_nick(std::string_view name);

// Without mIRC's codes for colours, bold and so on, which people's clients paste along.
std::string without_formatting(std::string_view text);

}  // namespace jarvis::bot::links::irc
