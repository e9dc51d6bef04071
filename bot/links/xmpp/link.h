// The XMPP link as jarvis sees it (docs/links.md): reads its configuration and commands from standard input, keeps one
// connection to one account, and tells what people say. One thread, one poll() for jarvis and the network; nothing in
// it blocks but writing to jarvis. Comes back after a loss by itself: after 1 s, then twice as long each time up to 5
// min; only every 5 min where it takes a person (wrong password, certificate, another client with our resource). `say`
// with a `to` is prefixed "to: " in rooms. Multi-line texts arrive as one line.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>

#include "bot/links/wire.h"
#include "bot/links/xmpp/outbox.h"
#include "bot/links/xmpp/pulse.h"
#include "bot/links/xmpp/secure_stream.h"
#include "bot/links/xmpp/session.h"
#include "bot/links/xmpp/settings.h"
#include "bot/links/xmpp/sightings.h"

namespace jarvis::bot::links::xmpp {

class Link {
 public:
  // Until jarvis says stop or is gone. The exit status: 0, or 2 when the configuration is wrong.
  int run();

 private:
  void hear(const nlohmann::json& line);
  void configure(const nlohmann::json& line);
  void say(const nlohmann::json& line);
  void go_on(Time now);
  void begin(Time now);
  void run_session(Time now);
  void say_waiting(Time now);
  void ping(Time now);
  void confirmed();
  void take_leave(Time now);
  void lost(Time now, std::string why, bool needs_a_person);
  void stop(Time now);
  Time next(Time now) const;

  Wire wire_;
  std::optional<Settings> settings_;
  std::optional<Outbox> outbox_;
  std::optional<Pulse> pulse_;
  Sightings sightings_;
  std::unique_ptr<SecureStream> stream_;  // outlives the session on it
  std::unique_ptr<Session> session_;
  GrowingDelay delay_{milliseconds(1000), milliseconds(300000)};
  std::minstd_rand random_{std::random_device{}()};
  Time retry_at_{}, began_{}, up_since_{}, stop_by_ = Time::max(), leave_by_{};
  std::size_t mark_ = 0;  // what the ping under way will confirm
  std::string status_, said_why_;
  bool told_up_ = false, told_down_ = false, stopping_ = false, left_ = false;
  int exit_status_ = 0;
};

}  // namespace jarvis::bot::links::xmpp
