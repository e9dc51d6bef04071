#include "bot/whence.h"

#include <nlohmann/json.hpp>

namespace jarvis::bot {

std::string Whence::text() const {
  const nlohmann::json made = {{"link", link},     {"place", place},       {"direct", direct},
                               {"sender", sender}, {"identity", identity}, {"proof", proof}};
  return made.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<Whence> Whence::from(const std::string& text) {
  const auto read = nlohmann::json::parse(text, nullptr, false);
  if (!read.is_object() || !read.contains("link")) return std::nullopt;
  try {
    Whence made;
    made.link = read.value("link", "");
    made.place = read.value("place", "");
    made.direct = read.value("direct", false);
    made.sender = read.value("sender", "");
    made.identity = read.value("identity", "");
    made.proof = read.value("proof", "");
    return made;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace jarvis::bot
