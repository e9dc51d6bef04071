// From what a person wrote to an order that the pipeline can take: spec, first clipboard, plan; and everything that can
// be known to be wrong with it before anything runs.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bot/house.h"
#include "bot/session.h"

namespace jarvis::bot {

std::string joined_lines(const std::vector<std::string>& lines);

// The bytes of a SPEC or CLIPBOARD argument. Error(Usage) when the client could not read it.
const std::string& text_of(const Session& session, const std::string& spec);

pipeline::Order order_of(House& house, const Session& session, pipeline::Plan plan, pipeline::Clipboard first,
                         const std::string& source);

// Reads the spec, takes over what the host's last run left, plans. `written`: the keys that the person wrote.
// Error(Usage) with every fault, each line beginning with `source`.
pipeline::Order order_from_spec(House& house, const Session& session, const std::string& source,
                                const std::string& operation, std::vector<std::string>& written);

// Credentials, and what the tasks say in plan mode. Error(Usage) with every fault; nothing was changed.
boost::asio::awaitable<void> preflight(House& house, const pipeline::Order& order);

// Begins the order's run, or goes on with the same one where that was interrupted; its id. `code` as in
// Pipeline::submit.
boost::asio::awaitable<std::string> submit(House& house, Session& session, pipeline::Order order,
                                           std::vector<std::string> written, std::optional<std::string>& code);

}  // namespace jarvis::bot
