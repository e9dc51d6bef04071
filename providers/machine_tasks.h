// The tasks that every provider of machines has, written once over provider.h: look by name, compare with what the run
// knows, then act. What may be touched is decided here and nowhere else (CONTRACTS §4): a machine of the host's name
// without our marks is foreign, and one whose id, name or marks differ from the clipboard's is refused, as is a second
// one. Each can be asked again after a crash anywhere, blocks as the provider does, and ends with exit 75 while the
// provider is at work. Knows no API.
#pragma once

#include "providers/provider.h"

namespace jarvis::providers {

// Could the machine be made now: what a redeploy asks before its first change. Changes nothing.
void can_deploy(workers::Call& call, Provider& provider);
// The machine of this host: kept if it is there and ours, else created; running, unless `boot` is false. What this step
// created is removed again when a later part of the creation is refused. Gives instance_id ipaddress macaddrs created
// password devices. Both say first what is wrong with the spec's `mounts`, since ssh:mount would say it too late.
void deploy(workers::Call& call, Provider& provider, bool boot = true);
void get_address(workers::Call& call, Provider& provider);   // gives ipaddress
void get_macaddrs(workers::Call& call, Provider& provider);  // gives macaddrs
void shutdown(workers::Call& call, Provider& provider);      // well when it is off or gone
void startup(workers::Call& call, Provider& provider);
void reboot(workers::Call& call, Provider& provider);
// Both well when it is gone; they erase from the clipboard what belonged to the machine. delete_machine() is for a
// redeploy: data disks and volumes stay unless the spec's `wipe` names them; destroy() leaves nothing of ours. Where
// the machine is gone already, what else there is of the host goes the same way.
void delete_machine(workers::Call& call, Provider& provider);
void destroy(workers::Call& call, Provider& provider);
// Takes over a machine that jarvis did not make, or whose run is not known any more: our marks on it, its spec on the
// clipboard. In plan mode it says change() exactly when there is one.
void adopt(workers::Call& call, Provider& provider);
// Lists for people, JSON (which is YAML): `machines` and `offers`.
void list_machines(workers::Call& call, Provider& provider);
void list_offers(workers::Call& call, Provider& provider);

// Runs one of these over a provider of this kind, which lives as long as the task.
template <typename Kind>
void over(workers::Call& call, void (*task)(workers::Call&, Provider&)) {
  Kind provider(call);
  task(call, provider);
}

// The machine that the clipboard means: Refused if id, name or marks differ or there is a second one; nothing if there
// is none.
std::optional<Machine> machine_of(const workers::Call& call, Provider& provider);
// The same; Error(Permanent) with the hint `deploy` if there is none.
Machine require_machine(const workers::Call& call, Provider& provider);
// "5.00 USD a month".
std::string shown_price(double monthly, const std::string& currency);

}  // namespace jarvis::providers
