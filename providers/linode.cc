#include "providers/linode.h"

#include "providers/linode_provider.h"
#include "providers/machine_tasks.h"
#include "workers/digest.h"

namespace jarvis::providers {

namespace {

using workers::Call;

template <void (*task)(Call&, Provider&)>
void over_linode(Call& call) {
  LinodeProvider provider(call);
  task(call, provider);
}

// An attempt that ends with "not yet" hands nothing on, and the machine has the password of the attempt that created
// it. So where nobody made one before, it comes from what only jarvis knows and what stays the same over attempts.
void make_password(Call& call) {
  if (call.plan || call.clipboard.scalar("password")) return;
  call.clipboard.set("password",
                     "L" + workers::sha256_hex("password\n" + call.setting("TOKEN") + "\n" + call.step).substr(0, 31));
}

void deploy_task(Call& call) {
  LinodeProvider provider(call);
  make_password(call);
  deploy(call, provider);
}

// The redeploy in place: same id, same address.
void rebuild_task(Call& call) {
  LinodeProvider provider(call);
  const auto machine = machine_of(call, provider);
  const bool of_this_step = machine && machine->marks->step == call.step;
  if (!machine || (of_this_step && !provider.is_rebuilding(*machine))) return deploy_task(call);
  const Recipe recipe = provider.resolve(call.clipboard);
  if (call.plan) {
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
}

// Before the machine is there a plan has nothing to say about it.
template <void (LinodeProvider::*task)(const Call&, const Machine&)>
void on_machine(Call& call) {
  LinodeProvider provider(call);
  if (call.plan && !machine_of(call, provider)) return;
  (provider.*task)(call, require_machine(call, provider));
}

constexpr workers::BuiltIn kTasks[] = {
    {"linode:can_deploy", over_linode<can_deploy>},
    {"linode:deploy", deploy_task},
    {"linode:get_address", over_linode<get_address>},
    {"linode:shutdown", over_linode<shutdown>},
    {"linode:startup", over_linode<startup>},
    {"linode:reboot", over_linode<reboot>},
    {"linode:delete_machine", over_linode<delete_machine>},
    {"linode:destroy", over_linode<destroy>},
    {"linode:adopt", over_linode<adopt>},
    {"linode:rebuild", rebuild_task},
    {"linode:set_kernel", on_machine<&LinodeProvider::set_kernel>},
    {"linode:set_rdns", on_machine<&LinodeProvider::set_rdns>},
    {"linode:machines", over_linode<list_machines>},
    {"linode:offers", over_linode<list_offers>},
};

}  // namespace

std::span<const workers::BuiltIn> linode_tasks() {
  return kTasks;
}

}  // namespace jarvis::providers
