#include "providers/user_data.h"

#include <vector>

namespace jarvis::providers {

using workers::Clipboard;

std::string user_data(const Clipboard& clipboard) {
  Clipboard config = Clipboard::parse("{}");
  const std::string fqdn = clipboard.require("fqdn");
  config.set("hostname", clipboard.scalar("hostname").value_or(fqdn.substr(0, fqdn.find('.'))));
  config.set("fqdn", fqdn);
  config.set_raw("preserve_hostname", "false");
  config.set_raw("disable_root", "false");
  config.set_raw("ssh_pwauth", "false");
  std::vector<std::string> keys;
  for (const char* key : {"sshpubkey", "ssh_login_pubkey"}) {
    for (const std::string& line : clipboard.list(key)) keys.push_back(line);
  }
  if (!keys.empty()) config.set_list("ssh_authorized_keys", keys);
  const auto host_key = clipboard.scalar("ssh_host_private_key");
  if (host_key) {
    config.set_raw("ssh_deletekeys", "true");
    config.set_raw("ssh_genkeytypes", "[]");
    std::vector<std::pair<std::string, std::string>> pair = {{"ed25519_private", *host_key}};
    for (const std::string& line : clipboard.list("ssh_host_keys")) {
      if (line.starts_with("ssh-ed25519 ")) pair.emplace_back("ed25519_public", line);
    }
    config.set_map("ssh_keys", pair);
  }
  return "#cloud-config\n" + config.text();
}

// RFC 4648 section 4.
std::string base64(std::string_view bytes) {
  constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string made;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) made += i + k <= bytes.size() ? kLetters[group >> (18U - 6U * k) & 63U] : '=';
  }
  return made;
}

}  // namespace jarvis::providers
