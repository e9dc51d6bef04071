#include "bot/links/xmpp/clear_part.h"

#include <gloox/tag.h>

#include <utility>

namespace jarvis::bot::links::xmpp {

namespace {

constexpr std::size_t kMostBytes = 16384;
constexpr char kTls[] = "urn:ietf:params:xml:ns:xmpp-tls";
constexpr char kStreams[] = "http://etherx.jabber.org/streams";

}  // namespace

void ClearPart::open() {
  gloox::Tag header("stream:stream", "to", domain_);
  header.addAttribute("version", "1.0");
  header.addAttribute("xmlns", "jabber:client");
  header.addAttribute("xmlns:stream", kStreams);
  std::string text = header.xml();
  text.replace(text.rfind("/>"), 2, ">");
  to_send_ += "<?xml version='1.0'?>" + text;
}

std::string ClearPart::take() {
  return std::exchange(to_send_, {});
}

ClearPart::Then ClearPart::hear(std::string_view bytes) {
  heard_ += bytes.size();
  if (heard_ > kMostBytes) fail("the server sent too much before encryption began");
  const char* wrong = gate_.pass(bytes);
  if (wrong != nullptr) fail("the server does not speak XMPP: " + std::string(wrong));
  std::string copy(bytes);
  if (why_.empty() && parser_.feed(copy) >= 0) fail("the server does not speak XMPP");
  if (gate_.is_over()) fail("the server closed the stream before encryption began");
  if (!why_.empty()) return Then::Failed;
  return proceed_ ? Then::BeginTls : Then::More;
}

void ClearPart::fail(const std::string& why) {
  if (why_.empty()) why_ = why;
}

void ClearPart::handleTag(gloox::Tag* tag) {
  if (!why_.empty()) return;
  if (proceed_) return fail("the server went on in clear text after it had agreed to encrypt");
  if (tag == nullptr) return fail("the server closed the stream before encryption began");
  const std::string& name = tag->name();
  const std::string xmlns = tag->xmlns();
  if (name == "stream" && xmlns == kStreams) return;
  if (name == "features" && xmlns == kStreams) {
    if (!tag->hasChild("starttls", "xmlns", kTls)) return fail("the server offers no encryption (STARTTLS)");
    if (!asked_) to_send_ += "<starttls xmlns='" + std::string(kTls) + "'/>";
    asked_ = true;
    return;
  }
  if (name == "proceed" && xmlns == kTls && asked_) {
    proceed_ = true;
    return;
  }
  if (name == "error" && xmlns == kStreams) {
    const std::string text = tag->findChild("text") != nullptr ? tag->findChild("text")->cdata() : "";
    const std::string kind = tag->children().empty() ? "" : tag->children().front()->name();
    return fail("the server refused the stream: " + (text.empty() ? kind : text));
  }
  if (name == "failure" && xmlns == kTls) return fail("the server offered encryption and then refused it");
  fail("the server sent <" + name + "/> before encryption began");
}

}  // namespace jarvis::bot::links::xmpp
