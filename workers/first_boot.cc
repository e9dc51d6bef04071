#include "workers/first_boot.h"

#include <algorithm>
#include <sstream>

#include "workers/key_wire.h"
#include "workers/password.h"

namespace jarvis::workers {

namespace {

constexpr const char* kHostsFile = "/etc/hosts";
constexpr const char* kHostNameFile = "/etc/hostname";
constexpr const char* kShadowFile = "/etc/shadow";
constexpr const char* kKeysFile = "/root/.ssh/authorized_keys";

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::vector<std::vector<std::string>> words_by_line(const std::string& text) {
  std::vector<std::vector<std::string>> lines;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    auto& made = lines.emplace_back();
    for (std::string word; words >> word;) made.push_back(word);
  }
  return lines;
}

bool names_itself(const std::string& hosts, const std::string& fqdn) {
  for (const auto& words : words_by_line(hosts)) {
    if (std::count(words.begin() + (words.empty() ? 0 : 1), words.end(), fqdn) > 0) return true;
  }
  return false;
}

std::string root_hash(const std::string& shadow) {
  std::istringstream all(shadow);
  for (std::string line; std::getline(all, line);) {
    if (line.starts_with("root:")) return line.substr(5, line.find(':', 5) - 5);
  }
  return {};
}

// Without options: a line with some would let the key in, but not to what was meant.
bool authorized(const std::string& file, const PublicKey& key) {
  std::istringstream all(file);
  for (std::string line; std::getline(all, line);) {
    std::istringstream words(line);
    std::string type;
    std::string base64;
    if (words >> type >> base64 && type == key.type && from_base64(base64) == key.blob) return true;
  }
  return false;
}

void must(bool so, const std::string& what) {
  if (!so) throw Error(Kind::Permanent, what + " was set, but the host does not show it when asked again");
}

}  // namespace

bool set_host_name(RemoteHost& host, const std::string& hostname) {
  bool changed = false;
  if (first_line(host.run({"hostname"})) != hostname) {
    host.run({"hostname", hostname});
    must(first_line(host.run({"hostname"})) == hostname, "the host name " + hostname);
    changed = true;
  }
  if (first_line(host.read_file(kHostNameFile)) != hostname) {
    host.write_file(kHostNameFile, hostname + "\n", "644");
    must(first_line(host.read_file(kHostNameFile)) == hostname, std::string("the name in ") + kHostNameFile);
    changed = true;
  }
  host.call().progress("host name " + hostname + (changed ? " set" : " is there"));
  return changed;
}

bool add_hosts_line(RemoteHost& host, const std::string& hostname, const std::string& fqdn) {
  const std::string before = host.read_file(kHostsFile);
  const bool there = names_itself(before, fqdn);
  if (!there) {
    const std::string names = fqdn == hostname ? fqdn : fqdn + ' ' + hostname;
    host.append_file(kHostsFile, on_a_new_line(before, "127.0.1.1 " + names + "\n"), "644");
    must(names_itself(host.read_file(kHostsFile), fqdn), "the line of " + fqdn + " in " + kHostsFile);
  }
  host.call().progress(fqdn + (there ? " is in " : " added to ") + kHostsFile);
  return !there;
}

bool set_root_password(RemoteHost& host, const std::string& password) {
  // Only root's line leaves the host.
  const auto hash = [&] { return root_hash(host.run({"grep", "^root:", kShadowFile})); };
  const bool there = hash_fits(password, hash());
  if (!there) {
    host.run({"chpasswd", "-e"}, "root:" + crypt_hash(password) + "\n");
    must(hash_fits(password, hash()), "root's password");
  }
  host.call().progress(there ? "root's password is there" : "root's password set");
  return !there;
}

bool authorize_keys(RemoteHost& host, const std::vector<PublicKey>& keys) {
  const std::string before = host.read_file(kKeysFile);
  std::string missing;
  for (const PublicKey& key : keys) {
    if (!authorized(before, key)) missing += key.line() + "\n";
  }
  if (!missing.empty()) {
    host.append_file(kKeysFile, on_a_new_line(before, missing), "600");
    const std::string after = host.read_file(kKeysFile);
    for (const PublicKey& key : keys) must(authorized(after, key), "the key " + key.fingerprint() + " in " + kKeysFile);
  }
  host.call().progress("root's authorized keys: " + std::to_string(keys.size()) +
                       (missing.empty() ? " there" : " there now"));
  return !missing.empty();
}

}  // namespace jarvis::workers
