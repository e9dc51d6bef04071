// The tasks of the module linode: those of machine_tasks.h over LinodeProvider, and three of its own.
#pragma once

#include "workers/worker.h"

namespace jarvis::providers {

void linode_can_deploy(workers::Call& call);
void linode_deploy(workers::Call& call);
void linode_get_address(workers::Call& call);
void linode_shutdown(workers::Call& call);
void linode_startup(workers::Call& call);
void linode_reboot(workers::Call& call);
void linode_delete_machine(workers::Call& call);
void linode_destroy(workers::Call& call);
void linode_adopt(workers::Call& call);
void linode_machines(workers::Call& call);
void linode_offers(workers::Call& call);

// The redeploy in place: same id and address; creates the machine if there is none. Gives ssh_host_keys, and
// ssh_user_data_key when the user data stay as they are (linode_rebuild.cc).
void linode_rebuild(workers::Call& call);
void linode_set_kernel(workers::Call& call);  // of the configuration profile: `kernel`, else linode/grub2
void linode_set_rdns(workers::Call& call);    // of all addresses, if the spec says `rdns: yes`

}  // namespace jarvis::providers
