// URLs (RFC 3986), taken apart by the same parser that will connect (libcurl's), so that what was checked is what is
// asked. Knows no rule about which of them may be asked. Pure.
#pragma once

#include <string>
#include <string_view>

namespace jarvis::workers {

struct Url {
  std::string scheme;    // lower case
  std::string host;      // lower case; IPv6 in brackets, IPv4 in four decimal numbers however it was written
  std::string port;      // empty: the scheme's own
  std::string path;      // begins with /, without . and .. segments, percent signs as they came
  std::string query;     // without ?
  std::string fragment;  // without #; never sent

  std::string authority() const { return port.empty() ? host : host + ":" + port; }
  std::string origin() const { return scheme + "://" + authority(); }
  std::string text() const;   // without the fragment
  std::string shown() const;  // for messages: without query and fragment, cut to what fits a line
};

// Error(Usage) naming what is wrong: no URL, blanks or control characters, over 2000 bytes, a user name or password in
// it (which is not repeated).
Url parse_url(std::string_view text);
// A Location header (RFC 9110 section 10.2.2) as seen from `base`. Throws as parse_url() does.
Url resolve_url(const Url& base, std::string_view reference);

// One path segment with everything but unreserved characters escaped, and the way back (stray percent signs stay).
std::string percent_encoded(std::string_view segment);
std::string percent_decoded(std::string_view text);

}  // namespace jarvis::workers
