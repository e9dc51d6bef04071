// One command from beginning to end: access, what it does, its audit record. Whatever goes wrong is said to the person
// and leaves as an exit status; nothing that one command does may touch another.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "bot/house.h"
#include "bot/talk.h"

namespace jarvis::bot {

// `said`: the command as the person typed it. Only a connection that broke leaves as an exception.
boost::asio::awaitable<int> answer(House& house, Talk& talk, std::string said);

}  // namespace jarvis::bot
