// ldapworker:dhcp_install, dhcp_local and dhcp_remove: the host's entry for the DHCP server, cn=FQDN below ldap.dhcp,
// that lets it boot the installer (pxe.install_loader) or what is on its disk (pxe.local_loader). An entry of another
// name with this host's card or address is refused and named; jarvis takes nobody else's away.
#pragma once

#include "workers/worker.h"

namespace jarvis::workers {

void dhcp_install(Call& call);
void dhcp_local(Call& call);
void dhcp_remove(Call& call);

}  // namespace jarvis::workers
