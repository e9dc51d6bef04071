// The IRC link: one network, from connecting to the messages that jarvis sees, and back. It owns the protocol and
// decides nothing: what somebody may do is jarvis's business, who somebody is the network's.
//
// The way of a line: Connection (bytes, TLS) -> LineBuffer -> Registration (CAP, SASL) -> Session (libircclient) ->
// here. The way back: Outbox, at the pace that the server bears, the answer to PING and what registers us at once.
//
// An identity goes with a message only when it is proven for this very message: by its account tag; else by what
// extended-join, account-notify and WHOX have told of somebody in sight; else, when the message is for us, by a WHOIS
// whose user@host is the message's and during which the nick did not change hands. `presence` has no place on IRC (AWAY
// would make servers answer people in our name) and is ignored.
//
// News that is no loss (kicked, banned from a channel, nick taken) goes to standard error, which jarvis logs.
#pragma once

#include <poll.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bot/links/irc/channels.h"
#include "bot/links/irc/connection.h"
#include "bot/links/irc/history.h"
#include "bot/links/irc/inquiries.h"
#include "bot/links/irc/isupport.h"
#include "bot/links/irc/line_buffer.h"
#include "bot/links/irc/network.h"
#include "bot/links/irc/people.h"
#include "bot/links/irc/receipts.h"
#include "bot/links/irc/registration.h"
#include "bot/links/irc/session.h"
#include "bot/links/wire.h"

namespace jarvis::bot::links::irc {

class Link {
 public:
  Link(Wire& wire, Network network, Time now);

  // A line from jarvis.
  void hear(const nlohmann::json& command, Time now);
  // Says what waits, takes leave, and has ended two seconds later at the latest.
  void stop(Time now);
  bool ended() const { return ended_; }

  void watch(std::vector<pollfd>& polled) const;
  Time due() const;
  void step(Time now);

 private:
  // Connecting and losing (link.cc)
  void connect(Time now);
  void exchange(Time now);
  void opened(Time now);
  void registered(Time now);
  void lose(const std::string& why, Time now);
  void keep_alive(Time now);
  void keep_nick(Time now);
  void take_leave(Time now);

  // What goes out (link_say.cc)
  void say(const nlohmann::json& command);
  void ask_identity(const std::string& sender, Time now);
  void announce();
  void ask(std::string line);
  void ask(const std::vector<std::string>& lines);
  void send_now(const std::string& line, Time now);
  void flush(Time now);
  void unsaid(const Receipts::Ids& ids);
  std::size_t room_for(std::size_t place) const;
  std::size_t limit() const;

  // What comes in (link_hear.cc)
  void hear_line(const std::string& text, bool cut, Time now);
  void on_event(const Event& event, const Line& line, Time now);
  void on_numeric(const Line& line, int number, Time now);
  void on_names(const Line& line);
  void on_who(const Line& line);
  void on_join(const Line& line, Time now);
  void on_leave(const std::string& nick, const std::string& channel, const std::string& why, Time now);
  void on_nick(const Line& line);
  void on_account(const Line& line);
  void on_message(const Line& line, Time now);
  void on_ctcp(const Line& line, const std::string& request);
  void deliver(Message message, const std::string& nick, const std::optional<Proof>& proof);
  void on_nick_refused(const Line& line, Time now);
  void not_taken(const std::string& channel);
  void hold(Message message, const Line& line, std::optional<Proof> proof, bool only_certificate, Time now);
  void withdraw(const People::Gone& gone);
  bool is_me(const std::string& nick) const { return same_name(nick, nick_, isupport_.casemapping); }
  bool has_wanted_nick() const { return is_me(network_.nick); }

  static void log(const std::string& text);

  Wire& wire_;
  const Network network_;
  std::minstd_rand random_{std::random_device{}()};

  // Of the connection of now; empty between two.
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Session> session_;
  std::optional<Registration> registration_;
  LineBuffer lines_;
  Isupport isupport_;
  History history_;
  People people_;
  Inquiries inquiries_;
  Channels channels_;
  std::vector<Channels::Wanted> wanted_;  // with their keys
  std::string password_, nickserv_password_;
  std::string nick_, user_at_host_;  // ours; the latter once the server has shown it
  std::string last_words_;           // what the server said before it closed
  std::size_t substitute_ = 0;       // which substitute of our nick is tried
  bool opened_ = false, welcome_ = false, up_ = false, monitored_ = false;
  Time register_by_ = Time::max(), up_since_{};
  Time last_heard_{}, regain_at_ = Time::max();
  std::optional<Time> ping_sent_;
  Receipts receipts_;
  bool say_again_ = false;  // a channel that we were not in has missed something

  // Beyond one connection.
  Outbox outbox_;
  Pace pace_;
  Backoff backoff_;
  Time connect_at_;
  bool told_down_ = false;
  std::optional<Time> stop_by_, leave_by_;
  bool said_goodbye_ = false, ended_ = false;
};

}  // namespace jarvis::bot::links::irc
