// Text from outside (an answer's header, a directory's entry) made fit for one line that a person reads. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jarvis::workers {

// Length in bytes of the UTF-8 sequence at `at` (RFC 3629: shortest form, no surrogates), 0 if there is none.
std::size_t utf8_sequence(std::string_view text, std::size_t at);

// True when it is UTF-8 without control characters other than tab, line feed and carriage return.
bool is_text(std::string_view bytes);

// At most `most` bytes, with "..." when cut. What is not UTF-8, every control character, and what turns the direction
// of writing or has no width becomes "?".
std::string printable(std::string_view text, std::size_t most = 200);

}  // namespace jarvis::workers
