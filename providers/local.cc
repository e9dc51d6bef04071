#include "providers/local.h"

#include <algorithm>
#include <ctime>

#include "providers/forget_machine.h"
#include "providers/local_address.h"
#include "providers/local_hosts.h"

namespace jarvis::providers {

namespace {

using workers::Call;
using workers::Clipboard;
using workers::Error;
using workers::Kind;

Hosts hosts_of(const Call& call, bool make) {
  return Hosts(call.setting("DIR"), Launcher(call.setting("LAUNCHER", default_launcher())), make);
}

std::string fqdn_of(const Call& call) {
  return checked_name("fqdn", call.clipboard.require("fqdn"));
}

// What this attempt is about must be the machine that its run knows.
void must_be_known(const Call& call, const LocalMachine& machine) {
  const std::optional<std::string> id = call.clipboard.scalar("instance_id");
  if (id && *id != machine.id) {
    throw Error(Kind::Refused, machine.fqdn + " (" + machine.id + ") is not the machine of this run, which is " + *id);
  }
}

// The same, and one that a run has made or taken over.
void must_be_ours(const Call& call, const LocalMachine& machine) {
  must_be_known(call, machine);
  if (!machine.marked()) {
    throw Error(Kind::Refused, "local host " + machine.fqdn + " (" + machine.id +
                                   ") is there and not jarvis's: `adopt " + machine.fqdn +
                                   "` takes it over, or give the host another name");
  }
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

// What a spec and earlier tasks want of the host, checked.
struct Order {
  std::string fqdn, hostname, flavour;
  std::optional<std::uint16_t> port;
  AddressRange range;
  std::vector<std::string> authorized_keys;
  std::string host_private_key, host_key;
};

std::string checked_private_key(const std::string& text) {
  const bool framed = text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n") && text.size() < 8192;
  if (!framed || text.find('\0') != std::string::npos) {
    throw Error(Kind::Usage, "what the spec has as ssh_host_private_key is no OpenSSH private key");
  }
  return text.back() == '\n' ? text : text + "\n";
}

// A host shares the machine's network without being its root.
std::uint16_t checked_host_port(const std::string& text) {
  const std::uint16_t port = checked_port(text);
  const long lowest = read_number("/proc/sys/net/ipv4/ip_unprivileged_port_start").value_or(1024);
  if (port >= lowest) return port;
  throw Error(Kind::Usage, "ssh_port: " + std::to_string(port) +
                               " is a port of the machine's own root; give one from " + std::to_string(lowest) +
                               " on, or none for 2222");
}

Order order_of(const Call& call) {
  const Clipboard& clipboard = call.clipboard;
  Order order;
  order.fqdn = fqdn_of(call);
  order.hostname =
      checked_name("hostname", clipboard.scalar("hostname").value_or(order.fqdn.substr(0, order.fqdn.find('.'))));
  if (order.hostname.size() > 64)
    throw Error(Kind::Usage, "hostname: '" + order.hostname + "' is longer than 64 characters");
  order.flavour = find_flavour(clipboard.scalar("flavour").value_or("thin")).name;
  if (const auto port = clipboard.scalar("ssh_port")) order.port = checked_host_port(*port);
  order.range = AddressRange::parse(call.setting("ADDRESSES", "127.0.64.0/24"));
  for (const char* key : {"sshpubkey", "ssh_login_pubkey"}) {
    for (const std::string& line : clipboard.list(key)) order.authorized_keys.push_back(checked_public_key(key, line));
  }
  if (const auto key = clipboard.scalar("ssh_host_private_key")) order.host_private_key = checked_private_key(*key);
  for (const std::string& line : clipboard.list("ssh_host_keys")) {
    const std::string checked = checked_public_key("ssh_host_keys", line);
    if (checked.starts_with("ssh-ed25519 ")) order.host_key = bare_key(checked);
  }
  return order;
}

LocalMachine new_machine(const Call& call, const Order& order) {
  LocalMachine machine;
  machine.id = "local-" + random_text(8, kHex);
  machine.fqdn = order.fqdn;
  machine.hostname = order.hostname;
  machine.run = call.run.empty() ? "hand" : call.run;  // by hand, without jarvis: a host of ours all the same
  machine.step = call.step;
  machine.port = order.port.value_or(2222);
  machine.flavour = order.flavour;
  machine.created = now();
  return machine;
}

// sshd itself has the last word about an address: between our look and its start another host may have taken it.
void start_anew(const Hosts& hosts, const Order& order, LocalMachine& machine) {
  std::set<std::string> taken = hosts.addresses();
  while (!hosts.launcher().start(hosts.path(machine.fqdn), machine.fqdn)) {
    taken.insert(machine.address);
    machine.address = free_address(order.range, machine.fqdn, machine.port, taken);
    hosts.write(machine);
  }
  machine.booted = true;
  hosts.write(machine);
}

// Makes a host, or nothing: what fails is removed again.
LocalMachine create(const Call& call, const Hosts& hosts, const Order& order) {
  LocalMachine machine = new_machine(call, order);
  machine.address = free_address(order.range, order.fqdn, machine.port, hosts.addresses());
  machine = hosts.create(machine, {{}, order.fqdn, order.hostname, order.host_private_key, order.authorized_keys});
  try {
    if (!order.host_private_key.empty() && !order.host_key.empty() && bare_key(machine.host_key) != order.host_key) {
      throw Error(Kind::Usage, "ssh_host_keys: has another key than ssh_host_private_key");
    }
    start_anew(hosts, order, machine);
  } catch (const Error& e) {
    std::string text = e.what();
    try {
      hosts.remove(machine);
      text += "; what this attempt made is removed";
    } catch (const std::exception& fault) {
      text += std::string("; what this attempt made could not be removed: ") + fault.what();
    }
    throw Error(e.kind(), text);
  }
  call.log("created local host " + machine.fqdn + " (" + machine.id + ") at " + machine.address + ":" +
           std::to_string(machine.port));
  return machine;
}

void start(const Hosts& hosts, LocalMachine& machine) {
  if (!machine.wanted) {
    machine.wanted = true;
    hosts.write(machine);
  }
  if (!hosts.launcher().start(hosts.path(machine.fqdn), machine.fqdn)) {
    throw Error(Kind::Permanent, machine.fqdn + ": its address " + machine.address + " port " +
                                     std::to_string(machine.port) +
                                     " is taken by another program; end that, or redeploy the host");
  }
}

// One of ours that is there: kept, running, and open to whoever deploys now.
void keep(const Call& call, const Hosts& hosts, const Order& order, LocalMachine& machine) {
  if (order.port && *order.port != machine.port) {
    throw Error(Kind::Refused, machine.fqdn + " answers at port " + std::to_string(machine.port) + ", not " +
                                   std::to_string(*order.port) + ": `redeploy` changes that");
  }
  start(hosts, machine);
  if (!machine.booted) {
    machine.booted = true;
    hosts.write(machine);
  }
  const int added = hosts.authorize(machine, order.authorized_keys);
  call.log("kept local host " + machine.fqdn + " (" + machine.id + ")" +
           (added > 0 ? ", authorized " + std::to_string(added) + " more keys of root" : ""));
}

void give_address(Clipboard& clipboard, const LocalMachine& machine) {
  clipboard.set_list("ipaddress", {machine.address});
  clipboard.set_raw("ssh_port", std::to_string(machine.port));
}

void give(Clipboard& clipboard, const Order& order, const LocalMachine& machine) {
  clipboard.set("instance_id", machine.id);
  give_address(clipboard, machine);
  clipboard.set("created", machine.created);
  if (!clipboard.scalar("password")) clipboard.set("password", random_text(24, kLettersAndDigits));
  if (order.host_key == bare_key(machine.host_key)) return;
  // A kept host has the key it was made with: what this run prepared for a new one is of no use.
  clipboard.set_list("ssh_host_keys", {machine.host_key});
  if (!order.host_key.empty()) clipboard.erase("ssh_host_private_key");
}

void plan_deploy(const Call& call, const Hosts& hosts, const Order& order, const std::optional<LocalMachine>& machine) {
  if (!machine || (!machine->booted && !hosts.runs(order.fqdn))) {
    const std::uint16_t port = order.port.value_or(2222);
    hosts.launcher().probe();
    const std::string address = free_address(order.range, order.fqdn, port, hosts.addresses());
    call.change("create local host " + order.fqdn + " at " + address + ":" + std::to_string(port));
  } else if (!hosts.runs(order.fqdn)) {
    call.change("start local host " + order.fqdn);
  }
}

std::string shown(const Hosts& hosts, const LocalMachine& machine) {
  return "local host " + machine.fqdn + " (" + machine.id + ") at " + machine.address + ":" +
         std::to_string(machine.port) + ", " + machine.flavour + (hosts.runs(machine.fqdn) ? ", on" : ", off") +
         (machine.created.empty() ? "" : ", made " + machine.created);
}

// Runs `act` on the host that is there, under its lock; false when there is none.
template <typename Act>
bool on_machine(Call& call, const Act& act) {
  const Hosts hosts = hosts_of(call, false);
  const std::string fqdn = fqdn_of(call);
  const auto lock = call.plan ? nullptr : hosts.lock(fqdn);
  std::optional<LocalMachine> machine = hosts.find(fqdn);
  if (!machine) return false;
  must_be_ours(call, *machine);
  act(hosts, *machine);
  return true;
}

void missing(const Call& call) {
  throw Error(Kind::Permanent,
              "there is no local host " + fqdn_of(call) + " in " + call.setting("DIR") + ": `deploy` makes it");
}

}  // namespace

void local_deploy(Call& call) {
  const Order order = order_of(call);
  const Hosts hosts = hosts_of(call, !call.plan);
  hosts.launcher().check();
  const auto lock = call.plan ? nullptr : hosts.lock(order.fqdn);
  std::optional<LocalMachine> machine = hosts.find(order.fqdn);
  if (machine) must_be_ours(call, *machine);
  if (call.plan) return plan_deploy(call, hosts, order, machine);
  hosts.sweep(order.fqdn);
  if (machine && !machine->booted && !hosts.runs(order.fqdn)) {
    hosts.remove(*machine);  // of an attempt that died before anybody could know the host
    machine.reset();
  }
  if (machine)
    keep(call, hosts, order, *machine);
  else
    machine = create(call, hosts, order);
  give(call.clipboard, order, *machine);
}

void local_can_deploy(Call& call) {
  const Order order = order_of(call);
  const Hosts hosts = hosts_of(call, false);
  hosts.launcher().check();
  hosts.launcher().probe();
  const std::optional<LocalMachine> machine = hosts.find(order.fqdn);
  if (machine) must_be_ours(call, *machine);
  const std::uint16_t port = order.port.value_or(2222);
  // Whoever goes leaves its own address to the one that comes.
  if (!machine || machine->port != port) (void)free_address(order.range, order.fqdn, port, hosts.addresses());
  if (call.plan && machine) call.change("create local host " + order.fqdn + " anew");
  if (!call.plan) call.log("local host " + order.fqdn + " can be made here");
}

void local_adopt(Call& call) {
  const Hosts hosts = hosts_of(call, false);
  const std::string fqdn = fqdn_of(call);
  const auto lock = call.plan ? nullptr : hosts.lock(fqdn);
  std::optional<LocalMachine> machine = hosts.find(fqdn);
  if (machine) must_be_known(call, *machine);
  if (call.plan) {
    if (machine) call.change("take over " + shown(hosts, *machine));
    return;
  }
  if (!machine)
    throw Error(Kind::Permanent, "there is no local host " + fqdn + " in " + call.setting("DIR") + " to adopt");
  if (!machine->marked()) {
    machine->run = call.run;
    machine->step = call.step;
    hosts.write(*machine);
  }
  call.clipboard.set("instance_id", machine->id);
  give_address(call.clipboard, *machine);
  if (!machine->created.empty()) call.clipboard.set("created", machine->created);
  if (!machine->host_key.empty()) call.clipboard.set_list("ssh_host_keys", {machine->host_key});
  call.clipboard.set("flavour", machine->flavour);
  call.log("took over " + shown(hosts, *machine));
}

void local_get_address(Call& call) {
  if (!on_machine(call, [&](const Hosts&, const LocalMachine& machine) { give_address(call.clipboard, machine); }))
    missing(call);
}

void local_startup(Call& call) {
  if (!on_machine(call, [](const Hosts& hosts, LocalMachine& machine) { start(hosts, machine); })) missing(call);
}

void local_reboot(Call& call) {
  const auto act = [](const Hosts& hosts, LocalMachine& machine) {
    if (!hosts.launcher().reboot(hosts.path(machine.fqdn))) start(hosts, machine);
  };
  if (!on_machine(call, act)) missing(call);
}

void local_shutdown(Call& call) {
  const auto act = [&](const Hosts& hosts, LocalMachine& machine) {
    if (call.plan) {
      if (hosts.runs(machine.fqdn)) call.change("power off local host " + machine.fqdn);
      return;
    }
    machine.wanted = false;
    hosts.write(machine);
    hosts.launcher().stop(hosts.path(machine.fqdn));
  };
  if (!on_machine(call, act)) call.log("there is no local host " + fqdn_of(call) + ": nothing to power off");
}

void local_destroy(Call& call) {
  const auto act = [&](const Hosts& hosts, const LocalMachine& machine) {
    if (call.plan) {
      call.change("delete local host " + machine.fqdn + " (" + machine.id + ") at " + machine.address + ":" +
                  std::to_string(machine.port) + " and its files");
      return;
    }
    hosts.remove(machine);
    hosts.sweep(machine.fqdn);
    call.log("deleted local host " + machine.fqdn + " (" + machine.id + ")");
  };
  const bool was_there = on_machine(call, act);
  if (call.plan) return;
  if (!was_there) {
    const Hosts hosts = hosts_of(call, false);
    const auto lock = hosts.lock(fqdn_of(call));
    hosts.sweep(fqdn_of(call));
    call.log("there is no local host " + fqdn_of(call) + ": nothing to delete");
  }
  forget_machine(call.clipboard);
}

}  // namespace jarvis::providers
