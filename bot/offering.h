// The providers that a configuration has, and asking them what they own and offer: by their tasks `machines` and
// `offers`, side by side, each a process; the loop never waits. Who does not answer is named and keeps nobody else from
// being heard.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "bot/house.h"
#include "bot/listed.h"

namespace jarvis::bot {

// Those that a spec can name here and now: with action lists, and if they are built in and need credentials, a section
// under `providers:`. Sorted.
std::vector<std::string> configured_providers(const Settings& settings, const ActionLists& lists,
                                              const pipeline::TaskTable& table);
// The row of `provider:task`, if it is listed; an external module without `tasks:` lists none.
pipeline::Row listed_row(const pipeline::TaskTable& table, const std::string& provider, const std::string& task);
// Error(Usage) with the nearest one, unless this provider is configured.
void require_provider(const House& house, const std::string& provider);

struct Owning {
  std::vector<Thing> things;
  std::vector<std::string> asked;   // providers that list what they own
  std::vector<std::string> faults;  // "linode: ...", of those that did not answer
};
// Of every configured provider that `wanted` says yes to.
boost::asio::awaitable<Owning> ask_owned(House& house, std::string directory,
                                         std::function<bool(const std::string&)> wanted);
// Error when it does not answer.
boost::asio::awaitable<std::vector<Offered>> ask_offers(House& house, std::string directory, std::string provider);

struct Judged {
  Thing thing;
  std::optional<std::string> orphan;  // why no run accounts for it
  bool unreadable = false;            // nobody can tell: the clipboard that would could not be opened
};
// Reads the journal, host by host, and lets the loop have its turn in between.
boost::asio::awaitable<std::vector<Judged>> judge(House& house, std::vector<Thing> things);

}  // namespace jarvis::bot
