#include "bot/links/irc/link.h"

#include <algorithm>
#include <iostream>

namespace jarvis::bot::links::irc {

namespace {

constexpr Seconds kMostBackoff{300}, kHealthy{60};
constexpr Seconds kWelcomeEnds{5};  // after 001, for a server that never ends its welcome
constexpr std::size_t kLongestWhy = 300;

bool is_loopback(const std::string& host) {
  return host.starts_with("127.") || host == "::1" || host == "localhost";
}

}  // namespace

Link::Link(Wire& wire, Network network, Time now)
    : wire_(wire),
      network_(std::move(network)),
      channels_(network_.rejoin_after),
      pace_(network_.burst, network_.per_second),
      backoff_(network_.reconnect_after, kMostBackoff),
      connect_at_(now) {}

void Link::log(const std::string& text) {
  std::cerr << clean_text(text) << std::endl;
}

void Link::hear(const nlohmann::json& command, Time now) {
  const auto type = command.find("type");
  if (type == command.end() || !type->is_string()) return;
  const auto text = [&](const char* key) {
    const auto found = command.find(key);
    return found != command.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (*type == "say") say(command);
  if (*type == "ask_identity") ask_identity(text("sender"), now);
  if (*type == "stop") stop(now);
}

void Link::stop(Time now) {
  if (stop_by_) return;
  if (!up_) ended_ = true;
  leave_by_ = after(now, Seconds(1));
  stop_by_ = after(now, Seconds(1.8));
}

void Link::take_leave(Time now) {
  if (now >= *stop_by_ || !connection_) ended_ = true;
  if (ended_ || said_goodbye_ || (!outbox_.empty() && now < *leave_by_)) return;
  said_goodbye_ = true;
  for (const std::string& line : session_->quit("jarvis stops")) send_now(line, now);
}

void Link::watch(std::vector<pollfd>& polled) const {
  if (connection_) connection_->watch(polled);
}

Time Link::due() const {
  Time due = std::min(inquiries_.due(), stop_by_.value_or(Time::max()));
  if (leave_by_ && !said_goodbye_) due = std::min(due, *leave_by_);
  if (!connection_) return std::min(due, connect_at_);
  due = std::min({due, connection_->due(), register_by_});
  if (welcome_) {
    if (ping_sent_) due = std::min(due, after(std::max(*ping_sent_, last_heard_), network_.ping_timeout));
    if (!ping_sent_) due = receipts_.open() ? Time{} : std::min(due, after(last_heard_, network_.ping_every));
  }
  if (up_) {
    due = std::min({due, channels_.due(), regain_at_});
    if (!outbox_.empty()) due = std::min(due, pace_.ready(std::chrono::steady_clock::now()));
  }
  return due;
}

void Link::step(Time now) {
  try {
    if (!connection_ && !stop_by_ && now >= connect_at_) connect(now);
    exchange(now);
    if (connection_ && now >= register_by_) {
      if (!welcome_) lose("the server did not let us in within " + text_of(network_.register_timeout), now);
      if (connection_ && welcome_ && !up_) registered(now);
    }
    inquiries_.expire(now);
    if (up_) keep_nick(now);
    if (up_) {
      for (const Channels::Wanted& channel : channels_.to_join(now)) ask(session_->join(channel.name, channel.key));
      flush(now);
    }
    if (connection_ && welcome_) keep_alive(now);  // before, many servers answer no PING
    if (stop_by_) take_leave(now);
    if (connection_ && connection_->unsent() > 0) exchange(now);
    if (connection_) connection_->acknowledge();
  } catch (const std::exception& error) {
    lose(error.what(), now);
  }
}

// Takes in what the server said, answers, and sends what can be sent.
void Link::exchange(Time now) {
  bool again = true;
  // Bounded: a server that never stops talking must not keep us from jarvis and the clock.
  for (int i = 0; again && connection_ && i < 8; ++i) {
    std::string heard;
    connection_->step(now, heard);
    if (connection_->is_open() && !opened_) opened(now);
    lines_.add(heard, [&](std::string_view text, bool cut) {
      if (connection_) hear_line(std::string(text), cut, now);
    });
    if (connection_ && connection_->is_closed()) lose(last_words_.empty() ? connection_->why() : last_words_, now);
    again = connection_ && connection_->unsent() > 0 && !heard.empty();
  }
}

void Link::connect(Time now) {
  const bool secret = !network_.password_file.empty() || !network_.sasl_user.empty() || !network_.nickserv.empty();
  if (secret && !network_.tls && !is_loopback(network_.server)) {
    throw std::runtime_error("a password is configured, and none is sent without TLS; tls: true");
  }
  std::optional<Registration::Login> login;
  if (network_.sasl_external) login = {true, "", ""};
  if (!network_.sasl_user.empty()) login = {false, network_.sasl_user, read_secret(network_.sasl_password_file)};
  password_ = network_.password_file.empty() ? "" : read_secret(network_.password_file);
  nickserv_password_ = network_.nickserv.empty() ? "" : read_secret(network_.nickserv_password_file);
  wanted_.clear();
  for (const Network::Channel& channel : network_.channels) {
    wanted_.push_back({channel.name, channel.key_file.empty() ? "" : read_secret(channel.key_file)});
  }
  Connection::Place place{network_.server, network_.port, std::nullopt, network_.connect_timeout};
  if (network_.tls) place.tls = TlsNames{network_.server, network_.ca_file, network_.cert_file, network_.key_file};
  lines_.clear();
  registration_.emplace(std::move(login));
  connection_ = std::make_unique<Connection>(std::move(place), now);
}

void Link::opened(Time now) {
  opened_ = true;
  last_heard_ = now;
  nick_ = network_.nick;
  register_by_ = after(now, network_.register_timeout);
  session_ = std::make_unique<Session>(network_.nick, network_.user, network_.realname);
  send_now(Registration::opening(), now);
  if (!password_.empty()) send_now("PASS :" + password_, now);
  for (const std::string& line : session_->opening()) send_now(line, now);
}

// The server's welcome is over, and what it says of itself is known.
void Link::registered(Time now) {
  register_by_ = Time::max();
  up_ = true;
  up_since_ = now;
  told_down_ = false;
  people_.begin(isupport_.casemapping, registration_->has("extended-join") && registration_->has("account-notify"));
  inquiries_.begin(isupport_.casemapping);
  channels_.begin(wanted_, isupport_.casemapping, now);
  if (!nickserv_password_.empty()) ask("PRIVMSG " + network_.nickserv + " :IDENTIFY " + nickserv_password_);
  if (isupport_.bot_flag != 0) ask("MODE " + nick_ + " +" + isupport_.bot_flag);  // so that other bots know us for one
  for (const Channels::Wanted& channel : channels_.to_join(now)) ask(session_->join(channel.name, channel.key));
  regain_at_ = now;
  announce();
}

void Link::lose(const std::string& why, Time now) {
  const std::string reason = split_text(clean_text(why.empty() ? "the connection ended" : why), kLongestWhy).front();
  if (up_ && now - up_since_ >= kHealthy) backoff_.reset();
  const bool tell = up_ || !told_down_;
  opened_ = welcome_ = up_ = monitored_ = false;
  connection_.reset();
  session_.reset();
  registration_.reset();
  lines_.clear();
  isupport_ = Isupport();
  history_.begin();
  inquiries_.lost();
  people_.begin(isupport_.casemapping, false);
  channels_.begin({}, isupport_.casemapping, now);
  password_.clear();
  nickserv_password_.clear();
  user_at_host_.clear();
  last_words_.clear();
  substitute_ = 0;
  register_by_ = regain_at_ = Time::max();
  ping_sent_.reset();
  say_again_ = false;
  // What was for a channel is still true afterwards; a nick may be somebody else's by then.
  const auto stays_true = [&](const Outgoing& said) {
    return said.kind == Outgoing::Kind::Say && is_channel(said.place, isupport_.channel_prefixes);
  };
  for (const Outgoing& dropped : outbox_.lost(stays_true)) wire_.unsaid(dropped.id);
  unsaid(receipts_.lost());
  const Seconds delay = backoff_.next(random_);
  connect_at_ = after(now, delay);
  if (stop_by_) ended_ = true;
  if (ended_) return;
  if (tell) wire_.down(reason);
  told_down_ = true;
  log(reason + "; next try in " + text_of(delay));
}

void Link::keep_alive(Time now) {
  if (!ping_sent_ && (receipts_.open() || now >= after(last_heard_, network_.ping_every))) {
    ping_sent_ = now;
    receipts_.mark();
    send_now("PING :jarvis", now);
  } else if (ping_sent_ && now >= after(std::max(*ping_sent_, last_heard_), network_.ping_timeout)) {
    lose("no sign of life from the server for " + text_of(now - last_heard_), now);
  }
}

// Asks from time to time whether the nick that we want is free.
void Link::keep_nick(Time now) {
  if (now < regain_at_) return;
  regain_at_ = has_wanted_nick() ? Time::max() : after(now, network_.regain_every);
  if (has_wanted_nick()) return;
  if (isupport_.monitor && !monitored_) {
    monitored_ = true;
    ask("MONITOR + " + network_.nick);
  }
  ask("ISON " + network_.nick);
}

}  // namespace jarvis::bot::links::irc
