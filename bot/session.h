// One person at the other end of the control socket, for one command. The protocol is lines of JSON (docs/socket.md):
//   from the client  {"arguments": [...], "json": .., "quiet": .., "detach": .., "terminal": .., "directory": "..",
//                     "inputs": [{"name": "loki.yaml", "size": 123}, {"name": "x.yaml", "error": "why not"}]}  followed
//                     by the inputs' bytes;  {"answer": "yes"};  "record": see by_hand.h
//   to the client    {"hello": 1}, {"say": TEXT}, {"error": TEXT}, {"json": {..}}, {"raw": TEXT}, {"progress": VIEW},
//                    {"ask": TEXT}, {"exit": STATUS}
// Who it is comes from the socket's peer (uid). Loop's thread; sending never blocks and never fails: somebody who went
// away simply hears nothing. Nobody keeps jarvis waiting: who says no command, or does not take the end of his answer,
// is left after a while, and at once when jarvis stops.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
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

  // Says hello, reads the command. Error(Usage) for a malformed one; the connection breaks when none comes.
  boost::asio::awaitable<void> begin();
  // The bytes of the inputs that the command named.
  boost::asio::awaitable<void> read_inputs();

  void say(const std::string& text) override { send({{"say", text}}); }
  void error(const std::string& text) override { send({{"error", text}}); }
  void json(nlohmann::json object) override { send({{"json", std::move(object)}}); }
  void raw(const std::string& text) override { send({{"raw", text}}); }
  void progress(nlohmann::json view) override { send({{"progress", std::move(view)}}); }
  void exit(int status) { send({{"exit", status}}); }
  boost::asio::awaitable<std::optional<std::string>> ask(std::string text) override;
  // jarvis stops: whoever is asked has answered no, whoever has not said a command yet is left, and nobody is waited
  // for who does not read.
  void hurry();
  // Until everything said is sent, or nobody takes it.
  boost::asio::awaitable<void> drained();
  boost::asio::awaitable<bool> caught_up() override { return sent_down_to(kCaughtUp); }

  const Invocation& invocation() const override { return invocation_; }
  const std::string* input(const std::string& name) const override;
  void forget_inputs() override { inputs_.clear(); }
  const std::string* input_error(const std::string& name) const override;
  std::size_t input_bytes() const;
  unsigned uid() const { return uid_; }
  // The command as it was given.
  const std::string& said() const { return said_; }
  const Asker& asker() const override { return asker_; }
  // What a task run by hand wants written down (by_hand.h); null: this is a command.
  const nlohmann::json& record() const { return record_; }
  // As the configuration knows the uid at the other end. Where tasks run is the owner's to say.
  void set_asker(Asker asker) {
    asker_ = std::move(asker);
    if (!asker_.owner) directory_.clear();
  }
  std::string where() const override { return "command line"; }
  const std::string& directory() const override { return directory_; }
  bool terminal() const override { return terminal_; }
  bool waits() const override { return true; }
  std::size_t lines() const override { return kLines; }

 private:
  static constexpr std::size_t kLines = 50, kCaughtUp = 100;
  void send(const nlohmann::json& message);
  void write();
  boost::asio::awaitable<std::string> read_line();
  // False: the other end is gone, or takes nothing.
  boost::asio::awaitable<bool> sent_down_to(std::size_t messages);
  void limit(std::chrono::milliseconds time);
  void leave();

  boost::asio::local::stream_protocol::socket socket_;
  boost::asio::streambuf buffer_;
  boost::asio::steady_timer limit_, sent_;  // to say a command; whenever something was sent
  std::deque<std::string> out_;
  std::size_t taken_ = 0;  // of the first of them
  bool writing_ = false, asking_ = false, begun_ = false, commanded_ = false, hurried_ = false;
  nlohmann::json record_;
  std::vector<std::pair<std::string, std::size_t>> expected_;
  Invocation invocation_;
  std::map<std::string, std::string> inputs_, input_errors_;
  unsigned uid_ = 0;
  std::string directory_, said_;
  Asker asker_;
  bool terminal_ = false;
};

// "root (uid 0)".
std::string name_of_uid(unsigned uid);
// Who this uid is: root and the owner of the state, whom the configuration knows, or nobody.
Asker asker_of_uid(const Settings& settings, unsigned uid, unsigned owner);

}  // namespace jarvis::bot
