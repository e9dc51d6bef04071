#include "workers/rows.h"

namespace jarvis::workers {

namespace {

using namespace std::chrono_literals;
using pipeline::TaskRow;

// Keys whose values never appear in clear text outside a sealed checkpoint and a worker's own memory.
constexpr const char* kSecrets[] = {"password", "ssh_login_key", "ssh_host_private_key"};

// Of what somebody waits for in front of a terminal or in a channel; after that, why not is the better answer.
constexpr auto kAsked = 30s;

TaskRow row(const char* name, const char* family, const char* stage, const char* help) {
  TaskRow made;
  made.name = name;
  made.family = family;
  made.stage = stage;
  made.help = help;
  return made;
}

void keys_rows(pipeline::TaskTable& table) {
  TaskRow prepare = row("keys:prepare", "ssh", "prepare keys",
                        "a root password, jarvis's login key and the host's own key, unless they are there");
  prepare.needs = {"fqdn"};
  prepare.uses = {"sshpubkey"};
  prepare.gives = {"password", "ssh_login_key", "ssh_login_pubkey", "ssh_host_private_key", "ssh_host_keys"};
  prepare.timeout = 1min;
  prepare.plan = true;
  table.add(prepare);
}

void ssh_rows(pipeline::TaskTable& table) {
  TaskRow wait =
      row("ssh:wait", "ssh", "wait for ssh", "until the host answers with the key it was given and lets jarvis in");
  wait.needs = {"ipaddress", "ssh_host_keys", "ssh_login_key"};
  wait.uses = {"ssh_port"};
  wait.timeout = 1min;
  wait.retry.deadline = 15min;
  table.add(wait);

  TaskRow fingerprints = row("ssh:fingerprints", "ssh", "ssh fingerprints",
                             "SSHFP data and known-hosts lines of the keys the host really answers with");
  fingerprints.needs = {"fqdn", "ipaddress", "ssh_host_keys"};
  fingerprints.uses = {"ssh_port"};
  fingerprints.gives = {"sshfp", "known_hosts"};
  fingerprints.timeout = 2min;
  table.add(fingerprints);

  TaskRow first_boot =
      row("ssh:run_first_boot", "ssh", "first boot", "host name, root password, authorized keys, each read back");
  first_boot.needs = {"hostname",         "fqdn",    "ipaddress", "ssh_host_keys", "ssh_login_key",
                      "ssh_login_pubkey", "password"};
  first_boot.uses = {"ssh_port", "sshpubkey"};
  first_boot.timeout = 5min;
  table.add(first_boot);

  TaskRow mount = row("ssh:mount", "ssh", "mount the disks",
                      "data disks and volumes where the spec's `mounts` has them; a blank one gets a file system");
  mount.needs = {"fqdn", "ipaddress", "ssh_host_keys", "ssh_login_key"};
  mount.uses = {"ssh_port", "mounts", "disks", "volumes", "devices", "mounted"};
  mount.gives = {"mounted"};
  mount.timeout = 10min;
  mount.retry.deadline = 15min;
  mount.plan = true;
  table.add(mount);

  TaskRow keypair = row("ssh:make_keypair", "ssh", "root's ssh key",
                        "an ed25519 key pair for the host's root, made on the host, public half read back");
  keypair.needs = {"fqdn", "ipaddress", "ssh_host_keys", "ssh_login_key"};
  keypair.uses = {"ssh_port"};
  keypair.gives = {"remote_ssh_pubkey"};
  keypair.timeout = 2min;
  table.add(keypair);
}

// Where the provider's user data carried the host's first key.
void own_key_rows(pipeline::TaskTable& table) {
  TaskRow make = row("ssh:make_host_keys", "ssh", "host's own ssh key",
                     "over the first login the host makes a key that no user data ever held");
  make.needs = {"fqdn", "ipaddress", "ssh_host_keys", "ssh_login_key"};
  make.uses = {"ssh_port", "ssh_host_private_key", "ssh_user_data_key"};
  make.gives = {"ssh_host_keys"};
  make.timeout = 2min;
  table.add(make);

  TaskRow own = row("ssh:own_keys", "ssh", "host's own ssh key",
                    "the host answers with its own key alone; the one that was handed over is forgotten");
  own.needs = {"fqdn", "ipaddress", "ssh_host_keys", "ssh_login_key"};
  own.uses = {"ssh_port", "ssh_host_private_key", "ssh_user_data_key"};
  own.gives = {"ssh_host_keys"};
  own.timeout = 2min;
  table.add(own);

  table.add(
      row("keys:forget", "ssh", "prepare keys",
          "what belonged to the machine that is about to be made anew: its password, its keys, its fingerprints"));
}

void monitoring_rows(pipeline::TaskTable& table) {
  TaskRow silence = row("monitoring:silence", "core", "silence monitoring",
                        "runs monitoring.silence of the configuration, if there is one");
  silence.needs = {"fqdn"};
  silence.undo = "monitoring:unsilence";
  table.add(silence);

  TaskRow unsilence = row("monitoring:unsilence", "core", "monitoring on again",
                          "runs monitoring.unsilence of the configuration, if there is one");
  unsilence.needs = {"fqdn"};
  table.add(unsilence);
}

void local_rows(pipeline::TaskTable& table) {
  TaskRow deploy = row("local:deploy", "core", "create the machine",
                       "a host in namespaces of this machine, or the one of ours that is there");
  deploy.needs = {"hostname", "fqdn"};
  deploy.uses = {"instance_id",          "sshpubkey",     "password", "ssh_login_pubkey",
                 "ssh_host_private_key", "ssh_host_keys", "ssh_port", "flavour"};
  deploy.gives = {"instance_id", "ipaddress", "ssh_port", "created", "password", "ssh_host_keys"};
  deploy.from_spec = {"ssh_port"};
  deploy.plan = true;
  deploy.timeout = 2min;
  table.add(deploy);

  TaskRow can_deploy = row("local:can_deploy", "core", "ask the provider",
                           "could the host be made now: namespaces, keys, port, a free address");
  can_deploy.needs = deploy.needs;
  can_deploy.uses = deploy.uses;
  can_deploy.plan = true;
  table.add(can_deploy);

  TaskRow adopt = row("local:adopt", "core", "take over the machine",
                      "jarvis's mark on a local host that it did not make, its spec on the clipboard");
  adopt.needs = {"fqdn"};
  adopt.uses = {"instance_id"};
  adopt.gives = {"instance_id", "ipaddress", "ssh_port", "created", "ssh_host_keys"};
  adopt.from_spec = {"ssh_port"};
  adopt.plan = true;
  adopt.destroys = true;  // it gives jarvis the right to
  table.add(adopt);

  for (const auto& [key, help] : {std::pair("machines", "the local hosts that carry jarvis's mark"),
                                  std::pair("offers", "flavours and the range of addresses")}) {
    TaskRow list = row((std::string("local:") + key).c_str(), "core", (std::string("list ") + key).c_str(), help);
    list.gives = {key};
    list.timeout = 1min;
    list.retry.deadline = kAsked;
    table.add(list);
  }

  TaskRow address =
      row("local:get_address", "core", "get the address", "the address and port where the machine answers");
  address.needs = {"fqdn"};
  address.uses = {"instance_id"};
  address.gives = {"ipaddress", "ssh_port"};
  address.from_spec = {"ssh_port"};
  table.add(address);

  TaskRow shutdown =
      row("local:shutdown", "core", "power off", "ends the machine's processes; well when it is off or gone");
  shutdown.needs = {"fqdn"};
  shutdown.uses = {"instance_id"};
  shutdown.destroys = false;
  shutdown.plan = true;
  table.add(shutdown);

  TaskRow startup = row("local:startup", "core", "power on", "starts the machine unless it runs");
  startup.needs = {"fqdn"};
  startup.uses = {"instance_id"};
  table.add(startup);

  TaskRow reboot = row("local:reboot", "core", "reboot", "off and on again");
  reboot.needs = {"fqdn"};
  reboot.uses = {"instance_id"};
  table.add(reboot);

  TaskRow destroy =
      row("local:destroy", "core", "delete the machine", "removes processes, mounts and files; well when it is gone");
  destroy.needs = {"fqdn"};
  destroy.uses = {"instance_id"};
  destroy.destroys = true;
  destroy.plan = true;
  table.add(destroy);
}

// What every provider over an API has (providers/machine_tasks.h); `uses` are the keys of a spec that it reads.
void machine_rows(pipeline::TaskTable& table, const std::string& provider, const std::vector<std::string>& uses,
                  const std::vector<std::string>& from_spec) {
  const auto add = [&](const char* task, const char* stage, const char* help, const auto& more) {
    TaskRow made = row((provider + ":" + task).c_str(), "http", stage, help);
    made.needs = {"fqdn"};
    made.uses = {"instance_id"};
    made.timeout = 5min;
    made.plan = true;
    more(made);
    table.add(made);
  };
  const auto spec_too = [&](TaskRow& made) {
    made.needs = {"hostname", "fqdn"};
    made.uses = uses;
    for (const char* key : {"instance_id", "password", "ssh_host_private_key", "ssh_host_keys", "ssh_login_pubkey"})
      made.uses.emplace_back(key);
  };
  const auto creates = [&](TaskRow& made) {
    spec_too(made);
    made.gives = {"instance_id", "ipaddress", "macaddrs", "created", "password", "devices"};
    made.from_spec = from_spec;
  };
  add("can_deploy", "ask the provider", "could the machine be made now: image, type, region, quota, credentials",
      spec_too);
  add("deploy", "create the machine", "a machine of this provider, or the one of ours that is there; ends when it runs",
      creates);
  add("get_address", "get the address", "the addresses where the machine answers", [&](TaskRow& made) {
    made.gives = {"ipaddress"};
    made.from_spec = from_spec;
    made.plan = false;
  });
  add("shutdown", "power off", "powers the machine off; well when it is off or gone", [](TaskRow&) {});
  add("startup", "power on", "powers the machine on unless it runs", [](TaskRow& made) { made.plan = false; });
  add("reboot", "reboot", "off and on again", [](TaskRow& made) { made.plan = false; });
  add("delete_machine", "delete the machine", "deletes it and keeps its data disks and volumes; well when it is gone",
      [](TaskRow& made) {
        made.uses = {"instance_id", "wipe"};
        made.destroys = true;
      });
  add("destroy", "delete the machine", "deletes it and all that was made for it; well when it is gone",
      [](TaskRow& made) { made.destroys = true; });
  add("adopt", "take over the machine", "jarvis's marks on a machine that it did not make, its spec on the clipboard",
      [&](TaskRow& made) {
        made.gives = {"instance_id", "ipaddress", "macaddrs", "created", "devices"};
        made.from_spec = from_spec;
        made.destroys = true;  // it gives jarvis the right to
      });
  const auto lists = [](const char* key) {
    return [key](TaskRow& made) {
      made.needs = {};
      made.uses = {};
      made.gives = {key};
      made.plan = false;
      made.timeout = 1min;
      made.retry.deadline = kAsked;
    };
  };
  add("machines", "list machines", "what carries jarvis's marks at this provider", lists("machines"));
  add("offers", "list offers", "regions, types and images of this provider", lists("offers"));
}

void linode_rows(pipeline::TaskTable& table) {
  const std::vector<std::string> spec = {"guestid", "datacenter", "size",   "sshpubkey", "disks",
                                         "volumes", "wipe",       "kernel", "rdns",      "mounts"};
  machine_rows(table, "linode", spec, {});

  TaskRow rebuild = row("linode:rebuild", "http", "make the machine anew",
                        "the machine's root from the image again: same id and address, data disks and volumes stay");
  rebuild.needs = {"hostname", "fqdn"};
  rebuild.uses = spec;
  for (const char* key : {"instance_id", "password", "ssh_host_private_key", "ssh_host_keys", "ssh_login_pubkey"})
    rebuild.uses.emplace_back(key);
  rebuild.gives = {"instance_id", "ipaddress", "created", "password", "ssh_host_keys", "ssh_user_data_key", "devices"};
  rebuild.timeout = 5min;
  rebuild.plan = true;
  rebuild.destroys = true;
  table.add(rebuild);

  TaskRow kernel = row("linode:set_kernel", "http", "set the kernel",
                       "the kernel of the machine's configuration profile: the spec's `kernel`, else linode/grub2");
  kernel.needs = {"fqdn"};
  kernel.uses = {"instance_id", "kernel"};
  kernel.timeout = 2min;
  kernel.plan = true;
  table.add(kernel);

  TaskRow rdns = row("linode:set_rdns", "http", "reverse DNS",
                     "the reverse DNS of the machine's addresses, if the spec says `rdns: yes`");
  rdns.needs = {"fqdn"};
  rdns.uses = {"instance_id", "rdns"};
  rdns.timeout = 2min;
  table.add(rdns);
}

// What only EC2 has.
void ec2_rows(pipeline::TaskTable& table) {
  TaskRow console =
      row("ec2:console", "http", "read the console", "the last lines of the machine's console, in the log");
  console.needs = {"fqdn"};
  console.uses = {"instance_id"};
  console.timeout = 2min;
  table.add(console);

  TaskRow keys = row("ec2:console_keys", "http", "host keys from the console",
                     "the host keys that the machine wrote on its console; for images that take no user data");
  keys.needs = {"fqdn"};
  keys.uses = {"instance_id"};
  keys.gives = {"ssh_host_keys"};
  keys.timeout = 2min;
  keys.retry.deadline = 15min;
  table.add(keys);
}

void vmware_rows(pipeline::TaskTable& table) {
  const std::vector<std::string> spec = {"guestid",       "datacenter",  "size",     "num_cpus",  "disksize",
                                         "datastore",     "nic_network", "nic_type", "vmhost",    "folder",
                                         "resource_pool", "volumes",     "wipe",     "ipaddress", "mounts"};
  machine_rows(table, "vmware", spec, {"ipaddress"});
  TaskRow create = *table.require("vmware:deploy");
  create.name = "vmware:create";
  create.help = "a machine as deploy makes it, left off: for installing over the network";
  table.add(create);
  TaskRow macaddrs =
      row("vmware:get_macaddrs", "http", "get the MAC addresses", "of the machine's network adapters, in their order");
  macaddrs.needs = {"fqdn"};
  macaddrs.uses = {"instance_id"};
  macaddrs.gives = {"macaddrs"};
  macaddrs.timeout = 5min;
  table.add(macaddrs);
  TaskRow off =
      row("vmware:wait_until_off", "http", "wait until off", "until the machine is off, as an installation leaves it");
  off.needs = {"fqdn"};
  off.uses = {"instance_id"};
  off.timeout = 5min;
  off.retry.deadline = 2h;
  table.add(off);
}

void cloud_rows(pipeline::TaskTable& table) {
  linode_rows(table);
  machine_rows(
      table, "ec2",
      {"guestid", "datacenter", "size", "disk", "volumes", "wipe", "elastic", "subnet", "security_groups", "mounts"},
      {});
  ec2_rows(table);
  vmware_rows(table);
}

// Where specs come from. Asked before there is a run, so the person waits: short limits, and each task ends by itself
// within them (20 s, 10 s) to say what it waited for.
void spec_rows(pipeline::TaskTable& table) {
  TaskRow fetch = row("spec:fetch", "http", "fetch the spec", "the text of a gist, or of another https URL");
  fetch.needs = {"spec_url"};
  fetch.gives = {"spec_text", "spec_source"};
  fetch.timeout = 25s;
  fetch.retry.deadline = kAsked;
  table.add(fetch);

  TaskRow ldap =
      row("spec:ldap", "ldap", "fetch the spec", "a host's LDAP entry as a spec, by cn=NAME or its full name");
  ldap.needs = {"spec_name"};
  ldap.gives = {"spec_text", "spec_source"};
  ldap.timeout = 15s;
  ldap.retry.deadline = kAsked;
  table.add(ldap);

  TaskRow check =
      row("spec:ldap_check", "ldap", "ask the directory", "does every LDAP server of the configuration answer");
  check.gives = {"ldap_servers"};
  check.timeout = 15s;
  table.add(check);
}

// Booting from the network, and what the directory knows of a host.
void boot_rows(pipeline::TaskTable& table) {
  const auto add = [&](const char* name, const char* family, const char* stage, const char* help,
                       std::vector<std::string> needs, std::vector<std::string> uses, const char* undo = "") {
    TaskRow made = row(name, family, stage, help);
    made.needs = std::move(needs);
    made.uses = std::move(uses);
    made.undo = undo;
    made.timeout = 1min;
    made.plan = true;
    table.add(made);
  };
  add("ldapworker:dhcp_install", "ldap", "dhcp: boot the installer",
      "the host's DHCP entry in the directory, with the loader that installs",
      {"hostname", "fqdn", "ipaddress", "macaddrs"}, {"next-server"}, "ldapworker:dhcp_local");
  add("ldapworker:dhcp_local", "ldap", "dhcp: boot from disk",
      "the host's DHCP entry in the directory, with the loader that starts what is on its disk",
      {"hostname", "fqdn", "ipaddress", "macaddrs"}, {"next-server"});
  add("ldapworker:dhcp_remove", "ldap", "dhcp: forget the host", "takes the host's DHCP entry out of the directory",
      {"fqdn"}, {});
  add("ldapworker:join_os_set", "ldap", "operating system",
      "the host into its operating system's group, and out of others", {"hostname", "os"}, {});
  add("ldapworker:save_secret", "ssh", "ldap password", "the host's LDAP password into its /etc/ldap/ldap.secret, 0400",
      {"fqdn", "ipaddress", "ssh_host_keys", "ssh_login_key", "password"}, {"ssh_port"});
  add("pxe:links_install", "http", "boot menu: install",
      "the boot links lead to the host's install menu; TFTP shows it", {"hostname", "fqdn", "ipaddress", "macaddrs"},
      {"os", "next-server", "dhcplinks"}, "pxe:links_menu");
  add("pxe:links_menu", "http", "boot menu: main", "the boot links lead to the main menu; TFTP shows it",
      {"hostname", "fqdn", "ipaddress", "macaddrs"}, {"next-server", "dhcplinks"});
  add("pxe:links_remove", "http", "boot menu: none",
      "takes away the host's boot links and install menu where jarvis keeps them", {"fqdn"}, {});
}

// Tasks that do next to nothing: what the pipeline itself costs (tests/bench).
void bench_rows(pipeline::TaskTable& table) {
  table.add(row("bench:nothing", "core", "nothing", "takes the clipboard and leaves it alone; for measuring"));
  table.add(row("bench:echo", "core", "echo", "writes one key, so that the whole clipboard is printed; for measuring"));
}

}  // namespace

void add_built_in(pipeline::TaskTable& table) {
  for (const char* key : kSecrets) table.add_secret(key);
  keys_rows(table);
  ssh_rows(table);
  own_key_rows(table);
  monitoring_rows(table);
  local_rows(table);
  cloud_rows(table);
  spec_rows(table);
  boot_rows(table);
  bench_rows(table);
}

}  // namespace jarvis::workers
