// One XMPP session from login to its end, by gloox, over a SecureStream that is open already: logs in (SCRAM-SHA-1, or
// PLAIN, which only the verified TLS below can see), asks for rooms and roster, and turns stanzas into lines for jarvis
// and back. A new connection is a new session. Never blocks. Owned by the link; its stream must outlive it.
//
// Identity: of a direct message the sender's bare JID, as the servers authenticated it; in a room, or in a private
// message through a room, the real JID that the room states for that occupant, else nothing.
// History: whatever carries a delay stamp (XEP-0203: offline messages, room history), or comes from a room before our
// own presence is reflected (status 110).
#pragma once

#include <gloox/connectionlistener.h>
#include <gloox/discohandler.h>
#include <gloox/eventhandler.h>
#include <gloox/messagehandler.h>
#include <gloox/presencehandler.h>
#include <gloox/subscriptionhandler.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "bot/links/wire.h"
#include "bot/links/xmpp/outbox.h"
#include "bot/links/xmpp/rooms.h"
#include "bot/links/xmpp/secure_stream.h"
#include "bot/links/xmpp/why.h"

namespace jarvis::bot::links::xmpp {

class Session : private gloox::ConnectionListener,
                private gloox::MessageHandler,
                private gloox::PresenceHandler,
                private gloox::SubscriptionHandler,
                private gloox::DiscoHandler,
                private gloox::EventHandler {
 public:
  Session(const Settings& settings, const std::string& password, const std::string& status, SecureStream& stream,
          Wire& wire, Sightings& sightings, Outbox& outbox);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void hear(const std::string& bytes);
  void go_on(Time now);
  Time next() const;

  bool is_up() const { return up_; }
  const std::optional<Ending>& ending() const { return ending_; }

  bool is_open(const std::string& place);        // may something be said there now?
  void say(const Say& say, std::size_t number);  // number: the outbox's, comes back when a room refuses it
  void set_status(const std::string& text);
  std::optional<std::string> identity_of(const std::string& place, const std::string& sender);
  void ping(Time now);
  bool take_pong();  // whether the server answered since the last call
  void leave();      // says goodbye and closes

 private:
  class Pipe;

  bool onTLSConnect(const gloox::CertInfo&) override { return false; }  // never: TLS is below
  void onConnect() override;
  void onDisconnect(gloox::ConnectionError error) override;
  void onResourceBindError(const gloox::Error* error) override;
  void onSessionCreateError(const gloox::Error* error) override;
  void handleMessage(const gloox::Message& message, gloox::MessageSession*) override;
  void handlePresence(const gloox::Presence& presence) override;
  void handleSubscription(const gloox::Subscription& subscription) override;
  void handleDiscoInfo(const gloox::JID& from, const gloox::Disco::Info& info, int) override;
  void handleDiscoItems(const gloox::JID&, const gloox::Disco::Items&, int) override {}
  void handleDiscoError(const gloox::JID& from, const gloox::Error*, int) override;
  void handleEvent(const gloox::Event& event) override;

  void refused(const gloox::Message& message);
  void hand_over(const gloox::Message& message, const std::string& text);
  bool is_bot(const gloox::JID& from);

  const Settings& settings_;
  std::string own_;  // our bare JID, normalised
  std::set<std::string> people_;
  Wire& wire_;
  Sightings& sightings_;
  Outbox& outbox_;
  std::unique_ptr<gloox::Client> client_;
  Pipe* pipe_;  // the client's
  Rooms rooms_;
  std::map<std::string, bool> bots_;  // by full JID, as far as they were asked
  std::optional<Ending> ending_;
  Time next_room_ping_{};
  bool up_ = false, pong_ = false;
};

}  // namespace jarvis::bot::links::xmpp
