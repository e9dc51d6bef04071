// What the configuration says of one IRC network, and the secrets that it names. Knows no connection.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bot/links/irc/pace.h"

namespace jarvis::bot::links::irc {

struct Network {
  struct Channel {
    std::string name, key_file;
  };

  std::string name;
  std::string server;
  int port = 6697;
  bool tls = true;
  std::string ca_file;              // else the system's
  std::string cert_file, key_file;  // our own certificate
  std::string nick, user, realname;
  bool sasl_external = false;
  std::string sasl_user, sasl_password_file;     // SASL PLAIN, when there is a user
  std::string password_file;                     // the server's own password (PASS)
  std::string nickserv, nickserv_password_file;  // for servers without SASL: whom to IDENTIFY to, after connecting
  std::vector<Channel> channels;
  std::string prefix;
  double burst = 5, per_second = 1;

  // Nobody needs to set these; tests do. Seconds.
  Seconds connect_timeout{15}, register_timeout{60};
  Seconds ping_every{60}, ping_timeout{45};
  Seconds reconnect_after{1}, rejoin_after{2}, regain_every{30}, whois_timeout{5};

  bool wants_sasl() const { return sasl_external || !sasl_user.empty(); }

  // From the first line of the link contract: the keys of an entry of `irc:` (docs/links.md). Keys that it does not
  // know are ignored. std::runtime_error naming the key that is missing or wrong.
  static Network from(const nlohmann::json& object);
};

// The first line of a file of secrets, without its end. std::runtime_error naming the file when it is missing, empty,
// readable by all, or holds control characters. Blocks for a file's length.
std::string read_secret(const std::string& file);

}  // namespace jarvis::bot::links::irc
