// Who is in the channels we are in, and what the network has proven of them. What is known here holds only while we
// can see somebody: whoever leaves the last shared channel, quits, or changes the nick must be proven anew.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bot/links/irc/casemap.h"

namespace jarvis::bot::links::irc {

struct Proof {
  std::string identity;  // a services account, or cert:SHA256
  std::string kind;      // account, certificate

  bool operator==(const Proof&) const = default;
};

struct Person {
  std::string nick, user_at_host;
  std::set<std::string> channels;  // folded
  // What account-notify, extended-join and WHOX say, and only while they see everything. Empty: logged out.
  std::optional<std::string> account;
  std::optional<Proof> known;  // what was last proven to jarvis, to be withdrawn
  bool bot = false;
};

class People {
 public:
  // `tracks`: the server tells of every login and logout (extended-join and account-notify).
  void begin(Casemapping casemapping, bool tracks);

  const Person* find(const std::string& nick) const;
  // Seen in a channel. What is not known stays as it was; another user@host makes it another person.
  Person& seen(const std::string& nick, const std::string& user_at_host, const std::string& channel);
  void account(const std::string& nick, const std::string& account);
  void host_changed(const std::string& nick, const std::string& user_at_host);
  void bot(const std::string& nick);
  void proven(const std::string& nick, const Proof& proof);

  // Each returns the identities that nobody in sight has any more.
  using Gone = std::vector<std::string>;
  Gone logged_out(const std::string& nick);
  Gone renamed(const std::string& from, const std::string& to);
  Gone left(const std::string& nick, const std::string& channel);
  Gone quit(const std::string& nick);
  Gone we_left(const std::string& channel);

  std::size_t size() const { return people_.size(); }

 private:
  Gone without(const std::optional<Proof>& proof) const;
  std::string key(const std::string& name) const { return folded(name, casemapping_); }

  Casemapping casemapping_ = Casemapping::Rfc1459;
  bool tracks_ = false;
  std::map<std::string, Person> people_;  // by folded nick
};

}  // namespace jarvis::bot::links::irc
