// Linode's API v4 (published description v4.189) as typed calls over api.h: each list is read to its last page, what is
// asked for by name is asked for with X-Filter. Knows no clipboard and decides nothing.
//
// Errors are those of provider.h. A refused token names `providers: linode: token_file` and the scope that is lacking.
// An answer that says that something was done, but not what, is Transient: the task is asked again, and looks.
#pragma once

#include "providers/api.h"
#include "providers/linode_read.h"

namespace jarvis::providers {

struct LinodeRights {
  std::string scopes;  // of the token, as Linode writes them; empty if it does not say
  bool restricted = false;
};

class LinodeApi {
 public:
  explicit LinodeApi(const workers::Call& call);

  std::vector<LinodeRegion> regions() { return list<LinodeRegion>("/regions", {}); }
  std::vector<LinodeType> types() { return list<LinodeType>("/linode/types", {}); }
  std::vector<LinodeImage> images() { return list<LinodeImage>("/images", {}); }
  std::vector<LinodeKernel> kernels() { return list<LinodeKernel>("/linode/kernels", {}); }
  // Of one gigabyte; empty where the API does not tell.
  LinodePrice volume_price();
  LinodeRights rights();
  // Whether this type can be had in this region now; nothing if the API does not say.
  std::optional<bool> available(const std::string& region, const std::string& type);

  std::vector<LinodeInstance> instances(const Json& filter) { return list<LinodeInstance>(kInstances, filter); }
  std::optional<LinodeInstance> instance(std::int64_t id) { return one<LinodeInstance>(path(id)); }
  // Nothing if the label is taken.
  std::optional<LinodeInstance> create_instance(const Json& body);
  void set_tags(std::int64_t id, const std::vector<std::string>& tags);
  void delete_instance(std::int64_t id) { remove(path(id)); }
  // boot, reboot, shutdown, rebuild
  void act(std::int64_t id, const std::string& what, const Json& body) { change("POST", path(id) + "/" + what, body); }

  std::vector<LinodeDisk> disks(std::int64_t id) { return list<LinodeDisk>(path(id) + "/disks", {}); }
  void create_disk(std::int64_t id, const Json& body) { change("POST", path(id) + "/disks", body); }
  void delete_disk(std::int64_t id, std::int64_t disk) { remove(path(id) + "/disks/" + std::to_string(disk)); }

  std::vector<LinodeConfig> configs(std::int64_t id) { return list<LinodeConfig>(path(id) + "/configs", {}); }
  void create_config(std::int64_t id, const Json& body) { change("POST", path(id) + "/configs", body); }
  void update_config(std::int64_t id, std::int64_t config, const Json& body);

  std::vector<LinodeVolume> volumes(const Json& filter) { return list<LinodeVolume>("/volumes", filter); }
  std::vector<LinodeVolume> volumes_of(std::int64_t id) { return list<LinodeVolume>(path(id) + "/volumes", {}); }
  // False if the label is taken.
  bool create_volume(const Json& body);
  void attach_volume(std::int64_t volume, const Json& body) { change("POST", path_of(volume) + "/attach", body); }
  void detach_volume(std::int64_t volume) { change("POST", path_of(volume) + "/detach", nullptr); }
  void delete_volume(std::int64_t volume) { remove(path_of(volume)); }

  // The newest about this Linode, newest first; only those after `since`.
  std::vector<LinodeEvent> events(std::int64_t id, std::int64_t since = 0);
  std::vector<LinodeAddress> addresses(std::int64_t id);
  void set_rdns(const std::string& address, const std::string& name);

 private:
  static constexpr const char* kInstances = "/linode/instances";
  static std::string path(std::int64_t id) { return std::string(kInstances) + "/" + std::to_string(id); }
  static std::string path_of(std::int64_t volume) { return "/volumes/" + std::to_string(volume); }

  workers::HttpRequest request(const std::string& method, const std::string& path, const Json& body) const;
  pipeline::Error refusal(const workers::HttpResponse& response) const;
  // Of a call that changes; null: no body. Nothing is answered that is of use.
  void change(const std::string& method, const std::string& path, const Json& body);
  void remove(const std::string& path);  // well when it is gone
  // Error(Transient) for an answer that Linode did not give: what was asked for was done, or was not.
  static void must_be_an_answer(const workers::HttpResponse& response);
  // Whether an answer says that the label is another one's.
  static bool label_is_taken(const workers::HttpResponse& response);
  workers::HttpResponse create(const std::string& path, const Json& body);

  // Reads an answer, or says that it cannot be read.
  template <typename Read>
  static auto readable(const workers::HttpResponse& response, Read reads) {
    try {
      return reads(response.body);
    } catch (const Malformed& e) {
      throw Api::unreadable(response, e.what());
    }
  }
  template <typename T>
  std::vector<T> list(const std::string& path, const Json& filter, bool first_page_only = false);
  template <typename T>
  std::optional<T> one(const std::string& path);

  std::string base_, token_;
  Api api_;
};

}  // namespace jarvis::providers
