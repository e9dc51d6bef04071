#include "bot/links/xmpp/sightings.h"

namespace jarvis::bot::links::xmpp {

void Sightings::heard(const std::string& jid) {
  heard_.insert(jid);
}

void Sightings::seen(const std::string& jid, const std::string& place) {
  places_[jid].insert(place);
}

bool Sightings::left(const std::string& jid, const std::string& place) {
  const auto found = places_.find(jid);
  if (found == places_.end() || found->second.erase(place) == 0 || !found->second.empty()) return false;
  places_.erase(found);
  return heard_.erase(jid) != 0;
}

void Sightings::forget() {
  places_.clear();
}

bool Sightings::is_seen(const std::string& jid, const std::string& prefix) const {
  const auto found = places_.find(jid);
  if (found == places_.end()) return false;
  const auto place = found->second.lower_bound(prefix);
  return place != found->second.end() && place->compare(0, prefix.size(), prefix) == 0;
}

}  // namespace jarvis::bot::links::xmpp
