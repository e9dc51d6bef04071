#include "bot/chat_talk.h"

#include <utility>

#include "bot/chat.h"
#include "bot/orders.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr auto kSoon = std::chrono::seconds(1);  // an answer within it goes to whoever asked as he was proven then

}  // namespace

ChatTalk::ChatTalk(Chat& chat, Whence whence, Asker asker)
    : chat_(chat),
      whence_(std::move(whence)),
      answers_(whence_),
      asker_(std::move(asker)),
      no_path_("in chat a SPEC is a https URL or an LDAP name (cn=loki), never a path") {}

void ChatTalk::parse(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    // Options that belong to a terminal; and a path must not be opened, nor a configuration named, from afar.
    if (word == "-c" || word == "-q" || word.starts_with("--config") || word.starts_with("--state") ||
        word.starts_with("--json") || word.starts_with("--detach") || word.starts_with("--quiet") ||
        word.starts_with("--reveal"))
      throw Error(Kind::Refused, word + " is for the command line only");
  }
  invocation_ = parse_invocation(words, Medium::Chat);
  if (invocation_.row->where == CommandRow::Where::CommandLine)
    throw Error(Kind::Refused, std::string(invocation_.row->name) + " is for the command line only");
  const std::string name = invocation_.row->name;
  if (!whence_.direct && (name == "logs" || name == "plan" || name == "audit")) {
    // Long, and not for everybody: it goes to whoever asked alone.
    answers_.direct = true;
    answers_.place = chat_.direct_place(whence_);
  }
}

void ChatTalk::say(const std::string& text) {
  if (answers_.direct && !whence_.direct && !std::exchange(elsewhere_told_, true))
    chat_.tell(whence_, "by direct message");
  say_at(answers_, text);
}

void ChatTalk::error(const std::string& text) {
  say_at(whence_, text);
}

void ChatTalk::say_at(const Whence& where, const std::string& text) {
  std::size_t from = 0;
  while (from <= text.size()) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    const std::string line = text.substr(from, end - from);
    from = end + 1;
    if (line.find_first_not_of(' ') == std::string::npos) continue;
    // One more than a listing has: its last line says what it left out.
    const std::size_t most = lines_at(where) + 2;
    if (said_ >= most) {
      ++left_out_;
      continue;
    }
    ++said_;
    // A spec may take half a minute to come: by then a nick may be somebody else's.
    const bool late = where.direct && !where.identity.empty() && std::chrono::steady_clock::now() - begun_ > kSoon;
    if (late) chat_.tell_late(where, line);
    if (!late) chat_.tell(where, line);
  }
}

void ChatTalk::finish() {
  if (left_out_ > 0) chat_.tell(answers_, "... and " + std::to_string(left_out_) + " more lines, see the command line");
}

boost::asio::awaitable<std::optional<std::string>> ChatTalk::ask(std::string) {
  co_return std::nullopt;
}

const std::string* ChatTalk::input_error(const std::string& name) const {
  return is_remote(name) ? nullptr : &no_path_;
}

}  // namespace jarvis::bot
