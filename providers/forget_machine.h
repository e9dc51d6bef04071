// What of a clipboard belongs to a machine and goes with it, for every provider. Pure.
#pragma once

#include "workers/worker.h"

namespace jarvis::providers {

// `ssh_port` stays: it is the host's, by its spec, and outlives machines.
inline void forget_machine(workers::Clipboard& clipboard) {
  for (const char* key : {"instance_id", "ipaddress", "macaddrs", "created", "password", "ssh_host_keys",
                          "ssh_host_private_key", "ssh_user_data_key", "ssh_login_key", "ssh_login_pubkey",
                          "known_hosts", "sshfp", "remote_ssh_pubkey", "devices", "mounted"})
    clipboard.erase(key);
}

}  // namespace jarvis::providers
