// The directory that holds all local hosts of one state: one directory each, named by its fqdn, made complete beside
// and renamed in, so that a crash leaves a whole host or none. Knows no clipboard. What has no file `machine` is not
// ours and is never touched.
//
//   DIR/loki.example.org/        machine, supervisor, state, log, disk/ (the host's own root directory)
//   DIR/.loki.example.org.lock   held by the attempt at work
//   DIR/.loki.example.org.new-…  of an attempt that died while it made the host
//   DIR/.loki.example.org.gone-… of one that died while it removed the host
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "providers/local_files.h"
#include "providers/local_flavour.h"
#include "providers/local_launcher.h"
#include "providers/local_machine.h"

namespace jarvis::providers {

class Hosts {
 public:
  // Makes the directory when `make` says so; otherwise one that is not there holds no hosts.
  Hosts(std::string directory, Launcher launcher, bool make);

  // Of one host, for as long as it lives; not inherited. Error(Transient) while somebody else has it.
  class Lock {
   public:
    Lock(int directory, std::string name);
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock();

   private:
    int directory_;
    std::string name_;
    Descriptor file_;
  };
  std::unique_ptr<Lock> lock(const std::string& fqdn) const;

  // Nothing if there is none; Error(Refused) if what is there is not ours.
  std::optional<LocalMachine> find(const std::string& fqdn) const;
  std::string path(const std::string& fqdn) const { return directory_ + "/" + fqdn; }
  bool runs(const std::string& fqdn) const;
  // All hosts here, in order of name; what is none is passed over.
  std::vector<LocalMachine> all() const;
  std::set<std::string> addresses() const;  // of all hosts here
  const Launcher& launcher() const { return launcher_; }

  // All below under the host's lock.
  void sweep(const std::string& fqdn) const;  // what attempts that died left
  // Makes the host's directory from `disk` (its path is set here) and the rest of `machine`; gives the host's public
  // key.
  LocalMachine create(LocalMachine machine, NewDisk disk) const;
  void write(const LocalMachine& machine) const;
  void remove(const LocalMachine& machine) const;  // stops it first
  // Root's authorized keys get what is missing of `keys`; the names of what was added.
  int authorize(const LocalMachine& machine, const std::vector<std::string>& keys) const;

 private:
  std::string stem(const std::string& fqdn) const;
  Descriptor open_host(const std::string& fqdn) const;
  void discard(const std::string& name) const;

  std::string directory_;
  Launcher launcher_;
  Descriptor root_;  // empty if there is no such directory
};

}  // namespace jarvis::providers
