// The tasks that speak SSH to a host (libssh2, behind ssh_session.h). Never trust on first use: the host must answer
// with a key of `ssh_host_keys`.
#pragma once

#include "workers/worker.h"

namespace jarvis::workers {

void ssh_wait(Call& call);            // exit 75 until the host answers; a wrong host key is a failure at once
void ssh_fingerprints(Call& call);    // gives sshfp ("4 2 HEX", RFC 4255, 6594, 7479), known_hosts (lines)
void ssh_run_first_boot(Call& call);  // host name, root password, authorized keys; each read back
void ssh_mount(Call& call);           // data disks and volumes as `mounts` says; gives mounted
void ssh_make_keypair(Call& call);    // gives remote_ssh_pubkey
void ssh_save_secret(Call& call);     // ldapworker:save_secret: `password` in /etc/ldap/ldap.secret, 0400

// A host key that came with user data can be read by everybody on the host, so it serves the first login only. Over
// that login the host makes a key of its own (make_host_keys: beside the old one; both are expected from now on), then
// answers with it (own_keys: the old one is expected no more). Two tasks, so that a crash between them leaves a host
// whose key is known either way. Nothing to do where jarvis handed over no key.
void ssh_make_host_keys(Call& call);  // gives ssh_host_keys: the new one and the old one
void ssh_own_keys(Call& call);        // gives ssh_host_keys: the new one alone

}  // namespace jarvis::workers
