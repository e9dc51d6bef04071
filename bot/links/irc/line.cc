#include "bot/links/irc/line.h"

#include <algorithm>
#include <cctype>

namespace jarvis::bot::links::irc {

namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view take_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return word;
}

std::string unescaped(std::string_view value) {
  std::string made;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\') {
      made += value[i];
      continue;
    }
    if (++i == value.size()) break;  // a lone backslash at the end is dropped
    switch (value[i]) {
      case ':':
        made += ';';
        break;
      case 's':
        made += ' ';
        break;
      case 'r':
        made += '\r';
        break;
      case 'n':
        made += '\n';
        break;
      default:
        made += value[i];
    }
  }
  return made;
}

std::map<std::string, std::string> parse_tags(std::string_view text) {
  std::map<std::string, std::string> tags;
  while (!text.empty()) {
    const std::string_view tag = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(tag.size() + 1, text.size()));
    const std::size_t equals = tag.find('=');
    const std::string key(tag.substr(0, equals));
    if (key.empty()) continue;
    tags[key] = equals == std::string_view::npos ? std::string() : unescaped(tag.substr(equals + 1));
  }
  return tags;
}

bool is_command(std::string_view word) {
  if (word.empty()) return false;
  if (word.size() == 3 && std::all_of(word.begin(), word.end(), is_digit)) return true;
  return std::all_of(word.begin(), word.end(), is_letter);
}

}  // namespace

std::string Line::nick() const {
  return source.substr(0, source.find_first_of("!@"));
}

std::string Line::user_at_host() const {
  const std::size_t mark = source.find('!');
  return mark == std::string::npos ? std::string() : source.substr(mark + 1);
}

std::optional<std::string> Line::tag(const std::string& name) const {
  const auto found = tags.find(name);
  return found == tags.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Line> parse_line(std::string_view text) {
  Line line;
  if (text.starts_with('@')) line.tags = parse_tags(take_word(text).substr(1));
  if (text.size() > kLongestTaken) text = text.substr(0, kLongestTaken);
  if (text.starts_with(':')) line.source = take_word(text).substr(1);
  const std::string_view command = take_word(text);
  if (!is_command(command)) return std::nullopt;
  std::transform(command.begin(), command.end(), std::back_inserter(line.command),
                 [](char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); });
  while (!text.empty()) {
    if (text.starts_with(':')) {
      line.params.emplace_back(text.substr(1));
      break;
    }
    line.params.emplace_back(take_word(text));
  }
  return line;
}

std::string without_tags(const Line& line) {
  std::string made = line.source.empty() ? std::string() : ":" + line.source + " ";
  made += line.command;
  for (std::size_t i = 0; i < line.params.size(); ++i) {
    made += i + 1 == line.params.size() ? " :" : " ";
    made += line.params[i];
  }
  return made;
}

bool may_be_sent(std::string_view line) {
  if (line.empty() || line.size() > kLongestSent) return false;
  const std::size_t text = line.find(" :\x01");
  if (line.starts_with("NOTICE ") && text != std::string_view::npos && line.size() > text + 4 &&
      line.ends_with('\x01')) {
    return std::none_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(text), is_control) &&
           std::none_of(line.begin() + static_cast<std::ptrdiff_t>(text) + 3, line.end() - 1, is_control);
  }
  return std::none_of(line.begin(), line.end(), is_control);
}

bool is_channel(std::string_view name, std::string_view channel_prefixes) {
  return name.size() > 1 && name.size() < 201 && channel_prefixes.find(name.front()) != std::string_view::npos &&
         std::none_of(name.begin(), name.end(), [](char c) { return c == ' ' || c == ',' || is_control(c); });
}

bool is_nick(std::string_view name) {
  static constexpr std::string_view kNever = " ,:*?!@$.#&%+~\"'<>/;=()";
  return !name.empty() && name.size() < 65 && !is_digit(name.front()) && name.front() != '-' &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return is_control(c) || kNever.find(c) != std::string_view::npos; });
}

std::string without_formatting(std::string_view text) {
  static constexpr std::string_view kToggles = "\x02\x0f\x11\x16\x1d\x1e\x1f";
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kToggles.find(text[i]) != std::string_view::npos) continue;
    if (text[i] != '\x03' && text[i] != '\x04') {
      made += text[i];
      continue;
    }
    // 0x03: one or two digits, perhaps a comma and one or two more; 0x04: six hexadecimal digits.
    const bool rgb = text[i] == '\x04';
    const std::size_t most = rgb ? 6 : 2;
    const auto digits = [&](std::size_t from) {
      std::size_t n = 0;
      while (n < most && from + n < text.size() &&
             (is_digit(text[from + n]) || (rgb && std::isxdigit(static_cast<unsigned char>(text[from + n])) != 0))) {
        ++n;
      }
      return n;
    };
    const std::size_t first = digits(i + 1);
    i += first;
    if (first > 0 && i + 1 < text.size() && text[i + 1] == ',') {
      const std::size_t second = digits(i + 2);
      if (second > 0) i += second + 1;
    }
  }
  return made;
}

}  // namespace jarvis::bot::links::irc
