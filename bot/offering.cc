#include "bot/offering.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <set>

#include "bot/orphans.h"
#include "bot/together.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using boost::asio::awaitable;
using pipeline::Error;
using pipeline::Kind;

namespace {

awaitable<std::string> ask_for(House& house, std::string directory, std::string provider, std::string task) {
  const pipeline::Row row = listed_row(house.table(), provider, task);
  if (row == nullptr)
    throw Error(Kind::Usage, provider + " has no task " + provider + ":" + task + ", so it cannot be asked");
  pipeline::Clipboard asked = pipeline::Clipboard::parse("{}");
  asked.set("provider", provider);
  std::string made = co_await house.pipeline().perform(row, asked.text(), std::move(directory));
  co_return made;
}

awaitable<void> ask_owned_of(House& house, std::string directory, std::string provider, Owning& made) {
  try {
    const std::string text = co_await ask_for(house, std::move(directory), provider, "machines");
    auto things = read_machines(provider, text);
    std::move(things.begin(), things.end(), std::back_inserter(made.things));
  } catch (const Error& e) {
    made.faults.push_back(provider + ": " + e.what());
  }
}

}  // namespace

pipeline::Row listed_row(const pipeline::TaskTable& table, const std::string& provider, const std::string& task) {
  const auto found = table.rows().find(provider + ":" + task);
  return found != table.rows().end() ? found->second : nullptr;
}

std::vector<std::string> configured_providers(const Settings& settings, const ActionLists& lists,
                                              const pipeline::TaskTable& table) {
  const auto listed = lists.providers();
  std::set<std::string> made(listed.begin(), listed.end());
  for (const auto& [module, grants] : settings.modules) {
    if (listed_row(table, module, "machines") != nullptr) made.insert(module);
  }
  std::erase_if(made, [&](const std::string& provider) {
    const pipeline::Row deploy = listed_row(table, provider, "deploy");
    const bool built_in = deploy != nullptr && deploy->executable.empty();
    return built_in && provider != "local" && settings.modules.count(provider) == 0;
  });
  return {made.begin(), made.end()};
}

void require_provider(const House& house, const std::string& provider) {
  const auto known = configured_providers(house.settings(), house.lists(), house.table());
  if (std::find(known.begin(), known.end(), provider) != known.end()) return;
  std::string names;
  for (const std::string& one : known) names += (names.empty() ? "" : ", ") + one;
  const bool built_in = listed_row(house.table(), provider, "deploy") != nullptr;
  const auto near = pipeline::nearest(provider, known);
  throw Error(Kind::Usage,
              built_in ? "the provider " + provider + " is not configured: `providers: {" + provider + ": ...}`"
                       : "no provider " + provider + (near ? ", did you mean " + *near + "?" : "; there is " + names));
}

awaitable<Owning> ask_owned(House& house, std::string directory, std::function<bool(const std::string&)> wanted) {
  Owning made;
  std::vector<awaitable<void>> work;
  for (const std::string& provider : configured_providers(house.settings(), house.lists(), house.table())) {
    if (listed_row(house.table(), provider, "machines") == nullptr || !wanted(provider)) continue;
    made.asked.push_back(provider);
  }
  for (const std::string& provider : made.asked) work.push_back(ask_owned_of(house, directory, provider, made));
  co_await together(std::move(work));
  std::sort(made.faults.begin(), made.faults.end());
  co_return made;
}

awaitable<std::vector<Offered>> ask_offers(House& house, std::string directory, std::string provider) {
  const std::string text = co_await ask_for(house, std::move(directory), provider, "offers");
  try {
    co_return read_offers(text);
  } catch (Error& e) {
    throw e.within(provider + ":offers");
  }
}

awaitable<std::vector<Judged>> judge(House& house, std::vector<Thing> things) {
  const auto loop = co_await boost::asio::this_coro::executor;
  std::vector<Judged> made;
  std::map<std::string, Account> accounts;
  for (Thing& thing : things) {
    if (accounts.count(thing.host) == 0) {
      accounts.emplace(thing.host, account_of(house, thing.host));
      co_await boost::asio::post(loop, boost::asio::use_awaitable);
    }
    const Account& account = accounts.at(thing.host);
    auto why = orphan_because(thing, account);
    made.push_back({std::move(thing), std::move(why), !account.in_flight && account.well && !account.values});
  }
  co_return made;
}

}  // namespace jarvis::bot
