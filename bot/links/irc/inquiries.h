// Questions to the server about somebody (WHOIS), and what waits for the answers. An answer counts only when it is
// about the very user@host that spoke: a nick may have changed hands in between. Knows no connection and no jarvis.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bot/links/irc/line.h"
#include "bot/links/irc/pace.h"
#include "bot/links/irc/people.h"

namespace jarvis::bot::links::irc {

// What a WHOIS told: 311 user and host, 330 account, 276 certificate, 335 bot.
struct Whois {
  std::string user_at_host;
  std::optional<std::string> account, certificate;  // certificate: 64 lower case hexadecimal digits
  bool bot = false;

  // Several proofs: the account counts. `only_certificate`: the server has said otherwise that there is no account.
  std::optional<Proof> proof(bool only_certificate) const;
};

class Inquiries {
 public:
  struct Waiting {
    std::string user_at_host;  // who it must be about; empty: whoever has the nick
    bool only_certificate = false;
    Time until;  // afterwards nothing is proven
    std::function<void(const std::optional<Proof>&, bool bot)> answer;
  };

  void begin(Casemapping casemapping);

  // True when a WHOIS has to be sent now; false when one is under way, whose answer will do (it is still to come, so
  // the server has not written it before it relayed what we have heard).
  bool ask(const std::string& nick, Waiting waiting);
  bool is_asked(const std::string& nick) const { return asked_.contains(key(nick)); }
  std::size_t waiting() const;

  // A line that may belong to an answer.
  void hear(const Line& line);
  // Somebody has left or got this nick: who waits is told that nothing is proven.
  void spoiled(const std::string& nick);
  void expire(Time now);
  Time due() const;
  // The connection is lost: nothing is proven any more.
  void lost();

 private:
  struct Asked {
    Whois heard;
    std::vector<Waiting> waiting;
    Time since = Time::min();  // of the newest question; an answer that never comes is not waited for for ever
  };

  std::string key(const std::string& name) const { return folded(name, casemapping_); }

  Casemapping casemapping_ = Casemapping::Rfc1459;
  std::map<std::string, Asked> asked_;  // by folded nick
};

}  // namespace jarvis::bot::links::irc
