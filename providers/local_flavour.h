// The kinds of host that the local provider makes. A flavour says how a host's disk is filled (by the task that creates
// it) and how its first process turns that disk into a running system (inside the new namespaces). Everything else,
// from the directory to the supervisor, is the same for all of them. A new flavour is one source file and its line in
// local_flavour.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "providers/local_machine.h"

namespace jarvis::providers {

// What a new host's disk is made from.
struct NewDisk {
  std::string path;  // absolute, an empty directory
  std::string fqdn, hostname;
  std::string host_private_key;              // OpenSSH text, or empty: one is made
  std::vector<std::string> authorized_keys;  // of root
};

// What the first process of a host knows. Its standard error goes to the supervisor; it stands in the host's disk
// directory, in its namespaces, as their root.
struct Boot {
  LocalMachine machine;
  std::string boot_id;
};

struct Flavour {
  const char* name;
  const char* what;                          // for messages
  std::string (*fill_disk)(const NewDisk&);  // the host's public key line
  void (*enter_disk)(const Boot&);           // mounts, and makes the disk its root directory
  void (*run)(const Boot&);                  // the first process's life; does not return
};

std::span<const Flavour> flavours();
// Error(Usage) naming the flavours that there are.
const Flavour& find_flavour(std::string_view name);

}  // namespace jarvis::providers
