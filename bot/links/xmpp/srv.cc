#include "bot/links/xmpp/srv.h"

#include <arpa/nameser.h>
#include <resolv.h>

#include <algorithm>

namespace jarvis::bot::links::xmpp {

std::optional<std::vector<Srv>> srv_records(std::string_view answer) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(answer.data());
  ns_msg message;
  if (ns_initparse(bytes, static_cast<int>(answer.size()), &message) != 0) return std::nullopt;
  std::vector<Srv> records;
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) return std::nullopt;
    if (ns_rr_type(record) != ns_t_srv || ns_rr_rdlen(record) < 7) continue;
    const unsigned char* data = ns_rr_rdata(record);
    char target[NS_MAXDNAME];
    if (dn_expand(ns_msg_base(message), ns_msg_end(message), data + 6, target, sizeof target) < 0) return std::nullopt;
    records.push_back({static_cast<std::uint16_t>(ns_get16(data)), static_cast<std::uint16_t>(ns_get16(data + 2)),
                       static_cast<std::uint16_t>(ns_get16(data + 4)), target});
  }
  return records;
}

std::vector<Srv> in_order(std::vector<Srv> records, std::minstd_rand& random) {
  // Those without weight first within a priority, so that they have a small chance, too (RFC 2782).
  std::stable_sort(records.begin(), records.end(), [](const Srv& a, const Srv& b) {
    return a.priority != b.priority ? a.priority < b.priority : (a.weight == 0) > (b.weight == 0);
  });
  std::vector<Srv> ordered;
  while (!records.empty()) {
    unsigned sum = 0;
    std::size_t same = 0;
    for (; same < records.size() && records[same].priority == records.front().priority; ++same) {
      sum += records[same].weight;
    }
    unsigned left = std::uniform_int_distribution<unsigned>(0, sum)(random);
    std::size_t chosen = 0;
    while (chosen + 1 < same && left > records[chosen].weight) left -= records[chosen++].weight;
    ordered.push_back(records[chosen]);
    records.erase(records.begin() + static_cast<std::ptrdiff_t>(chosen));
  }
  return ordered;
}

}  // namespace jarvis::bot::links::xmpp
