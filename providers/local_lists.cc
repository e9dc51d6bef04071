// What the local provider lists for people.
#include "providers/local.h"
#include "providers/local_address.h"
#include "providers/local_hosts.h"

namespace jarvis::providers {

using workers::Call;

void local_machines(Call& call) {
  const Hosts hosts(call.setting("DIR"), Launcher(call.setting("LAUNCHER", default_launcher())), false);
  std::vector<Owned> owned;
  for (const LocalMachine& machine : hosts.all()) {
    if (!machine.marked()) continue;
    Owned one;
    one.kind = "machine";
    one.id = machine.id;
    one.name = machine.fqdn;
    one.marks = {machine.fqdn, machine.run, machine.step};
    one.created = machine.created;
    one.shown = machine.flavour + " at " + machine.address + ":" + std::to_string(machine.port) +
                (hosts.runs(machine.fqdn) ? "" : ", off");
    owned.push_back(std::move(one));
  }
  call.clipboard.set_raw("machines", json_of(owned));
}

void local_offers(Call& call) {
  const AddressRange range = AddressRange::parse(call.setting("ADDRESSES", "127.0.64.0/24"));
  std::vector<Offer> offers;
  offers.push_back({"region", range.text(), range.text(), "addresses of this machine", {}});
  for (const Flavour& flavour : flavours()) offers.push_back({"type", flavour.name, flavour.name, flavour.what, {}});
  call.clipboard.set_raw("offers", json_of(offers));
}

}  // namespace jarvis::providers
