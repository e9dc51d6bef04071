// A line for jarvis's log: what a link writes to standard error is logged under its name. One line, no control
// characters.
#pragma once

#include <cstdio>
#include <string>

#include "bot/links/wire.h"

namespace jarvis::bot::links::xmpp {

inline void news(const std::string& line) {
  std::fprintf(stderr, "%s\n", clean_text(line).c_str());
}

}  // namespace jarvis::bot::links::xmpp
