#include "providers/vmware_place.h"

#include <algorithm>

namespace jarvis::providers::vmware {

using pipeline::Error;
using pipeline::Kind;

namespace {

using Objects = std::vector<const Object*>;

std::vector<Named> named(const Objects& objects) {
  std::vector<Named> made;
  for (const Object* one : objects) {
    const std::string name = one->name();
    const bool alone =
        std::count_if(objects.begin(), objects.end(), [&](const Object* other) { return other->name() == name; }) == 1;
    made.push_back({name, alone ? "" : name + " (" + one->self.value + ")"});
  }
  return made;
}

bool contains(const std::vector<Reference>& all, const Reference& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::vector<Reference> mounting_hosts(const Object& datastore) {
  std::vector<Reference> made;
  for (const pugi::xml_node& mount : children(datastore.node("host"), "DatastoreHostMount")) {
    const pugi::xml_node how = child(mount, "mountInfo");
    if (flag(how, "mounted", true) && flag(how, "accessible", true) && text(how, "accessMode") != "readOnly")
      made.push_back(reference(mount, "key"));
  }
  return made;
}

bool usable_host(const Object& host) {
  return host.text("runtime.connectionState") == "connected" && !host.flag("runtime.inMaintenanceMode");
}

// Everything of one datacenter but its machines.
class Estate {
 public:
  Estate(Inventory& inventory, Datacenter datacenter) : inventory_(inventory), datacenter_(std::move(datacenter)) {
    all_ = inventory.list(
        datacenter_.self,
        {{"ComputeResource", {"name", "host", "resourcePool", "environmentBrowser"}},
         {"HostSystem", {"name", "parent", "runtime.connectionState", "runtime.inMaintenanceMode", "network"}},
         {"ResourcePool", {"name", "parent", "owner"}},
         {"Datastore",
          {"name", "browser", "host", "summary.accessible", "summary.freeSpace", "summary.maintenanceMode"}},
         {"Network", {"name", "tag"}},
         {"Folder", {"name", "parent"}}});
  }

  Place place(const Asked& asked) {
    asked_ = asked;
    made_.datacenter = datacenter_;
    choose_compute();
    choose_host();
    choose_pool();
    choose_folder();
    choose_datastore();
    choose_networks();
    return made_;
  }

 private:
  Objects of(std::initializer_list<const char*> types) const {
    Objects made;
    for (const Object& one : all_)
      for (const char* type : types)
        if (one.self.type == type) made.push_back(&one);
    return made;
  }
  const Object* at(const Reference& reference) const {
    for (const Object& one : all_)
      if (one.self == reference) return &one;
    return nullptr;
  }
  Objects computes() const { return of({"ComputeResource", "ClusterComputeResource"}); }
  Objects pools_of(const Reference& compute) const {
    Objects made;
    for (const Object* pool : of({"ResourcePool"}))
      if (!compute || pool->reference("owner") == compute) made.push_back(pool);
    return made;
  }
  std::string where() const { return "datacenter " + datacenter_.name; }
  std::string at_host() const { return made_.host ? "host " + made_.host_name : "cluster " + made_.compute_name; }

  // The names of what stands between this and `top`, and its own: "linux/web".
  std::string path(const Object& object, const Reference& top) const {
    std::string made = object.name();
    for (const Object* up = at(object.reference("parent")); up != nullptr && up->self != top;
         up = at(up->reference("parent")))
      made = up->name() + "/" + made;
    return made;
  }
  bool below(const Object& object, const Reference& top) const {
    for (const Object* up = &object; up != nullptr; up = at(up->reference("parent")))
      if (up->self == top) return true;
    return false;
  }

  void take_compute(const Object& compute) {
    compute_ = &compute;
    made_.compute = compute.self;
    made_.compute_name = compute.name();
    made_.environment = compute.reference("environmentBrowser");
  }
  void take_host(const Object& host) {
    made_.host = host.self;
    made_.host_name = host.name();
  }

  void choose_compute() {
    Objects all = computes();
    if (asked_.vmhost) {
      for (const Object* host : of({"HostSystem"})) all.push_back(host);
      // A host by itself has the name of its compute resource.
      all.erase(
          std::remove_if(all.begin(), all.end(), [](const Object* one) { return one->self.type == "ComputeResource"; }),
          all.end());
      const Object* chosen = all[the_one("vmhost", *asked_.vmhost, named(all), where())];
      if (chosen->self.type == "HostSystem") {
        take_host(*chosen);
        if (!usable_host(*chosen))
          throw Error(Kind::Permanent,
                      "vmhost: " + chosen->name() + " is " +
                          (chosen->flag("runtime.inMaintenanceMode") ? "in maintenance mode"
                                                                     : chosen->text("runtime.connectionState")));
        chosen = at(chosen->reference("parent"));
        if (chosen == nullptr) throw Error(Kind::Permanent, "vmhost: " + *asked_.vmhost + " is in no compute resource");
      }
      return take_compute(*chosen);
    }
    if (asked_.resource_pool) {
      Objects pools = pools_of({});
      std::vector<Named> names;
      for (const Object* pool : pools) {
        const Object* owner = at(pool->reference("owner"));
        names.push_back({pool->name(), (owner ? owner->name() + "/" : "") + pool_path(*pool, owner)});
      }
      const Object* owner =
          at(pools[the_one("resource_pool", *asked_.resource_pool, names, where())]->reference("owner"));
      if (owner != nullptr) return take_compute(*owner);
    }
    const Object* host = at(asked_.near);
    const Object* near = host != nullptr ? at(host->reference("parent")) : nullptr;
    if (near != nullptr) return take_compute(*near);
    take_compute(*all[the_only("vmhost", named(all), where())]);
  }

  void choose_host() {
    for (const Reference& one : compute_->references("host"))
      if (const Object* host = at(one); host != nullptr && usable_host(*host)) usable_.push_back(host);
    if (usable_.empty())
      throw Error(Kind::Permanent, made_.compute_name + " has no host that is connected and not in maintenance mode");
    if (made_.host) {
      const Reference chosen = made_.host;
      usable_.erase(
          std::remove_if(usable_.begin(), usable_.end(), [&](const Object* one) { return one->self != chosen; }),
          usable_.end());
      return;
    }
    if (usable_.size() == 1 && compute_->references("host").size() == 1) return take_host(*usable_.front());
    const auto cluster = inventory_.get(made_.compute, {"configurationEx"});
    if (cluster && flag(cluster->node("configurationEx"), "drsConfig/enabled")) return;
    for (const Object* host : usable_) {
      if (host->self != asked_.near || asked_.vmhost) continue;
      take_host(*host);
      usable_ = {host};
      return;
    }
    take_host(*usable_[the_only("vmhost", named(usable_),
                                "cluster " + made_.compute_name + ", which places none by itself (no DRS),")]);
    usable_ = {at(made_.host)};
  }

  std::string pool_path(const Object& pool, const Object* compute) const {
    const Reference root = compute != nullptr ? compute->reference("resourcePool") : Reference();
    return pool.self == root ? pool.name() : path(pool, root);
  }

  void choose_pool() {
    made_.pool = compute_->reference("resourcePool");
    made_.pool_name = "Resources";
    if (!asked_.resource_pool) return;
    const Objects pools = pools_of(made_.compute);
    std::vector<Named> names;
    for (const Object* pool : pools) names.push_back({pool->name(), pool_path(*pool, compute_)});
    // "cluster/pool" is how one of several clusters is named.
    std::string wanted = *asked_.resource_pool;
    if (wanted.starts_with(made_.compute_name + "/")) wanted.erase(0, made_.compute_name.size() + 1);
    const std::size_t chosen = the_one("resource_pool", wanted, names, made_.compute_name);
    made_.pool = pools[chosen]->self;
    made_.pool_name = names[chosen].path;
  }

  void choose_folder() {
    made_.folder = datacenter_.vm_folder;
    made_.folder_name = "vm";
    if (!asked_.folder) return;
    Objects folders;
    std::vector<Named> names;
    for (const Object* folder : of({"Folder"})) {
      if (!below(*folder, datacenter_.vm_folder)) continue;
      folders.push_back(folder);
      names.push_back(
          {folder->name(), folder->self == datacenter_.vm_folder ? "vm" : path(*folder, datacenter_.vm_folder)});
    }
    const std::size_t chosen = the_one("folder", *asked_.folder, names, where());
    made_.folder = folders[chosen]->self;
    made_.folder_name = names[chosen].path;
  }

  static Datastore datastore_of(const Object& object) {
    return {object.self, object.reference("browser"), object.name(), object.number("summary.freeSpace")};
  }
  static bool usable_datastore(const Object& one) {
    const std::string maintenance = one.text("summary.maintenanceMode");
    return one.flag("summary.accessible") && (maintenance.empty() || maintenance == "normal");
  }
  // By every host that may come to run the machine.
  bool mounted(const Object& datastore) const {
    const auto hosts = mounting_hosts(datastore);
    return std::all_of(usable_.begin(), usable_.end(), [&](const Object* host) { return contains(hosts, host->self); });
  }

  void choose_datastore() {
    const Objects all = of({"Datastore"});
    Objects fit;
    for (const Object* one : all)
      if (usable_datastore(*one) && mounted(*one)) fit.push_back(one);
    for (const Object* one : fit) made_.datastores.push_back(datastore_of(*one));
    if (!asked_.datastore) {
      if (fit.empty()) throw Error(Kind::Permanent, "datastore: " + at_host() + " has none that is accessible");
      made_.datastore = datastore_of(**std::max_element(fit.begin(), fit.end(), [](const Object* a, const Object* b) {
        return a->number("summary.freeSpace") < b->number("summary.freeSpace");
      }));
      return;
    }
    const Object& chosen = *all[the_one("datastore", *asked_.datastore, named(all), where())];
    const std::string begin = "datastore: " + chosen.name();
    if (!chosen.flag("summary.accessible"))
      throw Error(Kind::Permanent, begin + " is not accessible: is its storage presented to the hosts?");
    if (!usable_datastore(chosen)) throw Error(Kind::Permanent, begin + " is in maintenance mode");
    if (!mounted(chosen))
      throw Error(Kind::Usage, begin + " is not presented to " + at_host() +
                                   (fit.empty() ? ", which has none" : ", which has " + shown_names(named(fit))));
    made_.datastore = datastore_of(chosen);
  }

  void choose_networks() {
    if (asked_.networks.empty() && !asked_.needs_network) return;
    Objects here;
    const Objects all = of({"Network", "DistributedVirtualPortgroup", "OpaqueNetwork"});
    for (const Object* one : all) {
      const bool uplink = vmware::text(one->node("tag")).find("SYSTEM/DVS.UPLINKPG") != std::string::npos ||
                          vmware::text(one->node("tag"), "Tag/key") == "SYSTEM/DVS.UPLINKPG";
      const bool reached = std::all_of(usable_.begin(), usable_.end(), [&](const Object* host) {
        return contains(host->references("network"), one->self);
      });
      if (reached && !uplink) here.push_back(one);
    }
    const auto choose = [&](std::size_t which) { made_.networks.push_back({here[which]->self, here[which]->name()}); };
    for (const std::string& name : asked_.networks) choose(the_one("nic_network", name, named(here), at_host()));
    if (asked_.networks.empty()) choose(the_only("nic_network", named(here), at_host()));
  }

  Inventory& inventory_;
  Datacenter datacenter_;
  std::vector<Object> all_;
  Asked asked_;
  Place made_;
  const Object* compute_ = nullptr;
  Objects usable_;
};

}  // namespace

std::string Place::shown() const {
  std::string text = datacenter.name + "/" + (host ? host_name : compute_name) + ", datastore " + datastore.name;
  for (const Network& one : networks)
    text += (&one != &networks.front() ? ", " : networks.size() > 1 ? ", networks " : ", network ") + one.name;
  return text;
}

std::vector<Datacenter> datacenters(Inventory& inventory, const Reference& root) {
  std::vector<Datacenter> made;
  for (const Object& one : inventory.list(root, {{"Datacenter", {"name", "vmFolder"}}}))
    made.push_back({one.self, one.reference("vmFolder"), one.name()});
  return made;
}

Datacenter the_datacenter(const std::vector<Datacenter>& all, const std::optional<std::string>& wanted,
                          const std::string& server) {
  std::vector<Named> names;
  names.reserve(all.size());
  for (const Datacenter& one : all) names.push_back({one.name, one.self.value});
  if (wanted) return all[the_one("datacenter", *wanted, names, server)];
  for (Named& one : names) one.path.clear();
  return all[the_only("datacenter", names, server)];
}

Place find_place(Inventory& inventory, const Datacenter& datacenter, const Asked& asked) {
  return Estate(inventory, datacenter).place(asked);
}

}  // namespace jarvis::providers::vmware
