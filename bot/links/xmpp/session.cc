#include "bot/links/xmpp/session.h"

#include <gloox/capabilities.h>
#include <gloox/client.h>
#include <gloox/connectionbase.h>
#include <gloox/delayeddelivery.h>
#include <gloox/error.h>
#include <gloox/event.h>
#include <gloox/message.h>
#include <gloox/mucroom.h>
#include <gloox/presence.h>
#include <gloox/subscription.h>

#include "bot/links/xmpp/address.h"
#include "bot/links/xmpp/news.h"

namespace jarvis::bot::links::xmpp {

using gloox::JID;
using gloox::Message;

// gloox's idea of a connection: the stream that is open already.
class Session::Pipe : public gloox::ConnectionBase {
 public:
  explicit Pipe(SecureStream& stream) : ConnectionBase(nullptr), stream_(stream) {}

  gloox::ConnectionError connect() override {
    m_state = gloox::StateConnected;
    m_handler->handleConnect(this);
    return gloox::ConnNoError;
  }
  gloox::ConnectionError recv(int) override { return gloox::ConnNoError; }
  gloox::ConnectionError receive() override { return gloox::ConnNoError; }
  bool send(const std::string& data) override {
    if (m_state == gloox::StateConnected) stream_.send(data);
    return true;
  }
  void disconnect() override {
    if (m_state == gloox::StateConnected) stream_.finish();
    m_state = gloox::StateDisconnected;
  }
  void getStatistics(long int& in, long int& out) override { in = out = 0; }
  ConnectionBase* newInstance() const override { return new Pipe(stream_); }

  void heard(const std::string& bytes) {
    if (m_state == gloox::StateConnected) m_handler->handleReceivedData(this, bytes);
  }

 private:
  SecureStream& stream_;
};

namespace {

constexpr char kSay[] = "say-";
constexpr std::size_t kMostBots = 2000;

std::unique_ptr<gloox::Client> make_client(const Settings& settings, const std::string& password) {
  JID jid(settings.jid);
  jid.setResource(settings.resource);
  auto client = std::make_unique<gloox::Client>(jid, password);
  client->setTls(gloox::TLSDisabled);  // the stream below is encrypted and verified already
  client->setCompression(false);
  // PLUS is never chosen, as gloox has no channel here; without it in the mask, though, gloox 1.0.24 says one thing in
  // SCRAM's first message and another in its second.
  client->setSASLMechanisms(gloox::SaslMechScramSha1 | gloox::SaslMechScramSha1Plus | gloox::SaslMechPlain);
  client->setStreamManagement(false, false);
  client->registerStanzaExtension(new gloox::DelayedDelivery());
  client->registerStanzaExtension(new gloox::MUCRoom::MUCUser());
  client->disco()->setIdentity("client", "bot", "jarvis");
  client->disco()->setVersion("jarvis", JARVIS_VERSION);
  auto* capabilities = new gloox::Capabilities(client->disco());
  capabilities->setNode("urn:jarvis");
  client->addPresenceExtension(capabilities);
  return client;
}

// The text without xml:lang, else the first in any language.
std::string body_of(const Message& message) {
  std::string text = message.body();
  if (!text.empty()) return text;
  const std::unique_ptr<gloox::Tag> tag(message.tag());
  const gloox::Tag* body = tag ? tag->findChild("body") : nullptr;
  return body != nullptr ? body->cdata() : "";
}

}  // namespace

Session::Session(const Settings& settings, const std::string& password, const std::string& status, SecureStream& stream,
                 Wire& wire, Sightings& sightings, Outbox& outbox)
    : settings_(settings),
      own_(JID(settings.jid).bare()),
      wire_(wire),
      sightings_(sightings),
      outbox_(outbox),
      client_(make_client(settings, password)),
      pipe_(new Pipe(stream)),
      rooms_(settings, *client_, wire, sightings) {
  for (const std::string& person : settings.people) people_.insert(JID(person).bare());
  client_->setConnectionImpl(pipe_);
  pipe_->registerConnectionDataHandler(client_.get());
  client_->registerConnectionListener(this);
  client_->registerMessageHandler(this);
  client_->registerPresenceHandler(this);
  client_->registerSubscriptionHandler(this);
  client_->presence().setPriority(settings.priority);
  client_->presence().addStatus(status);
  rooms_.set_status(status);
  client_->connect(false);
}

Session::~Session() = default;

void Session::hear(const std::string& bytes) {
  pipe_->heard(bytes);
}

void Session::go_on(Time now) {
  if (up_ && !ending_) rooms_.go_on(now);
}

Time Session::next() const {
  return up_ ? rooms_.next() : Time::max();
}

void Session::onConnect() {
  up_ = true;
  rooms_.go_on(Clock::now());
}

void Session::onDisconnect(gloox::ConnectionError error) {
  if (!ending_) ending_ = why_ended(*client_, error, settings_.jid);
}

void Session::onResourceBindError(const gloox::Error* error) {
  if (!ending_) ending_ = Ending{"the server refused our resource: " + condition(error), true};
}

void Session::onSessionCreateError(const gloox::Error* error) {
  if (!ending_) ending_ = Ending{"the server refused a session: " + condition(error), false};
}

// From the network to jarvis

void Session::handleMessage(const Message& message, gloox::MessageSession*) {
  const std::string& bare = message.from().bare();
  if (!up_ || bare.empty() || bare == own_) return;
  if (message.subtype() == Message::Error) return refused(message);
  if ((message.subtype() & (Message::Chat | Message::Normal | Message::Groupchat)) == 0) return;
  const std::string text = body_of(message);
  if (!text.empty()) hand_over(message, clean_text(text));
}

void Session::hand_over(const Message& message, const std::string& text) {
  const JID& from = message.from();
  Room* room = rooms_.find(from.bare());
  const bool in_room = message.subtype() == Message::Groupchat;
  // What a room says by itself is no person's line; what comes like a room's from elsewhere is nobody's.
  if ((in_room && room == nullptr) || (room != nullptr && from.resource().empty())) return;
  if (room != nullptr && from.resource() == room->nick()) return;

  links::Message line;
  line.text = text;
  line.direct = !in_room;
  line.place = in_room ? from.bare() : from.full();
  line.sender = clean_text(room != nullptr ? from.resource() : from.bare());
  line.identity = room != nullptr ? room->identity(from.resource()) : from.bare();
  if (line.identity) line.proof = "jid";
  line.addressed = line.direct || is_addressed(text, room->nick(), settings_.prefix);
  line.history = message.when() != nullptr || (room != nullptr && !room->is_in());
  if (line.addressed && !line.history) {
    if (line.identity) sightings_.heard(*line.identity);
    line.bot = is_bot(from);
  }
  wire_.message(line);
}

bool Session::is_bot(const JID& from) {
  const auto found = bots_.find(from.full());
  if (found != bots_.end()) return found->second;
  // Not known yet: this line passes, and two bots that talk at each other stop at the next one.
  if (bots_.size() >= kMostBots) bots_.clear();
  bots_[from.full()] = false;
  client_->disco()->getDiscoInfo(from, gloox::EmptyString, this, 0);
  return false;
}

void Session::handleDiscoInfo(const JID& from, const gloox::Disco::Info& info, int) {
  const auto found = bots_.find(from.full());
  if (found == bots_.end()) return;
  for (const gloox::Disco::Identity* one : info.identities()) {
    if ((one->category() == "client" && one->type() == "bot") || one->category() == "automation") found->second = true;
  }
}

void Session::handleDiscoError(const JID&, const gloox::Error*, int) {}

void Session::refused(const Message& message) {
  const std::string why = condition(message.error());
  Room* room = rooms_.find(message.from().bare());
  const gloox::StanzaError kind = message.error() != nullptr ? message.error()->error() : gloox::StanzaErrorUndefined;
  if (room != nullptr && message.from().resource().empty() && kind == gloox::StanzaErrorNotAcceptable) {
    if (message.id().rfind(kSay, 0) == 0) {
      outbox_.refused(std::strtoul(message.id().c_str() + sizeof kSay - 1, nullptr, 10));
    }
    if (room->is_in()) rooms_.thrown_out(*room, "we are not in it any more", false);
    return;
  }
  news(message.from().full() + " did not take what we said: " + why);
}

void Session::handlePresence(const gloox::Presence& presence) {
  if (!up_ || rooms_.hear(presence)) return;
  const JID& from = presence.from();
  if (from.bare().empty() || from.bare() == own_ || from.resource().empty()) return;
  switch (presence.subtype()) {
    case gloox::Presence::Unavailable:
      bots_.erase(from.full());
      if (sightings_.left(from.bare(), from.full())) wire_.gone(from.bare());
      return;
    case gloox::Presence::Error:
    case gloox::Presence::Probe:
    case gloox::Presence::Invalid:
      return;
    default:
      sightings_.seen(from.bare(), from.full());
  }
}

void Session::handleSubscription(const gloox::Subscription& subscription) {
  if (!up_ || subscription.subtype() != gloox::Subscription::Subscribe) return;
  const JID who = subscription.from().bareJID();
  if (people_.count(who.bare()) == 0) {
    client_->send(gloox::Subscription(gloox::Subscription::Unsubscribed, who));
    news("refused the subscription request of " + who.bare() + ", who is not in people:");
    return;
  }
  client_->send(gloox::Subscription(gloox::Subscription::Subscribed, who));
  client_->send(gloox::Subscription(gloox::Subscription::Subscribe, who));
  news("accepted the subscription request of " + who.bare());
}

void Session::handleEvent(const gloox::Event& event) {
  if (event.stanza() == nullptr) return;
  const JID& from = event.stanza()->from();
  Room* room = rooms_.find(from.bare());
  if (room == nullptr) {
    pong_ = true;
    return;
  }
  const gloox::Error* error = event.stanza()->error();
  if (event.eventType() == gloox::Event::PingError && error != nullptr && room->is_in() &&
      error->error() == gloox::StanzaErrorNotAcceptable) {
    rooms_.thrown_out(*room, "we are not in it any more", false);
  }
}

// From jarvis to the network

bool Session::is_open(const std::string& place) {
  if (!up_ || ending_) return false;
  Room* room = rooms_.find(JID(place).bare());
  return room == nullptr || room->is_in();
}

void Session::say(const Say& say, std::size_t number) {
  const JID to(say.place);
  if (!to || to.bare().empty()) return news("nothing can be said to " + say.place + ": not a JID");
  const bool in_room = to.resource().empty() && rooms_.find(to.bare()) != nullptr;
  Message message(in_room ? Message::Groupchat : Message::Chat, to, say.text);
  message.setID(kSay + std::to_string(number));
  client_->send(message);
}

void Session::set_status(const std::string& text) {
  if (!up_ || ending_) return;
  client_->setPresence(gloox::Presence::Available, settings_.priority, text);
  rooms_.set_status(text);
}

std::optional<std::string> Session::identity_of(const std::string& place, const std::string& sender) {
  const JID jid(place);
  if (!up_ || !jid || jid.bare().empty()) return std::nullopt;
  if (Room* room = rooms_.find(jid.bare())) {
    const std::string& nick = jid.resource().empty() ? sender : jid.resource();
    return room->identity(nick);
  }
  return jid.bare();
}

void Session::ping(Time now) {
  client_->xmppPing(JID(settings_.domain), this);
  if (now < next_room_ping_) return;
  next_room_ping_ = now + settings_.ping_every;
  rooms_.ask_still_in(*this);
}

bool Session::take_pong() {
  return std::exchange(pong_, false);
}

void Session::leave() {
  if (ending_) return;
  if (up_) client_->setPresence(gloox::Presence::Unavailable, settings_.priority);
  client_->disconnect();
}

}  // namespace jarvis::bot::links::xmpp
