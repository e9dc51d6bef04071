// "nearest: a, b, c": what is offered in place of a word that fits nothing. Pure.
#pragma once

#include <string>
#include <vector>

namespace jarvis::providers {

// The three nearest of what is offered by edit distance without regard to case, after `intro`; "INTRO nothing" if
// nothing is offered.
std::string nearest_of(const std::string& word, std::vector<std::string> offered, const std::string& intro);

}  // namespace jarvis::providers
