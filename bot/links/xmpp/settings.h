// The XMPP link's own configuration, as jarvis hands it over in the first line (docs/links.md): one JSON object.
//
//   name jid password_file server(null or "host:port") rooms:[JID or {room, nick, password_file}] nick resource
//   priority ca_file prefix pace:{burst, per_second} people:[JID]
//
// Unknown keys are ignored. For tests, and undocumented for users: ping_every ping_timeout (seconds) dns
// ("address:port"). Times are durations, sizes bytes, JIDs as written (the session normalises them). Paths are
// absolute.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bot/links/xmpp/delay.h"

namespace jarvis::bot::links::xmpp {

struct RoomSettings {
  std::string jid, nick, password_file;  // no password file: empty
};

struct Settings {
  std::string name = "xmpp", jid, domain, password_file, resource = "jarvis", nick, prefix, ca_file;
  std::string host;  // instead of the SRV records of the domain; empty: ask them
  int port = 5222;
  int priority = 0;
  std::vector<RoomSettings> rooms;
  std::vector<std::string> people;  // whose subscription requests are accepted
  double burst = 20, per_second = 5;
  milliseconds ping_every{60000}, ping_timeout{20000};
  std::string dns;
};

// Throws std::runtime_error naming the key, the value and what would be right.
Settings read_settings(const nlohmann::json& object);

// The first line of a file that only its owner may read. Throws std::runtime_error naming the file and the cure.
std::string read_secret(const std::string& path);

// "host:port", "[::1]:port" or "host" in parts; throws std::runtime_error when it is none.
std::pair<std::string, int> host_and_port(const std::string& text, int default_port);

}  // namespace jarvis::bot::links::xmpp
