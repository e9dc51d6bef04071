#include "bot/links/xmpp/stanza_gate.h"

namespace jarvis::bot::links::xmpp {

namespace {

constexpr char kNotXml[] = "the server sent something that is not XML";
constexpr char kForbidden[] = "the server sent XML that XMPP forbids (a comment, instruction or document type)";
constexpr char kTooBig[] = "the server sent a stanza larger than any we accept";
constexpr char kTooDeep[] = "the server sent a stanza nested deeper than any we accept";
constexpr std::string_view kCData = "[CDATA[";
constexpr std::size_t kLongestName = 256;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_stream(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  return name.substr(colon == std::string_view::npos ? 0 : colon + 1) == "stream";
}

}  // namespace

const char* StanzaGate::pass(std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && !is_space(c)) return kNotXml;
    if (++bytes_ > most_bytes_) return kTooBig;
    if (const char* why = step(c)) return why;
    if (in_ == In::Text && depth_ <= 1) bytes_ = 0;
  }
  return nullptr;
}

const char* StanzaGate::opened() {
  // After authentication the server begins a new stream inside the old one (RFC 6120, 6.4.6).
  if (depth_ == 1 && is_stream(name_)) return nullptr;
  if (depth_ == 0 && !is_stream(name_)) return kNotXml;
  return ++depth_ > most_depth_ ? kTooDeep : nullptr;
}

const char* StanzaGate::closed() {
  over_ = --depth_ == 0;
  return depth_ < 0 ? kNotXml : nullptr;
}

const char* StanzaGate::step(char c) {
  switch (in_) {
    case In::Text:
      if (c == '<') {
        in_ = In::Open;
        name_.clear();
      } else if (depth_ <= 1 && !is_space(c)) {
        return kNotXml;
      }
      return nullptr;
    case In::Open:
      if (c == '/') {
        in_ = In::Close;
        return nullptr;
      }
      if (c == '!') {
        in_ = In::Bang;
        return nullptr;
      }
      if (c == '?') {
        in_ = In::Declaration;
        return depth_ <= 1 ? nullptr : kForbidden;
      }
      if (is_space(c) || c == '>' || c == '<') return kNotXml;
      in_ = In::Name;
      name_ += c;
      return nullptr;
    case In::Name:
      if (c == '>') {
        in_ = In::Text;
        return opened();
      }
      if (c == '<' || name_.size() > kLongestName) return kNotXml;
      if (c == '/') in_ = In::SlashInTag;
      if (is_space(c)) in_ = In::Tag;
      if (in_ == In::Name) name_ += c;
      return nullptr;
    case In::Tag:
      if (c == '>') {
        in_ = In::Text;
        return opened();
      }
      if (c == '<') return kNotXml;
      if (c == '/') in_ = In::SlashInTag;
      if (c == '"' || c == '\'') {
        in_ = In::Quoted;
        quote_ = c;
      }
      return nullptr;
    case In::SlashInTag: {
      if (c != '>') return kNotXml;
      in_ = In::Text;
      const char* why = opened();
      return why != nullptr ? why : closed();
    }
    case In::Quoted:
      if (c == '<') return kNotXml;
      if (c == quote_) in_ = In::Tag;
      return nullptr;
    case In::Close:
      if (c == '<') return kNotXml;
      if (c != '>') return nullptr;
      in_ = In::Text;
      return closed();
    case In::Bang:
      name_ += c;
      if (depth_ <= 1 || kCData.substr(0, name_.size()) != name_) return kForbidden;
      if (name_ == kCData) {
        in_ = In::CData;
        name_.clear();
      }
      return nullptr;
    case In::CData:
      name_ += c;
      if (name_.size() > 3) name_.erase(0, 1);
      if (name_ == "]]>") in_ = In::Text;
      return nullptr;
    case In::Declaration:
      name_ += c;
      if (name_.size() <= 3 && std::string_view("xml").substr(0, name_.size()) != name_) return kForbidden;
      if (name_.size() > kLongestName) return kNotXml;
      if (c == '>') in_ = In::Text;
      return nullptr;
  }
  return kNotXml;
}

}  // namespace jarvis::bot::links::xmpp
