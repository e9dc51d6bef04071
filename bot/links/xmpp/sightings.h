// Where an identified person is seen at the moment: as an occupant of a room that shows real JIDs, or online as a
// contact. Answers when somebody who spoke to us is gone. Pure. JIDs are bare; a place is any name for one sighting.
#pragma once

#include <map>
#include <set>
#include <string>

namespace jarvis::bot::links::xmpp {

class Sightings {
 public:
  void heard(const std::string& jid);  // has spoken to us, proven
  void seen(const std::string& jid, const std::string& place);
  // True when this was the last sighting of somebody who has spoken: tell jarvis, once. Somebody never seen (no shared
  // room, no presence subscription) never goes: nothing is known.
  bool left(const std::string& jid, const std::string& place);
  // The connection is gone: nobody is seen, nobody has left.
  void forget();
  // Is there a sighting whose place begins with this?
  bool is_seen(const std::string& jid, const std::string& prefix) const;

 private:
  std::set<std::string> heard_;
  std::map<std::string, std::set<std::string>> places_;
};

}  // namespace jarvis::bot::links::xmpp
