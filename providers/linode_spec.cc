#include "providers/linode_spec.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "workers/printable.h"

namespace jarvis::providers {

using workers::Clipboard;
using workers::Error;
using workers::Kind;

namespace {

constexpr std::size_t kMostDevices = 8;  // sda to sdh
constexpr std::size_t kMostName = 32;
constexpr std::int64_t kLeastVolume = 10, kMostVolume = 10240;
constexpr std::int64_t kMostDisk = 100'000'000;

[[noreturn]] void refuse(const std::string& key, const std::string& value, const std::string& why) {
  throw Error(Kind::Usage, key + ": `" + workers::printable(value, 80) + "` " + why);
}

std::optional<std::int64_t> whole(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

void check_name(const std::string& key, const std::string& name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  if (name.empty() || name.size() > kMostName || !std::all_of(name.begin(), name.end(), fits))
    refuse(key, name, "is no name: a-z, 0-9, - and _, at most " + std::to_string(kMostName));
}

bool yes(const Clipboard& clipboard, const char* key) {
  const std::string text = clipboard.scalar(key).value_or("no");
  for (const char* one : {"yes", "true", "on"}) {
    if (text == one) return true;
  }
  for (const char* one : {"no", "false", "off", ""}) {
    if (text == one) return false;
  }
  refuse(key, text, "must be yes or no");
}

DiskWish disk_of(const std::string& name, const std::string& size) {
  check_name("disks", name);
  if (size == "rest") return {name, 0};
  const auto number = whole(size);
  if (!number || *number < 1 || *number > kMostDisk) refuse("disks: " + name, size, "must be a size in MB, or `rest`");
  return {name, *number};
}

int rank_of(const DiskWish& disk) {
  return disk.name == kRootDisk ? 0 : disk.is_swap() ? 1 : 2;
}

std::vector<DiskWish> disks_of(const Clipboard& clipboard) {
  std::vector<DiskWish> disks;
  for (const auto& [name, size] : clipboard.map("disks")) disks.push_back(disk_of(name, size));
  if (disks.empty()) return disks;
  std::stable_sort(disks.begin(), disks.end(),
                   [](const DiskWish& a, const DiskWish& b) { return rank_of(a) < rank_of(b); });
  if (disks.front().name != kRootDisk) throw Error(Kind::Usage, "disks: there must be one that is called root");
  if (std::count_if(disks.begin(), disks.end(), [](const DiskWish& one) { return one.size == 0; }) > 1)
    throw Error(Kind::Usage, "disks: `rest` can be said of one disk only");
  return disks;
}

std::vector<VolumeWish> volumes_of(const Clipboard& clipboard) {
  std::vector<VolumeWish> volumes;
  for (const auto& [name, size] : clipboard.map("volumes")) {
    check_name("volumes", name);
    const auto number = whole(size);
    if (!number || *number < kLeastVolume || *number > kMostVolume)
      refuse("volumes: " + name, size, "must be a size in GB, 10 to 10240");
    volumes.push_back({name, *number});
  }
  return volumes;
}

}  // namespace

bool LinodeSpec::wipes(const std::string& name) const {
  return std::find(wipe.begin(), wipe.end(), name) != wipe.end();
}

LinodeSpec linode_spec_of(const Clipboard& clipboard) {
  LinodeSpec spec;
  spec.guestid = clipboard.scalar("guestid").value_or("");
  spec.datacenter = clipboard.scalar("datacenter").value_or("");
  spec.size = clipboard.scalar("size").value_or("");
  spec.disks = disks_of(clipboard);
  spec.volumes = volumes_of(clipboard);
  spec.wipe = clipboard.list("wipe");
  spec.kernel = clipboard.scalar("kernel").value_or("");
  spec.rdns = yes(clipboard, "rdns");
  const std::size_t devices = (spec.disks.empty() ? 2 : spec.disks.size()) + spec.volumes.size();
  if (devices > kMostDevices) {
    throw Error(Kind::Usage, "disks, volumes: " + std::to_string(devices) + " of them, but a Linode has " +
                                 std::to_string(kMostDevices) + " devices");
  }
  for (const VolumeWish& volume : spec.volumes) {
    if (std::any_of(spec.disks.begin(), spec.disks.end(),
                    [&](const DiskWish& disk) { return disk.name == volume.name; }))
      refuse("volumes", volume.name, "is the name of a disk too");
  }
  return spec;
}

}  // namespace jarvis::providers
