// Bytes from the server, cut into lines. A line that is too long is cut short and marked; what follows it up to its end
// is dropped, so that one endless line neither fills the memory nor stops what comes after it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace jarvis::bot::links::irc {

class LineBuffer {
 public:
  // Calls `line` for each line that is complete now, without its end; empty ones are skipped, NUL bytes left out.
  // `cut`: the line was longer than its bounds (tags 8,191 bytes, IRCv3; the rest kLongestTaken).
  void add(std::string_view bytes, const std::function<void(std::string_view text, bool cut)>& line);
  void clear() { text_.clear(), dropping_ = false; }

 private:
  std::string text_;
  bool dropping_ = false;  // the line under way is beyond its bound
};

}  // namespace jarvis::bot::links::irc
