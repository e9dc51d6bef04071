// The link's end of the line protocol between jarvis and a link (docs/links.md): one JSON object per line, commands on
// standard input, events on standard output. Knows no network. Used by one thread; reading never blocks beyond what
// poll() promised, writing blocks until jarvis reads.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jarvis::bot::links {

struct Message {
  std::string place;  // a channel or room; in a direct message: the sender
  bool direct = false;
  std::string sender;                          // as people see it
  std::optional<std::string> identity, proof;  // what the network proved and how: account, certificate, jid
  std::string text;                            // with its address ("jarvis: ")
  bool addressed = false, bot = false, history = false;
};

class Wire {
 public:
  explicit Wire(int in = 0, int out = 1);

  // To wait on with poll(): readable when hear() has something to do.
  int fd() const { return in_; }
  // Reads what is there and hands each line over: the first one is the link's configuration, the others have a `type`.
  // A line that is no object is skipped. False at the end of input: jarvis is gone, the link ends.
  bool hear(const std::function<void(const nlohmann::json&)>& line);

  void up(const std::string& nick, std::size_t limit);  // limit: bytes of UTF-8 that one `say` may carry
  void down(const std::string& why);
  void message(const Message& message);
  void gone(const std::string& identity);
  void identity(const std::string& sender, const std::optional<std::string>& identity,
                const std::optional<std::string>& proof);
  // How a `say` with that id ended: its network has it, or nobody will say it any more. 0: one that nobody asks about.
  void said(std::uint64_t id);
  void unsaid(std::uint64_t id);

 private:
  void send(nlohmann::json object);

  int in_, out_;
  std::string buffer_;
};

// The id of a `say`, 0 when it has none.
std::uint64_t id_of(const nlohmann::json& command);

// Without control characters and line ends (each becomes a space) and with U+FFFD for what is no UTF-8.
std::string clean_text(std::string_view text);

// Cuts clean text into pieces of at most `limit` bytes, at word boundaries where there are any, never inside a
// character. Spaces at a cut are dropped; no piece is empty.
std::vector<std::string> split_text(std::string_view text, std::size_t limit);

}  // namespace jarvis::bot::links
