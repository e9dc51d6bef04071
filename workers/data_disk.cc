#include "workers/data_disk.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "workers/fstab.h"
#include "workers/printable.h"

namespace jarvis::workers {

namespace {

using namespace std::chrono_literals;

constexpr const char* kFstab = "/etc/fstab";
constexpr const char* kMaking = "jarvis-making";  // label of a file system that is not finished
constexpr std::size_t kMostLabel = 16;            // of ext4
constexpr const char* kBusy = "busy";
constexpr auto kSoon = 2s;

// Fixed scripts; what varies comes as $1 $2.

// The first that is a block device, by the kernel's name. A pattern that fits two says nothing.
constexpr const char* kFind =
    "IFS=; for one do case $one in *\\**) set -- $one; [ $# -eq 1 ] || continue; one=$1;; esac; "
    "if [ -b \"$one\" ]; then exec readlink -f \"$one\"; fi; done";

// KEY=VALUE lines. wipefs reads the whole of what libblkid knows and fails where the device cannot be read.
constexpr const char* kLook =
    "signed=$(wipefs -n \"$1\") || exit 1; [ -z \"$signed\" ] || echo SIGNED=yes; "
    "blkid -p -o export \"$1\"; status=$?; [ $status -eq 0 ] || [ $status -eq 2 ] || echo UNCLEAR=yes; "
    "said=$(tune2fs -l \"$1\" 2>/dev/null); "
    "if echo \"$said\" | grep -q '^Mount count: *0$' && echo \"$said\" | grep -q '^Last mount time: *n/a$'; then "
    "echo UNUSED=yes; fi; "
    "read -r number < \"/sys/class/block/${1##*/}/dev\" || exit 1; "
    "while read -r id parent device root target rest; do "
    "[ \"$device\" != \"$number\" ] || echo \"MOUNTED=$target\"; done < /proc/self/mountinfo";

// Two words: what is at $1, and more about it.
constexpr const char* kPlace =
    "real=$(readlink -m \"$1\"); source=$(findmnt -rnv -o SOURCE --mountpoint \"$1\" | tail -n 1); "
    "if [ \"$real\" != \"$1\" ]; then echo \"elsewhere $real\"; "
    "elif [ -n \"$source\" ]; then echo \"mounted $source $(blkid -p -o value -s UUID \"$source\")\"; "
    "elif [ ! -e \"$1\" ]; then echo absent; elif [ ! -d \"$1\" ]; then echo file; "
    "elif [ -n \"$(ls -A \"$1\")\" ]; then echo full; else echo empty; fi";

// Keeps out an attempt of before whose connection is gone while it goes on (and udev, which takes the same lock), and
// looks once more: what somebody made meanwhile is looked at by the next attempt. The label comes last: until then this
// may be done again.
constexpr const char* kMake =
    "exec 9<\"$1\" || exit 1; flock -n 9 || { echo busy; exit 0; }; signed=$(wipefs -n \"$1\") || exit 1; "
    "if [ -n \"$signed\" ] && [ \"$(blkid -p -o value -s LABEL \"$1\")\" != \"$3\" ]; then "
    "echo busy; exit 0; fi; "
    "mkfs.ext4 -q -F -L \"$3\" \"$1\" < /dev/null && e2label \"$1\" \"$2\"";

constexpr const char* kMakePoint = "umask 022; exec mkdir -p -m 755 \"$1\"";

// By the line in fstab. systemd makes units of that file, and would take a mount off that an old one does not know.
constexpr const char* kMount =
    "if [ -d /run/systemd/system ]; then systemctl daemon-reload || :; fi; "
    "if [ -d /run/udev ]; then udevadm settle --timeout=10 || :; fi; exec mount \"$1\"";

constexpr const char* kDeviceOf =
    "case $1 in *=*) found=$(findfs \"$1\" 2>/dev/null) || exit 0;; *) found=$1;; esac; exec readlink -f \"$found\"";

std::string script(RemoteHost& host, const char* text, const char* called, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"sh", "-c", text, called};
  arguments.insert(arguments.end(), more.begin(), more.end());
  std::string said = host.run(arguments);
  while (!said.empty() && said.back() == '\n') said.pop_back();
  return said;
}

struct Look {
  std::string usage, type, uuid, label, table;
  bool is_signed = false, unclear = false, unused = false;
  std::vector<std::string> mounted;

  bool is_blank() const { return !is_signed && !unclear && type.empty() && table.empty(); }
  bool is_cut_short() const { return type == "ext4" && label == kMaking && unused && mounted.empty(); }
  bool is_to_be_made() const { return is_blank() || is_cut_short(); }
  // For people, of what is no file system.
  std::string shown() const {
    if (unclear) return "signatures of more than one kind";
    if (!table.empty()) return "a partition table (" + table + ")";
    return type.empty() ? "a signature" : type;
  }
};

Look look_at(RemoteHost& host, const std::string& device) {
  Look made;
  std::istringstream lines(script(host, kLook, "look at", {device}));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find('=');
    if (at == std::string::npos) continue;
    const std::string key = line.substr(0, at), value = line.substr(at + 1);
    if (key == "USAGE") made.usage = value;
    if (key == "TYPE") made.type = value;
    if (key == "UUID") made.uuid = value;
    if (key == "LABEL") made.label = value;
    if (key == "PTTYPE") made.table = value;
    if (key == "SIGNED") made.is_signed = true;
    if (key == "UNCLEAR") made.unclear = true;
    if (key == "UNUSED") made.unused = true;
    if (key == "MOUNTED") made.mounted.push_back(value);
  }
  return made;
}

// One disk on its way to its mount point.
class DataDisk {
 public:
  DataDisk(RemoteHost& host, const Mount& mount, std::string device)
      : host_(host), mount_(mount), device_(std::move(device)) {}

  void mount();

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(Kind::Permanent, mount_.name + " (" + device_ + "): " + why);
  }
  bool is_mounted();
  void must_be_usable(const Look& look) const;
  void make(const Look& before);
  bool is_in_fstab();
  void write_fstab();

  RemoteHost& host_;
  const Mount& mount_;
  const std::string device_;
  std::string uuid_, type_;  // none while it has no file system
  std::string place_;        // absent, empty: as long as nothing is mounted there
};

// Whether this very file system is on the mount point. Refuses what else is in the way there.
bool DataDisk::is_mounted() {
  std::istringstream said(script(host_, kPlace, "look at", {mount_.path}));
  std::string more, uuid;
  said >> place_ >> more >> uuid;
  if (place_ == "mounted" && !uuid_.empty() && uuid == uuid_) return true;
  if (place_ == "mounted") refuse("something else is mounted on " + mount_.path + ": " + printable(more, 80));
  if (place_ == "elsewhere") refuse(mount_.path + " is, or is behind, a link to " + printable(more, 80));
  if (place_ == "file") refuse(mount_.path + " is no directory");
  if (place_ == "full")
    refuse(mount_.path + " is not empty, and what is in it would be hidden: move it away, or mount elsewhere");
  return false;
}

void DataDisk::must_be_usable(const Look& look) const {
  if (look.is_to_be_made()) return;
  if (look.usage != "filesystem" || look.unclear) {
    refuse("it carries " + look.shown() + " and no file system; jarvis writes nothing on it (`wipefs -a " + device_ +
           "` on the host gives that up)");
  }
  const auto odd = [](char c) { return c != '-' && std::isalnum(static_cast<unsigned char>(c)) == 0; };
  if (look.uuid.empty() || std::any_of(look.uuid.begin(), look.uuid.end(), odd))
    refuse("its file system (" + look.type + ") has no UUID by which /etc/fstab could name it");
}

void DataDisk::make(const Look& before) {
  const std::string label = mount_.name.substr(0, kMostLabel);
  host_.call().progress("making ext4 on " + device_ + " for " + mount_.name);
  if (before.is_cut_short()) host_.call().log(device_ + ": making ext4 was cut short before, and begins anew");
  if (script(host_, kMake, "make ext4 on", {device_, label, kMaking}) == kBusy)
    not_yet(mount_.name + " (" + device_ + ") is being written by another program", kSoon);
  const Look now = look_at(host_, device_);
  if (now.type != "ext4" || now.label != label || now.uuid.empty())
    refuse("ext4 was made on it, but the host does not show it");
  uuid_ = now.uuid;
  type_ = now.type;
}

// Whether a line mounts this device there, under whatever name. Refuses the line of another one, and one that has this
// device elsewhere: jarvis takes nothing off.
bool DataDisk::is_in_fstab() {
  bool there = false;
  for (const FstabLine& line : fstab_lines(host_.read_file(kFstab))) {
    const bool by_uuid = !uuid_.empty() && line.device == "UUID=" + uuid_;
    const bool at_its_place = line.path == mount_.path;
    if (!by_uuid && !at_its_place) continue;
    if (!by_uuid && script(host_, kDeviceOf, "find", {line.device}) != device_) {
      refuse(std::string(kFstab) + " has " + printable(line.device, 80) + " on " + mount_.path +
             ": take that line out, or mount elsewhere");
    }
    if (!at_its_place) {
      refuse(std::string(kFstab) + " has it on " + printable(line.path, 80) + ", not on " + mount_.path +
             ": take that line out first");
    }
    there = true;
  }
  return there;
}

void DataDisk::write_fstab() {
  const std::string line = fstab_line(uuid_, mount_.path, type_);
  host_.append_file(kFstab, on_a_new_line(host_.read_file(kFstab), line), "644");
  if (!is_in_fstab()) refuse(std::string("its line was added to ") + kFstab + ", but the host does not show it");
}

void DataDisk::mount() {
  const Look before = look_at(host_, device_);
  must_be_usable(before);
  if (!before.is_to_be_made()) {
    uuid_ = before.uuid;
    type_ = before.type;
  }
  // Whatever is in the way is known before the first change.
  const bool mounted = is_mounted();
  if (!mounted && !before.mounted.empty())
    refuse("it is mounted on " + printable(before.mounted.front(), 80) + ", not on " + mount_.path);
  const bool in_fstab = is_in_fstab();
  if (uuid_.empty()) make(before);
  if (place_ == "absent") script(host_, kMakePoint, "make", {mount_.path});
  if (!in_fstab) write_fstab();
  if (!mounted) {
    script(host_, kMount, "mount", {mount_.path});
    // `nofail` lets mount(8) say that all is well where nothing was mounted.
    if (!is_mounted()) not_yet("nothing is mounted on " + mount_.path + " yet", kSoon);
  }
  host_.call().log(mount_.name + " (" + device_ + ", " + type_ + ", UUID " + uuid_ + ") is " + (mounted ? "" : "now ") +
                   "mounted on " + mount_.path);
}

}  // namespace

void mount_disk(RemoteHost& host, const Mount& mount, const std::vector<std::string>& devices) {
  std::string device = script(host, kFind, "find", devices);
  if (device.empty()) not_yet("the host has no " + devices.front() + " yet, which " + mount.name + " is", kSoon);
  DataDisk(host, mount, std::move(device)).mount();
}

}  // namespace jarvis::workers
