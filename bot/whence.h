// Where in chat a command was said and by whom, so that the answer finds its way back, also after a restart: a run
// keeps it as text. Pure.
#pragma once

#include <optional>
#include <string>

namespace jarvis::bot {

struct Whence {
  std::string link, place;  // place: channel or room; in a direct message whom to answer
  bool direct = false;
  std::string sender;           // as people see it
  std::string identity, proof;  // what the network proved; empty: nothing

  std::string text() const;
  // Nothing for whatever else a run may have kept: "command line".
  static std::optional<Whence> from(const std::string& text);
  // "freenet/#ops", or "direct".
  std::string shown() const { return direct ? "direct" : link + "/" + place; }
  bool operator==(const Whence&) const = default;
};

}  // namespace jarvis::bot
