#include <algorithm>

#include "bot/links/irc/link.h"

namespace jarvis::bot::links::irc {

namespace {

// What servers show of us at most, before we have seen it: "~jarvis" and a host name (RFC 1035: labels of 63).
constexpr std::size_t kUser = 12, kHost = 64;
constexpr std::size_t kLongestNick = 32;

}  // namespace

// Bytes left for a text to a place whose name has that many: others get it with our name before it, cut at 512.
std::size_t Link::room_for(std::size_t place) const {
  const std::size_t nick = std::max(nick_.size(), network_.nick.size() + 4);
  const std::size_t shown = 1 + nick + 1 + std::max(user_at_host_.size(), kUser + 1 + kHost);
  const std::size_t taken = shown + std::string_view(" PRIVMSG  :").size() + place;
  return kLongestSent > taken + 64 ? kLongestSent - taken : 64;
}

// What fits with any place and with "NICK: " before it.
std::size_t Link::limit() const {
  std::size_t place = kLongestNick;
  for (const Network::Channel& channel : network_.channels) place = std::max(place, channel.name.size());
  return room_for(place) - (kLongestNick + 2);
}

void Link::announce() {
  wire_.up(nick_, limit());
}

void Link::say(const nlohmann::json& command) {
  const auto text_of = [&](const char* key) {
    const auto found = command.find(key);
    return found != command.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const std::string place = text_of("place"), to = text_of("to");
  const std::uint64_t id = id_of(command);
  const auto drop = [&](const std::string& why) {
    log("not said to " + place + ": " + why);
    wire_.unsaid(id);
  };
  std::string text = clean_text(text_of("text"));
  const bool to_channel = is_channel(place, isupport_.channel_prefixes);
  if (!to_channel && !is_nick(place)) return drop("it is no channel and no nick");
  if (!to_channel && !up_) return drop("not connected, and the nick may change hands");
  const bool named = text.starts_with(to + ":") || text.starts_with(to + ",");
  if (to_channel && is_nick(to) && to.size() <= kLongestNick && !named) text.insert(0, to + ": ");
  std::vector<std::string> pieces = split_text(text, room_for(place.size()));
  for (std::string& piece : pieces) {
    const bool last = &piece == &pieces.back();
    if (!outbox_.say({Outgoing::Kind::Say, place, std::move(piece), last ? id : 0}))
      return drop("a thousand lines wait already");
  }
}

void Link::ask_identity(const std::string& sender, Time now) {
  if (!up_ || !is_nick(sender)) return wire_.identity(sender, std::nullopt, std::nullopt);
  const Person* person = people_.find(sender);
  Inquiries::Waiting waiting;
  if (person != nullptr) waiting.user_at_host = person->user_at_host;
  // As long as the connection may live: what is late already can wait, and who asked is not somebody else because the
  // server hangs. If that is lost jarvis asks anew.
  waiting.until = after(now, network_.ping_every + network_.ping_timeout + network_.whois_timeout);
  waiting.answer = [this, sender](const std::optional<Proof>& proof, bool) {
    if (!up_) return;
    if (proof) people_.proven(sender, *proof);
    wire_.identity(sender, proof ? std::optional(proof->identity) : std::nullopt,
                   proof ? std::optional(proof->kind) : std::nullopt);
  };
  if (inquiries_.ask(sender, std::move(waiting))) ask("WHOIS " + sender);
}

void Link::ask(std::string line) {
  if (!outbox_.ask(std::move(line))) throw std::runtime_error("the server does not answer what it is asked");
}

void Link::ask(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) ask(line);
}

void Link::send_now(const std::string& line, Time now) {
  // The last check of all, whatever went wrong before it.
  if (!may_be_sent(line)) return log("a line that must not be sent was held back (" + line.substr(0, 8) + "...)");
  connection_->send(line);
  pace_.sent(now);
}

void Link::flush(Time now) {
  while (pace_.may_send(now)) {
    const std::optional<Outgoing> next = outbox_.next();
    if (!next) return;
    std::vector<std::string> lines;
    if (next->kind == Outgoing::Kind::Raw) lines = {next->text};
    if (next->kind == Outgoing::Kind::Say) lines = session_->message(next->place, next->text);
    if (next->kind == Outgoing::Kind::CtcpReply) lines = session_->ctcp_reply(next->place, next->text);
    for (const std::string& line : lines) send_now(line, now);
    if (next->id != 0) receipts_.sent(next->id, next->place);
  }
}

void Link::unsaid(const Receipts::Ids& ids) {
  for (const std::uint64_t id : ids) wire_.unsaid(id);
}

}  // namespace jarvis::bot::links::irc
