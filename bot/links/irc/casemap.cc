#include "bot/links/irc/casemap.h"

#include <algorithm>

namespace jarvis::bot::links::irc {

namespace {

char lower(char c, Casemapping casemapping) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c + ('a' - 'A'));
  if (casemapping == Casemapping::Ascii) return c;
  if (c >= '[' && c <= ']') return static_cast<char>(c + ('{' - '['));
  return c == '~' && casemapping == Casemapping::Rfc1459 ? '^' : c;
}

}  // namespace

Casemapping casemapping_of(std::string_view name) {
  if (name == "rfc1459") return Casemapping::Rfc1459;
  return name == "strict-rfc1459" ? Casemapping::StrictRfc1459 : Casemapping::Ascii;
}

std::string folded(std::string_view name, Casemapping casemapping) {
  std::string made(name);
  std::transform(made.begin(), made.end(), made.begin(), [&](char c) { return lower(c, casemapping); });
  return made;
}

bool same_name(std::string_view one, std::string_view other, Casemapping casemapping) {
  return one.size() == other.size() && std::equal(one.begin(), one.end(), other.begin(), [&](char a, char b) {
           return lower(a, casemapping) == lower(b, casemapping);
         });
}

}  // namespace jarvis::bot::links::irc
