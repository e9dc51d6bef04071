#include "bot/links/xmpp/link.h"

#include <poll.h>

#include "bot/links/xmpp/address.h"
#include "bot/links/xmpp/news.h"

namespace jarvis::bot::links::xmpp {

namespace {

constexpr milliseconds kLogin{30000}, kSlowly{300000}, kHealthy{60000}, kGoodbye{1500}, kLastAnswer{1000},
    kConfirm{5000};
constexpr std::size_t kMostWaiting = 500;
constexpr std::size_t kLimit = 4000;  // bytes of one line: no server's limit, but what a person will read

std::string text_of(const nlohmann::json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

int Link::run() {
  for (;;) {
    Time now = Clock::now();
    go_on(now);
    if (stopping_ && (!stream_ || stream_->has_ended() || now >= stop_by_)) return exit_status_;
    const auto wait = std::chrono::ceil<milliseconds>(next(now) - now).count();
    pollfd ready[2] = {{stopping_ ? -1 : wire_.fd(), POLLIN, 0}, {-1, 0, 0}};
    if (stream_) ready[1] = stream_->wanted();
    ::poll(ready, 2, static_cast<int>(std::clamp<decltype(wait + 0)>(wait, 0, 60000)));
    if (ready[0].revents != 0 && !wire_.hear([this](const nlohmann::json& line) { hear(line); })) stop(Clock::now());
  }
}

Time Link::next(Time now) const {
  if (stopping_) return left_ ? stop_by_ : leave_by_;
  if (!settings_) return Time::max() - std::chrono::hours(1);
  if (!stream_) return retry_at_;
  Time soonest = std::min(stream_->deadline(), now + std::chrono::minutes(1));
  if (!session_) return soonest;
  if (!session_->is_up()) return std::min(soonest, began_ + kLogin);
  soonest = std::min({soonest, session_->next(), pulse_->next()});
  if (!outbox_->empty()) {
    const Time token = outbox_->next_token(now);
    // A token is there and something waits all the same: its room is closed, and will open by an event.
    if (token > now) soonest = std::min(soonest, token);
  }
  return soonest;
}

void Link::hear(const nlohmann::json& line) {
  if (stopping_) return;
  if (!settings_) return configure(line);
  const std::string type = text_of(line, "type");
  if (type == "say") {
    say(line);
  } else if (type == "presence") {
    status_ = clean_text(text_of(line, "text"));
    if (session_) session_->set_status(status_);
  } else if (type == "ask_identity") {
    const std::string sender = text_of(line, "sender");
    const auto identity = session_ ? session_->identity_of(text_of(line, "place"), sender) : std::nullopt;
    wire_.identity(sender, identity, identity ? std::optional<std::string>("jid") : std::nullopt);
  } else if (type == "stop") {
    stop(Clock::now());
  }
}

void Link::configure(const nlohmann::json& line) {
  try {
    settings_ = read_settings(line);
  } catch (const std::exception& error) {
    news(error.what());
    wire_.down(error.what());
    exit_status_ = 2;
    stopping_ = true;
    return;
  }
  outbox_.emplace(settings_->burst, settings_->per_second, kMostWaiting);
  pulse_.emplace(settings_->ping_every, settings_->ping_timeout, kConfirm);
}

void Link::say(const nlohmann::json& line) {
  const std::string text = clean_text(text_of(line, "text"));
  const std::string place = text_of(line, "place");
  const std::uint64_t id = id_of(line);
  if (text.empty() || place.empty()) return wire_.unsaid(id);
  const bool in_room = place.find('/') == std::string::npos;
  if (const auto oldest =
          outbox_->push({place, in_room ? addressed_to(clean_text(text_of(line, "to")), text) : text, id})) {
    news("too much to say: the oldest line was dropped");
    wire_.unsaid(oldest->id);
  }
}

void Link::go_on(Time now) {
  if (!settings_) return;
  if (!stream_) {
    if (stopping_ || now < retry_at_) return;
    begin(now);
    if (!stream_) return;
  }
  std::string heard;
  stream_->go_on(now, heard);
  if (stream_->is_secure() && !session_ && !stopping_) {
    try {
      const std::string password = read_secret(settings_->password_file);
      session_ = std::make_unique<Session>(*settings_, password, status_, *stream_, wire_, sightings_, *outbox_);
      began_ = now;
    } catch (const std::exception& error) {
      return lost(now, error.what(), true);
    }
  }
  if (session_) {
    if (!heard.empty()) session_->hear(heard);
    run_session(now);
  }
  if (stream_ && stream_->has_ended() && !stopping_) {
    // What the session has to say about the end is more than that the connection closed.
    if (session_ && session_->ending()) return lost(now, session_->ending()->why, session_->ending()->needs_a_person);
    lost(now, stream_->why(), stream_->needs_a_person());
  }
}

void Link::begin(Time now) {
  try {
    read_secret(settings_->password_file);  // before the server is bothered
    stream_ = std::make_unique<SecureStream>(*settings_, now);
  } catch (const std::exception& error) {
    lost(now, error.what(), true);
  }
}

void Link::run_session(Time now) {
  if (stopping_) return take_leave(now);
  if (session_->ending()) return lost(now, session_->ending()->why, session_->ending()->needs_a_person);
  if (!session_->is_up()) {
    if (now >= began_ + kLogin)
      lost(now, "the server does not finish the login; it hangs, or knows no way to log in that we speak", false);
    return;
  }
  if (!told_up_) {
    told_up_ = true;
    told_down_ = false;
    said_why_.clear();
    up_since_ = now;
    pulse_->begin(now);
    news("logged in as " + settings_->jid + " at " + stream_->peer() + ", " + stream_->tls_version());
    wire_.up(settings_->nick, kLimit);
  }
  session_->go_on(now);
  if (session_->take_pong()) {
    pulse_->answered(now);
    confirmed();
  }
  say_waiting(now);
  if (pulse_->is_dead(now)) return lost(now, "the server does not answer any more", false);
  if (pulse_->due(now)) ping(now);
}

void Link::ping(Time now) {
  mark_ = outbox_->mark();
  session_->ping(now);
  pulse_->asked(now);
}

void Link::confirmed() {
  for (const std::uint64_t id : outbox_->confirm(mark_)) wire_.said(id);
}

// Not before the server has what was said last, as long as there is time to wait for that.
void Link::take_leave(Time now) {
  if (left_) return;
  if (session_->take_pong()) {
    pulse_->answered(now);
    confirmed();
  }
  if (session_->is_up() && outbox_->under_way() && now < leave_by_) {
    if (!pulse_->is_waiting()) ping(now);
    return;
  }
  left_ = true;
  session_->leave();
}

void Link::say_waiting(Time now) {
  const auto is_open = [this](const std::string& place) { return session_->is_open(place); };
  while (auto line = outbox_->next(now, is_open)) {
    session_->say(*line, outbox_->mark());
    pulse_->said(now);
  }
}

// By value: the sentence may be the session's own, which ends here.
void Link::lost(Time now, std::string why, bool needs_a_person) {
  session_.reset();
  stream_.reset();
  outbox_->lost();
  sightings_.forget();
  if (told_up_ && now - up_since_ >= kHealthy) delay_.reset();
  told_up_ = false;
  const milliseconds wait = delay_.grow(random_);
  retry_at_ = now + (needs_a_person ? kSlowly : wait);
  if (!told_down_) wire_.down(why);
  if (!told_down_ || said_why_ != why) news("not connected: " + why);
  told_down_ = true;
  said_why_ = std::move(why);
}

void Link::stop(Time now) {
  if (stopping_) return;
  stopping_ = true;
  stop_by_ = now + kGoodbye;
  leave_by_ = now + kLastAnswer;
  if (session_ && stream_ && stream_->is_secure()) {
    if (session_->is_up()) say_waiting(now);  // last words came in one piece with the stop
    take_leave(now);
  } else {
    session_.reset();
    stream_.reset();
  }
}

}  // namespace jarvis::bot::links::xmpp
