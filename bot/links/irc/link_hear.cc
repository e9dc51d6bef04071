#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "bot/links/irc/address.h"
#include "bot/links/irc/link.h"

namespace jarvis::bot::links::irc {

namespace {

constexpr std::size_t kMostWaiting = 64;  // messages that wait for a WHOIS
constexpr std::size_t kMostReplies = 3;   // lines that wait, beyond which no CTCP is answered
constexpr std::size_t kMostSubstitutes = 20;
constexpr const char* kWhoToken = "152";  // tells our WHO's answers from others'
constexpr Seconds kLag{10};

// Why a JOIN fails: 403 no such channel, 405 too many, 407, 437 unavailable, 471 full, 473 invite only, 474 banned,
// 475 wrong key, 476 bad name, 477 registered nicks only, 480, 489 TLS only, 520 operators only.
constexpr std::array kRefusals = {403, 405, 407, 437, 471, 473, 474, 475, 476, 477, 480, 489, 520};

std::string nick_of(const std::string& source) {
  return source.substr(0, source.find_first_of("!@"));
}

}  // namespace

void Link::hear_line(const std::string& text, bool cut, Time now) {
  const std::optional<Line> parsed = parse_line(text);
  if (!parsed) return;
  const Line& line = *parsed;
  last_heard_ = now;
  history_.hear(line, std::chrono::system_clock::now());
  if (line.command == "PING") return send_now("PONG :" + line.last(), now);
  if (line.command == "PONG") {
    if (ping_sent_ && now - *ping_sent_ > kLag) log("the server took its time to answer: lag");
    ping_sent_.reset();
    for (const std::uint64_t id : receipts_.answered()) wire_.said(id);
    return;
  }
  if (line.command == "ERROR") {
    if (!line.last().empty()) last_words_ = (last_words_.empty() ? "" : last_words_ + "; ") + line.last();
    return;
  }
  std::vector<std::string> answers;
  const bool taken = registration_->hear(line, answers);
  for (const std::string& answer : answers) send_now(answer, now);
  if (registration_->failure()) return lose(*registration_->failure(), now);
  if (taken) return;
  if (cut && line.command == "PRIVMSG") return log("a message longer than IRC allows was dropped: " + line.nick());
  for (const Event& event : session_->feed(line)) {
    // What we know of the line itself is only good for an event that is this line's.
    if (event.origin == line.source || line.source.empty()) on_event(event, line, now);
    if (!connection_) return;
  }
}

void Link::on_event(const Event& event, const Line& line, Time now) {
  switch (event.kind) {
    case Event::Kind::Numeric:
      return on_numeric(line, event.number, now);
    case Event::Kind::Nick:
      return on_nick(line);
    case Event::Kind::Quit:
      inquiries_.spoiled(line.nick());
      withdraw(people_.quit(line.nick()));
      if (same_name(line.nick(), network_.nick, isupport_.casemapping) && !is_me(line.nick())) {
        ask(session_->nick(network_.nick));
      }
      return;
    case Event::Kind::Join:
      return on_join(line, now);
    case Event::Kind::Part:
      return on_leave(line.nick(), line.param(0), "removed", now);
    case Event::Kind::Kick:
      return on_leave(line.param(1), line.param(0), "kicked by " + line.nick() + " (" + line.param(2) + ")", now);
    case Event::Kind::Message:
      return on_message(line, now);
    case Event::Kind::CtcpRequest:
      return on_ctcp(line, event.params.empty() ? "" : event.params[0]);
    case Event::Kind::Invite:
      return channels_.invited(line.param(1), now);
    case Event::Kind::Other:
      break;
  }
  if (line.command == "ACCOUNT") on_account(line);
  if (line.command == "CHGHOST" && is_me(line.nick())) user_at_host_ = line.param(0) + "@" + line.param(1);
  if (line.command == "CHGHOST") people_.host_changed(line.nick(), line.param(0) + "@" + line.param(1));
  if (line.command == "FAIL" || line.command == "WARN") log("the server says: " + line.last());
}

void Link::on_numeric(const Line& line, int number, Time now) {
  inquiries_.hear(line);
  switch (number) {
    case 1:  // RPL_WELCOME
      welcome_ = true;
      nick_ = line.param(0);
      register_by_ = after(now, Seconds(5));
      return;
    case 5:  // RPL_ISUPPORT
      return isupport_.learn(line.params);
    case 376:  // RPL_ENDOFMOTD
    case 422:  // ERR_NOMOTD
      if (welcome_ && !up_) registered(now);
      return;
    case 432:  // ERR_ERRONEUSNICKNAME
    case 433:  // ERR_NICKNAMEINUSE
    case 436:  // ERR_NICKCOLLISION
      return on_nick_refused(line, now);
    case 465:  // ERR_YOUREBANNEDCREEP
      last_words_ = line.last();
      return;
    case 353:  // RPL_NAMREPLY
      return on_names(line);
    case 354:  // RPL_WHOSPCRPL
      return on_who(line);
    case 396:  // RPL_VISIBLEHOST: how others see us from now on
      user_at_host_.clear();
      return;
    case 303: {  // RPL_ISON: those who are there
      std::istringstream there(line.last());
      for (std::string nick; there >> nick;) {
        if (same_name(nick, network_.nick, isupport_.casemapping)) return;
      }
      if (!has_wanted_nick()) ask(session_->nick(network_.nick));
      return;
    }
    case 731:  // RPL_MONOFFLINE
      if (!has_wanted_nick() && same_name(line.last(), network_.nick, isupport_.casemapping)) {
        ask(session_->nick(network_.nick));
      }
      return;
    case 404:  // ERR_CANNOTSENDTOCHAN
      log("not said in " + line.param(1) + ": " + line.last());
      return not_taken(line.param(1));
    default:
      break;
  }
  if (number == 437 && !welcome_) return on_nick_refused(line, now);
  if (number == 403) not_taken(line.param(1));  // thrown out, and nobody else is left there
  if (std::find(kRefusals.begin(), kRefusals.end(), number) != kRefusals.end()) {
    if (const auto news = channels_.refused(line.param(1), line.last(), now)) log(*news);
  }
}

// The server did not pass on what was said in that channel.
void Link::not_taken(const std::string& channel) {
  const Receipts::Ids missing =
      receipts_.refused([&](const std::string& place) { return same_name(place, channel, isupport_.casemapping); });
  say_again_ = say_again_ || !missing.empty();
  unsaid(missing);
}

void Link::on_nick_refused(const Line& line, Time now) {
  if (welcome_) return;  // we wanted it back, and somebody was quicker
  if (++substitute_ > kMostSubstitutes) return lose("the server takes none of our nicks: " + line.last(), now);
  nick_ = substitute_nick(network_.nick, substitute_, isupport_.nick_length);
  if (substitute_ == 1) log("the nick " + network_.nick + " is not to be had: " + line.last());
  for (const std::string& answer : session_->nick(nick_)) send_now(answer, now);
}

void Link::on_names(const Line& line) {
  if (!channels_.is_in(line.param(2))) return;
  std::istringstream names(line.last());
  for (std::string name; names >> name;) {
    name.erase(0, name.find_first_not_of(isupport_.status_prefixes));
    const std::string nick = nick_of(name);
    if (nick.empty() || is_me(nick)) continue;
    people_.seen(nick, nick.size() < name.size() ? name.substr(nick.size() + 1) : "", line.param(2));
  }
}

// Our nick, the token, channel, user, host, nick, flags, account ("0": none).
void Link::on_who(const Line& line) {
  if (line.params.size() != 8 || line.params[1] != kWhoToken || !channels_.is_in(line.params[2])) return;
  const std::string& nick = line.params[5];
  if (is_me(nick)) {
    user_at_host_ = line.params[3] + "@" + line.params[4];
    return;
  }
  people_.seen(nick, line.params[3] + "@" + line.params[4], line.params[2]);
  people_.account(nick, line.params[7] == "0" ? "" : line.params[7]);
  if (isupport_.bot_flag != 0 && line.params[6].find(isupport_.bot_flag) != std::string::npos) people_.bot(nick);
}

void Link::on_join(const Line& line, Time now) {
  const std::string channel = line.param(0), nick = line.nick();
  if (!is_me(nick)) {
    people_.seen(nick, line.user_at_host(), channel);
    if (registration_->has("extended-join") && line.params.size() > 1) {
      people_.account(nick, line.params[1] == "*" ? "" : line.params[1]);
    }
    return;
  }
  user_at_host_ = line.user_at_host();
  if (!channels_.wants(channel)) return ask("PART " + channel);  // forced, or forwarded to where nobody wants us
  channels_.joined(channel, now);
  if (std::exchange(say_again_, false)) announce();  // what the channel has missed is jarvis's to say again
  if (isupport_.whox) ask("WHO " + channel + " %tcuhnfa," + kWhoToken);
}

void Link::on_leave(const std::string& nick, const std::string& channel, const std::string& why, Time now) {
  if (!is_me(nick)) return withdraw(people_.left(nick, channel));
  if (channels_.is_in(channel)) log(channels_.thrown_out(channel, why, now));
  withdraw(people_.we_left(channel));
}

void Link::on_nick(const Line& line) {
  const std::string from = line.nick(), to = line.param(0);
  if (is_me(from)) {
    nick_ = to;
    regain_at_ = has_wanted_nick() ? Time::max() : std::chrono::steady_clock::now();
    if (has_wanted_nick() && monitored_) ask("MONITOR - " + network_.nick);
    if (has_wanted_nick()) monitored_ = false;
    if (up_) announce();
    return;
  }
  inquiries_.spoiled(from);
  inquiries_.spoiled(to);
  withdraw(people_.renamed(from, to));
  const bool ours = same_name(from, network_.nick, isupport_.casemapping);
  if (ours && !has_wanted_nick() && !same_name(from, to, isupport_.casemapping)) ask(session_->nick(network_.nick));
}

void Link::on_account(const Line& line) {
  const std::string account = line.param(0) == "*" ? "" : line.param(0);
  const Person* person = people_.find(line.nick());
  if (person == nullptr) return;
  const bool other = person->known && person->known->kind == "account" && person->known->identity != account;
  if (account.empty() || other) withdraw(people_.logged_out(line.nick()));
  if (!account.empty()) people_.account(line.nick(), account);
}

void Link::on_message(const Line& line, Time now) {
  if (line.user_at_host().empty() || is_me(line.nick())) return;  // a server; our own echo
  std::string target = line.param(0);
  if (target.size() > 1 && isupport_.status_messages.find(target[0]) != std::string::npos &&
      is_channel(std::string_view(target).substr(1), isupport_.channel_prefixes)) {
    target.erase(0, 1);  // to a channel's operators only: the channel all the same
  }
  Message message;
  message.direct = is_me(target);
  if (!message.direct && !is_channel(target, isupport_.channel_prefixes)) return;  // to everybody on a server
  message.sender = line.nick();
  message.place = message.direct ? message.sender : channels_.spelled(target);
  message.text = clean_text(without_formatting(line.param(1)));
  if (message.text.find_first_not_of(' ') == std::string::npos) return;
  message.addressed = message.direct || is_addressed(message.text, nick_, network_.prefix, isupport_.casemapping);
  message.history = history_.is_old(line, std::chrono::system_clock::now());
  const Person* person = people_.find(message.sender);
  message.bot =
      line.tag("bot") || line.tag("inspircd.org/bot") || line.tag("draft/bot") || (person != nullptr && person->bot);

  std::optional<Proof> proof;
  bool only_certificate = false;  // the server has told us that there is no account
  if (registration_->has("account-tag")) {
    const auto account = line.tag("account");
    if (account && !account->empty()) proof = Proof{*account, "account"};
    only_certificate = !proof;
  } else if (person != nullptr && person->account && person->user_at_host == line.user_at_host()) {
    if (!person->account->empty()) proof = Proof{*person->account, "account"};
    only_certificate = !proof;
  }
  const bool worth_asking = !proof && message.addressed && !message.history && up_;
  if (worth_asking && inquiries_.waiting() >= kMostWaiting) log("too many messages at once to prove them all");
  const bool ask_now = worth_asking && inquiries_.waiting() < kMostWaiting;
  if (ask_now || inquiries_.is_asked(message.sender))
    return hold(std::move(message), line, proof, only_certificate, now);
  deliver(std::move(message), line.nick(), proof);
}

// Until the server has told who it is; what the same nick says in the meantime waits behind it.
void Link::hold(Message message, const Line& line, std::optional<Proof> proof, bool only_certificate, Time now) {
  const std::string nick = line.nick();
  Inquiries::Waiting waiting;
  waiting.user_at_host = line.user_at_host();
  waiting.only_certificate = only_certificate;
  waiting.until = after(now, network_.whois_timeout);
  waiting.answer = [this, nick, proof = std::move(proof), message = std::move(message)](
                       const std::optional<Proof>& answer, bool bot) {
    Message told = message;
    told.bot = told.bot || bot;
    deliver(std::move(told), nick, proof ? proof : answer);
  };
  if (inquiries_.ask(nick, std::move(waiting))) ask("WHOIS " + nick);
}

void Link::deliver(Message message, const std::string& nick, const std::optional<Proof>& proof) {
  if (proof) {
    message.identity = proof->identity;
    message.proof = proof->kind;
    if (!message.history) people_.proven(nick, *proof);
  }
  wire_.message(message);
}

void Link::withdraw(const People::Gone& gone) {
  for (const std::string& identity : gone) wire_.gone(identity);
}

void Link::on_ctcp(const Line& line, const std::string& request) {
  if (!is_me(line.param(0)) || is_me(line.nick()) || !is_nick(line.nick())) return;
  if (!up_ || outbox_.said() >= kMostReplies) return;
  std::string reply;
  if (request == "VERSION") reply = "VERSION jarvis " JARVIS_VERSION;
  if (request.starts_with("PING ")) reply = clean_text(request.substr(0, 100));
  if (!reply.empty()) outbox_.say({Outgoing::Kind::CtcpReply, line.nick(), reply});
}

}  // namespace jarvis::bot::links::irc
