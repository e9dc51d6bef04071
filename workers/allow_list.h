// The operator's list of URLs that may be asked (DESIGN 4.3): patterns like `https://gist.github.com/*`. Pure.
//
// `*` stands for any characters, slashes included; nothing else is special. Host and path are compared apart, so that a
// `*` in the host cannot reach into the path: `https://*.example.org/*` does not let `https://other.net/x.example.org/`
// pass.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "workers/http_url.h"

namespace jarvis::workers {

bool glob_matches(std::string_view pattern, std::string_view text);

class AllowList {
 public:
  // Error(Usage) for a pattern that has no scheme or no path.
  explicit AllowList(const std::vector<std::string>& patterns);

  bool allows(const Url& url) const;
  std::string text() const;  // for messages: "A, B"

 private:
  struct Pattern {
    std::string scheme, authority, rest;  // rest: path and query
  };
  std::vector<Pattern> patterns_;
};

}  // namespace jarvis::workers
