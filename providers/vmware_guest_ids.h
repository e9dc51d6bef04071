// The guest ids of vSphere's API ("debian12_64Guest"): what a host says it knows, else the table of the API, and what
// hardware suits them. Asks a host's environment browser; the table is pure.
// Source: vSphere Web Services API, VirtualMachineGuestOsIdentifier, GuestOsDescriptor.
#pragma once

#include "providers/vmware_inventory.h"

namespace jarvis::providers::vmware {

struct GuestKind {
  std::string id;
  std::string disk_controller;  // ParaVirtualSCSIController ...
};

const std::vector<std::string>& known_guest_ids();
bool is_scsi_controller(const std::string& type);
// What fits where the host does not say.
std::string usual_disk_controller(const std::string& guest_id);

// Whether it can be one at all; what cannot is the name of a template, wherever the machine will be. Pure.
bool could_be_guest_id(const std::string& id);

// Error(Usage) "guestid: X is neither a template in WHERE nor a guest id of the host; did you mean Y?"; `templates` are
// the names that could have been meant.
GuestKind guest_kind(Session& session, const Reference& environment, const std::string& id,
                     const std::vector<std::string>& templates, const std::string& where);

}  // namespace jarvis::providers::vmware
