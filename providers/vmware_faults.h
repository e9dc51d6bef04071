// What vSphere answers in place of a result, as the sentence that a person needs. The type of the fault stays with it,
// since some of them are answers that a caller waits for (DuplicateName, ManagedObjectNotFound, NotAuthenticated).
// Pure. Source: vSphere Web Services API 6.5, data objects that extend MethodFault.
#pragma once

#include <string>

#include "pipeline/error.h"
#include "providers/vmware_xml.h"

namespace jarvis::providers::vmware {

class Fault : public pipeline::Error {
 public:
  Fault(pipeline::Kind kind, std::string type, std::string text)
      : Error(kind, std::move(text)), type_(std::move(type)) {}
  const std::string& type() const { return type_; }
  bool is(std::string_view type) const { return type_ == type; }

 private:
  std::string type_;
};

// Of a fault's node (its xsi:type, or failing that its name, says which it is) and the server's own words.
Fault fault_of(pugi::xml_node fault, const std::string& words);
// Of LocalizedMethodFault, as tasks and missing properties carry it: `fault` and `localizedMessage`.
Fault localized_fault(pugi::xml_node localized);

}  // namespace jarvis::providers::vmware
