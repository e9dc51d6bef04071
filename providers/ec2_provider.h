// EC2 as a provider of machines (provider.h): what is asked there for each question of the tasks. One object per task.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "providers/ec2_account.h"
#include "providers/ec2_belongings.h"
#include "providers/ec2_launch.h"
#include "providers/provider.h"

namespace jarvis::providers {

class Ec2 final : public Provider {
 public:
  explicit Ec2(const Call& call);

  const std::string& name() const override;
  std::vector<Machine> find(const std::string& fqdn) override;
  std::optional<Machine> machine(const std::string& id) override;
  Recipe resolve(const Clipboard& clipboard) override;
  void ask(const Call& call) override;
  Machine create(const Call& call, const Marks& marks) override;
  Machine complete(const Call& call, Machine machine) override;
  std::vector<std::string> lacking(const Clipboard& clipboard, const Machine& machine) override;
  std::vector<std::string> differences(const Clipboard& clipboard, const Machine& machine) override;
  workers::Devices devices(const Clipboard& clipboard, const Machine& machine) override;
  void power_on(const Call& call, const Machine& machine) override;
  void power_off(const Call& call, const Machine& machine) override;
  void reboot(const Call& call, const Machine& machine) override;
  void remove(const Call& call, const Machine& machine, Extent extent) override;
  std::vector<std::string> belongings(const Call& call, const Machine& machine, Extent extent) override;
  std::vector<std::string> left_behind(const Call& call, const Machine& machine, Extent extent) override;
  void mark(const Machine& machine, const Marks& marks) override;
  void describe(const Machine& machine, Clipboard& clipboard) override;
  std::vector<Owned> owned() override;
  std::vector<Offer> offers() override;

  // What a machine that is gone has left, in all regions: deleted, or in plan mode told, without what was told of a
  // machine that is there. A terminated machine is not there any more for the tasks, and takes minutes to let go of its
  // volumes: not_yet() meanwhile. Error(Refused) if there is something that somebody else has by now; all else is
  // deleted before.
  void sweep(const Call& call, Extent extent);
  // GetConsoleOutput, decoded; empty while there is none.
  std::string console(const Machine& machine);
  std::chrono::milliseconds poll() const { return account_.poll(); }

 private:
  Ec2Api& api_of(const std::string& id);
  std::optional<Ec2Instance> instance_if_listed(const std::string& id);
  Ec2Instance instance(const std::string& id);  // not_yet() while it is not listed
  Machine seen(Ec2Api& api, const Ec2Instance& instance);
  // Error for a machine that EC2 would not stop and terminate: asked before a redeploy stops it.
  void must_be_deletable(const Machine& machine);
  // Error(Refused) for a disk that the next machine would not have, and that `wipe` does not name.
  void must_lose_no_disk(const Machine& machine, const std::vector<Ec2Disk>& others, const Ec2Scope& scope);
  // Takes out what is somebody else's by now, with a machine or a network interface of theirs; a sentence each.
  std::vector<std::string> take_out_held(const std::string& fqdn, Ec2Belongings& belongings);
  void read_instances(Ec2Api& api, const Query& query, std::vector<Machine>& into);

  std::string run_, step_;
  Ec2Account account_;
  std::map<std::string, std::string> regions_;  // of machines that were seen
  std::optional<Machine> made_;                 // by this step
  std::vector<Machine> found_;                  // by find(), the last time
  std::optional<Ec2Launch> launch_;
};

}  // namespace jarvis::providers
