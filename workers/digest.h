// SHA-256 of bytes, for names that must be short and for what is derived from a secret. Pure.
#pragma once

#include <string>
#include <string_view>

namespace jarvis::workers {

std::string sha256_hex(std::string_view bytes);  // 64 digits, lower case

}  // namespace jarvis::workers
