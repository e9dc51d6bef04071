#include "bot/links/irc/network.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "bot/links/irc/line.h"
#include "pipeline/unique_fd.h"

namespace jarvis::bot::links::irc {

namespace {

using nlohmann::json;

[[noreturn]] void wrong(const std::string& key, const std::string& expected) {
  throw std::runtime_error("irc: " + key + ": " + expected + " is expected");
}

const json* find(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text(const json& object, const char* key, const std::string& otherwise = "") {
  const json* value = find(object, key);
  if (value == nullptr) return otherwise;
  if (!value->is_string()) wrong(key, "a text");
  return value->get<std::string>();
}

double number(const json& object, const char* key, double otherwise) {
  const json* value = find(object, key);
  if (value == nullptr) return otherwise;
  if (!value->is_number() || value->get<double>() <= 0) wrong(key, "a number above 0");
  return value->get<double>();
}

bool truth(const json& object, const char* key, bool otherwise) {
  const json* value = find(object, key);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) wrong(key, "true or false");
  return value->get<bool>();
}

// One word that becomes a parameter in the middle of a line. `%`: libircclient takes NICK and USER for formats.
void need_word(const char* key, const std::string& word) {
  const bool bad = std::any_of(word.begin(), word.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= ' ' || byte == 0x7f || c == '%' || c == '@' || c == '!';
  });
  if (word.empty() || bad || word.front() == ':' || word.size() > 64) wrong(key, "a word without spaces or signs");
}

std::vector<Network::Channel> channels(const json& object) {
  std::vector<Network::Channel> made;
  const json* list = find(object, "channels");
  if (list == nullptr) return made;
  if (!list->is_array()) wrong("channels", "a list");
  for (const json& entry : *list) {
    Network::Channel channel;
    channel.name = entry.is_string() ? entry.get<std::string>() : entry.is_object() ? text(entry, "name") : "";
    if (entry.is_object()) channel.key_file = text(entry, "key_file");
    if (!is_channel(channel.name, "#&+!")) wrong("channels", "the name of a channel ('#ops')");
    made.push_back(std::move(channel));
  }
  return made;
}

}  // namespace

Network Network::from(const json& object) {
  Network network;
  network.server = text(object, "server");
  if (network.server.empty()) wrong("server", "the name or address of a server");
  network.name = text(object, "name", network.server);
  network.tls = truth(object, "tls", true);
  network.port = static_cast<int>(number(object, "port", network.tls ? 6697 : 6667));
  if (network.port > 65535) wrong("port", "a port");
  network.ca_file = text(object, "ca_file");
  network.cert_file = text(object, "cert_file");
  network.key_file = text(object, "key_file", network.cert_file);
  network.nick = text(object, "nick", "jarvis");
  need_word("nick", network.nick);
  if (!is_nick(network.nick)) wrong("nick", "a nick");
  network.user = text(object, "user", "jarvis");
  need_word("user", network.user);
  network.realname = text(object, "realname", "jarvis");
  std::replace(network.realname.begin(), network.realname.end(), '%', ' ');
  if (!may_be_sent(network.realname) || network.realname.size() > 100) wrong("realname", "one short line");
  if (const json* sasl = find(object, "sasl")) {
    if (!sasl->is_object()) wrong("sasl", "{user, password_file} or {external: true}");
    network.sasl_external = truth(*sasl, "external", false);
    network.sasl_user = text(*sasl, "user");
    network.sasl_password_file = text(*sasl, "password_file");
    if (network.sasl_external && !network.sasl_user.empty()) wrong("sasl", "either user or external");
    if (!network.sasl_external && (network.sasl_user.empty() || network.sasl_password_file.empty())) {
      wrong("sasl", "{user, password_file} or {external: true}");
    }
  }
  if (network.sasl_external && (network.cert_file.empty() || !network.tls)) wrong("sasl: external", "cert_file");
  network.password_file = text(object, "password_file");
  if (const json* nickserv = find(object, "nickserv")) {
    if (!nickserv->is_object()) wrong("nickserv", "{name, password_file}");
    network.nickserv = text(*nickserv, "name", "NickServ");
    need_word("nickserv", network.nickserv.substr(0, network.nickserv.find('@')));
    network.nickserv_password_file = text(*nickserv, "password_file");
    if (network.nickserv_password_file.empty()) wrong("nickserv: password_file", "a file");
  }
  network.channels = irc::channels(object);
  network.prefix = text(object, "prefix");
  if (const json* pace = find(object, "pace")) {
    if (!pace->is_object()) wrong("pace", "{burst, per_second}");
    network.burst = std::max(1.0, number(*pace, "burst", network.burst));
    network.per_second = number(*pace, "per_second", network.per_second);
  }
  const auto seconds = [&](const char* key, Seconds& value) { value = Seconds(number(object, key, value.count())); };
  seconds("connect_timeout", network.connect_timeout);
  seconds("register_timeout", network.register_timeout);
  seconds("ping_every", network.ping_every);
  seconds("ping_timeout", network.ping_timeout);
  seconds("reconnect_after", network.reconnect_after);
  seconds("rejoin_after", network.rejoin_after);
  seconds("regain_every", network.regain_every);
  seconds("whois_timeout", network.whois_timeout);
  return network;
}

std::string read_secret(const std::string& file) {
  const pipeline::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) throw std::runtime_error("cannot read " + file + ": " + std::strerror(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw std::runtime_error(file + " is not a regular file");
  }
  if ((status.st_mode & 07U) != 0) throw std::runtime_error(file + " is readable by all; chmod o= " + file);
  char bytes[1024];
  const ssize_t n = ::read(fd.get(), bytes, sizeof bytes);
  if (n < 0) throw std::runtime_error("cannot read " + file + ": " + std::strerror(errno));
  std::string secret(bytes, static_cast<std::size_t>(n));
  secret.resize(std::min(secret.size(), secret.find_first_of("\r\n")));
  if (secret.empty()) throw std::runtime_error(file + " is empty");
  if (!may_be_sent(secret))
    throw std::runtime_error(file + " holds control characters, or too many bytes, in its first line");
  return secret;
}

}  // namespace jarvis::bot::links::irc
