#include "providers/local_machine.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>

#include "pipeline/error.h"
#include "providers/local_files.h"
#include "workers/ascii.h"

namespace jarvis::providers {

namespace {

using pipeline::Error;
using pipeline::Kind;
using workers::lower_case;

constexpr const char* kFile = "machine";

bool is_word(unsigned char c) {
  return std::isalnum(c) != 0;
}

[[noreturn]] void refuse(std::string_view key, std::string_view value, const std::string& why) {
  std::string shown(value.substr(0, 80));
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  throw Error(Kind::Usage, std::string(key) + ": '" + shown + "' " + why);
}

}  // namespace

std::string LocalMachine::text() const {
  const std::pair<const char*, std::string> lines[] = {
      {"version", "1"},
      {"id", id},
      {"fqdn", fqdn},
      {"hostname", hostname},
      {"run", run},
      {"step", step},
      {"address", address},
      {"port", std::to_string(port)},
      {"flavour", flavour},
      {"created", created},
      {"host_key", host_key},
      {"wanted", wanted ? "on" : "off"},
      {"booted", booted ? "yes" : "no"},
  };
  std::string made;
  for (const auto& [key, value] : lines) {
    std::string one_line = value;
    std::replace_if(
        one_line.begin(), one_line.end(), [](unsigned char c) { return c < 0x20; }, ' ');
    made += std::string(key) + ": " + one_line + "\n";
  }
  return made;
}

LocalMachine LocalMachine::parse(std::string_view text) {
  std::map<std::string, std::string> values;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) {
      throw Error(Kind::Permanent, "line " + std::to_string(number) + " is no `key: value`");
    }
    values[std::string(line.substr(0, colon))] = line.substr(colon + 2);
  }
  if (values["version"] != "1") throw Error(Kind::Permanent, "version '" + values["version"] + "' is not known here");
  LocalMachine machine;
  machine.id = values["id"];
  machine.fqdn = values["fqdn"];
  machine.hostname = values["hostname"];
  machine.run = values["run"];
  machine.step = values["step"];
  machine.address = values["address"];
  machine.port = checked_port(values["port"]);
  machine.flavour = values["flavour"];
  machine.created = values["created"];
  machine.host_key = values["host_key"];
  machine.wanted = values["wanted"] == "on";
  machine.booted = values["booted"] == "yes";
  if (machine.id.empty() || machine.fqdn.empty() || machine.address.empty()) {
    throw Error(Kind::Permanent, "id, fqdn or address is missing");
  }
  return machine;
}

std::optional<LocalMachine> read_machine(int directory) {
  const std::optional<std::string> text = read_small(directory, kFile);
  if (!text) return std::nullopt;
  try {
    return LocalMachine::parse(*text);
  } catch (Error& e) {
    throw e.within("reading the file `machine`");
  }
}

void write_machine(int directory, const LocalMachine& machine) {
  replace_file(directory, kFile, machine.text(), true);
}

std::string checked_name(std::string_view key, std::string_view name) {
  std::string lower = lower_case(name);
  if (name.empty() || name.size() > 253) refuse(key, name, "is no host name (1 to 253 characters)");
  std::size_t begin = 0;
  while (begin <= lower.size()) {
    const std::size_t end = std::min(lower.find('.', begin), lower.size());
    const std::string_view label = std::string_view(lower).substr(begin, end - begin);
    const bool good = !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
                      std::all_of(label.begin(), label.end(), [](unsigned char c) { return is_word(c) || c == '-'; });
    if (!good)
      refuse(key, name, "is no host name (RFC 1123: labels of letters, digits and inner hyphens, joined by dots)");
    begin = end + 1;
  }
  return lower;
}

std::string checked_public_key(std::string_view key, std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
  const bool printable = std::all_of(line.begin(), line.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
  if (!printable) refuse(key, line, "is more than one line, or holds control characters");
  const bool known = line.starts_with("ssh-") || line.starts_with("ecdsa-sha2-") || line.starts_with("sk-");
  const std::size_t blank = line.find(' ');
  if (!known || blank == std::string_view::npos || line.size() > 8192) {
    refuse(key, line, "is no public key (accepted: one line such as `ssh-ed25519 AAAA... comment`, without options)");
  }
  const std::string_view body = line.substr(blank + 1, line.find(' ', blank + 1) - blank - 1);
  const bool base64 = !body.empty() && std::all_of(body.begin(), body.end(), [](unsigned char c) {
    return is_word(c) || c == '+' || c == '/' || c == '=';
  });
  if (!base64) refuse(key, line, "is no public key: its second word is not base64");
  return std::string(line);
}

std::string bare_key(std::string_view line) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return std::string(line);
  const std::size_t end = line.find_first_of(" \r\n", blank + 1);
  return std::string(line.substr(0, std::min(end, line.size())));
}

std::uint16_t checked_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (fault != std::errc() || end != text.data() + text.size() || port == 0) {
    refuse("ssh_port", text, "is no port (1 to 65535)");
  }
  return port;
}

}  // namespace jarvis::providers
