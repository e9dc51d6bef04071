#include "bot/links/xmpp/address.h"

#include <algorithm>

namespace jarvis::bot::links::xmpp {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool begins_with(std::string_view text, std::string_view name) {
  return text.size() >= name.size() &&
         std::equal(name.begin(), name.end(), text.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

bool begins_with_address(std::string_view text, std::string_view nick) {
  if (nick.empty() || !begins_with(text, nick) || text.size() == nick.size()) return false;
  const char next = text[nick.size()];
  return next == ':' || next == ',';
}

}  // namespace

bool is_addressed(std::string_view text, std::string_view nick, std::string_view prefix) {
  return begins_with_address(text, nick) || (!prefix.empty() && text.substr(0, prefix.size()) == prefix);
}

std::string addressed_to(const std::string& to, const std::string& text) {
  if (to.empty() || begins_with_address(text, to)) return text;
  return to + ": " + text;
}

}  // namespace jarvis::bot::links::xmpp
