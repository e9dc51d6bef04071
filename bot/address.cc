#include "bot/address.h"

#include <algorithm>

namespace jarvis::bot {

namespace {

bool blank(char c) {
  return c == ' ' || c == '\t';
}

std::string trimmed(const std::string& text, std::size_t from) {
  while (from < text.size() && blank(text[from])) ++from;
  std::size_t end = text.size();
  while (end > from && blank(text[end - 1])) --end;
  return text.substr(from, end - from);
}

}  // namespace

std::string without_address(const std::string& text, const std::string& prefix) {
  const std::string line = trimmed(text, 0);
  if (!prefix.empty() && line.starts_with(prefix)) return trimmed(line, prefix.size());
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::size_t mark = line.find_first_of(":,");
  // "jarvis: status", "jarvis:status"; no command has such a mark in its first word.
  const bool named = mark != std::string::npos && mark > 0 && mark < end;
  return named ? trimmed(line, mark + 1) : line;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool begun = false;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if ((c == '"' || c == '\'') && !begun) {
      quote = c;
      begun = true;
    } else if (blank(c)) {
      if (begun) words.push_back(std::move(word));
      word.clear();
      begun = false;
    } else {
      word += c;
      begun = true;
    }
  }
  if (begun) words.push_back(std::move(word));
  return words;
}

std::string as_said_in_chat(std::string text, const std::string& nick, bool direct) {
  const std::string said = direct ? "" : nick + ": ";
  const std::string hint = "`jarvis ";
  for (std::size_t at = text.find(hint); at != std::string::npos; at = text.find(hint, at + 1 + said.size()))
    text.replace(at + 1, hint.size() - 1, said);
  if (text.starts_with("jarvis ")) text.replace(0, 7, said);
  return text;
}

}  // namespace jarvis::bot
