// spec:ldap. Reads a host's spec from its LDAP entry (host_entry.h says what becomes of which attribute).
#pragma once

#include "workers/worker.h"

namespace jarvis::workers {

// Needs spec_name: an RDN (`cn=loki`), looked for below LDAP_HOSTS, or a full name, which must lie under LDAP_BASE.
// Gives spec_text and spec_source (the entry's name). Settings: LDAP_URI (blanks between several; none: the SRV records
// of the base's domain), LDAP_STARTTLS, LDAP_BASE, LDAP_HOSTS, LDAP_BIND_DN, LDAP_PASSWORD, LDAP_CA_FILE, DOMAIN.
void spec_ldap(Call& call);

// Asks every server of the configuration whether it lets jarvis in and has the hosts' entry. Gives ldap_servers: a
// mapping of server to "ok" or what is wrong with it.
void spec_ldap_check(Call& call);

}  // namespace jarvis::workers
