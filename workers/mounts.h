// What is mounted where: the spec's `mounts` (names of data disks and volumes, each with its mount point), the
// provider's `devices` (where a host finds them) and `mounted` (what is known to be so). Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "workers/worker.h"

namespace jarvis::workers {

struct Mount {
  std::string name, path;
};

// By path, so that what lies within another one comes after it. Without `mounts` a disk or volume of the name opt is
// on /opt. Error(Usage) naming key, value and what would be right.
std::vector<Mount> mounts_of(const Clipboard& clipboard);

// By name: paths below /dev, the surest first. One with a `*` must fit exactly one device.
using Devices = std::map<std::string, std::vector<std::string>>;
// Names as `disks` and `volumes` have them: letters, digits, - and _. Paths that are none are left out.
void set_devices(Clipboard& clipboard, const Devices& devices);
// Error(Usage) if there is none, or one that is no such path.
std::vector<std::string> devices_of(const Clipboard& clipboard, const std::string& name);

bool known_as_mounted(const Clipboard& clipboard, const Mount& mount);
void set_mounted(Clipboard& clipboard, const std::vector<Mount>& mounts);

}  // namespace jarvis::workers
