// Linode (API v4) as a provider. Machines are Linodes; marks are tags, the label comes from the fqdn and is the
// account's only one of that name, which is what keeps a second machine from being made. Each step of a creation looks
// first: the Linode by label and tag, disks and the configuration profile by their labels on it, volumes by label and
// tag. The rest as in provider.h; what a redeploy in place does stands in linode_rebuild.cc.
#pragma once

#include "providers/linode_api.h"
#include "providers/linode_events.h"
#include "providers/linode_spec.h"
#include "providers/provider.h"

namespace jarvis::providers {

class LinodeProvider : public Provider {
 public:
  explicit LinodeProvider(const Call& call);

  const std::string& name() const override { return name_; }
  std::string name_for(const std::string& fqdn) const override;
  std::vector<Machine> find(const std::string& fqdn) override;
  std::optional<Machine> machine(const std::string& id) override;
  Recipe resolve(const Clipboard& clipboard) override;
  void ask(const Call& call) override;
  Machine create(const Call& call, const Marks& marks) override;
  Machine complete(const Call& call, Machine machine) override;
  std::vector<std::string> differences(const Clipboard& clipboard, const Machine& machine) override;
  std::vector<std::string> lacking(const Clipboard& clipboard, const Machine& machine) override;
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

  // The redeploy of a machine that is there: a line for each thing that goes, and the deed itself.
  std::vector<std::string> rebuild_lines(const Call& call, const Machine& machine);
  Machine rebuild(Call& call, const Machine& machine);
  bool is_rebuilding(const Machine& machine);  // some step began to, see linode_rebuild.cc

  void set_kernel(const Call& call, const Machine& machine);
  void set_rdns(const Call& call, const Machine& machine);

 private:
  struct Resolved {
    LinodeSpec spec;
    LinodeRegion region;
    LinodeType type;
    LinodeImage image;
    std::string kernel;
  };

  Machine shown(const LinodeInstance& instance) const;
  LinodeInstance fresh(const Machine& machine);  // Transient if it is gone
  // boot, reboot, shutdown; not_yet() where it was refused because something else changed the machine meanwhile.
  void act(const LinodeInstance& now, const std::string& what, const Json& body);
  const Resolved& resolved(const Clipboard& clipboard);
  Json installation(const Clipboard& clipboard);  // image, root_pass, authorized_keys
  std::string user_data_of(const Clipboard& clipboard) const;
  std::vector<std::string> unlike(const Resolved& wish, const LinodeInstance& instance);
  std::string kernel_of(const Clipboard& clipboard);

  // linode_disks.cc
  void lay_out(const Call& call, const LinodeInstance& machine);
  void make_disks(const Call& call, const LinodeInstance& machine);
  void make_config(const Call& call, const LinodeInstance& machine);
  void delete_disk(const LinodeInstance& machine, const LinodeDisk& disk);
  // linode_volumes.cc
  std::vector<LinodeVolume> own_volumes(const std::string& fqdn);
  void make_volumes(const Call& call, const LinodeInstance& machine);
  void attach_volume(const LinodeInstance& machine, const LinodeVolume& volume);
  void put_on_config(const LinodeInstance& machine, const LinodeVolume& volume);
  void delete_volume(const LinodeVolume& volume);
  std::vector<LinodeVolume> volumes_to_this(const Call& call, Extent extent);
  std::vector<LinodeVolume> volumes_that_go(const Call& call, const LinodeInstance& machine, Extent extent);
  std::vector<LinodeVolume> volumes_left(const Call& call, Extent extent);
  void take_back(const LinodeInstance& machine, const std::vector<LinodeVolume>& volumes);
  // linode_rebuild.cc
  struct Rebuilding {
    std::vector<LinodeDisk> disks, going;  // of those there are; `going`: the root last
    std::vector<LinodeVolume> volumes;     // that go
    std::string host_key;                  // that the user data carries which stays; empty when it is handed over anew
  };
  Rebuilding rebuilding(const Call& call, const LinodeInstance& machine);
  void clear(const Call& call, const LinodeInstance& machine, const Rebuilding& what);

  std::string name_ = "linode";
  Marks known_;  // values that tags may have cut
  bool plan_;
  bool created_ = false;  // find() saw that this step made it
  LinodeApi api_;
  LinodeEvents events_;
  std::optional<Resolved> resolved_;
};

// The configuration profile of the machines that `disks:` lays out, and the one that any machine boots: ours, else the
// first.
inline constexpr const char* kConfigLabel = "jarvis";
inline constexpr const char* kDefaultKernel = "linode/grub2";
const LinodeConfig* booted_config(const std::vector<LinodeConfig>& configs);
// Where the host finds its data disks: by their slots in its profile. Pure.
workers::Devices disk_devices(const LinodeSpec& spec, const LinodeConfig& config, const std::vector<LinodeDisk>& disks);
// Where it finds a volume. Pure.
std::string volume_device(const LinodeVolume& volume);
// The host key that the user data of such a machine carry, as a public key line; empty if its profile does not say.
std::string handed_over_host_key(const std::vector<LinodeConfig>& configs);

}  // namespace jarvis::providers
