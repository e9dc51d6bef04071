#include "providers/ec2_answer.h"

#include <algorithm>
#include <cstring>

#include "providers/ec2_query.h"

namespace jarvis::providers {

namespace {

Tagged tags_at(const pugi::xml_node& item) {
  Tagged tags;
  for (const auto& tag : item.child("tagSet").children("item")) tags[text_at(tag, "key")] = text_at(tag, "value");
  return tags;
}

void add_once(std::vector<std::string>& list, const std::string& text) {
  if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

// Public IPv4, then private IPv4, then IPv6.
void read_network(const pugi::xml_node& item, Ec2Instance& made) {
  add_once(made.addresses, text_at(item, "ipAddress"));
  const auto cards = item.child("networkInterfaceSet").children("item");
  for (const auto& card : cards) add_once(made.addresses, text_at(card, "association/publicIp"));
  add_once(made.addresses, text_at(item, "privateIpAddress"));
  for (const auto& card : cards) {
    add_once(made.addresses, text_at(card, "privateIpAddress"));
    add_once(made.macs, text_at(card, "macAddress"));
  }
  for (const auto& card : cards) {
    for (const auto& address : card.child("ipv6AddressesSet").children("item"))
      add_once(made.addresses, text_at(address, "ipv6Address"));
  }
}

}  // namespace

std::string text_at(const pugi::xml_node& node, const char* path) {
  return node.first_element_by_path(path).text().get();
}

std::unique_ptr<pugi::xml_document> read_answer(const std::string& body, const std::string& action) {
  auto document = std::make_unique<pugi::xml_document>();
  if (!document->load_buffer(body.data(), body.size())) return nullptr;
  if (document->document_element().name() != action + "Response") return nullptr;
  return document;
}

std::optional<Ec2Fault> read_fault(const std::string& body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return {};
  const pugi::xml_node root = document.document_element();
  if (std::strcmp(root.name(), "Response") != 0 && std::strcmp(root.name(), "ErrorResponse") != 0) return {};
  pugi::xml_node error = root.first_element_by_path("Errors/Error");
  if (!error) error = root.child("Error");
  Ec2Fault fault{text_at(error, "Code"), text_at(error, "Message"), text_at(root, "RequestID")};
  if (fault.request.empty()) fault.request = text_at(root, "RequestId");
  if (fault.code.empty()) return {};
  return fault;
}

bool is_temporary_code(const std::string& code) {
  constexpr const char* kTemporary[] = {
      "RequestLimitExceeded",
      "Throttling",
      "ThrottlingException",
      "EC2ThrottledException",
      "RequestThrottled",
      "ServiceUnavailable",
      "Unavailable",
      "InternalError",
      "InternalFailure",
      "Server.InternalError",
      "RequestTimeout",
      "InsufficientInstanceCapacity",
      "InsufficientCapacity",
      "InsufficientVolumeCapacity",
      "InsufficientAddressCapacity",
      "ConcurrentTagAccess",
  };
  return std::any_of(std::begin(kTemporary), std::end(kTemporary), [&](const char* known) { return code == known; });
}

bool is_credentials_code(const std::string& code) {
  constexpr const char* kCredentials[] = {
      "AuthFailure",    "SignatureDoesNotMatch", "InvalidClientTokenId", "UnrecognizedClientException", "ExpiredToken",
      "RequestExpired", "IncompleteSignature",   "InvalidSecurity",      "ExpiredTokenException",
  };
  return std::any_of(std::begin(kCredentials), std::end(kCredentials),
                     [&](const char* known) { return code == known; });
}

Ec2Instance instance_of(const pugi::xml_node& item) {
  Ec2Instance made;
  made.id = text_at(item, "instanceId");
  made.image = text_at(item, "imageId");
  made.type = text_at(item, "instanceType");
  made.zone = text_at(item, "placement/availabilityZone");
  made.subnet = text_at(item, "subnetId");
  made.vpc = text_at(item, "vpcId");
  made.state = text_at(item, "instanceState/name");
  made.reason_code = text_at(item, "stateReason/code");
  made.reason = text_at(item, "stateReason/message");
  made.created = text_at(item, "launchTime");  // of its newest start: see below
  made.root_device = text_at(item, "rootDeviceName");
  made.key = text_at(item, "keyName");
  made.tags = tags_at(item);
  read_network(item, made);
  for (const auto& group : item.child("groupSet").children("item")) add_once(made.groups, text_at(group, "groupId"));
  for (const auto& disk : item.child("blockDeviceMapping").children("item")) {
    const pugi::xml_node ebs = disk.child("ebs");
    made.disks.push_back({text_at(disk, "deviceName"), text_at(ebs, "volumeId"), text_at(ebs, "status"),
                          text_at(ebs, "deleteOnTermination") == "true"});
    // The root volume has been there since the first one.
    const std::string attached = text_at(ebs, "attachTime");
    if (made.disks.back().device == made.root_device && !attached.empty() && attached < made.created)
      made.created = attached;
  }
  return made;
}

Ec2Volume volume_of(const pugi::xml_node& item) {
  Ec2Volume made;
  made.id = text_at(item, "volumeId");
  made.zone = text_at(item, "availabilityZone");
  made.state = text_at(item, "status");
  made.created = text_at(item, "createTime");
  made.type = text_at(item, "volumeType");
  made.gigabytes = item.child("size").text().as_int();
  const pugi::xml_node attachment = item.first_element_by_path("attachmentSet/item");
  made.machine = text_at(attachment, "instanceId");
  made.device = text_at(attachment, "device");
  made.attached = text_at(attachment, "status");
  if (made.attached == "detached") made.machine = made.device = made.attached = "";
  made.tags = tags_at(item);
  return made;
}

Ec2Address address_of(const pugi::xml_node& item) {
  return {text_at(item, "allocationId"),  text_at(item, "publicIp"),           text_at(item, "instanceId"),
          text_at(item, "associationId"), text_at(item, "networkInterfaceId"), tags_at(item)};
}

std::string tag_of(const Tagged& tags, const std::string& key) {
  const auto found = tags.find(key);
  return found == tags.end() ? "" : found->second;
}

std::optional<Marks> marks_of(const Tagged& tags) {
  if (tag_of(tags, kFqdnTag).empty()) return {};
  return Marks{tag_of(tags, kFqdnTag), tag_of(tags, kRunTag), tag_of(tags, kStepTag)};
}

}  // namespace jarvis::providers
