// libircclient behind a door of ours: it parses what the server says into events and writes our commands. Debian's has
// no TLS, tags or SASL, obeys line ends in arguments, takes some arguments for formats, reads beyond short messages and
// stops for ever at a long line; so it only ever talks to us, over a pair of sockets, one checked line at a time, and
// each call comes back when the line is through. Nothing here blocks longer than a local socket takes.
#pragma once

#include <libircclient.h>

#include <memory>
#include <string>
#include <vector>

#include "bot/links/irc/line.h"
#include "pipeline/unique_fd.h"

namespace jarvis::bot::links::irc {

struct Event {
  // Named after the command; CtcpRequest is a PRIVMSG with one.
  enum class Kind { Numeric, Nick, Quit, Join, Part, Kick, Message, CtcpRequest, Invite, Other } kind = Kind::Other;
  int number = 0;       // of a Numeric
  std::string command;  // of Other
  std::string origin;   // "nick!user@host"
  std::vector<std::string> params;
};

class Session {
 public:
  // std::runtime_error when the library cannot be reached, which only a full descriptor table causes.
  Session(const std::string& nick, const std::string& user, const std::string& realname);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // NICK and USER, to begin with.
  std::vector<std::string> opening() { return sent(2); }
  // What the library makes of one line; none for lines that it must not see (malformed, DCC).
  std::vector<Event> feed(const Line& line);

  // Commands; each returns the lines to send. Arguments must be clean.
  std::vector<std::string> message(const std::string& place, const std::string& text);
  std::vector<std::string> ctcp_reply(const std::string& nick, const std::string& text);
  std::vector<std::string> join(const std::string& channel, const std::string& key);
  std::vector<std::string> nick(const std::string& nick);
  std::vector<std::string> whois(const std::string& nick);
  std::vector<std::string> quit(const std::string& why);

 private:
  struct Destroy {
    void operator()(irc_session_t* session) const { irc_destroy_session(session); }
  };

  bool turn();
  std::vector<std::string> sent(std::size_t lines);
  std::vector<std::string> command(int fault);
  void on(Event::Kind kind, int number, const char* command, const char* origin, const char** params, unsigned count);
  static Session& self(irc_session_t* session);
  template <Event::Kind kind>
  static void event(irc_session_t* session, const char* command, const char* origin, const char** params,
                    unsigned count);
  static void numeric(irc_session_t* session, unsigned number, const char* origin, const char** params, unsigned count);

  std::unique_ptr<irc_session_t, Destroy> library_;
  pipeline::UniqueFd ours_;  // our end of the pair
  int theirs_ = -1;          // the library's end, which it closes
  std::vector<Event> events_;
  std::string unread_;
};

}  // namespace jarvis::bot::links::irc
