#include "providers/vmware_tasks.h"

#include <time.h>

#include <algorithm>
#include <cstdlib>

#include "providers/vmware_faults.h"

namespace jarvis::providers::vmware {

using pipeline::Error;
using pipeline::Kind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds kMoment{4'000};
constexpr milliseconds kPoll{3'000};

void pause(milliseconds time) {
  const timespec span{time.count() / 1000, time.count() % 1000 * 1'000'000L};
  ::nanosleep(&span, nullptr);
}

}  // namespace

Tasks::Tasks(Session& session, Inventory& inventory, const workers::Call& call)
    : session_(session), inventory_(inventory), call_(call), poll_(kPoll) {
  const long set = std::strtol(call.setting("POLL", "").c_str(), nullptr, 10);
  if (set > 0) poll_ = milliseconds(set);
}

void Tasks::later(const std::string& why) const {
  call_.progress(why);
  workers::not_yet(why, poll_);
}

Reference Tasks::start(const char* method, const Reference& self, const Xml& arguments) {
  const Answer answer = session_.call(method, self, arguments, Repeat::Changes);
  return reference(answer.returned());
}

Object Tasks::follow(const Reference& task, const std::string& what) {
  const auto begin = steady_clock::now();
  for (milliseconds wait{30};; wait = std::min(wait * 2, std::min(poll_, milliseconds(1'000)))) {
    const auto found = inventory_.get(task, {"info"});
    if (!found) throw Error(Kind::Transient, what + ": vSphere has forgotten the task that did it");
    const pugi::xml_node told = found->node("info");
    const std::string state = text(told, "state");
    if (state == "success") return *found;
    if (state == "error") {
      Fault fault = localized_fault(child(told, "error"));
      fault.within(what);
      throw fault;
    }
    if (steady_clock::now() - begin > kMoment) {
      const std::string percent = text(told, "progress");
      later(what + (percent.empty() ? "" : " (" + percent + " %)"));
    }
    pause(wait);
  }
}

std::vector<RunningTask> Tasks::running(const std::vector<Reference>& tasks) {
  std::vector<RunningTask> made;
  for (const Object& task : inventory_.get(tasks, {"info"})) {
    const pugi::xml_node told = task.node("info");
    const std::string state = text(told, "state");
    if (state != "queued" && state != "running") continue;
    const std::string what = text(told, "descriptionId");
    made.push_back(
        {task.self, what.substr(what.rfind('.') + 1), reference(told, "entity"), text(told, "reason/userName")});
  }
  return made;
}

std::vector<RunningTask> Tasks::running() {
  const auto recent = inventory_.get(session_.service().task_manager, {"recentTask"});
  return recent ? running(recent->references("recentTask")) : std::vector<RunningTask>();
}

}  // namespace jarvis::providers::vmware
