#include "providers/linode.h"

#include "providers/linode_provider.h"
#include "providers/machine_tasks.h"
#include "workers/digest.h"

namespace jarvis::providers {

using workers::Call;

namespace {

// Before the machine is there a plan has nothing to say about it.
void on_machine(Call& call, void (LinodeProvider::*task)(const Call&, const Machine&)) {
  LinodeProvider provider(call);
  if (call.plan && !machine_of(call, provider)) return;
  (provider.*task)(call, require_machine(call, provider));
}

// An attempt that ends with "not yet" hands nothing on, and the machine has the password of the attempt that created
// it. So where nobody made one before, it comes from what only jarvis knows and what stays the same over attempts.
void make_password(Call& call) {
  if (call.plan || call.clipboard.scalar("password")) return;
  const std::string digest = workers::sha256_hex("password\n" + call.setting("TOKEN") + "\n" + call.step);
  call.clipboard.set("password", "L" + digest.substr(0, 31));
}

}  // namespace

void linode_can_deploy(Call& call) {
  over<LinodeProvider>(call, can_deploy);
}

void linode_deploy(Call& call) {
  LinodeProvider provider(call);
  make_password(call);
  deploy(call, provider);
}

void linode_rebuild(Call& call) {
  (void)workers::mounts_of(call.clipboard);
  LinodeProvider provider(call);
  const auto machine = machine_of(call, provider);
  const bool of_this_step = machine && machine->marks->step == call.step;
  if (!machine || (of_this_step && !provider.is_rebuilding(*machine))) return linode_deploy(call);
  if (call.plan) {
    const Recipe recipe = provider.resolve(call.clipboard);
    provider.ask(call);
    const auto lines = provider.rebuild_lines(call, *machine);
    call.change("rebuild linode " + machine->name + " (" + machine->id + "): " + recipe.shown);
    for (const std::string& line : lines) call.change(line);
    return;
  }
  make_password(call);
  const Machine made = provider.rebuild(call, *machine);
  call.clipboard.set("instance_id", made.id);
  call.clipboard.set_list("ipaddress", made.addresses);
  call.clipboard.set("created", made.created);
  workers::set_devices(call.clipboard, provider.devices(call.clipboard, made));
}

void linode_get_address(Call& call) {
  over<LinodeProvider>(call, get_address);
}

void linode_shutdown(Call& call) {
  over<LinodeProvider>(call, shutdown);
}

void linode_startup(Call& call) {
  over<LinodeProvider>(call, startup);
}

void linode_reboot(Call& call) {
  over<LinodeProvider>(call, reboot);
}

void linode_delete_machine(Call& call) {
  over<LinodeProvider>(call, delete_machine);
}

void linode_destroy(Call& call) {
  over<LinodeProvider>(call, destroy);
}

void linode_adopt(Call& call) {
  over<LinodeProvider>(call, adopt);
}

void linode_machines(Call& call) {
  over<LinodeProvider>(call, list_machines);
}

void linode_offers(Call& call) {
  over<LinodeProvider>(call, list_offers);
}

void linode_set_kernel(Call& call) {
  on_machine(call, &LinodeProvider::set_kernel);
}

void linode_set_rdns(Call& call) {
  on_machine(call, &LinodeProvider::set_rdns);
}

}  // namespace jarvis::providers
