// The part of an XMPP stream that goes over the wire before TLS (RFC 6120, 5.4): stream header, features, <starttls/>,
// <proceed/>. It is kept apart from the XMPP library so that nothing a man in the middle says in clear text can ever
// reach it: no stanza, no SASL success, no feature. No I/O of its own.
#pragma once

#include <gloox/parser.h>
#include <gloox/taghandler.h>

#include <string>
#include <string_view>

#include "bot/links/xmpp/stanza_gate.h"

namespace jarvis::bot::links::xmpp {

class ClearPart : private gloox::TagHandler {
 public:
  explicit ClearPart(const std::string& domain) : domain_(domain), parser_(this) {}

  std::string take();  // what is to be sent now, if anything

  enum class Then { More, BeginTls, Failed };
  Then hear(std::string_view bytes);
  const std::string& why() const { return why_; }  // a sentence, after Failed

  // The stream header, which also opens the conversation.
  void open();

 private:
  void handleTag(gloox::Tag* tag) override;
  void fail(const std::string& why);

  std::string domain_, to_send_, why_;
  gloox::Parser parser_;
  StanzaGate gate_;
  std::size_t heard_ = 0;
  bool asked_ = false, proceed_ = false;
};

}  // namespace jarvis::bot::links::xmpp
