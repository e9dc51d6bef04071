#include "providers/machine_tasks.h"

#include <cstdio>

#include "providers/forget_machine.h"
#include "providers/machine_lists.h"
#include "workers/password.h"

namespace jarvis::providers {

namespace {

using workers::Call;
using workers::Clipboard;
using workers::Error;
using workers::Kind;

std::string fqdn_of(const Call& call) {
  return call.clipboard.require("fqdn");
}

std::string called(const Provider& provider, const Machine& machine) {
  return provider.name() + " " + machine.name + " (" + machine.id + ")";
}

// Ours by name and by marks.
void must_be_ours(const Call& call, const Provider& provider, const Machine& machine) {
  const std::string fqdn = fqdn_of(call);
  if (!machine.marks) {
    throw Error(Kind::Refused, called(provider, machine) + " has the name of this host and is not jarvis's: `adopt " +
                                   fqdn + "` takes it over, or give the host another name");
  }
  if (machine.marks->fqdn != fqdn)
    throw Error(Kind::Refused, called(provider, machine) + " is marked as " + machine.marks->fqdn + ", not " + fqdn);
  if (machine.name != provider.name_for(fqdn))
    throw Error(Kind::Refused, called(provider, machine) + " is marked as " + fqdn + " but has another name");
}

std::string names_of(const std::vector<Machine>& machines) {
  std::string made;
  for (const Machine& machine : machines)
    made += (made.empty() ? "" : ", ") + machine.id + (machine.marks ? "" : " (not jarvis's)");
  return made;
}

// All of this name, at most one of them; none is a fault here.
std::optional<Machine> the_only_one(const Call& call, Provider& provider) {
  auto machines = provider.find(fqdn_of(call));
  if (machines.empty()) return std::nullopt;
  if (machines.size() > 1) {
    throw Error(Kind::Refused, provider.name() + " has " + std::to_string(machines.size()) + " machines that are " +
                                   fqdn_of(call) + ": " + names_of(machines) + "; jarvis touches none of them");
  }
  return std::move(machines.front());
}

void must_be_known(const Call& call, Provider& provider, const std::optional<Machine>& machine) {
  const auto id = call.clipboard.scalar("instance_id");
  if (!id || (machine && machine->id == *id)) return;
  if (machine) {
    throw Error(Kind::Refused,
                called(provider, *machine) + " is not the machine of this run, which is " + *id + "; nothing is done");
  }
  // Not listed under its name: gone, or somebody else's by now.
  const auto other = provider.machine(*id);
  if (!other) return;
  throw Error(Kind::Refused,
              called(provider, *other) + " is the machine of this run by its id, but " +
                  (other->marks ? "is marked as " + other->marks->fqdn : "does not carry jarvis's marks") +
                  "; nothing is done");
}

void give_address(Clipboard& clipboard, const Machine& machine) {
  if (!machine.addresses.empty()) clipboard.set_list("ipaddress", machine.addresses);
}

void give(Clipboard& clipboard, Provider& provider, const Machine& machine) {
  clipboard.set("instance_id", machine.id);
  give_address(clipboard, machine);
  if (!machine.macaddrs.empty()) clipboard.set_list("macaddrs", machine.macaddrs);
  if (!machine.created.empty()) clipboard.set("created", machine.created);
  workers::set_devices(clipboard, provider.devices(clipboard, machine));
}

std::string shown_recipe(const Recipe& recipe) {
  return recipe.shown + (recipe.monthly ? ", " + shown_price(*recipe.monthly, recipe.currency) : "");
}

void refuse_differences(const Call& call, Provider& provider, const Machine& machine) {
  std::string lines;
  for (const std::string& line : provider.differences(call.clipboard, machine))
    lines += (lines.empty() ? "" : "; ") + line;
  if (!lines.empty())
    throw Error(Kind::Refused, called(provider, machine) + (machine.power == Power::Off ? " is off" : " runs") +
                                   " and is not as the spec says: " + lines + ": `redeploy` changes that");
}

// What a refusal in mid-creation leaves behind costs money and has nobody's attention: removed, and said so.
[[noreturn]] void take_back(const Call& call, Provider& provider, const Machine& machine, const Error& fault) {
  std::string text = fault.what();
  try {
    provider.remove(call, machine, Extent::Step);
    text += "; what this step created is removed";
  } catch (const Error& e) {
    if (e.kind() == Kind::Transient) throw;  // asked again: it looks, is refused the same way, removes
    text +=
        std::string("; what this step created (") + called(provider, machine) + ") could not be removed: " + e.what();
  }
  throw Error(fault.kind(), text);
}

// A host that made its own keys took their private halves with it: another machine could never show them, so nobody
// would ever log in to it. `redeploy` begins with new ones.
void refuse_lost_keys(const Call& call, const Provider& provider) {
  if (call.clipboard.list("ssh_host_keys").empty() || call.clipboard.scalar("ssh_host_private_key")) return;
  const std::string id = call.clipboard.scalar("instance_id").value_or("");
  throw Error(Kind::Permanent, provider.name() + " machine " + id + (id.empty() ? "" : " ") + "of " + fqdn_of(call) +
                                   " is gone, and its ssh host keys with it: `redeploy` makes the host anew");
}

Machine create(const Call& call, Provider& provider) {
  const Recipe recipe = provider.resolve(call.clipboard);
  call.log("creating " + provider.name() + " " + fqdn_of(call) + ": " + shown_recipe(recipe));
  call.progress("creating " + recipe.shown);
  Machine machine = provider.create(call, {fqdn_of(call), call.run, call.step});
  call.log("created " + called(provider, machine));
  return machine;
}

void remove(Call& call, Provider& provider, Extent extent) {
  const auto machine = machine_of(call, provider);
  if (call.plan) {
    if (machine) {
      std::string at;
      for (const std::string& address : machine->addresses) at += (at.empty() ? " at " : ", ") + address;
      call.change("delete " + called(provider, *machine) + at);
    }
    for (const std::string& line :
         machine ? provider.belongings(call, *machine, extent) : provider.left_over(call, extent))
      call.change("delete " + line);
    if (!machine) return;
    for (const std::string& line : provider.left_behind(call, *machine, extent))
      call.change("leave behind " + line + ", which is not this host's");
    return;
  }
  if (machine) {
    provider.remove(call, *machine, extent);
    call.log("deleted " + called(provider, *machine));
  } else {
    call.log(provider.name() + " has no machine " + fqdn_of(call) + ": nothing to delete");
    provider.remove_left_over(call, extent);  // it may have been deleted by others, or by a redeploy that then failed
  }
  forget_machine(call.clipboard);
}

void say_created(const Call& call, const Provider& provider, const Recipe& recipe, const char* how) {
  call.change("create " + provider.name() + " " + fqdn_of(call) + how + ": " + shown_recipe(recipe));
  if (recipe.monthly) call.cost(*recipe.monthly, recipe.currency);
}

void plan_deploy(const Call& call, Provider& provider, const std::optional<Machine>& machine, bool boot) {
  if (!machine) {
    const Recipe recipe = provider.resolve(call.clipboard);
    provider.ask(call);
    return say_created(call, provider, recipe, "");
  }
  if (!boot) return;
  for (const std::string& line : provider.lacking(call.clipboard, *machine))
    call.change("make " + line + " of " + called(provider, *machine));
  if (machine->power == Power::Off) call.change("start " + called(provider, *machine));
}

}  // namespace

std::string shown_price(double monthly, const std::string& currency) {
  char text[64];
  std::snprintf(text, sizeof text, "%.2f ", monthly);
  return text + currency + " a month";
}

std::optional<Machine> machine_of(const Call& call, Provider& provider) {
  auto machine = the_only_one(call, provider);
  must_be_known(call, provider, machine);
  if (machine) must_be_ours(call, provider, *machine);
  return machine;
}

Machine require_machine(const Call& call, Provider& provider) {
  auto machine = machine_of(call, provider);
  if (machine) return std::move(*machine);
  throw Error(Kind::Permanent, provider.name() + " has no machine " + fqdn_of(call) + ": `deploy` makes it");
}

void can_deploy(Call& call, Provider& provider) {
  (void)workers::mounts_of(call.clipboard);         // said before a machine is made that nothing could be mounted on
  const auto machine = machine_of(call, provider);  // a foreign one is in the way
  const Recipe recipe = provider.resolve(call.clipboard);
  provider.ask(call);
  // Of a machine that is there `deploy` in plan mode says nothing, but this is asked by who will make it anew.
  if (call.plan && machine) say_created(call, provider, recipe, " anew");
  if (!call.plan) call.log(provider.name() + " can make " + fqdn_of(call) + ": " + shown_recipe(recipe));
}

void deploy(Call& call, Provider& provider, bool boot) {
  (void)workers::mounts_of(call.clipboard);
  std::optional<Machine> machine = the_only_one(call, provider);
  if (machine) {
    // Where none has the name or the marks the run's own is gone, whoever has its id by now: a new one hurts nobody.
    must_be_known(call, provider, machine);
    must_be_ours(call, provider, *machine);
  }
  if (call.plan) return plan_deploy(call, provider, machine, boot);
  const bool of_this_step = !machine || machine->marks->step == call.step;
  if (!machine) refuse_lost_keys(call, provider);
  if (!call.clipboard.scalar("password")) call.clipboard.set("password", workers::random_password());
  const bool was_there = machine.has_value();
  if (!was_there) machine = create(call, provider);
  if (!of_this_step) {
    refuse_differences(call, provider, *machine);
    call.log("keeping " + called(provider, *machine));
  }
  if (boot) {
    try {
      if (of_this_step && was_there) (void)provider.resolve(call.clipboard);
      machine = provider.complete(call, *machine);
    } catch (const Error& e) {
      if (e.kind() == Kind::Transient || e.kind() == Kind::Bug || !of_this_step) throw;
      take_back(call, provider, *machine, e);
    }
  }
  give(call.clipboard, provider, *machine);
}

void get_address(Call& call, Provider& provider) {
  const Machine machine = require_machine(call, provider);
  if (machine.addresses.empty())
    workers::not_yet(called(provider, machine) + " has no address yet", std::chrono::seconds(5));
  give_address(call.clipboard, machine);
}

void get_macaddrs(Call& call, Provider& provider) {
  const Machine machine = require_machine(call, provider);
  if (machine.macaddrs.empty()) throw Error(Kind::Permanent, called(provider, machine) + " has no network adapter");
  call.clipboard.set_list("macaddrs", machine.macaddrs);
}

void shutdown(Call& call, Provider& provider) {
  const auto machine = machine_of(call, provider);
  if (!machine || machine->power == Power::Off) {
    if (!call.plan)
      call.log(provider.name() + " " + fqdn_of(call) + (machine ? " is off" : " is not there") +
               ": nothing to power off");
    return;
  }
  if (call.plan) return call.change("power off " + called(provider, *machine));
  provider.power_off(call, *machine);
}

void startup(Call& call, Provider& provider) {
  const Machine machine = require_machine(call, provider);
  if (machine.power == Power::On) return call.log(called(provider, machine) + " is on");
  if (call.plan) return call.change("power on " + called(provider, machine));
  provider.power_on(call, machine);
}

void reboot(Call& call, Provider& provider) {
  const Machine machine = require_machine(call, provider);
  if (call.plan) return call.change("reboot " + called(provider, machine));
  if (machine.power == Power::On) return provider.reboot(call, machine);
  provider.power_on(call, machine);
}

void delete_machine(Call& call, Provider& provider) {
  remove(call, provider, Extent::Machine);
}

void destroy(Call& call, Provider& provider) {
  remove(call, provider, Extent::All);
}

void adopt(Call& call, Provider& provider) {
  const auto machine = the_only_one(call, provider);
  const std::string fqdn = fqdn_of(call);
  if (!machine) {
    if (call.plan) return;  // who looks for the provider that has it asks all of them
    throw Error(Kind::Permanent, provider.name() + " has no machine " + fqdn + " to adopt");
  }
  must_be_known(call, provider, machine);
  if (machine->marks) must_be_ours(call, provider, *machine);
  if (call.plan) {
    std::string at;
    for (const std::string& address : machine->addresses) at += (at.empty() ? " at " : ", ") + address;
    return call.change("take over " + called(provider, *machine) + at +
                       (machine->shown.empty() ? "" : ", " + machine->shown) +
                       (machine->marks ? ", made by run " + machine->marks->run : ""));
  }
  if (!machine->marks) provider.mark(*machine, {fqdn, call.run, call.step});
  provider.describe(*machine, call.clipboard);
  give(call.clipboard, provider, *machine);
  call.log("took over " + called(provider, *machine));
}

void list_machines(Call& call, Provider& provider) {
  call.clipboard.set_raw("machines", json_of(provider.owned()));
}

void list_offers(Call& call, Provider& provider) {
  call.clipboard.set_raw("offers", json_of(provider.offers()));
}

}  // namespace jarvis::providers
