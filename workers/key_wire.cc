#include "workers/key_wire.h"

namespace jarvis::workers {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::uint32_t byte(char c) {
  return static_cast<unsigned char>(c);
}

}  // namespace

void put_number(std::string& text, std::uint32_t number) {
  for (unsigned shift = 32; shift > 0; shift -= 8) text += static_cast<char>((number >> (shift - 8)) & 0xffU);
}

void put_string(std::string& text, std::string_view value) {
  put_number(text, static_cast<std::uint32_t>(value.size()));
  text += value;
}

std::optional<std::uint32_t> take_number(std::string_view& rest) {
  if (rest.size() < 4) return std::nullopt;
  std::uint32_t number = 0;
  for (const char c : rest.substr(0, 4)) number = (number << 8U) | byte(c);
  rest.remove_prefix(4);
  return number;
}

std::optional<std::string_view> take_string(std::string_view& rest) {
  std::string_view after = rest;
  const auto size = take_number(after);
  if (!size || *size > after.size()) return std::nullopt;
  const std::string_view value = after.substr(0, *size);
  rest = after.substr(*size);
  return value;
}

std::string base64(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = (group << 8U) | (i < bytes.size() ? byte(bytes[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= bytes.size() ? kAlphabet[(group >> (18 - 6 * i)) & 63U] : '=';
    }
    bytes.remove_prefix(bytes.size() < 3 ? bytes.size() : 3);
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  const std::string_view whole = text;
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string bytes;
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    group = (group << 6U) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>((group >> bits) & 0xffU);
  }
  // One value has one spelling: what does not come back the same had stray bits or a wrong padding.
  if (base64(bytes) != whole) return std::nullopt;
  return bytes;
}

}  // namespace jarvis::workers
