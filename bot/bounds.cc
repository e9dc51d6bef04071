#include "bot/bounds.h"

#include "pipeline/error.h"

namespace jarvis::bot {

using pipeline::Error;
using pipeline::Kind;

Bounds::Place::Place(Bounds& bounds, std::string person, std::string host)
    : bounds_(bounds), person_(std::move(person)), host_(std::move(host)) {
  bounds_.on_their_way_[person_].insert(host_);
}

Bounds::Place::~Place() {
  const auto his = bounds_.on_their_way_.find(person_);
  his->second.erase(his->second.find(host_));
  if (his->second.empty()) bounds_.on_their_way_.erase(his);
}

void Bounds::check(const Role* role, const std::string& person, const std::string& host) const {
  if (role == nullptr || role->runs == 0) return;
  std::set<std::string> hosts = pipeline_.hosts_of(person);
  const auto more = on_their_way_.find(person);
  if (more != on_their_way_.end()) hosts.insert(more->second.begin(), more->second.end());
  hosts.erase(host);  // what he has there already goes on, or is replaced
  if (hosts.size() < static_cast<std::size_t>(role->runs)) return;
  throw Error(Kind::Refused, "role " + role->name + " allows " + person + " " + std::to_string(role->runs) +
                                 (role->runs == 1 ? " run" : " runs") + " at once, and so many are in flight");
}

}  // namespace jarvis::bot
