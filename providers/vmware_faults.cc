#include "providers/vmware_faults.h"

#include <iterator>

#include "workers/printable.h"

namespace jarvis::providers::vmware {

using pipeline::Kind;

namespace {

struct Meaning {
  const char* type;
  Kind kind;
  // {FIELD} is the text of that element of the fault; a part in [] is left out when a field in it is empty.
  const char* sentence;
};

constexpr Meaning kMeanings[] = {
    {"InvalidLogin", Kind::Permanent, "user or password is refused"},
    {"NotAuthenticated", Kind::Transient, "the session has ended"},
    {"NoPermission", Kind::Permanent, "the right to do this is missing[: privilege {privilegeId}][ on {object}]"},
    {"ManagedObjectNotFound", Kind::Permanent, "it is gone[: {obj}]"},
    {"DuplicateName", Kind::Permanent, "the name is taken[: {name}]"},
    {"InvalidName", Kind::Permanent, "the name is not allowed[: {name}]"},
    {"NoDiskSpace", Kind::Permanent, "not enough space[ on datastore {datastore}]"},
    {"InvalidDatastore", Kind::Permanent, "the datastore cannot be used here[: {name}]"},
    {"InvalidDatastorePath", Kind::Permanent, "the datastore has no such path[: {datastorePath}]"},
    {"InaccessibleDatastore", Kind::Permanent,
     "the datastore is not accessible[: {name}]; is its storage presented to the host?"},
    {"DatastoreNotWritableOnHost", Kind::Permanent, "the host may not write to the datastore[ {name}]"},
    {"FileAlreadyExists", Kind::Permanent, "a file of that name is there already[: {file}]"},
    {"FileNotFound", Kind::Permanent, "the file is not there[: {file}]"},
    {"FileLocked", Kind::Transient, "the file is in use[: {file}]"},
    {"CannotCreateFile", Kind::Permanent, "the file cannot be written[: {file}]"},
    {"CannotAccessFile", Kind::Permanent, "the file cannot be read[: {file}]"},
    {"InvalidPowerState", Kind::Permanent,
     "not in this power state[: it must be {requestedState}][ and is {existingState}]"},
    {"InvalidState", Kind::Transient, "not in a state that allows it now"},
    {"InvalidHostState", Kind::Permanent, "the host is not in a state that allows it"},
    {"HostNotConnected", Kind::Permanent, "the host is not connected to vCenter"},
    {"NotSupported", Kind::Permanent, "this server does not do that"},
    {"RestrictedVersion", Kind::Permanent, "the licence of this host forbids changes over its API"},
    {"LicenseExpired", Kind::Permanent, "the licence has expired[: {licenseKey}]"},
    {"InvalidLicense", Kind::Permanent, "the licence does not cover this"},
    {"InvalidArgument", Kind::Permanent, "a value is refused[: {invalidProperty}]"},
    {"InvalidProperty", Kind::Permanent, "there is no such property[: {name}]"},
    {"InvalidRequest", Kind::Permanent, "the request is not understood"},
    {"InvalidVmConfig", Kind::Permanent, "the machine's configuration is refused[: {property}]"},
    {"InvalidDeviceSpec", Kind::Permanent, "a device of the machine is refused[: {property}]"},
    {"ToolsUnavailable", Kind::Permanent, "VMware tools do not run in the guest"},
    {"TaskInProgress", Kind::Transient, "another task is at work on it"},
    {"ConcurrentAccess", Kind::Transient, "somebody else changes it at the same time"},
    {"ResourceInUse", Kind::Transient, "it is in use[: {name}]"},
    {"HostCommunication", Kind::Transient, "vCenter does not reach the host"},
    {"HostNotReachable", Kind::Transient, "vCenter does not reach the host"},
    {"Timedout", Kind::Transient, "it took too long"},
    {"RequestCanceled", Kind::Permanent, "somebody cancelled it"},
    {"TooManyTasks", Kind::Transient, "too many tasks at once"},
    {"TooManyConcurrentNativeClones", Kind::Transient, "too many clones at once"},
    {"InsufficientCpuResourcesFault", Kind::Permanent,
     "not enough CPU in the resource pool[: {requested} MHz asked][, {unreserved} MHz free]"},
    {"InsufficientMemoryResourcesFault", Kind::Permanent,
     "not enough memory in the resource pool[: {requested} bytes asked][, {unreserved} bytes free]"},
    {"InsufficientHostCapacityFault", Kind::Permanent, "the host has not enough capacity"},
    {"InsufficientResourcesFault", Kind::Permanent, "not enough resources"},
};

std::string value_of(pugi::xml_node fault, const std::string& field) {
  return workers::printable(text(fault, field), 120);
}

std::string filled(std::string_view sentence, pugi::xml_node fault) {
  std::string made, part;
  bool optional = false, lacks = false;
  for (std::size_t i = 0; i < sentence.size(); ++i) {
    const char c = sentence[i];
    if (c == '[') {
      optional = true;
      lacks = false;
      part.clear();
    } else if (c == ']') {
      if (!lacks) made += part;
      optional = false;
    } else if (c == '{') {
      const std::size_t end = sentence.find('}', i);
      const std::string value = value_of(fault, std::string(sentence.substr(i + 1, end - i - 1)));
      lacks = lacks || value.empty();
      (optional ? part : made) += value;
      i = end;
    } else {
      (optional ? part : made) += c;
    }
  }
  return made;
}

const Meaning* meaning_of(const std::string& type) {
  for (const Meaning& one : kMeanings)
    if (type == one.type) return &one;
  // A family with many members.
  return type.starts_with("Insufficient") ? &kMeanings[std::size(kMeanings) - 1] : nullptr;
}

}  // namespace

Fault fault_of(pugi::xml_node fault, const std::string& words) {
  std::string type = xsi_type(fault);
  if (type.empty()) {
    type = std::string(local_name(fault.name()));
    if (type.ends_with("Fault")) type.resize(type.size() - 5);
  }
  type = workers::printable(type, 80);
  const std::string said = workers::printable(words, 300);
  const Meaning* meaning = meaning_of(type);
  if (meaning == nullptr)
    return {Kind::Permanent, type,
            (said.empty() ? "vSphere refuses it" : said) + (type.empty() ? "" : " (" + type + ")")};
  const std::string own = filled(meaning->sentence, fault);
  return {meaning->kind, type, own + (said.empty() ? " (" + type + ")" : " (" + type + ": " + said + ")")};
}

Fault localized_fault(pugi::xml_node localized) {
  return fault_of(child(localized, "fault"), text(localized, "localizedMessage"));
}

}  // namespace jarvis::providers::vmware
