#include "workers/mounts.h"

#include <algorithm>

#include "workers/printable.h"

namespace jarvis::workers {

namespace {

constexpr const char* kMounts = "mounts";
constexpr const char* kDevices = "devices";
constexpr const char* kMounted = "mounted";
constexpr const char* kUsual = "opt";  // a disk of this name is on /opt unless the spec says otherwise
constexpr std::size_t kMostPath = 255;
// With their own contents, which a disk would hide.
constexpr const char* kSystem[] = {"/bin",  "/boot", "/dev", "/etc",  "/lib", "/lib32", "/lib64", "/libx32",
                                   "/proc", "/root", "/run", "/sbin", "/sys", "/tmp",   "/usr"};
constexpr const char* kKernels[] = {"/dev/", "/proc/", "/sys/", "/run/"};  // gone at the next boot

[[noreturn]] void refuse(const Mount& mount, const std::string& why) {
  throw Error(Kind::Usage,
              std::string(kMounts) + ": " + printable(mount.name, 60) + ": `" + printable(mount.path, 80) + "` " + why);
}

bool is_normal(const std::string& path) {
  if (path.size() < 2 || path.back() == '/' || path.find("//") != std::string::npos) return false;
  const std::string ended = path + "/";
  return ended.find("/./") == std::string::npos && ended.find("/../") == std::string::npos;
}

void check_path(const Mount& mount) {
  const std::string& path = mount.path;
  const auto breaks_fstab = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '\\'; };
  if (path.empty() || path.front() != '/') refuse(mount, "must be an absolute path, such as /srv/data");
  if (path == "/") refuse(mount, "is the root itself; a directory such as /srv/data is meant");
  if (std::any_of(path.begin(), path.end(), breaks_fstab))
    refuse(mount, "must hold no blanks, control characters or backslashes, as /srv/data");
  if (!is_normal(path)) refuse(mount, "must be written without //, /./, /../ and a / at its end, as /srv/data");
  if (path.size() > kMostPath) refuse(mount, "must have at most " + std::to_string(kMostPath) + " characters");
  const bool own = std::any_of(std::begin(kSystem), std::end(kSystem), [&](const char* one) { return path == one; });
  const bool below =
      std::any_of(std::begin(kKernels), std::end(kKernels), [&](const char* one) { return path.starts_with(one); });
  if (own || below) refuse(mount, "is the system's own; a directory such as /srv/data is meant");
}

std::vector<std::string> names_in(const Clipboard& clipboard) {
  std::vector<std::string> names;
  for (const auto& [name, size] : clipboard.map("disks"))
    if (name != "root" && name != "swap") names.push_back(name);
  for (const auto& [name, size] : clipboard.map("volumes")) names.push_back(name);
  return names;
}

std::string listed(const std::vector<std::string>& names) {
  if (names.empty()) return "the spec has none (`disks`, `volumes`)";
  std::string made = "there are:";
  for (const std::string& name : names) made += " " + printable(name, 60);
  return made;
}

// What needs no quotes in YAML and is no option to anybody.
bool is_device_path(const std::string& path) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._:@+*-").find(c) != std::string_view::npos;
  };
  return path.starts_with("/dev/") && is_normal(path) && std::all_of(path.begin(), path.end(), fits);
}

// A mapping as a clipboard of its own, in whatever style a task before wrote it.
Clipboard below(const Clipboard& clipboard, const char* key) {
  if (!clipboard.mapping(key)) return Clipboard::parse("{}");
  const Clipboard block = clipboard.block_style();
  const std::string_view value = block.raw(key);
  const auto at = static_cast<std::size_t>(value.data() - block.text().data());
  const std::size_t line = block.text().rfind('\n', at) + 1;  // 0 in the first one
  return Clipboard::parse(std::string(at - line, ' ') + std::string(value) + "\n");
}

}  // namespace

std::vector<Mount> mounts_of(const Clipboard& clipboard) {
  const std::vector<std::string> names = names_in(clipboard);
  const auto is_there = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<Mount> mounts;
  if (!clipboard.has(kMounts) || clipboard.null(kMounts)) {
    if (is_there(kUsual)) mounts.push_back({kUsual, std::string("/") + kUsual});
    return mounts;
  }
  if (!clipboard.mapping(kMounts))
    throw Error(Kind::Usage, std::string(kMounts) + ": a mapping is expected, such as {data: /srv/data}");
  for (const auto& [name, path] : clipboard.map(kMounts)) {
    Mount mount{name, path};
    if (!is_there(name)) {
      throw Error(Kind::Usage, std::string(kMounts) + ": `" + printable(name, 60) +
                                   "` is no data disk and no volume of the spec; " + listed(names));
    }
    check_path(mount);
    for (const Mount& other : mounts)
      if (other.path == path) refuse(mount, "is where " + printable(other.name, 60) + " is mounted; it needs another");
    mounts.push_back(std::move(mount));
  }
  std::sort(mounts.begin(), mounts.end(), [](const Mount& a, const Mount& b) { return a.path < b.path; });
  return mounts;
}

void set_devices(Clipboard& clipboard, const Devices& devices) {
  std::string text;
  for (const auto& [name, paths] : devices) {
    std::string list;
    for (const std::string& path : paths)
      if (is_device_path(path)) list += (list.empty() ? "" : ", ") + path;
    if (!list.empty()) text += (text.empty() ? "'" : ", '") + name + "': [" + list + "]";
  }
  if (text.empty()) return clipboard.erase(kDevices);
  clipboard.set_raw(kDevices, "{" + text + "}");
}

std::vector<std::string> devices_of(const Clipboard& clipboard, const std::string& name) {
  auto devices = below(clipboard, kDevices).list(name);
  if (devices.empty()) {
    throw Error(Kind::Usage, std::string(kDevices) + ": nobody said which device `" + printable(name, 60) +
                                 "` is; the provider's deploy does, once it is attached");
  }
  for (const std::string& device : devices) {
    if (!is_device_path(device))
      throw Error(Kind::Usage, std::string(kDevices) + ": " + printable(name, 60) + ": `" + printable(device, 80) +
                                   "` is no path below /dev");
  }
  return devices;
}

bool known_as_mounted(const Clipboard& clipboard, const Mount& mount) {
  for (const auto& [name, path] : clipboard.map(kMounted))
    if (name == mount.name && path == mount.path) return true;
  return false;
}

void set_mounted(Clipboard& clipboard, const std::vector<Mount>& mounts) {
  if (mounts.empty()) return clipboard.erase(kMounted);
  std::vector<std::pair<std::string, std::string>> pairs;
  pairs.reserve(mounts.size());
  for (const Mount& mount : mounts) pairs.emplace_back(mount.name, mount.path);
  clipboard.set_map(kMounted, pairs);
}

}  // namespace jarvis::workers
