// jarvis-http: the forkserver of tasks that speak HTTP (libcurl). Linked dynamically: a resolver and TLS cannot do
// without the system's libraries, and they are initialised in the child that needs them.
#include "providers/ec2.h"
#include "providers/linode.h"
#include "providers/vmware.h"
#include "workers/pxe.h"
#include "workers/spec_fetch.h"
#include "workers/worker_main.h"

namespace {

using namespace jarvis;

constexpr workers::BuiltIn kTasks[] = {
    {"spec:fetch", workers::spec_fetch},
    {"ec2:can_deploy", providers::ec2_can_deploy},
    {"ec2:deploy", providers::ec2_deploy},
    {"ec2:get_address", providers::ec2_get_address},
    {"ec2:shutdown", providers::ec2_shutdown},
    {"ec2:startup", providers::ec2_startup},
    {"ec2:reboot", providers::ec2_reboot},
    {"ec2:delete_machine", providers::ec2_delete_machine},
    {"ec2:destroy", providers::ec2_destroy},
    {"ec2:adopt", providers::ec2_adopt},
    {"ec2:machines", providers::ec2_machines},
    {"ec2:offers", providers::ec2_offers},
    {"ec2:console", providers::ec2_console},
    {"ec2:console_keys", providers::ec2_console_keys},
    {"linode:can_deploy", providers::linode_can_deploy},
    {"linode:deploy", providers::linode_deploy},
    {"linode:get_address", providers::linode_get_address},
    {"linode:shutdown", providers::linode_shutdown},
    {"linode:startup", providers::linode_startup},
    {"linode:reboot", providers::linode_reboot},
    {"linode:delete_machine", providers::linode_delete_machine},
    {"linode:destroy", providers::linode_destroy},
    {"linode:adopt", providers::linode_adopt},
    {"linode:rebuild", providers::linode_rebuild},
    {"linode:set_kernel", providers::linode_set_kernel},
    {"linode:set_rdns", providers::linode_set_rdns},
    {"linode:machines", providers::linode_machines},
    {"linode:offers", providers::linode_offers},
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
    {"vmware:wait_until_off", providers::vmware_wait_until_off},
    {"pxe:links_install", workers::links_install},
    {"pxe:links_menu", workers::links_menu},
    {"pxe:links_remove", workers::links_remove},
};

}  // namespace

int main(int argc, char** argv) {
  return workers::family_main(argc, argv, kTasks);
}
