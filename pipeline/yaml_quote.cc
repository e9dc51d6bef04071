#include "pipeline/yaml_quote.h"

#include "pipeline/error.h"

namespace jarvis::pipeline {

namespace {

bool reserved_word(std::string_view text) {
  std::string lower;
  for (const char c : text) lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  for (const char* word : {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}) {
    if (lower == word) return true;
  }
  return false;
}

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Written without quotes only if every reader takes it for this string.
bool plainly_a_string(std::string_view text) {
  if (text.empty() || !(letter(text.front()) || text.front() == '/') || text.back() == ' ') return false;
  for (const char c : text) {
    if (!letter(c) && !(c >= '0' && c <= '9') && std::string_view(" _./@+=-").find(c) == std::string_view::npos)
      return false;
  }
  return !reserved_word(text);
}

// The length of the UTF-8 sequence at `at`, or 0 when it is none.
int utf8_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const int length = lead < 0x80 ? 1 : (lead >> 5U) == 6 ? 2 : (lead >> 4U) == 14 ? 3 : (lead >> 3U) == 30 ? 4 : 0;
  if (length == 0 || at + static_cast<std::size_t>(length) > text.size()) return 0;
  for (int i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + static_cast<std::size_t>(i)]) & 0xC0U) != 0x80U) return 0;
  }
  return length;
}

// Characters that a quoted scalar on one line cannot hold as they are: controls, other line breaks, the byte order
// mark.
bool needs_escape(std::string_view sequence) {
  if (sequence.size() == 1) return static_cast<unsigned char>(sequence[0]) < 0x20 || sequence[0] == 0x7F;
  if (sequence.size() == 2)
    return static_cast<unsigned char>(sequence[0]) == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
  return sequence == "\xE2\x80\xA8" || sequence == "\xE2\x80\xA9" || sequence == "\xEF\xBB\xBF";
}

bool any_escape(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const int length = utf8_length(text, at);
    if (length == 0) throw Error(Kind::Usage, "a value for the clipboard is not UTF-8");
    if (needs_escape(text.substr(at, static_cast<std::size_t>(length)))) return true;
    at += static_cast<std::size_t>(length);
  }
  return false;
}

std::string double_quoted(std::string_view text) {
  static const char* const kHex = "0123456789ABCDEF";
  std::string made = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const auto length = static_cast<std::size_t>(utf8_length(text, at));
    const std::string_view sequence = text.substr(at, length);
    at += length;
    if (sequence == "\"" || sequence == "\\") {
      made += '\\';
      made += sequence;
    } else if (sequence == "\n") {
      made += "\\n";
    } else if (sequence == "\t") {
      made += "\\t";
    } else if (!needs_escape(sequence)) {
      made += sequence;
    } else if (length <= 2) {
      const auto code = static_cast<unsigned char>(sequence.back());
      made += "\\x";
      made += kHex[code >> 4U];
      made += kHex[code & 15U];
    } else {
      made += sequence == "\xE2\x80\xA8" ? "\\L" : sequence == "\xE2\x80\xA9" ? "\\P" : "\\uFEFF";
    }
  }
  return made + '"';
}

// Several lines that a literal block can carry unchanged.
bool fits_literal_block(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n') return false;
  if (text.size() >= 2 && text.ends_with("\n\n")) return false;
  std::string without_newlines;
  for (const char c : text) {
    if (c != '\n') without_newlines += c;
  }
  return !any_escape(without_newlines) && text.find(" \n") == std::string_view::npos && text.back() != ' ';
}

std::string indented(std::string_view text, std::string_view indent) {
  std::string made;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::string_view line = text.substr(0, newline);
    if (!line.empty()) {
      made += indent;
      made += line;
    }
    made += '\n';
    text = newline == std::string_view::npos ? std::string_view{} : text.substr(newline + 1);
  }
  return made;
}

}  // namespace

std::string quoted(std::string_view value) {
  if (plainly_a_string(value)) return std::string(value);
  if (any_escape(value)) return double_quoted(value);
  std::string made = "'";
  for (const char c : value) {
    if (c == '\'') made += '\'';
    made += c;
  }
  return made + "'";
}

std::string entry_of(std::string_view key, std::string_view value, std::string_view indent) {
  std::string made = std::string(indent) + quoted(key) + ":";
  if (value.empty() || !fits_literal_block(value)) return made + " " + quoted(value) + "\n";
  made += value.back() == '\n' ? " |\n" : " |-\n";
  return made + indented(value, std::string(indent) + "  ");
}

}  // namespace jarvis::pipeline
