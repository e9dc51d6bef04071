#include "providers/vmware.h"

#include "providers/machine_tasks.h"
#include "providers/vmware_provider.h"

namespace jarvis::providers {

using vmware::Boot;
using vmware::Vmware;
using workers::Call;

namespace {

// The address that the spec gives is the host's, not the machine's: it outlives machines. Before the first task of a
// run there is none but that one, whatever machine is there already.
void keep_fixed_address(Call& call) {
  if (!call.clipboard.has(vmware::kFixedAddress))
    call.clipboard.set_list(vmware::kFixedAddress, call.clipboard.list("ipaddress"));
}

void remove_with(Call& call, void (*task)(Call&, Provider&)) {
  const auto fixed = vmware::fixed_addresses(call.clipboard);
  over<Vmware>(call, task);
  if (!fixed.empty() && !call.plan) call.clipboard.set_list("ipaddress", fixed);
}

}  // namespace

void vmware_can_deploy(Call& call) {
  keep_fixed_address(call);
  Vmware provider(call);
  if (const auto machine = machine_of(call, provider)) provider.must_be_replaceable(call, *machine);
  can_deploy(call, provider);
}

void vmware_deploy(Call& call) {
  keep_fixed_address(call);
  Vmware provider(call);
  deploy(call, provider);
}

void vmware_create(Call& call) {
  keep_fixed_address(call);
  Vmware provider(call, Boot::No);
  deploy(call, provider, !call.plan);  // what is lacking is completed here too, all but the boot
}

void vmware_get_address(Call& call) {
  over<Vmware>(call, get_address);
}
void vmware_get_macaddrs(Call& call) {
  over<Vmware>(call, get_macaddrs);
}
void vmware_shutdown(Call& call) {
  over<Vmware>(call, shutdown);
}
void vmware_startup(Call& call) {
  over<Vmware>(call, startup);
}
void vmware_reboot(Call& call) {
  over<Vmware>(call, reboot);
}
void vmware_wait_until_off(Call& call) {
  Vmware provider(call);
  const Machine machine = require_machine(call, provider);
  if (machine.power != Power::Off) provider.wait_for(machine.name + " is on");
}
void vmware_delete_machine(Call& call) {
  remove_with(call, delete_machine);
}
void vmware_destroy(Call& call) {
  remove_with(call, destroy);
}
void vmware_adopt(Call& call) {
  keep_fixed_address(call);
  over<Vmware>(call, adopt);
}
void vmware_machines(Call& call) {
  over<Vmware>(call, list_machines);
}
void vmware_offers(Call& call) {
  over<Vmware>(call, list_offers);
}

}  // namespace jarvis::providers
