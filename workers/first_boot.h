// What ssh:run_first_boot makes true on a host: its name, a line for itself in /etc/hosts, root's password, root's
// authorized keys. Each is looked at, changed only if it is not so, and read back. Knows no clipboard and no
// connection.
#pragma once

#include <string>
#include <vector>

#include "workers/openssh_key.h"
#include "workers/remote.h"

namespace jarvis::workers {

// Each says what it did by progress(); true when it changed something. Error(Permanent) when the host does not show
// afterwards what was set.
bool set_host_name(RemoteHost& host, const std::string& hostname);
bool add_hosts_line(RemoteHost& host, const std::string& hostname, const std::string& fqdn);
bool set_root_password(RemoteHost& host, const std::string& password);
bool authorize_keys(RemoteHost& host, const std::vector<PublicKey>& keys);

}  // namespace jarvis::workers
