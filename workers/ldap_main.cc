// jarvis-ldap: the forkserver of tasks that ask a directory (libldap). Linked dynamically: a resolver and TLS cannot do
// without the system's libraries, and they are initialised in the child that needs them.
#include "workers/dhcp.h"
#include "workers/os_set.h"
#include "workers/spec_ldap.h"
#include "workers/worker_main.h"

namespace {

using namespace jarvis;

constexpr workers::BuiltIn kTasks[] = {
    {"spec:ldap", workers::spec_ldap},
    {"spec:ldap_check", workers::spec_ldap_check},
    {"ldapworker:dhcp_install", workers::dhcp_install},
    {"ldapworker:dhcp_local", workers::dhcp_local},
    {"ldapworker:dhcp_remove", workers::dhcp_remove},
    {"ldapworker:join_os_set", workers::join_os_set},
};

}  // namespace

int main(int argc, char** argv) {
  return workers::family_main(argc, argv, kTasks);
}
