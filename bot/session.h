// One person at the other end of the control socket, for one command. The protocol is lines of JSON (docs/socket.md):
//   from the client  {"arguments": [...], "json": .., "quiet": .., "detach": .., "terminal": .., "directory": "..",
//                     "inputs": [{"name": "loki.yaml", "size": 123}, {"name": "x.yaml", "error": "why not"}]}  followed
//                     by the inputs' bytes;  {"answer": "yes"}
//   to the client    {"hello": 1}, {"say": TEXT}, {"error": TEXT}, {"json": {..}}, {"raw": TEXT}, {"progress": VIEW},
//                    {"ask": TEXT}, {"exit": STATUS}
// Who it is comes from the socket's peer (uid). Loop's thread; sending never blocks and never fails: somebody who went
// away simply hears nothing.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/streambuf.hpp>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bot/command_table.h"

namespace jarvis::bot {

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(boost::asio::local::stream_protocol::socket socket);

  // Says hello, reads the command. Error(Usage) for a malformed one.
  boost::asio::awaitable<void> begin();

  void say(const std::string& text) { send({{"say", text}}); }
  void error(const std::string& text) { send({{"error", text}}); }
  void json(nlohmann::json object) { send({{"json", std::move(object)}}); }
  void raw(const std::string& text) { send({{"raw", text}}); }
  void progress(nlohmann::json view) { send({{"progress", std::move(view)}}); }
  void exit(int status) { send({{"exit", status}}); }
  // A question to a person at a terminal; nothing when there is none (any more).
  boost::asio::awaitable<std::optional<std::string>> ask(std::string text);
  // Whoever is asked has answered no.
  void give_up_asking();
  // Until everything said is sent.
  boost::asio::awaitable<void> drained();

  const Invocation& invocation() const { return invocation_; }
  // Bytes of a SPEC or CLIPBOARD argument as the client read them; nullptr if it read no such thing.
  const std::string* input(const std::string& name) const;
  // Why the client could not read such an argument; nullptr if it could, or did not try.
  const std::string* input_error(const std::string& name) const;
  std::size_t input_bytes() const;
  unsigned uid() const { return uid_; }
  const std::string& by() const { return by_; }  // "root (uid 0)"
  const std::string& directory() const { return directory_; }
  bool terminal() const { return terminal_; }

 private:
  void send(const nlohmann::json& message);
  void write();
  boost::asio::awaitable<std::string> read_line();

  boost::asio::local::stream_protocol::socket socket_;
  boost::asio::streambuf buffer_;
  std::deque<std::string> out_;
  bool writing_ = false, asking_ = false;
  Invocation invocation_;
  std::map<std::string, std::string> inputs_, input_errors_;
  unsigned uid_ = 0;
  std::string by_, directory_;
  bool terminal_ = false;
};

// "root (uid 0)".
std::string name_of_uid(unsigned uid);

}  // namespace jarvis::bot
