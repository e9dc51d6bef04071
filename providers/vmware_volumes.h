// Data disks: VMDKs of their own in the folder jarvis-volumes of a datastore, named FQDN_NAME.vmdk (a host's name has
// no underscore), so that they outlive the machine that has them and say whose they are. Belongs to the provider;
// blocks and throws as the session does, not_yet() while a search takes its time.
#pragma once

#include "providers/vmware_machine.h"
#include "providers/vmware_place.h"
#include "providers/vmware_tasks.h"

namespace jarvis::providers::vmware {

struct Volume {
  std::string fqdn, name;
  std::string file;  // "[datastore1] jarvis-volumes/loki.example.org_data.vmdk"
  Datastore datastore;
  std::int64_t capacity_kb = 0;  // 0: the server does not say
};

// From the spec's `volumes`: name and GB. Error(Usage) for a name or size that cannot be.
std::vector<std::pair<std::string, std::int64_t>> wanted_volumes(const workers::Clipboard& clipboard);
std::string volume_file(const std::string& datastore, const std::string& fqdn, const std::string& name);
// FQDN and NAME of a volume's file; nothing for other files.
std::optional<std::pair<std::string, std::string>> volume_of(const std::string& file);

// A datastore that may not be read: left out, and said so.
enum class Unreadable { Fails, LeftOut };

class Volumes {
 public:
  Volumes(Session& session, Tasks& tasks, const workers::Call& call) : session_(session), tasks_(tasks), call_(call) {}

  // What lies on these datastores, attached or not; of one host unless `fqdn` is empty.
  std::vector<Volume> find(const std::vector<Datastore>& datastores, const std::string& fqdn,
                           Unreadable unreadable = Unreadable::Fails);
  // The folder, unless it is there.
  void make_folder(const Datastore& datastore, const Reference& datacenter);
  void remove(const Volume& volume, const Reference& datacenter);

 private:
  Session& session_;
  Tasks& tasks_;
  const workers::Call& call_;
};

}  // namespace jarvis::providers::vmware
