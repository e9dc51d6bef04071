#include "workers/printable.h"

namespace jarvis::workers {

namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

unsigned code_of(std::string_view sequence) {
  constexpr unsigned kFirst[] = {0x7F, 0x7F, 0x1F, 0x0F, 0x07};
  unsigned code = byte_at(sequence, 0) & kFirst[sequence.size()];
  for (std::size_t i = 1; i < sequence.size(); ++i) code = code << 6U | (byte_at(sequence, i) & 0x3FU);
  return code;
}

struct Span {
  unsigned first, last;
};
// C0, DEL and C1; zero width and direction marks; line and paragraph separators; the byte order mark; tags.
constexpr Span kUnseen[] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},      {0x61C, 0x61C},
                            {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E},  {0x2060, 0x206F},
                            {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};

bool is_seen(unsigned code) {
  for (const Span& span : kUnseen) {
    if (code >= span.first && code <= span.last) return false;
  }
  return true;
}

}  // namespace

std::size_t utf8_sequence(std::string_view text, std::size_t at) {
  const unsigned lead = byte_at(text, at);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || text.size() - at < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, at + i) & 0xC0U) != 0x80) return 0;
  }
  const unsigned code = code_of(text.substr(at, length));
  constexpr unsigned kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
  return length;
}

bool is_text(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = utf8_sequence(bytes, at);
    if (length == 0) return false;
    const unsigned lead = byte_at(bytes, at);
    if ((lead < 0x20 && lead != '\t' && lead != '\n' && lead != '\r') || lead == 0x7F) return false;
    at += length;
  }
  return true;
}

std::string printable(std::string_view text, std::size_t most) {
  std::string made;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_sequence(text, at);
    const bool seen = length > 0 && is_seen(code_of(text.substr(at, length)));
    const std::string_view next = seen ? text.substr(at, length) : std::string_view("?");
    if (made.size() + next.size() > most) return made + "...";
    made += next;
    at += length == 0 ? 1 : length;
  }
  return made;
}

}  // namespace jarvis::workers
