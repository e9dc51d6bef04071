// Sentences for people about what gloox reports. Pure.
#pragma once

#include <gloox/gloox.h>

#include <string>

namespace gloox {
class ClientBase;
class Error;
}  // namespace gloox

namespace jarvis::bot::links::xmpp {

struct Ending {
  std::string why;
  bool needs_a_person = false;  // trying again soon is pointless
};

// Why the client's stream ended.
Ending why_ended(const gloox::ClientBase& client, gloox::ConnectionError error, const std::string& jid);

// Of a stanza error: the condition's name (RFC 6120, 8.3.3) and the server's text if it gave one.
std::string condition(const gloox::Error* error);

}  // namespace jarvis::bot::links::xmpp
