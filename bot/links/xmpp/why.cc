#include "bot/links/xmpp/why.h"

#include <gloox/clientbase.h>
#include <gloox/error.h>

namespace jarvis::bot::links::xmpp {

namespace {

std::string stream_error(const gloox::ClientBase& client) {
  const std::string& text = client.streamErrorText();
  const std::string more = text.empty() ? "" : ": " + text;
  switch (client.streamError()) {
    case gloox::StreamErrorConflict:
      return "somebody else logged in with our account and resource (conflict)" + more;
    case gloox::StreamErrorSystemShutdown:
      return "the server is being shut down" + more;
    case gloox::StreamErrorHostUnknown:
    case gloox::StreamErrorHostGone:
      return "the server does not serve the domain of our JID" + more;
    case gloox::StreamErrorPolicyViolation:
      return "the server says that we broke a rule of its" + more;
    case gloox::StreamErrorResourceConstraint:
      return "the server is overloaded" + more;
    case gloox::StreamErrorConnectionTimeout:
      return "the server closed the connection because it was silent" + more;
    case gloox::StreamErrorNotAuthorized:
      return "the server says that we are not authorized" + more;
    default:
      return "the server closed the stream with an error" + more;
  }
}

Ending auth_error(const gloox::ClientBase& client, const std::string& jid) {
  switch (client.authError()) {
    case gloox::SaslTemporaryAuthFailure:
      return {"the server cannot check passwords at the moment", false};
    case gloox::SaslMechanismTooWeak:
    case gloox::SaslInvalidMechanism:
      return {"the server accepts no way to log in that we speak (SCRAM-SHA-1, PLAIN)", true};
    case gloox::SaslNotAuthorized:
      return {"wrong password, or no such account: " + jid, true};
    default:
      return {"the server refused to log in " + jid, true};
  }
}

}  // namespace

Ending why_ended(const gloox::ClientBase& client, gloox::ConnectionError error, const std::string& jid) {
  switch (error) {
    case gloox::ConnStreamError:
      return {stream_error(client), client.streamError() == gloox::StreamErrorConflict ||
                                        client.streamError() == gloox::StreamErrorHostUnknown};
    case gloox::ConnStreamVersionError:
      return {"the server speaks another version of XMPP", true};
    case gloox::ConnStreamClosed:
      return {"the server closed the stream", false};
    case gloox::ConnParseError:
      return {"the server sent XML that cannot be read", false};
    case gloox::ConnNoSupportedAuth:
      return {"the server offers no way to log in that we speak (SCRAM-SHA-1, PLAIN)", true};
    case gloox::ConnAuthenticationFailed:
      return auth_error(client, jid);
    default:
      return {"the connection ended", false};
  }
}

std::string condition(const gloox::Error* error) {
  if (error == nullptr) return "no reason given";
  const char* name = "error";
  switch (error->error()) {
    case gloox::StanzaErrorBadRequest:
      name = "bad-request";
      break;
    case gloox::StanzaErrorConflict:
      name = "conflict";
      break;
    case gloox::StanzaErrorFeatureNotImplemented:
      name = "feature-not-implemented";
      break;
    case gloox::StanzaErrorForbidden:
      name = "forbidden";
      break;
    case gloox::StanzaErrorGone:
      name = "gone";
      break;
    case gloox::StanzaErrorInternalServerError:
      name = "internal-server-error";
      break;
    case gloox::StanzaErrorItemNotFound:
      name = "item-not-found";
      break;
    case gloox::StanzaErrorJidMalformed:
      name = "jid-malformed";
      break;
    case gloox::StanzaErrorNotAcceptable:
      name = "not-acceptable";
      break;
    case gloox::StanzaErrorNotAllowed:
      name = "not-allowed";
      break;
    case gloox::StanzaErrorNotAuthorized:
      name = "not-authorized";
      break;
    case gloox::StanzaErrorRecipientUnavailable:
      name = "recipient-unavailable";
      break;
    case gloox::StanzaErrorRegistrationRequired:
      name = "registration-required";
      break;
    case gloox::StanzaErrorRemoteServerNotFound:
      name = "remote-server-not-found";
      break;
    case gloox::StanzaErrorRemoteServerTimeout:
      name = "remote-server-timeout";
      break;
    case gloox::StanzaErrorResourceConstraint:
      name = "resource-constraint";
      break;
    case gloox::StanzaErrorServiceUnavailable:
      name = "service-unavailable";
      break;
    default:
      break;
  }
  const std::string& text = error->text();
  return text.empty() ? name : std::string(name) + ": " + text;
}

}  // namespace jarvis::bot::links::xmpp
