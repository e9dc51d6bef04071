// The bytes to and from one server: resolving its name, connecting (each address in turn), TLS. Knows nothing of IRC
// but that lines end in CR LF. Nothing here blocks: watch() says what to poll for, step() does what can be done.
#pragma once

#include <poll.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bot/links/irc/lookup.h"
#include "bot/links/irc/pace.h"
#include "bot/links/irc/tls.h"
#include "pipeline/unique_fd.h"

namespace jarvis::bot::links::irc {

class Connection {
 public:
  struct Place {
    std::string host;
    int port = 0;
    std::optional<TlsNames> tls;
    Seconds timeout{15};  // for the name, and for each address with its TLS
  };

  Connection(Place place, Time now);

  // Adds what poll(2) has to wait for, and when step() is due at the latest.
  void watch(std::vector<pollfd>& polled) const;
  Time due() const { return due_; }
  // Appends what the server said to `heard`, then sends what waits.
  void step(Time now, std::string& heard);

  bool is_open() const { return state_ == State::Open; }
  bool is_closed() const { return state_ == State::Closed; }
  const std::string& why() const { return why_; }  // once closed

  // One line without its end. It goes out in step() or later ones.
  void send(std::string_view line);
  std::size_t unsent() const { return unsent_.size(); }
  // Once what was heard has been dealt with. Servers leave Nagle's algorithm on, so a line that nobody answers would
  // hold the next one back for the 40 ms of a delayed acknowledgement (tcp(7): TCP_QUICKACK is not permanent).
  void acknowledge();

 private:
  enum class State { Resolving, Connecting, Securing, Open, Closed };

  void advance(Time now);
  void next_address(Time now);
  void connected(Time now);
  void secure();
  void read(std::string& heard);
  void write();
  void close(std::string why);

  Place place_;
  State state_ = State::Resolving;
  Time due_;
  Lookup lookup_;
  std::vector<Address> addresses_;
  std::size_t address_ = 0;  // the one after that which is tried
  pipeline::UniqueFd socket_;
  std::unique_ptr<Tls> tls_;
  bool wants_write_ = false;  // TLS waits for that
  bool unacknowledged_ = false;
  std::string unsent_, why_;
};

}  // namespace jarvis::bot::links::irc
