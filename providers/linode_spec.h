// What a spec says about a Linode: `guestid datacenter size` as written, and the optional `disks volumes wipe kernel
// rdns`. Error(Usage) names key and value. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workers/worker.h"

namespace jarvis::providers {

struct DiskWish {
  std::string name;
  std::int64_t size = 0;  // MB; 0: what is left
  bool is_swap() const { return name == "swap"; }
};

struct VolumeWish {
  std::string name;
  std::int64_t size = 0;  // GB
};

struct LinodeSpec {
  std::string guestid, datacenter, size;
  std::vector<DiskWish> disks;  // root first, then swap; empty: the layout that comes with an image
  std::vector<VolumeWish> volumes;
  std::vector<std::string> wipe;
  std::string kernel;  // empty: not said
  bool rdns = false;

  bool wipes(const std::string& name) const;
};

inline constexpr const char* kRootDisk = "root";

LinodeSpec linode_spec_of(const workers::Clipboard& clipboard);

}  // namespace jarvis::providers
