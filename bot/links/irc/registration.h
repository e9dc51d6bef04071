// The beginning of a connection: which capabilities the server has (IRCv3 capability negotiation, version 302), and
// logging in (SASL PLAIN and EXTERNAL, IRCv3 sasl-3.1). Goes on listening afterwards, for capabilities come and go.
// Knows no connection: it is given lines and says which to send.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bot/links/irc/line.h"

namespace jarvis::bot::links::irc {

class Registration {
 public:
  struct Login {
    bool external = false;       // by our certificate
    std::string user, password;  // else PLAIN
  };

  // With a login the connection is of no use unless it succeeds: nothing goes on unauthenticated.
  explicit Registration(std::optional<Login> login) : login_(std::move(login)) {}

  // The first line to send.
  static std::string opening() { return "CAP LS 302"; }
  // Was the line for us? `say` gets what to answer.
  bool hear(const Line& line, std::vector<std::string>& say);

  // Why the login failed, in words for a person.
  const std::optional<std::string>& failure() const { return failure_; }
  bool logged_in() const { return !login_ || logged_in_; }
  bool has(const std::string& capability) const { return enabled_.contains(capability); }

 private:
  void hear_cap(const Line& line, std::vector<std::string>& say);
  void offered_all(std::vector<std::string>& say);
  void acknowledged(const std::string& names, std::vector<std::string>& say);
  void authenticate(const Line& line, std::vector<std::string>& say);
  void end(std::vector<std::string>& say);
  std::string mechanism() const { return login_->external ? "EXTERNAL" : "PLAIN"; }

  std::optional<Login> login_;
  std::map<std::string, std::string> offered_;
  std::set<std::string> enabled_;
  std::optional<std::string> failure_;
  bool ended_ = false, logged_in_ = false;
};

// RFC 4648 section 4.
std::string base64(std::string_view bytes);

}  // namespace jarvis::bot::links::irc
