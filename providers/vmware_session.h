// A session at one vCenter or ESXi: logs in when the first call needs it, keeps the cookie, logs in again once when the
// session has ended in between, logs out at the end. Owned by the provider, lives for one task. Knows methods by name
// only. Blocks for each call, bounded by the client's limits; throws Fault for what the server refuses, else what
// api.h says. Neither the password nor the cookie is in any error.
#pragma once

#include "providers/api.h"
#include "providers/vmware_soap.h"
#include "workers/worker.h"

namespace jarvis::providers::vmware {

// ServiceContent: what this server is and where its parts are. What a bare ESXi lacks is empty.
struct Service {
  bool vcenter = false;  // else a host by itself
  std::string shown;     // "VMware vCenter Server 8.0.2", for people
  Reference root_folder, property_collector, view_manager, session_manager, authorization_manager, task_manager;
  Reference file_manager, virtual_disk_manager;
};

class Session {
 public:
  // From the settings URL USER PASSWORD CA_FILE RATE DIR of the task's module.
  explicit Session(const workers::Call& call);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Service& service();
  const std::string& user() const { return user_; }
  const std::string& server() const { return server_; }  // host of the URL, for messages
  const std::string& key();                              // the session's own id
  // Counts the logins: what belonged to an earlier session (views, tokens) is gone.
  int generation() const { return generation_; }

  Answer call(const char* method, const Reference& self, const Xml& arguments, Repeat repeat);

 private:
  Answer ask(const char* method, const Reference& self, const Xml& arguments, Repeat repeat);
  Answer ask_stranger(const char* method, const Reference& self, const Xml& arguments);
  void log_in();
  Answer answer_of(const char* method, const workers::HttpResponse& response);

  std::string url_, user_, password_, server_;
  Api api_;
  std::optional<Service> service_;
  std::string cookie_, key_;
  int generation_ = 0;
  std::chrono::milliseconds limit_{60'000};  // of one call
};

}  // namespace jarvis::providers::vmware
