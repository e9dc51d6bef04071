// One command said in chat: answers go back to where it was said, at most a few lines of them in a channel.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "bot/talk.h"
#include "bot/whence.h"

namespace jarvis::bot {

class Chat;

class ChatTalk final : public Talk {
 public:
  ChatTalk(Chat& chat, Whence whence, Asker asker);

  // Error(Usage) for what is no command, Error(Refused) for one that is not said in chat.
  void parse(const std::vector<std::string>& words);
  // Says how much was left out.
  void finish();

  void say(const std::string& text) override;
  void error(const std::string& text) override;
  void json(nlohmann::json object) override { say(object.dump()); }
  void raw(const std::string& text) override { say(text); }
  void progress(nlohmann::json) override {}  // the reporter's
  boost::asio::awaitable<std::optional<std::string>> ask(std::string text) override;

  const Invocation& invocation() const override { return invocation_; }
  const std::string* input(const std::string&) const override { return nullptr; }
  const std::string* input_error(const std::string& name) const override;
  const Asker& asker() const override { return asker_; }
  std::string where() const override { return whence_.text(); }
  const std::string& directory() const override { return nowhere_; }
  bool terminal() const override { return false; }
  bool waits() const override { return false; }
  std::size_t lines() const override { return lines_at(answers_); }

  const Whence& whence() const { return whence_; }

 private:
  static std::size_t lines_at(const Whence& where) { return where.direct ? 20 : 4; }
  void say_at(const Whence& where, const std::string& text);

  Chat& chat_;
  Whence whence_, answers_;  // where it was said; where answers go, faults stay where it was said
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  Asker asker_;
  Invocation invocation_;
  std::string nowhere_, no_path_;
  bool elsewhere_told_ = false;
  std::size_t said_ = 0, left_out_ = 0;
};

}  // namespace jarvis::bot
