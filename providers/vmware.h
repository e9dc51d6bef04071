// VMware vSphere over its SOAP API, so that a single ESXi serves as well as a vCenter (docs/vmware.md): the tasks.
// Knows no other provider. Each task blocks as machine_tasks.h says.
#pragma once

#include "workers/worker.h"

namespace jarvis::providers {

void vmware_can_deploy(workers::Call& call);
void vmware_deploy(workers::Call& call);
void vmware_create(workers::Call& call);  // as deploy, and leaves it off: for installing over the network
void vmware_get_address(workers::Call& call);
void vmware_get_macaddrs(workers::Call& call);
void vmware_shutdown(workers::Call& call);
void vmware_startup(workers::Call& call);
void vmware_reboot(workers::Call& call);
void vmware_wait_until_off(workers::Call& call);
void vmware_delete_machine(workers::Call& call);
void vmware_destroy(workers::Call& call);
void vmware_adopt(workers::Call& call);
void vmware_machines(workers::Call& call);
void vmware_offers(workers::Call& call);

}  // namespace jarvis::providers
