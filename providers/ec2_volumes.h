// The data volumes of a host: those that its spec names (`volumes: {data: 20}`, gigabytes), found by our marks on them
// before one is made. They outlive machines. Knows no machine but by its id.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "providers/ec2_answer.h"
#include "providers/ec2_api.h"
#include "workers/worker.h"

namespace jarvis::providers {

struct WantedVolume {
  std::string name;
  int gigabytes = 0;
};

// Error(Usage) for what is no size or no name. Pure.
std::vector<WantedVolume> wanted_volumes(const workers::Clipboard& clipboard);
// The first of /dev/sdf to /dev/sdp that the machine does not use; Error(Permanent) when all are. Pure.
std::string free_device(const Ec2Instance& machine);

// Where a host finds one that is attached, the surest first: hosts of the newer kind (Nitro) show it as an NVMe disk of
// its id, others as /dev/xvdf or /dev/sdf for the device /dev/sdf. Pure.
std::vector<std::string> device_paths(const Ec2Volume& volume);

// Those with the marks of this host, data or not, that are there.
std::vector<Ec2Volume> volumes_of(Ec2Api& api, const std::string& fqdn);
// Those with these ids, whose ever they are.
std::vector<Ec2Volume> volumes_with(Ec2Api& api, const std::vector<std::string>& ids);
// The one of this name; Error(Refused) for two.
std::optional<Ec2Volume> named_volume(const std::vector<Ec2Volume>& volumes, const std::string& name);

// The zone where what stays of them is, so that a new machine must be there; empty if none stays. Error(Usage) if a
// size changed or two are in different zones.
std::string zone_of_kept(const workers::Clipboard& clipboard, const std::vector<Ec2Volume>& volumes);
// What `wipe` names and neither the spec nor these volumes do.
std::vector<std::string> unknown_to_wipe(const workers::Clipboard& clipboard, const std::vector<Ec2Volume>& volumes);

// For a machine; empty when only asking whether it could be made.
Query create_volume(const WantedVolume& volume, const std::string& zone, const Marks& marks,
                    const std::string& machine);

// Creates and attaches what the spec names and the machine lacks; returns when all are attached, else not_yet().
void attach_volumes(const workers::Call& call, Ec2Api& api, const Ec2Instance& machine, std::chrono::milliseconds poll);

}  // namespace jarvis::providers
