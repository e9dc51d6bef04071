#include "bot/links/irc/people.h"

#include <algorithm>

namespace jarvis::bot::links::irc {

void People::begin(Casemapping casemapping, bool tracks) {
  casemapping_ = casemapping;
  tracks_ = tracks;
  people_.clear();
}

const Person* People::find(const std::string& nick) const {
  const auto found = people_.find(key(nick));
  return found == people_.end() ? nullptr : &found->second;
}

Person& People::seen(const std::string& nick, const std::string& user_at_host, const std::string& channel) {
  Person& person = people_[key(nick)];
  if (!user_at_host.empty() && !person.user_at_host.empty() && person.user_at_host != user_at_host) {
    // A server that hides a host later on says so as CHGHOST or as QUIT and JOIN; anything else is somebody else.
    person.account.reset();
  }
  person.nick = nick;
  if (!user_at_host.empty()) person.user_at_host = user_at_host;
  person.channels.insert(key(channel));
  return person;
}

void People::account(const std::string& nick, const std::string& account) {
  const auto found = people_.find(key(nick));
  if (found == people_.end() || !tracks_) return;
  found->second.account = account;
  if (!account.empty()) found->second.known = Proof{account, "account"};
}

void People::host_changed(const std::string& nick, const std::string& user_at_host) {
  const auto found = people_.find(key(nick));
  if (found != people_.end()) found->second.user_at_host = user_at_host;
}

void People::bot(const std::string& nick) {
  const auto found = people_.find(key(nick));
  if (found != people_.end()) found->second.bot = true;
}

void People::proven(const std::string& nick, const Proof& proof) {
  const auto found = people_.find(key(nick));
  if (found != people_.end()) found->second.known = proof;
}

People::Gone People::without(const std::optional<Proof>& proof) const {
  if (!proof) return {};
  const bool held =
      std::any_of(people_.begin(), people_.end(), [&](const auto& entry) { return entry.second.known == proof; });
  return held ? Gone{} : Gone{proof->identity};
}

People::Gone People::logged_out(const std::string& nick) {
  const auto found = people_.find(key(nick));
  if (found == people_.end()) return {};
  found->second.account = tracks_ ? std::optional<std::string>("") : std::nullopt;
  const std::optional<Proof> had = found->second.known;
  if (!had || had->kind != "account") return {};
  found->second.known.reset();
  return without(had);
}

People::Gone People::renamed(const std::string& from, const std::string& to) {
  auto moved = people_.extract(key(from));
  if (moved.empty()) return {};
  // The server lets nobody take a nick that somebody has; whoever we thought had it was missed when he left.
  Gone gone = key(from) == key(to) ? Gone{} : quit(to);
  moved.key() = key(to);
  moved.mapped().nick = to;
  moved.mapped().account.reset();
  people_.insert(std::move(moved));
  return gone;
}

People::Gone People::left(const std::string& nick, const std::string& channel) {
  const auto found = people_.find(key(nick));
  if (found == people_.end()) return {};
  found->second.channels.erase(key(channel));
  return found->second.channels.empty() ? quit(nick) : Gone{};
}

People::Gone People::quit(const std::string& nick) {
  const auto found = people_.find(key(nick));
  if (found == people_.end()) return {};
  const std::optional<Proof> had = found->second.known;
  people_.erase(found);
  return without(had);
}

People::Gone People::we_left(const std::string& channel) {
  std::vector<std::string> nicks;
  for (const auto& [folded_nick, person] : people_) {
    if (person.channels.contains(key(channel))) nicks.push_back(person.nick);
  }
  Gone gone;
  for (const std::string& nick : nicks) {
    for (std::string& identity : left(nick, channel)) gone.push_back(std::move(identity));
  }
  return gone;
}

}  // namespace jarvis::bot::links::irc
