#include "bot/links/xmpp/settings.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace jarvis::bot::links::xmpp {

namespace {

using nlohmann::json;

[[noreturn]] void wrong(const std::string& key, const json& value, const std::string& right) {
  throw std::runtime_error("xmpp: " + key + ": " + value.dump(-1, ' ', false, json::error_handler_t::replace) +
                           " is not " + right);
}

std::string text(const json& object, const char* key, const std::string& otherwise) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return otherwise;
  if (!found->is_string()) wrong(key, *found, "a text");
  return found->get<std::string>();
}

double number(const json& object, const char* key, double otherwise, double least, double most) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return otherwise;
  if (!found->is_number()) wrong(key, *found, "a number");
  const double value = found->get<double>();
  if (value < least || value > most) {
    wrong(key, *found, "between " + std::to_string(least) + " and " + std::to_string(most));
  }
  return value;
}

milliseconds seconds(const json& object, const char* key, milliseconds otherwise) {
  const double value = number(object, key, static_cast<double>(otherwise.count()) / 1000, 0.05, 86400);
  return milliseconds(static_cast<milliseconds::rep>(value * 1000));
}

// local@domain without a resource.
void check_bare(const std::string& key, const std::string& jid) {
  const std::size_t at = jid.find('@');
  if (at == std::string::npos || at == 0 || at + 1 == jid.size() || jid.find('/') != std::string::npos) {
    wrong(key, jid, "a JID like name@example.org");
  }
}

RoomSettings room(const json& entry, const std::string& nick) {
  RoomSettings made;
  made.nick = nick;
  if (entry.is_string()) {
    made.jid = entry.get<std::string>();
  } else if (entry.is_object()) {
    made.jid = text(entry, "room", "");
    made.nick = text(entry, "nick", nick);
    made.password_file = text(entry, "password_file", "");
  } else {
    wrong("rooms", entry, "a room's JID or {room: JID, nick: TEXT, password_file: PATH}");
  }
  check_bare("rooms", made.jid);
  return made;
}

}  // namespace

Settings read_settings(const json& object) {
  Settings made;
  made.name = text(object, "name", made.name);
  made.jid = text(object, "jid", "");
  if (made.jid.empty()) throw std::runtime_error("xmpp: jid: missing, e.g. jarvis@example.org");
  check_bare("jid", made.jid);
  made.domain = made.jid.substr(made.jid.find('@') + 1);
  made.password_file = text(object, "password_file", "");
  if (made.password_file.empty()) throw std::runtime_error("xmpp: password_file: missing");
  made.resource = text(object, "resource", made.resource);
  made.nick = text(object, "nick", made.jid.substr(0, made.jid.find('@')));
  if (made.nick.empty()) made.nick = made.jid.substr(0, made.jid.find('@'));
  made.prefix = text(object, "prefix", "");
  made.ca_file = text(object, "ca_file", "");
  made.dns = text(object, "dns", "");
  made.priority = static_cast<int>(number(object, "priority", 0, -128, 127));
  const std::string server = text(object, "server", "");
  if (!server.empty()) std::tie(made.host, made.port) = host_and_port(server, 5222);
  if (const auto rooms = object.find("rooms"); rooms != object.end() && !rooms->is_null()) {
    if (!rooms->is_array()) wrong("rooms", *rooms, "a list");
    for (const json& entry : *rooms) made.rooms.push_back(room(entry, made.nick));
  }
  if (const auto people = object.find("people"); people != object.end() && !people->is_null()) {
    if (!people->is_array()) wrong("people", *people, "a list of JIDs");
    for (const json& person : *people) {
      if (!person.is_string()) wrong("people", person, "a JID");
      made.people.push_back(person.get<std::string>());
    }
  }
  if (const auto pace = object.find("pace"); pace != object.end() && !pace->is_null()) {
    if (!pace->is_object()) wrong("pace", *pace, "{burst: N, per_second: N}");
    made.burst = number(*pace, "burst", made.burst, 1, 10000);
    made.per_second = number(*pace, "per_second", made.per_second, 0.01, 10000);
  }
  made.ping_every = seconds(object, "ping_every", made.ping_every);
  made.ping_timeout = seconds(object, "ping_timeout", made.ping_timeout);
  return made;
}

std::string read_secret(const std::string& path) {
  const auto fail = [&](const std::string& what) { return std::runtime_error(path + ": " + what); };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) throw fail(std::strerror(errno));
  struct stat status {};
  std::string read(4096, '\0');
  const bool known = ::fstat(fd, &status) == 0;
  const ssize_t n = known && S_ISREG(status.st_mode) ? ::read(fd, read.data(), read.size()) : -1;
  ::close(fd);
  if (n < 0) throw fail("cannot be read as a file");
  if ((status.st_mode & 077U) != 0) throw fail("others may read it; chmod 600 it");
  read.resize(static_cast<std::size_t>(n));
  read.resize(std::min(read.find_first_of("\r\n"), read.size()));
  if (read.empty()) throw fail("its first line is empty; the password belongs there");
  return read;
}

std::pair<std::string, int> host_and_port(const std::string& text, int default_port) {
  std::string host = text, port;
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string::npos) wrong("server", text, "host:port, an IPv6 address in brackets");
    host = text.substr(1, end - 1);
    if (end + 1 < text.size()) {
      if (text[end + 1] != ':') wrong("server", text, "host:port, an IPv6 address in brackets");
      port = text.substr(end + 2);
    }
  } else if (const std::size_t colon = text.find(':'); colon != std::string::npos && colon == text.rfind(':')) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.empty()) wrong("server", text, "host:port");
  }
  int number = default_port;
  if (!port.empty()) {
    if (port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos)
      wrong("server", text, "host:port");
    number = std::stoi(port);
  }
  if (host.empty() || number < 1 || number > 65535) wrong("server", text, "host:port");
  return {host, number};
}

}  // namespace jarvis::bot::links::xmpp
