#include "bot/links/wire.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace jarvis::bot::links {

namespace {

constexpr std::size_t kLongestLine = 1U << 20U;

nlohmann::json or_null(const std::optional<std::string>& text) {
  return text ? nlohmann::json(*text) : nlohmann::json();
}

// Length of the UTF-8 sequence that begins here, 0 when it is none (RFC 3629: no overlong forms, no surrogates).
std::size_t sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool ok = follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && follows(2);
    return ok ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool ok = follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && follows(2) && follows(3);
    return ok ? 4 : 0;
  }
  return 0;
}

}  // namespace

Wire::Wire(int in, int out) : in_(in), out_(out) {}

bool Wire::hear(const std::function<void(const nlohmann::json&)>& line) {
  char bytes[65536];
  const ssize_t n = ::read(in_, bytes, sizeof bytes);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (n <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(n));
  std::size_t from = 0;
  for (std::size_t end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n', from)) {
    const auto object = nlohmann::json::parse(buffer_.begin() + static_cast<std::ptrdiff_t>(from),
                                              buffer_.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    from = end + 1;
    if (object.is_object()) line(object);
  }
  buffer_.erase(0, from);
  return buffer_.size() < kLongestLine;
}

void Wire::send(nlohmann::json object) {
  const std::string text = object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  for (std::string_view left = text; !left.empty();) {
    const ssize_t n = ::write(out_, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) std::_Exit(0);  // nobody listens any more: what this link does is of no use
    left.remove_prefix(static_cast<std::size_t>(n));
  }
}

void Wire::up(const std::string& nick, std::size_t limit) {
  send({{"type", "up"}, {"nick", nick}, {"limit", limit}, {"confirms", true}});
}

void Wire::down(const std::string& why) {
  send({{"type", "down"}, {"why", why}});
}

void Wire::message(const Message& message) {
  send({{"type", "message"},
        {"place", message.place},
        {"direct", message.direct},
        {"sender", message.sender},
        {"identity", or_null(message.identity)},
        {"proof", or_null(message.proof)},
        {"text", message.text},
        {"addressed", message.addressed},
        {"bot", message.bot},
        {"history", message.history}});
}

void Wire::gone(const std::string& identity) {
  send({{"type", "gone"}, {"identity", identity}});
}

void Wire::identity(const std::string& sender, const std::optional<std::string>& identity,
                    const std::optional<std::string>& proof) {
  send({{"type", "identity"}, {"sender", sender}, {"identity", or_null(identity)}, {"proof", or_null(proof)}});
}

void Wire::said(std::uint64_t id) {
  if (id != 0) send({{"type", "said"}, {"id", id}});
}

void Wire::unsaid(std::uint64_t id) {
  if (id != 0) send({{"type", "unsaid"}, {"id", id}});
}

std::uint64_t id_of(const nlohmann::json& command) {
  const auto found = command.find("id");
  return found != command.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string clean_text(std::string_view text) {
  std::string made;
  made.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence(text);
    if (length == 0) {
      made += "\xef\xbf\xbd";
      text.remove_prefix(1);
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[0]);
    const bool c1 = length == 2 && byte == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
    const bool control = byte < 0x20 || byte == 0x7f || c1;
    if (control) made += ' ';
    if (!control) made += text.substr(0, length);
    text.remove_prefix(length);
  }
  return made;
}

std::vector<std::string> split_text(std::string_view text, std::size_t limit) {
  std::vector<std::string> pieces;
  const auto trim = [](std::string_view piece) {
    while (!piece.empty() && piece.front() == ' ') piece.remove_prefix(1);
    while (!piece.empty() && piece.back() == ' ') piece.remove_suffix(1);
    return piece;
  };
  limit = std::max<std::size_t>(limit, 4);
  for (text = trim(text); !text.empty(); text = trim(text)) {
    std::size_t cut = text.size();
    if (cut > limit) {
      cut = limit;
      while (cut > 1 && (static_cast<unsigned char>(text[cut]) & 0xc0U) == 0x80U) --cut;
      const std::size_t space = text.substr(0, cut + 1).rfind(' ');
      if (space != std::string_view::npos && space > 0) cut = space;
    }
    const std::string_view piece = trim(text.substr(0, cut));
    if (!piece.empty()) pieces.emplace_back(piece);
    text.remove_prefix(cut);
  }
  return pieces;
}

}  // namespace jarvis::bot::links
