// One connection to an XMPP server, from the name to verified TLS: looks the server up, tries its addresses in turn,
// negotiates STARTTLS, and from then on carries bytes. Nothing of it blocks; its owner polls. It knows nothing of XMPP
// beyond the clear part. What comes is checked by the StanzaGate before it is handed on.
#pragma once

#include <poll.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bot/links/xmpp/clear_part.h"
#include "bot/links/xmpp/delay.h"
#include "bot/links/xmpp/lookup.h"
#include "bot/links/xmpp/settings.h"
#include "bot/links/xmpp/stanza_gate.h"
#include "bot/links/xmpp/tls.h"

namespace jarvis::bot::links::xmpp {

class SecureStream {
 public:
  // Begins at once. Throws std::exception when not even that is possible.
  SecureStream(const Settings& settings, Time now);
  ~SecureStream();
  SecureStream(const SecureStream&) = delete;
  SecureStream& operator=(const SecureStream&) = delete;

  pollfd wanted() const;  // what to wait for
  Time deadline() const;  // when to call go_on() at the latest
  // Does what can be done now. Received bytes that passed the gate are appended to `into`.
  void go_on(Time now, std::string& into);

  bool is_secure() const { return at_ == At::Open; }
  bool has_ended() const { return at_ == At::Ended; }
  // After the end: a sentence, and whether trying again soon is pointless (a certificate).
  const std::string& why() const { return why_; }
  bool needs_a_person() const { return needs_a_person_; }

  // Takes bytes for the server; they go out as it reads. Ends the stream when it has not read a megabyte of them.
  void send(const std::string& bytes);
  // No more will be sent; ends when all is out.
  void finish();
  bool is_idle() const { return out_.empty(); }
  const std::string& peer() const { return peer_; }
  std::string tls_version() const { return tls_ ? tls_->version() : ""; }

 private:
  enum class At { Lookup, Connect, Clear, Handshake, Open, Ended };

  void connect_next(Time now);
  void connected(Time now);
  void hear_clear();
  void shake_hands(Time now);
  void carry(std::string& into);
  void end(const std::string& why, bool needs_a_person = false);
  void next_or_end(const std::string& why, Time now, bool needs_a_person = false);

  const Settings& settings_;
  At at_ = At::Lookup;
  std::unique_ptr<Lookup> lookup_;
  std::vector<Address> left_;  // addresses not tried yet, the next one last
  int fd_ = -1;
  std::optional<ClearPart> clear_;
  std::unique_ptr<Tls> tls_;
  StanzaGate gate_;
  std::string out_, peer_, why_;
  Time deadline_;
  Tls::Want want_ = Tls::Want::Read;
  bool needs_a_person_ = false, finishing_ = false;
};

}  // namespace jarvis::bot::links::xmpp
