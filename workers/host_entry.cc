#include "workers/host_entry.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "pipeline/clipboard.h"
#include "pipeline/error.h"
#include "workers/ascii.h"
#include "workers/ldap_name.h"
#include "workers/printable.h"

namespace jarvis::workers {

using pipeline::Clipboard;
using pipeline::Error;
using pipeline::Kind;

namespace {

struct Attribute {
  const char* name;  // as in config/jarvis.schema
  const char* key;   // of a spec
};

// In the order in which a spec shows them.
constexpr Attribute kAttributes[] = {
    {"jarvisProvider", "provider"},
    {"jarvisGuestid", "guestid"},
    {"jarvisDatacenter", "datacenter"},
    {"jarvisSize", "size"},
    {"jarvisGitosisAdmin", "gitosis-admin"},
    {"jarvisSshpubkey", "sshpubkey"},
    {"jarvisIpaddress", "ipaddress"},
    {"jarvisOs", "os"},
    {"jarvisNextServer", "next-server"},
    {"jarvisDhcplinks", "dhcplinks"},
    {"jarvisVmname", "vmname"},
    {"jarvisVmhost", "vmhost"},
    {"jarvisFolder", "folder"},
    {"jarvisDatastore", "datastore"},
    {"jarvisDisksize", "disksize"},
    {"jarvisMemory", "memory"},
    {"jarvisNumCpus", "num_cpus"},
    {"jarvisNicNetwork", "nic_network"},
    {"jarvisNicPoweron", "nic_poweron"},
    {"jarvisResourcePool", "resource_pool"},
};
constexpr const char* kListKeys[] = {"ipaddress"};

bool is_list(const std::string& key) {
  return std::find(std::begin(kListKeys), std::end(kListKeys), key) != std::end(kListKeys);
}

class Reader {
 public:
  explicit Reader(const LdapEntry& entry) : entry_(entry) {}

  const std::vector<std::string>& values(const std::string& attribute) const {
    static const std::vector<std::string> kNone;
    const auto found = entry_.values.find(lower_case(attribute));
    if (found == entry_.values.end()) return kNone;
    for (const std::string& value : found->second) {
      if (!is_text(value)) throw fault(attribute + " is no text (UTF-8 without control characters)");
    }
    return found->second;
  }

  std::optional<std::string> one(const std::string& attribute) const {
    const auto& found = values(attribute);
    if (found.size() > 1)
      throw fault(attribute + " is ambiguous: it has " + std::to_string(found.size()) + " values, " +
                  printable(found[0], 60) + " and " + printable(found[1], 60) +
                  (found.size() > 2 ? " among them" : ""));
    return found.empty() ? std::nullopt : std::optional(found.front());
  }

  // The cn that names the entry, else its only one.
  std::optional<std::string> cn() const {
    const LdapName name = LdapName::parse(entry_.dn);
    for (const auto& [type, value] : name.rdns().front()) {
      if (lower_case(type) == "cn") return value;
    }
    return one("cn");
  }

  Error fault(const std::string& text) const { return {Kind::Permanent, printable(entry_.dn) + ": " + text}; }

 private:
  const LdapEntry& entry_;
};

void put(Clipboard& board, const Reader& reader, const std::string& key, const std::string& from,
         const std::vector<std::string>& values) {
  if (board.has(key)) throw reader.fault("`" + printable(key, 60) + "` is given twice, the second time by " + from);
  if (is_list(key)) {
    board.set_list(key, values);
  } else {
    board.set(key, values.front());
  }
}

std::string fqdn_of(const Reader& reader, const std::optional<std::string>& cn, const std::string& domain) {
  for (const char* attribute : {"jarvisFqdn", "fqdn", "associatedDomain"}) {
    if (auto given = reader.one(attribute)) return *given;
  }
  if (!cn) throw reader.fault("it has no jarvisFqdn and no cn");
  if (cn->find('.') != std::string::npos) return *cn;
  if (domain.empty())
    throw reader.fault("it has no jarvisFqdn, and the configuration has no `domain:` to complete " +
                       printable(*cn, 80));
  return *cn + "." + domain;
}

// "KEY: VALUE"; several lines of one key are one list.
void put_others(Clipboard& board, const Reader& reader) {
  std::vector<std::pair<std::string, std::vector<std::string>>> others;
  for (const std::string& line : reader.values("jarvisSpec")) {
    const std::size_t colon = line.find(':');
    const std::string key = line.substr(0, colon);
    const bool named = colon != std::string::npos && !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
                         return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
                       });
    if (!named) throw reader.fault("jarvisSpec: `" + printable(line, 80) + "` is not written as KEY: VALUE");
    const std::size_t first = line.find_first_not_of(' ', colon + 1);
    const std::string value = first == std::string::npos ? "" : line.substr(first);
    const auto known =
        std::find_if(others.begin(), others.end(), [&](const auto& other) { return other.first == key; });
    if (known == others.end()) {
      others.emplace_back(key, std::vector<std::string>{value});
    } else if (is_list(key)) {
      known->second.push_back(value);
    } else {
      throw reader.fault("jarvisSpec is ambiguous: it gives `" + key + "` twice");
    }
  }
  // A directory keeps no order of values.
  std::sort(others.begin(), others.end());
  for (const auto& [key, values] : others) put(board, reader, key, "jarvisSpec", values);
}

std::string indented(const std::string& text) {
  std::string made;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) made += "  " + text.substr(begin, end - begin);
    made += '\n';
    begin = end + 1;
  }
  return made;
}

}  // namespace

std::vector<std::string> host_attributes() {
  std::vector<std::string> made = {"cn", "fqdn", "associatedDomain", "jarvisHostname", "jarvisFqdn", "jarvisSpec"};
  for (const Attribute& attribute : kAttributes) made.emplace_back(attribute.name);
  return made;
}

std::string spec_of(const LdapEntry& entry, const std::string& domain) {
  const Reader reader(entry);
  const auto cn = reader.cn();
  const std::string fqdn = fqdn_of(reader, cn, domain);
  Clipboard board = Clipboard::parse("{}\n");
  board.set("hostname",
            reader.one("jarvisHostname").value_or(cn ? cn->substr(0, cn->find('.')) : fqdn.substr(0, fqdn.find('.'))));
  board.set("fqdn", fqdn);
  for (const Attribute& attribute : kAttributes) {
    const auto& values = reader.values(attribute.name);
    if (values.empty()) continue;
    if (!is_list(attribute.key)) (void)reader.one(attribute.name);
    put(board, reader, attribute.key, attribute.name, values);
  }
  put_others(board, reader);
  return "instance:\n" + indented(board.text());
}

}  // namespace jarvis::workers
