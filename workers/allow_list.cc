#include "workers/allow_list.h"

#include "pipeline/error.h"

namespace jarvis::workers {

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, after = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++after;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

AllowList::AllowList(const std::vector<std::string>& patterns) {
  for (const std::string& word : patterns) {
    const std::size_t scheme = word.find("://");
    const std::size_t path = scheme == std::string::npos ? scheme : word.find('/', scheme + 3);
    if (path == std::string::npos)
      throw pipeline::Error(pipeline::Kind::Usage, "fetch.allow: `" + word + "` is no pattern like https://HOST/*");
    patterns_.push_back({word.substr(0, scheme), word.substr(scheme + 3, path - scheme - 3), word.substr(path)});
  }
}

bool AllowList::allows(const Url& url) const {
  const std::string rest = url.path + (url.query.empty() ? "" : "?" + url.query);
  for (const Pattern& pattern : patterns_) {
    if (pattern.scheme == url.scheme && glob_matches(pattern.authority, url.authority()) &&
        glob_matches(pattern.rest, rest))
      return true;
  }
  return false;
}

std::string AllowList::text() const {
  std::string made;
  for (const Pattern& one : patterns_)
    made += (made.empty() ? "" : ", ") + one.scheme + "://" + one.authority + one.rest;
  return made;
}

}  // namespace jarvis::workers
