// Stands between the network and the XML parser: what a server may send (RFC 6120 section 11.1: no comments, processing
// instructions or document types) and how much (bytes and depth of one first-level element, 13.12). The parser behind
// it builds a tree per stanza without bounds and deletes it recursively. Pure; knows nothing of names beyond `stream`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jarvis::bot::links::xmpp {

class StanzaGate {
 public:
  explicit StanzaGate(std::size_t most_bytes = 256U << 10U, int most_depth = 64)
      : most_bytes_(most_bytes), most_depth_(most_depth) {}

  // Null when these bytes may go on to the parser; else why the stream must end.
  const char* pass(std::string_view bytes);
  // The server has closed its stream: nothing more may come, whatever the connection does.
  bool is_over() const { return over_; }

 private:
  enum class In { Text, Open, Name, Tag, SlashInTag, Quoted, Close, Bang, CData, Declaration };

  const char* step(char c);
  const char* opened();
  const char* closed();

  std::size_t most_bytes_;
  int most_depth_;
  In in_ = In::Text;
  std::size_t bytes_ = 0;  // of the current first-level element
  bool over_ = false;
  int depth_ = 0;  // 1: inside <stream:stream>
  char quote_ = 0;
  std::string name_;  // as far as it matters
};

}  // namespace jarvis::bot::links::xmpp
