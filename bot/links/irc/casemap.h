// Which nicks and channels are the same one: a server's CASEMAPPING (RFC 1459 section 2.2, RPL_ISUPPORT). Folding too
// much would mix up two people, folding too little would miss one; so it is the server's own rule, never a guess.
#pragma once

#include <string>
#include <string_view>

namespace jarvis::bot::links::irc {

enum class Casemapping {
  Ascii,          // A-Z
  Rfc1459,        // and []\~ as the capitals of {}|^; what holds until the server says otherwise
  StrictRfc1459,  // and []\ as the capitals of {}|
};

// The value of CASEMAPPING=; what is unknown folds ASCII only.
Casemapping casemapping_of(std::string_view name);

std::string folded(std::string_view name, Casemapping casemapping);
bool same_name(std::string_view one, std::string_view other, Casemapping casemapping);

}  // namespace jarvis::bot::links::irc
