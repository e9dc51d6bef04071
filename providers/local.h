// The `local` provider: real hosts on this machine, in namespaces, without root, image or daemon. Each host is a
// directory under setting DIR plus a supervisor process (jarvis-local) that outlives jarvis. Knows no SSH and no plan.
//
// Settings: DIR (where hosts live, default STATE/local), ADDRESSES (127.0.64.0/24), LAUNCHER (path of jarvis-local;
// default: beside this executable).
#pragma once

#include <vector>

#include "providers/machine_lists.h"
#include "workers/worker.h"

namespace jarvis::providers {

// Each blocks until done (a fraction of a second), looks before it changes, and can be asked again after a crash
// anywhere. Error(Refused) when the clipboard's instance_id is not the machine's, or when what has the host's name is
// not ours; Error(Transient) while another attempt is at work on the same host. What was half made is removed.
//
// deploy keeps a host of ours: it is started, root gets the login keys that it lacks, and the host's own key replaces
// the one that the run prepared for a new host.
// A host whose file `machine` names no run is not ours: refused by all, until adopt writes the run into it.
void local_can_deploy(workers::Call& call);   // could the host be made now; changes nothing
void local_deploy(workers::Call& call);       // gives instance_id ipaddress ssh_port created password ssh_host_keys
void local_get_address(workers::Call& call);  // gives ipaddress ssh_port
void local_shutdown(workers::Call& call);
void local_startup(workers::Call& call);
void local_reboot(workers::Call& call);
void local_destroy(workers::Call& call);  // erases what belonged to the machine from the clipboard
void local_adopt(workers::Call& call);    // gives what deploy gives but a password, and flavour

// Lists for people (local_lists.cc): every host of ours in DIR; flavours as types, ADDRESSES as the region.
void local_machines(workers::Call& call);  // gives machines
void local_offers(workers::Call& call);    // gives offers

}  // namespace jarvis::providers
