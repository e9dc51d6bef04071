// vSphere's tasks: started by a method, followed by the property collector. What takes longer than a moment ends the
// attempt with exit 75; whoever is asked again finds what is still running (running_on(), or a note of its own) and
// goes on following. Belongs to the provider. A task that failed throws its Fault, "WHAT: SENTENCE".
#pragma once

#include "providers/vmware_inventory.h"

namespace jarvis::providers::vmware {

struct RunningTask {
  Reference self;
  std::string what;  // "powerOn", "createVm", "clone": its method, without the type
  Reference entity;
  std::string user;
};

class Tasks {
 public:
  // Settings: POLL, milliseconds. All must outlive this.
  Tasks(Session& session, Inventory& inventory, const workers::Call& call);

  // Calls a METHOD_Task; the task.
  Reference start(const char* method, const Reference& self, const Xml& arguments);
  // Follows it to its end for a moment; the task, whose `info` holds the result. Else not_yet(): "WHAT (42 %)".
  Object follow(const Reference& task, const std::string& what);
  // The same; the result if that is an object, else empty.
  Reference finish(const Reference& task, const std::string& what) {
    return reference(follow(task, what).node("info"), "result");
  }
  Reference perform(const char* method, const Reference& self, const Xml& arguments, const std::string& what) {
    return finish(start(method, self, arguments), what);
  }
  // Of these tasks, those that are queued or running.
  std::vector<RunningTask> running(const std::vector<Reference>& tasks);
  // All that the server knows of as recent.
  std::vector<RunningTask> running();
  [[noreturn]] void later(const std::string& why) const;

 private:
  Session& session_;
  Inventory& inventory_;
  const workers::Call& call_;
  std::chrono::milliseconds poll_;
};

}  // namespace jarvis::providers::vmware
