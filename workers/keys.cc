#include "workers/keys.h"

#include "workers/openssh_key.h"
#include "workers/password.h"

namespace jarvis::workers {

namespace {

void check_persons_key(const Clipboard& clipboard) {
  const auto line = clipboard.scalar("sshpubkey");
  if (!line) return;
  try {
    check_public_key(*line);
  } catch (Error& e) {
    throw e.within("sshpubkey");
  }
}

PublicKey half_of(const Clipboard& clipboard, const std::string& key) {
  try {
    return public_half(clipboard.require(key));
  } catch (Error& e) {
    throw e.within(key);
  }
}

void prepare_password(Call& call) {
  if (call.clipboard.scalar("password")) return;
  if (call.plan) return call.change("make a root password");
  call.clipboard.set("password", random_password());
}

void prepare_login(Call& call, const std::string& fqdn) {
  const bool has_private = call.clipboard.scalar("ssh_login_key").has_value();
  const auto line = call.clipboard.scalar("ssh_login_pubkey");
  if (!has_private && line) {
    // A new pair would be one that a machine made with the old one does not know.
    throw Error(Kind::Usage, "ssh_login_pubkey is on the clipboard without its ssh_login_key; give both or neither");
  }
  if (!has_private) {
    if (call.plan) return call.change("make jarvis's login key");
    const KeyPair pair = make_ed25519_pair("jarvis@" + fqdn);
    call.clipboard.set("ssh_login_key", pair.private_text);
    call.clipboard.set("ssh_login_pubkey", pair.public_line);
    return;
  }
  PublicKey key = half_of(call.clipboard, "ssh_login_key");
  if (line) {
    if (check_public_key(*line).blob != key.blob)
      throw Error(Kind::Usage, "ssh_login_pubkey is not the public half of ssh_login_key");
  } else if (!call.plan) {
    key.comment = "jarvis@" + fqdn;
    call.clipboard.set("ssh_login_pubkey", key.line());
  }
}

void prepare_host_key(Call& call, const std::string& fqdn) {
  const bool has_private = call.clipboard.scalar("ssh_host_private_key").has_value();
  // Public keys alone are enough: a host may have made its own, which are expected then.
  if (!call.clipboard.list("ssh_host_keys").empty()) return;
  if (call.plan)
    return call.change(has_private ? "expect the public half of ssh_host_private_key" : "make the host's own key");
  if (!has_private) call.clipboard.set("ssh_host_private_key", make_ed25519_pair("root@" + fqdn).private_text);
  call.clipboard.set_list("ssh_host_keys", {half_of(call.clipboard, "ssh_host_private_key").line()});
}

}  // namespace

void prepare_keys(Call& call) {
  const std::string fqdn = call.clipboard.require("fqdn");
  check_persons_key(call.clipboard);
  prepare_password(call);
  prepare_login(call, fqdn);
  prepare_host_key(call, fqdn);
}

void forget_keys(Call& call) {
  for (const char* key : {"password", "ssh_host_private_key", "ssh_host_keys", "ssh_user_data_key", "known_hosts",
                          "sshfp", "remote_ssh_pubkey", "mounted"})
    call.clipboard.erase(key);
}

}  // namespace jarvis::workers
