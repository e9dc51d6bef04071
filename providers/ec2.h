// The tasks of EC2: those of machine_tasks.h, and what only EC2 has. Configuration: EC2_REGION, EC2_REGIONS,
// EC2_ENDPOINT, EC2_ACCESS_KEY_ID, EC2_SECRET_KEY, EC2_SESSION_TOKEN, EC2_CREDENTIALS, EC2_METADATA, EC2_IMAGES,
// EC2_SUBNET, EC2_SECURITY_GROUPS, EC2_CA_FILE, EC2_RATE, EC2_POLL (milliseconds), EC2_DIR (docs/ec2.md).
#pragma once

#include "workers/worker.h"

namespace jarvis::providers {

void ec2_can_deploy(workers::Call& call);
void ec2_deploy(workers::Call& call);
void ec2_get_address(workers::Call& call);
void ec2_shutdown(workers::Call& call);
void ec2_startup(workers::Call& call);
void ec2_reboot(workers::Call& call);
void ec2_delete_machine(workers::Call& call);
void ec2_destroy(workers::Call& call);
void ec2_adopt(workers::Call& call);
void ec2_machines(workers::Call& call);
void ec2_offers(workers::Call& call);
// The console's last lines, into the log.
void ec2_console(workers::Call& call);
// ssh_host_keys as the host itself wrote them on its console, for images that take no user data.
void ec2_console_keys(workers::Call& call);

}  // namespace jarvis::providers
