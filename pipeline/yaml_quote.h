// Writing strings as YAML so that every reader, of 1.1 or 1.2, takes them for the same strings. Pure.
#pragma once

#include <string>
#include <string_view>

namespace jarvis::pipeline {

// `value` as one flow scalar: plain only where nobody could take it for something else than a string. Error(Usage) if
// it is not UTF-8.
std::string quoted(std::string_view value);

// "KEY: VALUE\n", every line behind `indent`; several lines become a literal block where one can carry them unchanged.
std::string entry_of(std::string_view key, std::string_view value, std::string_view indent);

}  // namespace jarvis::pipeline
