// What EC2 answers (XML, API version 2016-11-15), read into values. A field that an answer lacks is empty; what must be
// there for anything to be done with it (an id) is the caller's to ask for. Pure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "providers/provider.h"

namespace jarvis::providers {

using Tagged = std::map<std::string, std::string>;

// An answer whose root is ACTIONResponse; nothing for anything else (no XML, a page of a proxy, half a document).
std::unique_ptr<pugi::xml_document> read_answer(const std::string& body, const std::string& action);

struct Ec2Fault {
  std::string code, message, request;
};
// Of an answer that is a refusal: Errors/Error or Error, in a Response or an ErrorResponse.
std::optional<Ec2Fault> read_fault(const std::string& body);
// Whether a fault of this code may pass by itself (EC2 API Reference, "Error codes").
bool is_temporary_code(const std::string& code);
// Codes of credentials that are wrong or over.
bool is_credentials_code(const std::string& code);

struct Ec2Instance {
  struct Disk {
    std::string device, volume, status;  // status: attaching attached detaching
    bool dies_with_it = false;           // DeleteOnTermination
  };
  std::string id, image, type, zone, subnet, vpc, state, reason_code, reason, created, root_device, key;
  Tagged tags;
  std::vector<std::string> addresses, macs, groups;
  std::vector<Disk> disks;

  bool gone() const { return state == "shutting-down" || state == "terminated"; }
};
Ec2Instance instance_of(const pugi::xml_node& item);

struct Ec2Volume {
  std::string id, zone, state, created, type;  // state: creating available in-use deleting deleted error
  int gigabytes = 0;
  std::string machine, device, attached;  // attached: attaching attached detaching busy; empty: with no machine
  Tagged tags;
};
Ec2Volume volume_of(const pugi::xml_node& item);

struct Ec2Address {
  std::string id, ip, machine, association;
  std::string card;  // the network interface, of a machine or of something else
  Tagged tags;
};
Ec2Address address_of(const pugi::xml_node& item);

// Nothing without jarvis:fqdn.
std::optional<Marks> marks_of(const Tagged& tags);
std::string tag_of(const Tagged& tags, const std::string& key);
// The text of a child, or of a path of children ("instanceState/name").
std::string text_at(const pugi::xml_node& node, const char* path);

}  // namespace jarvis::providers
