// The making of one machine: what the spec comes to, whether it can be had, the call that creates it and what is still
// lacking afterwards. Owned by the provider; changes only what create() and complete() say.
#pragma once

#include "providers/vmware_create.h"
#include "providers/vmware_faults.h"
#include "providers/vmware_guest_ids.h"
#include "providers/vmware_server.h"

namespace jarvis::providers::vmware {

class Making {
 public:
  explicit Making(Server& server) : server_(server) {}

  Recipe resolve(const workers::Clipboard& clipboard);
  void ask();
  // The new machine's reference; not_yet() while it is made.
  Reference create(const Marks& marks);
  // vSphere lists a machine while it is still being made.
  void await_creation(const Vm& vm);
  // Disk, network, volumes, CPUs and memory as resolved, on a machine that is off.
  void complete(const Vm& vm);
  bool resolved() const { return resolved_; }

 private:
  struct Wanted {
    std::optional<std::int64_t> cpus, memory_mb, disk_kb;
    std::vector<std::pair<std::string, std::int64_t>> volumes;  // name, GB
  };

  void read_wanted(const workers::Clipboard& clipboard);
  void resolve_clone(const Vm& source);
  void resolve_new(const workers::Clipboard& clipboard, const std::string& guestid);
  GuestKind kind_of(const std::string& guestid, const Reference& environment);
  const Vm* template_of(const std::string& guestid);
  std::vector<std::string> template_names();
  std::vector<Volume> volumes_there();
  std::int64_t bytes_of_new_volumes();
  void must_have_space();
  void must_have_rights();
  Backing backing(const Network& network);
  void await_earlier(const std::string& note, const Marks& marks);
  Reference taken_name(const Fault& fault, const Marks& marks);
  [[noreturn]] void take_back(const Marks& marks, const Fault& fault);
  Xml lacking_devices(const Vm& vm);
  Xml lacking_volumes(const Vm& vm);
  Xml too_small(const Vm& vm) const;
  void reconfigure(const Vm& vm, const Xml& spec, const std::string& what);

  Server& server_;
  bool resolved_ = false;
  Wanted wanted_;
  std::optional<Vm> source_;  // the template
  GuestKind guest_;
  std::string card_;
  Place place_;
  std::int64_t cpus_ = 0, memory_mb_ = 0, disk_kb_ = 0;
};

}  // namespace jarvis::providers::vmware
