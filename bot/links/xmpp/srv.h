// SRV records (RFC 2782) of an XMPP domain: reading an answer and the order in which to try the servers. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace jarvis::bot::links::xmpp {

struct Srv {
  std::uint16_t priority = 0, weight = 0, port = 0;
  std::string target;  // without the final dot; empty: the service is decidedly not there
};

// The SRV records of a DNS answer as it came over the wire; nullopt when it is none.
std::optional<std::vector<Srv>> srv_records(std::string_view answer);

// By priority, and within one by chance in proportion to the weights.
std::vector<Srv> in_order(std::vector<Srv> records, std::minstd_rand& random);

}  // namespace jarvis::bot::links::xmpp
