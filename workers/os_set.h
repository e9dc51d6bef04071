// ldapworker:join_os_set: makes the host a member of its operating system's group, cn=OS below ldap.os_sets
// (groupOfUniqueNames), and of no other one there: what makes boot menus and kickstart files looks there. The group
// must exist: a name that is misspelt is told, with those that there are.
#pragma once

#include "workers/worker.h"

namespace jarvis::workers {

void join_os_set(Call& call);

}  // namespace jarvis::workers
