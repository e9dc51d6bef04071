// Which lines that jarvis wants to know about have reached the server. A server reads in order, so its answer to a PING
// says that it has all that was sent before (RFC 1459 section 4.6.2 and TCP). Knows no connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace jarvis::bot::links::irc {

class Receipts {
 public:
  using Ids = std::vector<std::uint64_t>;

  void sent(std::uint64_t id, std::string place) { sent_.push_back({id, std::move(place)}); }
  // Something was sent that no PING stands behind.
  bool open() const { return marked_ < sent_.size(); }
  // A PING goes out now.
  void mark() { marked_ = sent_.size(); }
  // It was answered: what has arrived.
  Ids answered();
  // The server took nothing for that place: what did not arrive.
  Ids refused(const std::function<bool(const std::string& place)>& is_that);
  // The connection is gone: what nobody knows of.
  Ids lost();

 private:
  struct Sent {
    std::uint64_t id;
    std::string place;
  };

  std::deque<Sent> sent_;
  std::size_t marked_ = 0;
};

}  // namespace jarvis::bot::links::irc
