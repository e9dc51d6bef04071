#include "providers/vmware_inventory.h"

#include <algorithm>

#include "providers/vmware_faults.h"
#include "providers/vmware_names.h"

namespace jarvis::providers::vmware {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr std::int64_t kPage = 200;  // objects an answer

Xml properties(const Wanted& wanted) {
  Xml set;
  set.leaf("type", wanted.type).flag("all", false);
  for (const std::string& path : wanted.paths) set.leaf("pathSet", path);
  return Xml().in("propSet", set);
}

}  // namespace

pugi::xml_node Object::node(const std::string& path) const {
  const auto found = properties_.find(path);
  return found == properties_.end() ? pugi::xml_node() : found->second;
}

std::string Object::name() const {
  return decoded_name(text("name"));
}

std::vector<Reference> Object::references(const std::string& path) const {
  std::vector<Reference> made;
  for (const pugi::xml_node& one : children(node(path), "ManagedObjectReference"))
    made.push_back(vmware::reference(one));
  return made;
}

bool Object::flag(const std::string& path, bool otherwise) const {
  return vmware::flag(node(path), "", otherwise);
}

std::int64_t Object::number(const std::string& path, std::int64_t otherwise) const {
  return vmware::number(node(path), "", otherwise);
}

template <typename Look>
std::vector<Object> Inventory::whole(Look look) {
  (void)session_.key();  // a login is no end of a session
  for (bool again = false;; again = true) {
    const int generation = session_.generation();
    try {
      return look();
    } catch (const Fault& e) {
      // The end of a session took view and token along.
      if (generation == session_.generation() && !e.is("NotAuthenticated")) throw;
      if (again) throw Error(Kind::Transient, std::string(e.what()) + ": the session ended while it was looked at");
    }
  }
}

std::vector<Object> Inventory::retrieve(const Xml& spec) {
  const Reference collector = session_.service().property_collector;
  std::vector<Object> made;
  Answer answer =
      session_.call("RetrievePropertiesEx", collector,
                    Xml().in("specSet", spec).in("options", Xml().leaf("maxObjects", kPage)), Repeat::Looks);
  for (;;) {
    const pugi::xml_node page = answer.returned();
    for (const pugi::xml_node& found : children(page, "objects")) {
      Object object;
      object.self = reference(found, "obj");
      object.document_ = answer.document;
      for (const pugi::xml_node& property : children(found, "propSet"))
        object.properties_[text(property, "name")] = child(property, "val");
      for (const pugi::xml_node& missing : children(found, "missingSet")) {
        Fault fault = localized_fault(child(missing, "fault"));
        if (fault.is("NotAuthenticated")) throw fault;
      }
      made.push_back(std::move(object));
    }
    const std::string token = text(page, "token");
    if (token.empty()) return made;
    answer = session_.call("ContinueRetrievePropertiesEx", collector, Xml().leaf("token", token), Repeat::Looks);
  }
}

std::vector<Object> Inventory::list_once(const Reference& container, const std::vector<Wanted>& wanted) {
  Xml arguments, spec;
  arguments.ref("container", container);
  for (const Wanted& one : wanted) {
    arguments.leaf("type", one.type);
    spec.add(properties(one));
  }
  arguments.flag("recursive", true);
  const Answer made = session_.call("CreateContainerView", session_.service().view_manager, arguments, Repeat::Looks);
  const Reference view = reference(made.returned());
  Xml way;
  way.leaf("name", "view").leaf("type", "ContainerView").leaf("path", "view").flag("skip", false);
  spec.in("objectSet", Xml().ref("obj", view).flag("skip", true).typed("selectSet", "TraversalSpec", way));
  return retrieve(spec);  // the view ends with the session
}

std::vector<Object> Inventory::list(const Reference& container, const std::vector<Wanted>& wanted) {
  return whole([&] { return list_once(container, wanted); });
}

std::vector<Object> Inventory::get(const std::vector<Reference>& objects, const std::vector<std::string>& paths) {
  std::vector<Object> found;
  if (objects.empty()) return found;
  Xml spec;
  std::vector<std::string> types;
  for (const Reference& one : objects) {
    if (std::find(types.begin(), types.end(), one.type) != types.end()) continue;
    types.push_back(one.type);
    spec.add(properties({one.type, paths}));
  }
  for (const Reference& one : objects) spec.in("objectSet", Xml().ref("obj", one).flag("skip", false));
  try {
    found = whole([&] { return retrieve(spec); });
  } catch (const Fault& e) {
    if (!e.is("ManagedObjectNotFound")) throw;
    if (objects.size() == 1) return {};
    for (const Reference& one : objects)  // which of them it is, the fault says in words only
      if (auto still = get(one, paths)) found.push_back(std::move(*still));
  }
  const auto place_of = [&](const Object& object) {
    return std::find(objects.begin(), objects.end(), object.self) - objects.begin();
  };
  std::stable_sort(found.begin(), found.end(),
                   [&](const Object& a, const Object& b) { return place_of(a) < place_of(b); });
  return found;
}

std::optional<Object> Inventory::get(const Reference& object, const std::vector<std::string>& paths) {
  auto found = get(std::vector<Reference>{object}, paths);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

}  // namespace jarvis::providers::vmware
