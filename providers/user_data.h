// What a new machine is told at its first boot, as cloud-init reads it (cloud-init, "Cloud config data"): its name, who
// may log in as root, and the host key that jarvis expects at the first login. Carries no password: user data stays
// readable on the host, so that the key serves the first login only, over which the host makes its own (ssh:own_keys).
// Pure.
#pragma once

#include <string>

#include "workers/worker.h"

namespace jarvis::providers {

// From hostname, fqdn, sshpubkey, ssh_login_pubkey, ssh_host_private_key and ssh_host_keys of the clipboard.
std::string user_data(const workers::Clipboard& clipboard);

std::string base64(std::string_view bytes);

}  // namespace jarvis::providers
