// From what a person wrote to an order that the pipeline can take: spec, first clipboard, plan; and everything that can
// be known to be wrong with it before anything runs.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bot/house.h"
#include "bot/talk.h"

namespace jarvis::bot {

std::string joined_lines(const std::vector<std::string>& lines);

// The bytes of a SPEC or CLIPBOARD argument that the client read. Error(Usage) when it could not.
const std::string& text_of(const Talk& talk, const std::string& spec);

// A spec as it was read: by the client, or by a task from the URL or LDAP name that a person gave.
struct SpecText {
  std::string source;  // as the person gave it
  std::string text;
};
// Is it a URL or an LDAP name ("cn=loki", a whole DN), that is: something a task reads?
bool is_remote(const std::string& spec);
// Waits for that task. Error(Usage) naming the source and why.
boost::asio::awaitable<SpecText> read_source(House& house, const Talk& talk, std::string source);
// All of them, side by side; faults of several as one Error(Usage).
boost::asio::awaitable<std::vector<SpecText>> read_sources(House& house, const Talk& talk,
                                                           std::vector<std::string> sources);

// The fqdn that a person's HOST means, and the run that HOST or RUN means, if he may ask this command of it.
// Error(Usage) as House's, Error(Refused) with the rule.
std::string allowed_host(House& house, const Talk& talk, const std::string& name);
pipeline::RunView allowed_run(House& house, const Talk& talk, const std::string& host_or_run);
// The provider of a host's newest run; empty if it has none.
std::string provider_of(House& house, const std::string& host);

// Every order comes from here: it is refused unless the person may do this to this host with this provider.
pipeline::Order order_of(House& house, const Talk& talk, pipeline::Plan plan, pipeline::Clipboard first,
                         const std::string& source);

// On a clipboard of an earlier time: with which ssh host keys the machine shows itself now, if it is still the same
// one.
void know_machine_again(House& house, const std::string& host, pipeline::Clipboard& board);

// Reads the spec, takes over what the host's last run left, plans. `written`: the keys that the person wrote.
// Error(Usage) with every fault, each line beginning with its source.
pipeline::Order order_from_spec(House& house, const Talk& talk, const SpecText& spec, const std::string& operation,
                                std::vector<std::string>& written);

// Credentials, what the tasks say in plan mode, and whether the person may spend what it costs; what would change, a
// line each. Error(Usage) with every fault, Error(Refused) with the rule; nothing was changed.
boost::asio::awaitable<std::vector<std::string>> preflight(House& house, const Talk& talk, pipeline::Order& order);

// Error(Refused) when the person's role lets him have no more runs in flight than there are.
void check_bounds(House& house, const Talk& talk, const std::string& host, const std::string& provider);

// Begins the order's run, or goes on with the same one where that was interrupted (`written`: see above; nothing: it is
// a run of its own in any case); its id. `code` as in Pipeline::submit; `changes`: what would change, as far as the
// tasks tell.
boost::asio::awaitable<std::string> submit(House& house, Talk& talk, pipeline::Order order,
                                           std::optional<std::vector<std::string>> written,
                                           std::optional<std::string>& code, std::vector<std::string>& changes);

}  // namespace jarvis::bot
