// What a vCenter or ESXi has, read by its property collector: lists by container views, in pages, and single objects.
// Knows property paths as text only. Belongs to the provider; blocks as the session does, throws what it throws.
// Source: vSphere Web Services API 6.5, PropertyCollector, ViewManager.
#pragma once

#include <map>

#include "providers/vmware_session.h"

namespace jarvis::providers::vmware {

// One object and the properties that it has; those unset, or hidden from this user, are not there.
class Object {
 public:
  Reference self;

  pugi::xml_node node(const std::string& path) const;
  std::string text(const std::string& path) const { return vmware::text(node(path)); }
  std::string name() const;  // decoded: vSphere writes %2f, %5c and %25 in names
  Reference reference(const std::string& path) const { return vmware::reference(node(path)); }
  std::vector<Reference> references(const std::string& path) const;
  bool flag(const std::string& path, bool otherwise = false) const;
  std::int64_t number(const std::string& path, std::int64_t otherwise = 0) const;

 private:
  friend class Inventory;
  std::map<std::string, pugi::xml_node> properties_;
  std::shared_ptr<pugi::xml_document> document_;
};

// Which properties of which type.
struct Wanted {
  std::string type;
  std::vector<std::string> paths;
};

class Inventory {
 public:
  explicit Inventory(Session& session) : session_(session) {}

  // All objects of these types below a folder, datacenter or other container.
  std::vector<Object> list(const Reference& container, const std::vector<Wanted>& wanted);
  // Those that are still there, in this order.
  std::vector<Object> get(const std::vector<Reference>& objects, const std::vector<std::string>& paths);
  std::optional<Object> get(const Reference& object, const std::vector<std::string>& paths);

 private:
  // A look whose session ended in between begins anew, once; when that happens again, it is Transient.
  template <typename Look>
  std::vector<Object> whole(Look look);
  std::vector<Object> retrieve(const Xml& spec);
  std::vector<Object> list_once(const Reference& container, const std::vector<Wanted>& wanted);

  Session& session_;
};

}  // namespace jarvis::providers::vmware
