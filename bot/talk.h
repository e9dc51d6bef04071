// Somebody who gave a command, and the way back to him. What a command sees of the person: who it is, what was said,
// where answers go. Two kinds: Session (the control socket) and ChatTalk (a link). Loop's thread; saying never blocks
// and never fails: somebody who went away simply hears nothing.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "bot/access.h"
#include "bot/audit.h"
#include "bot/command_table.h"

namespace jarvis::bot {

class Talk {
 public:
  virtual ~Talk() = default;

  virtual void say(const std::string& text) = 0;
  virtual void error(const std::string& text) = 0;
  virtual void json(nlohmann::json object) = 0;
  virtual void raw(const std::string& text) = 0;
  virtual void progress(nlohmann::json view) = 0;
  // A question to a person at a terminal; nothing when there is none (any more).
  virtual boost::asio::awaitable<std::optional<std::string>> ask(std::string text) = 0;
  // For an answer of many thousand lines: until most of what was said has been taken. False: nobody takes it.
  virtual boost::asio::awaitable<bool> caught_up() { co_return true; }

  virtual const Invocation& invocation() const = 0;
  // Bytes of a SPEC or CLIPBOARD argument as the client read them; nullptr if it read no such thing.
  virtual const std::string* input(const std::string& name) const = 0;
  // They have been read, and are not asked for again: a thousand specs need not stay until the last host is ready.
  virtual void forget_inputs() {}
  // Why the client could not read such an argument; nullptr if it could, or did not try.
  virtual const std::string* input_error(const std::string& name) const = 0;

  // Who it is, as proven, and where it was said.
  virtual const Asker& asker() const = 0;
  const std::string& by() const { return asker().shown; }
  // What a run keeps of where it was ordered, so that its end is told there (Whence, or "command line").
  virtual std::string where() const = 0;
  // Working directory of the person's shell; empty when there is none.
  virtual const std::string& directory() const = 0;
  virtual bool terminal() const = 0;
  // Commands wait for their runs. In chat nobody waits: the reporter tells how they go.
  virtual bool waits() const = 0;
  // How long a listing may be.
  virtual std::size_t lines() const = 0;

  // What the audit log will say of this command; whoever finds something out about it adds it.
  AuditRecord& account() const { return account_; }

 private:
  mutable AuditRecord account_;
};

}  // namespace jarvis::bot
