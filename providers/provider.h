// The provider: an API that makes machines, as the tasks of machine_tasks.h see it. One object lives for one task, in
// the task's own process, and is owned by it. Knows no other task, no plan and no journal; how it asks (JSON, Query
// API, SOAP) is its own.
//
// Every call but name() asks the API and blocks for its answer, bounded by the client's limits. Errors: Transient for
// what may pass by itself (busy, too many requests, no answer: the task is asked again, which looks first), Usage for
// what the spec or the configuration says wrong, Permanent for what the provider refuses (credentials, right, quota,
// space), Refused for what CONTRACTS §4 forbids. None ever holds a token, a password or user data.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "providers/machine_lists.h"
#include "workers/mounts.h"
#include "workers/worker.h"

namespace jarvis::providers {

enum class Power { Off, On, Changing };

struct Machine {
  std::string id;              // the API's own; a new machine has a new one
  std::string name;            // label, Name, VM name
  std::optional<Marks> marks;  // none: it is not ours
  Power power = Power::Off;
  std::vector<std::string> addresses;  // public ones first, IPv4 before IPv6
  std::vector<std::string> macaddrs;
  std::string created;  // RFC 3339, UTC; empty if the API does not tell
  std::string shown;    // for people: "g6-nanode-1 in us-southeast, linode/debian12"
};

// What creating a machine from a clipboard comes to.
struct Recipe {
  std::string shown;              // "g6-nanode-1 (1 CPU, 1024 MB) in us-southeast from linode/debian12"
  std::optional<double> monthly;  // where the API tells
  std::string currency = "USD";
};

// How much goes with a machine that is deleted.
enum class Extent {
  Step,     // a creation that is taken back: what this step made, and nothing that was there before it
  Machine,  // a redeploy: data disks and volumes stay, unless the spec's `wipe` names them
  All,      // a destroy: whatever is ours
};

class Provider {
 public:
  using Call = workers::Call;
  using Clipboard = workers::Clipboard;

  virtual ~Provider() = default;

  virtual const std::string& name() const = 0;                                  // linode, ec2, vmware
  virtual std::string name_for(const std::string& fqdn) const { return fqdn; }  // what the machine is called there

  // Every machine that has this name or carries it in its marks, ours or not, in any state but deleted.
  virtual std::vector<Machine> find(const std::string& fqdn) = 0;
  // Nothing when there is none, or it is deleted.
  virtual std::optional<Machine> machine(const std::string& id) = 0;

  // Resolves what the clipboard says (image, type, region ...) against what is offered, and keeps it for ask() and
  // create(). Error(Usage) names key, value and the nearest that is offered.
  virtual Recipe resolve(const Clipboard& clipboard) = 0;
  // Could it be created now: quota, space, right, as far as the API tells without creating. After resolve().
  virtual void ask(const Call& call) = 0;
  // Creates what was resolved, with these marks in that very call. The machine may still be on its way. Asked again
  // with the same marks it never makes a second one: a name that is taken but not listed yet is Transient.
  virtual Machine create(const Call& call, const Marks& marks) = 0;
  // Does what is still lacking (disks, volumes, addresses, the first boot) and returns when the machine runs;
  // workers::not_yet() while the API is at work. Changes nothing when nothing is lacking.
  virtual Machine complete(const Call& call, Machine machine) = 0;
  // What of a machine that is kept is not as the clipboard says and complete() does not change; a line each.
  virtual std::vector<std::string> differences(const Clipboard& clipboard, const Machine& machine) = 0;
  // What complete() would make for a machine that is there, for plan mode; a line each.
  virtual std::vector<std::string> lacking(const Clipboard&, const Machine&) { return {}; }

  // Where its host finds the data disks and volumes that the clipboard names and the machine has.
  virtual workers::Devices devices(const Clipboard&, const Machine&) { return {}; }

  // Each returns when it is done, not_yet() while the API is at work.
  virtual void power_on(const Call& call, const Machine& machine) = 0;
  virtual void power_off(const Call& call, const Machine& machine) = 0;
  virtual void reboot(const Call& call, const Machine& machine) = 0;
  // Deletes it and what was made for it, to this extent.
  virtual void remove(const Call& call, const Machine& machine, Extent extent) = 0;
  // What remove() would delete besides the machine itself, for the confirmation; a line each.
  virtual std::vector<std::string> belongings(const Call& call, const Machine& machine, Extent extent) = 0;
  // What remove() leaves without a machine because somebody else gave it to this one, disks and addresses; a line each,
  // for the confirmation.
  virtual std::vector<std::string> left_behind(const Call&, const Machine&, Extent) { return {}; }
  // What there still is of a host that has no machine any more, of that which remove() deletes along with one; a line
  // each, for the confirmation.
  virtual std::vector<std::string> left_over(const Call&, Extent) { return {}; }
  // Deletes that; well when there is none.
  virtual void remove_left_over(const Call&, Extent) {}
  // Writes our marks on a machine that is there.
  virtual void mark(const Machine& machine, const Marks& marks) = 0;
  // The spec that would have made this machine, for `adopt`: guestid, datacenter, size and so on.
  virtual void describe(const Machine& machine, Clipboard& clipboard) = 0;

  virtual std::vector<Owned> owned() = 0;
  virtual std::vector<Offer> offers() = 0;
};

}  // namespace jarvis::providers
