#include "bot/links/irc/line_buffer.h"

#include <algorithm>

#include "bot/links/irc/line.h"

namespace jarvis::bot::links::irc {

namespace {

constexpr std::size_t kTags = 8191;

// How long the line that begins so may become.
std::size_t bound(std::string_view text) {
  if (!text.starts_with('@')) return kLongestTaken;
  const std::size_t end = text.substr(0, kTags).find(' ');
  return (end == std::string_view::npos ? kTags : end + 1) + kLongestTaken;
}

}  // namespace

void LineBuffer::add(std::string_view bytes, const std::function<void(std::string_view text, bool cut)>& line) {
  for (const char c : bytes) {
    if (c == '\r' || c == '\n') {
      const bool cut = dropping_ || text_.size() > bound(text_);
      if (cut) text_.resize(std::min(text_.size(), bound(text_)));
      dropping_ = false;
      std::string whole;
      whole.swap(text_);
      if (!whole.empty()) line(whole, cut);
      continue;
    }
    if (c == '\0' || dropping_) continue;
    text_ += c;
    dropping_ = text_.size() > kTags + kLongestTaken;
  }
}

}  // namespace jarvis::bot::links::irc
