// keys:prepare, keys:forget. Makes what a new host needs before it exists: a root password from the system's random
// source, jarvis's login key pair for it, and the host's own key, which is handed over with the machine and expected at
// the first login.
#pragma once

#include "workers/worker.h"

namespace jarvis::workers {

// Keeps whatever is on the clipboard already. Gives password, ssh_login_key (OpenSSH private key text),
// ssh_login_pubkey, ssh_host_private_key, ssh_host_keys (list of public key lines, "ssh-ed25519 AAAA...").
void prepare_keys(Call& call);

// Before a machine is made anew in its place: what the old one answered with is nothing to expect of the new one.
// Erases password, ssh_host_private_key, ssh_host_keys, known_hosts, sshfp, remote_ssh_pubkey, and what was mounted;
// jarvis's login key stays.
void forget_keys(Call& call);

}  // namespace jarvis::workers
