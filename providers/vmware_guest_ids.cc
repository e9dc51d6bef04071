#include "providers/vmware_guest_ids.h"

#include <algorithm>

#include "providers/vmware_faults.h"
#include "providers/vmware_names.h"
#include "workers/printable.h"

namespace jarvis::providers::vmware {

using pipeline::Error;
using pipeline::Kind;

namespace {

struct Offered {
  std::vector<std::string> ids;
  std::string controller;  // that the host recommends for the id that was asked for
};

// A host that does not know the id answers with all that it knows.
Offered offered_by(Session& session, const Reference& environment, const std::string& id) {
  Offered made;
  try {
    const Answer answer =
        session.call("QueryConfigOptionEx", environment, Xml().in("spec", Xml().leaf("guestId", id)), Repeat::Looks);
    for (const pugi::xml_node& one : children(answer.returned(), "guestOSDescriptor")) {
      made.ids.push_back(text(one, "id"));
      if (made.ids.back() != id) continue;
      // Disks go on SCSI here, whatever else the host would prefer.
      for (const char* said : {"recommendedDiskController", "recommendedSCSIController"})
        if (made.controller.empty() && is_scsi_controller(text(one, said))) made.controller = text(one, said);
    }
  } catch (const Fault& e) {
    if (e.kind() == Kind::Transient || e.is("NoPermission")) throw;  // else: not asked like this, so the table decides
  }
  return made;
}

}  // namespace

const std::vector<std::string>& known_guest_ids() {
  // clang-format off
  static const std::vector<std::string> kIds = {
      "win2000ProGuest", "win2000ServGuest", "win2000AdvServGuest", "winXPHomeGuest", "winXPProGuest",
      "winXPPro64Guest", "winNetWebGuest", "winNetStandardGuest", "winNetEnterpriseGuest",
      "winNetDatacenterGuest", "winNetBusinessGuest", "winNetStandard64Guest", "winNetEnterprise64Guest",
      "winLonghornGuest", "winLonghorn64Guest", "winNetDatacenter64Guest", "winVistaGuest", "winVista64Guest",
      "windows7Guest", "windows7_64Guest", "windows7Server64Guest", "windows8Guest", "windows8_64Guest",
      "windows8Server64Guest", "windows9Guest", "windows9_64Guest", "windows9Server64Guest",
      "windows11_64Guest", "windows12_64Guest", "windowsHyperVGuest", "windows2019srv_64Guest",
      "windows2019srvNext_64Guest", "windows2022srvNext_64Guest", "freebsdGuest", "freebsd64Guest",
      "freebsd11Guest", "freebsd11_64Guest", "freebsd12Guest", "freebsd12_64Guest", "freebsd13Guest",
      "freebsd13_64Guest", "freebsd14Guest", "freebsd14_64Guest", "freebsd15Guest", "freebsd15_64Guest",
      "redhatGuest", "rhel2Guest", "rhel3Guest", "rhel3_64Guest", "rhel4Guest", "rhel4_64Guest", "rhel5Guest",
      "rhel5_64Guest", "rhel6Guest", "rhel6_64Guest", "rhel7Guest", "rhel7_64Guest", "rhel8_64Guest",
      "rhel9_64Guest", "rhel10_64Guest", "centosGuest", "centos64Guest", "centos6Guest", "centos6_64Guest",
      "centos7Guest", "centos7_64Guest", "centos8_64Guest", "centos9_64Guest", "oracleLinuxGuest",
      "oracleLinux64Guest", "oracleLinux6Guest", "oracleLinux6_64Guest", "oracleLinux7Guest",
      "oracleLinux7_64Guest", "oracleLinux8_64Guest", "oracleLinux9_64Guest", "oracleLinux10_64Guest",
      "suseGuest", "suse64Guest", "slesGuest", "sles64Guest", "sles10Guest", "sles10_64Guest", "sles11Guest",
      "sles11_64Guest", "sles12Guest", "sles12_64Guest", "sles15_64Guest", "sles16_64Guest", "ubuntuGuest",
      "ubuntu64Guest", "debian4Guest", "debian4_64Guest", "debian5Guest", "debian5_64Guest", "debian6Guest",
      "debian6_64Guest", "debian7Guest", "debian7_64Guest", "debian8Guest", "debian8_64Guest", "debian9Guest",
      "debian9_64Guest", "debian10Guest", "debian10_64Guest", "debian11Guest", "debian11_64Guest",
      "debian12Guest", "debian12_64Guest", "debian13Guest", "debian13_64Guest", "asianux3Guest",
      "asianux3_64Guest", "asianux4Guest", "asianux4_64Guest", "asianux5_64Guest", "asianux7_64Guest",
      "asianux8_64Guest", "asianux9_64Guest", "miraclelinux_64Guest", "pardus_64Guest", "opensuseGuest",
      "opensuse64Guest", "fedoraGuest", "fedora64Guest", "coreos64Guest", "vmwarePhoton64Guest",
      "other24xLinuxGuest", "other26xLinuxGuest", "otherLinuxGuest", "other3xLinuxGuest", "other4xLinuxGuest",
      "other5xLinuxGuest", "other6xLinuxGuest", "other7xLinuxGuest", "genericLinuxGuest",
      "other24xLinux64Guest", "other26xLinux64Guest", "other3xLinux64Guest", "other4xLinux64Guest",
      "other5xLinux64Guest", "other6xLinux64Guest", "other7xLinux64Guest", "otherLinux64Guest", "solaris6Guest",
      "solaris7Guest", "solaris8Guest", "solaris9Guest", "solaris10Guest", "solaris10_64Guest",
      "solaris11_64Guest", "fusionos_64Guest", "prolinux_64Guest", "kylinlinux_64Guest", "amazonlinux2_64Guest",
      "amazonlinux3_64Guest", "rockylinux_64Guest", "almalinux_64Guest", "otherGuest", "otherGuest64"
  };
  // clang-format on
  return kIds;
}

bool is_scsi_controller(const std::string& type) {
  for (const char* one : {"ParaVirtualSCSIController", "VirtualLsiLogicController", "VirtualLsiLogicSASController",
                          "VirtualBusLogicController"})
    if (type == one) return true;
  return false;
}

std::string usual_disk_controller(const std::string& guest_id) {
  if (guest_id.starts_with("win")) return "VirtualLsiLogicSASController";
  for (const char* old :
       {"debian4", "debian5", "debian6", "debian7", "rhel2", "rhel3", "rhel4", "rhel5", "centosGuest", "centos64Guest",
        "other24x", "suse", "slesGuest", "sles64Guest", "sles10", "solaris", "freebsd", "redhat"})
    if (guest_id.starts_with(old)) return "VirtualLsiLogicController";
  return "ParaVirtualSCSIController";
}

bool could_be_guest_id(const std::string& id) {
  // Newer hosts know more than the table: all of vSphere's end so, but for otherGuest64.
  const auto& ids = known_guest_ids();
  return id.ends_with("Guest") || std::find(ids.begin(), ids.end(), id) != ids.end();
}

GuestKind guest_kind(Session& session, const Reference& environment, const std::string& id,
                     const std::vector<std::string>& templates, const std::string& where) {
  Offered offered;
  if (environment) offered = offered_by(session, environment, id);
  if (offered.ids.empty()) offered.ids = known_guest_ids();
  if (std::find(offered.ids.begin(), offered.ids.end(), id) != offered.ids.end())
    return {id, offered.controller.empty() ? usual_disk_controller(id) : offered.controller};
  std::vector<std::string> all = templates;
  all.insert(all.end(), offered.ids.begin(), offered.ids.end());
  const auto near = pipeline::nearest(id, all);
  std::vector<Named> named;
  named.reserve(templates.size());
  for (const std::string& name : templates) named.push_back({name, ""});
  throw Error(Kind::Usage, "guestid: " + workers::printable(id, 80) + " is neither a template in " + where +
                               " nor a guest id that its host knows (such as " + offered.ids.front() + ")" +
                               (near                ? "; did you mean " + workers::printable(*near, 80) + "?"
                                : templates.empty() ? "; there are no templates"
                                                    : "; templates are " + shown_names(named)));
}

}  // namespace jarvis::providers::vmware
