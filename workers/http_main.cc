// jarvis-http: the forkserver of tasks that speak HTTP (libcurl). Linked dynamically: a resolver and TLS cannot do
// without the system's libraries, and they are initialised in the child that needs them.
#include "providers/vmware.h"
#include "workers/spec_fetch.h"
#include "workers/worker_main.h"

namespace {

using namespace jarvis;

constexpr workers::BuiltIn kTasks[] = {
    {"spec:fetch", workers::spec_fetch},
    {"vmware:adopt", providers::vmware_adopt},
    {"vmware:can_deploy", providers::vmware_can_deploy},
    {"vmware:create", providers::vmware_create},
    {"vmware:delete_machine", providers::vmware_delete_machine},
    {"vmware:deploy", providers::vmware_deploy},
    {"vmware:destroy", providers::vmware_destroy},
    {"vmware:get_address", providers::vmware_get_address},
    {"vmware:get_macaddrs", providers::vmware_get_macaddrs},
    {"vmware:machines", providers::vmware_machines},
    {"vmware:offers", providers::vmware_offers},
    {"vmware:reboot", providers::vmware_reboot},
    {"vmware:shutdown", providers::vmware_shutdown},
    {"vmware:startup", providers::vmware_startup},
};

}  // namespace

int main(int argc, char** argv) {
  return workers::family_main(argc, argv, kTasks);
}
