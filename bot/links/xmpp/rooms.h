// Our multi-user rooms on one stream: joins them, stays in them, and follows who is there. Owned by the session; talks
// through its client, which must outlive it. News (kicked, refused, created) go to the log.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bot/links/wire.h"
#include "bot/links/xmpp/room.h"
#include "bot/links/xmpp/settings.h"
#include "bot/links/xmpp/sightings.h"

namespace gloox {
class Client;
class Error;
class EventHandler;
class Presence;
}  // namespace gloox

namespace jarvis::bot::links::xmpp {

class Rooms {
 public:
  Rooms(const Settings& settings, gloox::Client& client, Wire& wire, Sightings& sightings);

  void go_on(Time now);  // joins what is due
  Time next() const;
  void set_status(const std::string& text);
  // Are we still in? Pings our own occupants (XEP-0410); the answers go to the handler. A service that was restarted
  // may have forgotten us without a word.
  void ask_still_in(gloox::EventHandler& answers);

  // Takes a presence if it is of one of our rooms.
  bool hear(const gloox::Presence& presence);
  // What the room said about an unanswered or failed question: we are out.
  void thrown_out(Room& room, const std::string& why, bool slowly);
  // The room of a bare or occupant JID, or null.
  Room* find(const std::string& bare_jid);

 private:
  void join(Room& room, Time now);
  void refused(Room& room, const gloox::Error* error);
  void seen(Room& room, const gloox::Presence& presence, bool available);
  void left(Room& room, const std::string& nick);
  void come_back(Room& room, const std::string& nick);

  const Settings& settings_;
  gloox::Client& client_;
  Wire& wire_;
  Sightings& sightings_;
  std::string status_;
  std::map<std::string, std::string> joined_with_;  // status by room: one that changes while a join is under way
  std::vector<Room> rooms_;
};

}  // namespace jarvis::bot::links::xmpp
