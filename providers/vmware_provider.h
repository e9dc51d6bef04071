// provider.h over one vCenter or ESXi. Lives for one task.
#pragma once

#include "providers/provider.h"
#include "providers/vmware_making.h"

namespace jarvis::providers::vmware {

enum class Boot { Yes, No };

class Vmware final : public Provider {
 public:
  Vmware(const workers::Call& call, Boot boot = Boot::Yes) : server_(call), making_(server_), boot_(boot) {}

  const std::string& name() const override;
  std::vector<Machine> find(const std::string& fqdn) override;
  std::optional<Machine> machine(const std::string& id) override;
  Recipe resolve(const Clipboard& clipboard) override;
  void ask(const Call& call) override;
  Machine create(const Call& call, const Marks& marks) override;
  Machine complete(const Call& call, Machine machine) override;
  std::vector<std::string> differences(const Clipboard& clipboard, const Machine& machine) override;
  workers::Devices devices(const Clipboard& clipboard, const Machine& machine) override;
  void power_on(const Call& call, const Machine& machine) override;
  void power_off(const Call& call, const Machine& machine) override;
  void reboot(const Call& call, const Machine& machine) override;
  void remove(const Call& call, const Machine& machine, Extent extent) override;
  std::vector<std::string> belongings(const Call& call, const Machine& machine, Extent extent) override;
  std::vector<std::string> left_over(const Call& call, Extent extent) override;
  void remove_left_over(const Call& call, Extent extent) override;
  void mark(const Machine& machine, const Marks& marks) override;
  void describe(const Machine& machine, Clipboard& clipboard) override;
  std::vector<Owned> owned() override;
  std::vector<Offer> offers() override;
  // Refused where a redeploy would take along a disk that nobody gave up.
  void must_be_replaceable(const Call& call, const Machine& machine);
  [[noreturn]] void wait_for(const std::string& why) const { server_.tasks.later(why); }

 private:
  Vm require(const std::string& id);
  void switch_off(const Vm& vm);
  // Volumes that would be deleted, attached or not, and the attached ones that would be kept.
  struct Fates {
    std::vector<Volume> lost;
    std::vector<Disk> lost_disks, kept_disks;
    std::vector<OtherDisk> others;  // that go with the machine
  };
  Fates fates(const Call& call, const Vm& vm, Extent extent);
  std::vector<Volume> volumes_of(const Call& call, const Reference& datacenter);  // of this host
  // Volumes of a host without a machine, with the datacenters that they lie in.
  std::vector<std::pair<Volume, Reference>> volumes_left(const Call& call, Extent extent);
  std::string network_of(const Nic& nic);

  Server server_;
  Making making_;
  Boot boot_;
};

}  // namespace jarvis::providers::vmware
