#include "bot/links/irc/inquiries.h"

#include <algorithm>
#include <cctype>

namespace jarvis::bot::links::irc {

namespace {

// The last word of "has client certificate fingerprint AB:CD...", as SHA-256 in lower case; weaker digests do not
// count.
std::optional<std::string> fingerprint(const std::string& text) {
  std::string digits;
  for (const char c : text.substr(text.find_last_of(' ') + 1)) {
    if (c == ':') continue;
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
    digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return digits.size() == 64 ? std::optional(digits) : std::nullopt;
}

}  // namespace

std::optional<Proof> Whois::proof(bool only_certificate) const {
  if (account && !only_certificate) return Proof{*account, "account"};
  if (certificate) return Proof{"cert:" + *certificate, "certificate"};
  return std::nullopt;
}

void Inquiries::begin(Casemapping casemapping) {
  lost();
  casemapping_ = casemapping;
}

bool Inquiries::ask(const std::string& nick, Waiting waiting) {
  const auto [place, is_new] = asked_.try_emplace(key(nick));
  place->second.since = std::max(place->second.since, waiting.until);
  place->second.waiting.push_back(std::move(waiting));
  return is_new;
}

std::size_t Inquiries::waiting() const {
  std::size_t count = 0;
  for (const auto& [nick, asked] : asked_) count += asked.waiting.size();
  return count;
}

void Inquiries::hear(const Line& line) {
  const auto found = asked_.find(key(line.param(1)));
  if (found == asked_.end()) return;
  Whois& heard = found->second.heard;
  if (line.command == "311") heard = Whois{line.param(2) + "@" + line.param(3), {}, {}, false};
  if (line.command == "330" && !line.param(2).empty()) heard.account = line.param(2);
  if (line.command == "276") heard.certificate = fingerprint(line.last());
  if (line.command == "335") heard.bot = true;
  if (line.command != "318") return;  // RPL_ENDOFWHOIS, which also follows 401
  const Asked ended = std::move(found->second);
  asked_.erase(found);
  for (const Waiting& waiting : ended.waiting) {
    const bool same = !ended.heard.user_at_host.empty() &&
                      (waiting.user_at_host.empty() || waiting.user_at_host == ended.heard.user_at_host);
    waiting.answer(same ? ended.heard.proof(waiting.only_certificate) : std::nullopt, same && ended.heard.bot);
  }
}

void Inquiries::spoiled(const std::string& nick) {
  const auto found = asked_.find(key(nick));
  if (found == asked_.end()) return;
  std::vector<Waiting> told;
  told.swap(found->second.waiting);
  for (const Waiting& waiting : told) waiting.answer(std::nullopt, false);
}

void Inquiries::expire(Time now) {
  std::vector<Waiting> told;
  for (auto asked = asked_.begin(); asked != asked_.end();) {
    std::vector<Waiting>& waiting = asked->second.waiting;
    const auto late =
        std::stable_partition(waiting.begin(), waiting.end(), [&](const Waiting& one) { return one.until > now; });
    std::move(late, waiting.end(), std::back_inserter(told));
    waiting.erase(late, waiting.end());
    asked = now >= asked->second.since ? asked_.erase(asked) : std::next(asked);
  }
  for (const Waiting& waiting : told) waiting.answer(std::nullopt, false);
}

Time Inquiries::due() const {
  Time due = Time::max();
  for (const auto& [nick, asked] : asked_) {
    due = std::min(due, asked.since);
    for (const Waiting& waiting : asked.waiting) due = std::min(due, waiting.until);
  }
  return due;
}

void Inquiries::lost() {
  std::map<std::string, Asked> asked;
  asked.swap(asked_);
  for (const auto& [nick, one] : asked) {
    for (const Waiting& waiting : one.waiting) waiting.answer(std::nullopt, false);
  }
}

}  // namespace jarvis::bot::links::irc
