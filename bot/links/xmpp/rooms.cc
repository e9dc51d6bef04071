#include "bot/links/xmpp/rooms.h"

#include <gloox/client.h>
#include <gloox/error.h>
#include <gloox/mucroom.h>
#include <gloox/presence.h>

#include "bot/links/xmpp/news.h"
#include "bot/links/xmpp/why.h"

namespace jarvis::bot::links::xmpp {

namespace {

using gloox::JID;
using gloox::MUCRoom;

constexpr char kOwner[] = "http://jabber.org/protocol/muc#owner";

JID occupant(const Room& room, const std::string& nick) {
  JID jid(room.jid());
  jid.setResource(nick);
  return jid;
}

// What the room says about an occupant. Two statements in one presence: one of them may be the occupant's own, so none.
const MUCRoom::MUCUser* statement(const gloox::Presence& presence) {
  const MUCRoom::MUCUser* found = nullptr;
  for (const gloox::StanzaExtension* one : presence.extensions()) {
    if (one->extensionType() != gloox::ExtMUCUser) continue;
    if (found != nullptr) return nullptr;
    found = static_cast<const MUCRoom::MUCUser*>(one);
  }
  return found;
}

std::string why_out(const MUCRoom::MUCUser& said) {
  std::string why = "left the room";
  if ((said.flags() & gloox::UserKicked) != 0) why = "we were kicked";
  if ((said.flags() & gloox::UserBanned) != 0) why = "we were banned";
  if ((said.flags() & gloox::UserMembershipRequired) != 0) why = "it admits members only now";
  if ((said.flags() & gloox::UserAffiliationChanged) != 0) why = "we are no member any more";
  if ((said.flags() & gloox::UserRoomShutdown) != 0) why = "its service is being shut down";
  if ((said.flags() & gloox::UserRoomDestroyed) != 0) why = "it was destroyed";
  if (said.actor() != nullptr && !said.actor()->empty()) why += " by " + *said.actor();
  if (said.reason() != nullptr && !said.reason()->empty()) why += " (" + *said.reason() + ")";
  return why;
}

}  // namespace

Rooms::Rooms(const Settings& settings, gloox::Client& client, Wire& wire, Sightings& sightings)
    : settings_(settings), client_(client), wire_(wire), sightings_(sightings) {
  for (const RoomSettings& one : settings.rooms) {
    const JID jid(one.jid);
    if (!jid || jid.bare().empty()) {
      news("room " + one.jid + ": not a JID");
      continue;
    }
    // The service may change a nick to its normal form (RFC 7622); ours should be recognised then, too.
    const JID with_nick = [&] {
      JID made(jid.bare());
      made.setResource(one.nick);
      return made;
    }();
    rooms_.emplace_back(jid.bare(), with_nick.resource(), one.password_file);
  }
}

Room* Rooms::find(const std::string& bare_jid) {
  for (Room& room : rooms_) {
    if (room.jid() == bare_jid) return &room;
  }
  return nullptr;
}

Time Rooms::next() const {
  Time soonest = Time::max();
  for (const Room& room : rooms_) soonest = std::min(soonest, room.next());
  return soonest;
}

void Rooms::go_on(Time now) {
  for (Room& room : rooms_) {
    if (room.is_late(now)) thrown_out(room, "no answer", false);
    if (room.due(now)) join(room, now);
  }
}

void Rooms::join(Room& room, Time now) {
  std::string password;
  if (!room.password_file().empty()) {
    try {
      password = read_secret(room.password_file());
    } catch (const std::exception& error) {
      return thrown_out(room, error.what(), true);
    }
  }
  room.ask(now);
  joined_with_[room.jid()] = status_;
  gloox::Presence presence(gloox::Presence::Available, occupant(room, room.nick()), status_, settings_.priority);
  presence.addExtension(new MUCRoom::MUC(password, MUCRoom::HistoryMaxStanzas, gloox::EmptyString, 0));
  client_.send(presence);
}

void Rooms::set_status(const std::string& text) {
  status_ = text;
  for (const Room& room : rooms_) {
    if (!room.is_in()) continue;
    client_.send(gloox::Presence(gloox::Presence::Available, occupant(room, room.nick()), status_, settings_.priority));
  }
}

void Rooms::ask_still_in(gloox::EventHandler& answers) {
  for (const Room& room : rooms_) {
    if (room.is_in()) client_.xmppPing(occupant(room, room.nick()), &answers);
  }
}

void Rooms::thrown_out(Room& room, const std::string& why, bool slowly) {
  if (room.is_news(why)) news("room " + room.jid() + ": " + why + (slowly ? "; trying again every few minutes" : ""));
  for (const auto& [nick, jid] : room.out(Clock::now(), slowly)) {
    if (!jid.empty() && sightings_.left(jid, room.jid() + "/" + nick)) wire_.gone(jid);
  }
}

void Rooms::refused(Room& room, const gloox::Error* error) {
  const gloox::StanzaError kind = error != nullptr ? error->error() : gloox::StanzaErrorUndefined;
  if (room.is_in()) {
    // A nick that we wanted back was not free after all.
    if (kind == gloox::StanzaErrorConflict) return;
    return thrown_out(room, condition(error), false);
  }
  if (!room.is_asked()) return;
  switch (kind) {
    case gloox::StanzaErrorConflict:
      if (room.another_nick()) return join(room, Clock::now());
      return thrown_out(room, "all our nicks are taken", false);
    case gloox::StanzaErrorNotAuthorized:
      return thrown_out(room, room.password_file().empty() ? "it wants a password" : "wrong password", true);
    case gloox::StanzaErrorForbidden:
      return thrown_out(room, "we are banned there", true);
    case gloox::StanzaErrorRegistrationRequired:
      return thrown_out(room, "it admits members only", true);
    case gloox::StanzaErrorItemNotFound:
    case gloox::StanzaErrorNotAllowed:
      return thrown_out(room, "it does not exist, and we may not create it (" + condition(error) + ")", true);
    default:
      return thrown_out(room, condition(error), false);
  }
}

bool Rooms::hear(const gloox::Presence& presence) {
  Room* room = find(presence.from().bare());
  if (room == nullptr) return false;
  if (presence.subtype() == gloox::Presence::Error) {
    refused(*room, presence.error());
  } else if (!presence.from().resource().empty() && presence.subtype() != gloox::Presence::Probe) {
    seen(*room, presence, presence.subtype() != gloox::Presence::Unavailable);
  }
  return true;
}

void Rooms::seen(Room& room, const gloox::Presence& presence, bool available) {
  const std::string& nick = presence.from().resource();
  const MUCRoom::MUCUser* said = statement(presence);
  const int flags = said != nullptr ? said->flags() : 0;
  const bool own = (flags & gloox::UserSelf) != 0;
  std::string jid;
  if (said != nullptr && said->jid() != nullptr) jid = JID(*said->jid()).bare();

  if (available) {
    const std::string before = room.identity(nick).value_or("");
    room.see(nick, jid);
    if (!jid.empty() && !own) sightings_.seen(jid, presence.from().full());
    if (!before.empty() && before != jid && sightings_.left(before, presence.from().full())) wire_.gone(before);
    if (!own) return;
    const bool new_here = !room.is_in();
    room.in(nick, Clock::now());
    if ((flags & gloox::UserNewRoom) != 0) {
      auto* submit = new gloox::Tag("iq", "type", "set");
      submit->addAttribute("to", room.jid());
      submit->addAttribute("id", client_.getID());
      auto* query = new gloox::Tag(submit, "query", "xmlns", kOwner);
      auto* form = new gloox::Tag(query, "x", "xmlns", "jabber:x:data");
      form->addAttribute("type", "submit");
      client_.send(submit);
      news("room " + room.jid() + ": did not exist; it was made with its service's default settings");
    }
    if (new_here && joined_with_[room.jid()] != status_) {
      client_.send(gloox::Presence(gloox::Presence::Available, occupant(room, nick), status_, settings_.priority));
    }
    if (new_here) {
      news("room " + room.jid() + ": joined as " + nick +
           (nick == room.wanted_nick() ? "" : ", because " + room.wanted_nick() + " is taken"));
    }
    return;
  }

  const bool renamed = (flags & gloox::UserNickChanged) != 0 && said->newNick() != nullptr;
  if (renamed) {
    const std::string known = room.left(nick);
    JID as = presence.from();
    as.setResource(*said->newNick());
    room.see(as.resource(), known);
    if (!known.empty() && !own && nick != room.nick()) sightings_.seen(known, as.full());
    if (!known.empty() && sightings_.left(known, presence.from().full())) wire_.gone(known);
    if (own || nick == room.nick()) room.renamed(as.resource());
    return come_back(room, nick);
  }
  if (room.is_in() && (own || nick == room.nick())) {
    const bool slowly = (flags & (gloox::UserBanned | gloox::UserRoomDestroyed | gloox::UserMembershipRequired |
                                  gloox::UserAffiliationChanged)) != 0;
    return thrown_out(room, said != nullptr ? why_out(*said) : "left the room", slowly);
  }
  left(room, nick);
  come_back(room, nick);
}

void Rooms::left(Room& room, const std::string& nick) {
  const std::string jid = room.left(nick);
  if (!jid.empty() && sightings_.left(jid, room.jid() + "/" + nick)) wire_.gone(jid);
}

void Rooms::come_back(Room& room, const std::string& nick) {
  if (!room.is_in() || nick != room.wanted_nick() || room.nick() == nick) return;
  client_.send(gloox::Presence(gloox::Presence::Available, occupant(room, nick), status_, settings_.priority));
}

}  // namespace jarvis::bot::links::xmpp
