#include "providers/ec2.h"

#include "providers/ec2_console.h"
#include "providers/ec2_provider.h"
#include "providers/machine_tasks.h"

namespace jarvis::providers {

using workers::Call;

namespace {

constexpr std::size_t kConsoleLines = 60;

void end_machine(Call& call, Extent extent) {
  Ec2 ec2(call);
  (extent == Extent::All ? destroy : delete_machine)(call, ec2);
  ec2.sweep(call, extent);
}

}  // namespace

void ec2_can_deploy(Call& call) {
  over<Ec2>(call, can_deploy);
}

void ec2_deploy(Call& call) {
  Ec2 ec2(call);
  deploy(call, ec2);
}

void ec2_get_address(Call& call) {
  over<Ec2>(call, get_address);
}

void ec2_shutdown(Call& call) {
  over<Ec2>(call, shutdown);
}

void ec2_startup(Call& call) {
  over<Ec2>(call, startup);
}

void ec2_reboot(Call& call) {
  over<Ec2>(call, reboot);
}

void ec2_delete_machine(Call& call) {
  end_machine(call, Extent::Machine);
}

void ec2_destroy(Call& call) {
  end_machine(call, Extent::All);
}

void ec2_adopt(Call& call) {
  over<Ec2>(call, adopt);
}

void ec2_machines(Call& call) {
  over<Ec2>(call, list_machines);
}

void ec2_offers(Call& call) {
  over<Ec2>(call, list_offers);
}

void ec2_console(Call& call) {
  Ec2 ec2(call);
  const auto lines = last_lines(ec2.console(require_machine(call, ec2)), kConsoleLines);
  if (lines.empty()) call.log("the console says nothing yet");
  for (const std::string& line : lines) call.log("console: " + line);
}

void ec2_console_keys(Call& call) {
  Ec2 ec2(call);
  const Machine machine = require_machine(call, ec2);
  const auto keys = host_keys(ec2.console(machine));
  if (keys.empty()) {
    call.progress("waiting for the host keys on the console of " + machine.id);
    workers::not_yet("the console of " + machine.id + " shows no host keys yet", ec2.poll());
  }
  call.clipboard.set_list("ssh_host_keys", keys);
  call.clipboard.erase("ssh_host_private_key");  // the host did not take it
  call.log("the console of " + machine.id + " shows " + std::to_string(keys.size()) + " host keys");
}

}  // namespace jarvis::providers
