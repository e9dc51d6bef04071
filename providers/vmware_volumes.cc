#include "providers/vmware_volumes.h"

#include <algorithm>
#include <charconv>

#include "providers/vmware_faults.h"
#include "workers/printable.h"

namespace jarvis::providers::vmware {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr const char* kFolder = "jarvis-volumes";
constexpr std::string_view kSuffix = ".vmdk";
constexpr std::int64_t kMostGigabytes = 62L * 1024;  // of a virtual disk

bool fit_name(const std::string& name) {
  // "-flat" is how vSphere names the file that holds a disk's blocks.
  return !name.empty() && name.size() <= 40 && !name.ends_with("-flat") &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
         });
}

}  // namespace

std::vector<std::pair<std::string, std::int64_t>> wanted_volumes(const workers::Clipboard& clipboard) {
  std::vector<std::pair<std::string, std::int64_t>> made;
  for (const auto& [name, written] : clipboard.map("volumes")) {
    const std::string begin = "volumes: " + workers::printable(name, 60);
    if (!fit_name(name))
      throw Error(Kind::Usage, begin + " must be 1 to 40 letters, digits and dashes, not ending in -flat");
    std::int64_t gigabytes = 0;
    const auto [end, fault] = std::from_chars(written.data(), written.data() + written.size(), gigabytes);
    if (fault != std::errc() || end != written.data() + written.size() || gigabytes < 1 || gigabytes > kMostGigabytes)
      throw Error(Kind::Usage, begin + ": " + workers::printable(written, 40) + " must be a number of GB, 1 to " +
                                   std::to_string(kMostGigabytes));
    made.emplace_back(name, gigabytes);
  }
  return made;
}

std::string volume_file(const std::string& datastore, const std::string& fqdn, const std::string& name) {
  return "[" + datastore + "] " + kFolder + "/" + fqdn + "_" + name + std::string(kSuffix);
}

std::optional<std::pair<std::string, std::string>> volume_of(const std::string& file) {
  const std::string begin = std::string("] ") + kFolder + "/";
  const std::size_t at = file.find(begin);
  if (at == std::string::npos || !file.ends_with(kSuffix)) return std::nullopt;
  const std::string stem = file.substr(at + begin.size(), file.size() - at - begin.size() - kSuffix.size());
  const std::size_t bar = stem.find('_');
  if (bar == std::string::npos || bar == 0 || !fit_name(stem.substr(bar + 1))) return std::nullopt;
  return std::make_pair(stem.substr(0, bar), stem.substr(bar + 1));
}

std::vector<Volume> Volumes::find(const std::vector<Datastore>& datastores, const std::string& fqdn,
                                  Unreadable unreadable) {
  std::vector<Volume> made;
  for (const Datastore& datastore : datastores) {
    if (!datastore.browser) continue;
    Xml search;
    search.typed(
        "query", "VmDiskFileQuery",
        Xml().in("details", Xml().flag("diskType", false).flag("capacityKb", true).flag("hardwareVersion", false)));
    search.in(
        "details",
        Xml().flag("fileType", true).flag("fileSize", false).flag("modification", false).flag("fileOwner", false));
    search.leaf("matchPattern", (fqdn.empty() ? "*" : fqdn + "_*") + std::string(kSuffix));
    try {
      const Object done = tasks_.follow(
          tasks_.start("SearchDatastore_Task", datastore.browser,
                       Xml().leaf("datastorePath", "[" + datastore.name + "] " + kFolder).in("searchSpec", search)),
          "looking for volumes on " + datastore.name);
      for (const pugi::xml_node& found : children(child(done.node("info"), "result"), "file")) {
        const std::string file = "[" + datastore.name + "] " + kFolder + "/" + text(found, "path");
        const auto whose = volume_of(file);
        if (!whose || (!fqdn.empty() && whose->first != fqdn)) continue;
        made.push_back({whose->first, whose->second, file, datastore, number(found, "capacityKb")});
      }
    } catch (const Fault& e) {
      if (e.is("FileNotFound")) continue;  // nobody has made a volume there
      if (unreadable == Unreadable::Fails || e.kind() == Kind::Transient) throw;
      call_.log("volumes on " + datastore.name + " cannot be listed: " + e.what());
    }
  }
  return made;
}

void Volumes::make_folder(const Datastore& datastore, const Reference& datacenter) {
  try {
    (void)session_.call("MakeDirectory", session_.service().file_manager,
                        Xml()
                            .leaf("name", "[" + datastore.name + "] " + kFolder)
                            .ref("datacenter", datacenter)
                            .flag("createParentDirectories", true),
                        Repeat::Changes);
  } catch (const Fault& e) {
    if (!e.is("FileAlreadyExists")) throw;
  }
}

void Volumes::remove(const Volume& volume, const Reference& datacenter) {
  try {
    (void)tasks_.perform("DeleteVirtualDisk_Task", session_.service().virtual_disk_manager,
                         Xml().leaf("name", volume.file).ref("datacenter", datacenter),
                         "deleting volume " + volume.file);
  } catch (const Fault& e) {
    if (!e.is("FileNotFound")) throw;
  }
}

}  // namespace jarvis::providers::vmware
