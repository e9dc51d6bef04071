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
#include "bot/talk.h"

namespace jarvis::bot {

class Session final : public Talk, public std::enable_shared_from_this<Session> {
 public:
  explicit Session(boost::asio::local::stream_protocol::socket socket);

  // Says hello, reads the command. Error(Usage) for a malformed one.
  boost::asio::awaitable<void> begin();

  void say(const std::string& text) override { send({{"say", text}}); }
  void error(const std::string& text) override { send({{"error", text}}); }
  void json(nlohmann::json object) override { send({{"json", std::move(object)}}); }
  void raw(const std::string& text) override { send({{"raw", text}}); }
  void progress(nlohmann::json view) override { send({{"progress", std::move(view)}}); }
  void exit(int status) { send({{"exit", status}}); }
  boost::asio::awaitable<std::optional<std::string>> ask(std::string text) override;
  // Whoever is asked has answered no.
  void give_up_asking();
  // Until everything said is sent.
  boost::asio::awaitable<void> drained();

  const Invocation& invocation() const override { return invocation_; }
  const std::string* input(const std::string& name) const override;
  const std::string* input_error(const std::string& name) const override;
  std::size_t input_bytes() const;
  unsigned uid() const { return uid_; }
  // The command as it was given.
  const std::string& said() const { return said_; }
  const Asker& asker() const override { return asker_; }
  // As the configuration knows the uid at the other end.
  void set_asker(Asker asker) { asker_ = std::move(asker); }
  std::string where() const override { return "command line"; }
  const std::string& directory() const override { return directory_; }
  bool terminal() const override { return terminal_; }
  bool waits() const override { return true; }
  std::size_t lines() const override { return kLines; }

 private:
  static constexpr std::size_t kLines = 50;
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
  std::string directory_, said_;
  Asker asker_;
  bool terminal_ = false;
};

// "root (uid 0)".
std::string name_of_uid(unsigned uid);

}  // namespace jarvis::bot
