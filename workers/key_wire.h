// The byte strings that SSH keys are made of (RFC 4251 section 5: length-prefixed strings, 32-bit numbers) and their
// base64. Pure functions over memory; knows no key type, no file and no library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jarvis::workers {

// Appends to `text`.
void put_number(std::string& text, std::uint32_t number);
void put_string(std::string& text, std::string_view value);

// Takes from the front of `rest`; nothing (and `rest` as it was) when it is too short.
std::optional<std::uint32_t> take_number(std::string_view& rest);
std::optional<std::string_view> take_string(std::string_view& rest);

std::string base64(std::string_view bytes);
// Strict: the alphabet of RFC 4648 section 4 with its padding and no stray bits, nothing else. Nothing for other text.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace jarvis::workers
