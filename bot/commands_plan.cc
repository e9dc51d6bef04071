// plan: what would run, in order, what would change, what is missing.
#include "bot/commands.h"
#include "bot/orders.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using boost::asio::awaitable;
using pipeline::Clipboard;
using pipeline::Error;
using pipeline::Kind;
using pipeline::Order;
using pipeline::Plan;

awaitable<int> do_plan(House& house, Talk& talk) {
  const Invocation& invocation = talk.invocation();
  const std::string source = invocation.words.at(0);
  const auto given = invocation.options.find("operation");
  std::string operation = given != invocation.options.end() ? given->second : "deploy";
  std::optional<SpecText> spec;
  if (talk.input(source) != nullptr || is_remote(source)) spec = co_await read_source(house, talk, source);
  Order order = [&] {
    std::vector<std::string> written;
    if (spec) return order_from_spec(house, talk, *spec, operation, written);
    const std::string host = [&] {
      try {
        return house.host_of(source);
      } catch (const Error&) {
        if (source.find('.') == std::string::npos && source.find('/') == std::string::npos) throw;
        throw Error(Kind::Usage, source + ": neither a file here nor a host that jarvis knows");
      }
    }();
    Clipboard first = Clipboard::parse(house.pipeline().host_clipboard(host).value_or("{}"));
    Plan plan = pipeline::make_plan(house.list_of(first.require("provider"), operation), house.table(), first, host);
    return order_of(house, talk, std::move(plan), std::move(first), host);
  }();
  const auto credential_faults = house.pipeline().credential_faults(order.plan);
  if (!credential_faults.empty()) throw Error(Kind::Usage, joined_lines(credential_faults));
  const auto answers = co_await house.pipeline().ask(order.plan, order.first, order.directory);
  const std::string host = house.shown(order.plan.host);
  bool changes = false, faults = false, foreign = false;
  int number = 0;
  std::string stage;
  if (!invocation.json)
    talk.say(host + ": " + operation + " with " + order.plan.provider + ", " + std::to_string(order.plan.stages) +
             " stages");
  for (const auto& one : answers) {
    const bool new_stage = stage != one.stage;
    if (new_stage) ++number;
    stage = one.stage;
    changes = changes || !one.changes.empty();
    faults = faults || !one.fault.empty();
    foreign = foreign || one.refused;
    if (invocation.json) {
      nlohmann::json monthly;
      for (const auto& cost : one.costs) monthly = (monthly.is_null() ? 0.0 : monthly.get<double>()) + cost.monthly;
      talk.json({{"host", order.plan.host},
                 {"operation", operation},
                 {"stage_number", number},
                 {"stage", one.stage},
                 {"task", one.task},
                 {"asked", one.asked},
                 {"changes", one.changes},
                 {"monthly", monthly},
                 {"error", one.fault.empty() ? nlohmann::json() : nlohmann::json(one.fault)}});
      continue;
    }
    std::string line =
        "  " + std::to_string(number) + "/" + std::to_string(order.plan.stages) + " " + one.stage + "  " + one.task;
    if (!one.asked) line += ": not asked";
    if (one.asked && one.fault.empty() && one.changes.empty()) line += ": no change";
    talk.say(line);
    for (const std::string& change : one.changes) talk.say("      " + change);
    if (!one.fault.empty()) talk.say("      would fail: " + one.fault);
  }
  if (faults) co_return foreign ? kFailed : kUsage;
  co_return changes ? kWouldChange : kDone;
}

}  // namespace jarvis::bot
