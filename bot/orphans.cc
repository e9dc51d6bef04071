#include "bot/orphans.h"

#include <algorithm>

#include "pipeline/error.h"
#include "pipeline/spec.h"

namespace jarvis::bot {

using pipeline::RunState;

std::optional<std::string> orphan_because(const Thing& thing, const Account& account) {
  if (account.in_flight) return std::nullopt;
  if (!account.newest)
    return thing.run.empty() ? "no run of this host is known here" : "run " + thing.run + " is not known here";
  const bool failed = !account.well || account.newest->run != account.well->run;
  if (failed && (!account.well || thing.run == account.newest->run))
    return "run " + account.newest->run + " (" + account.newest->operation + ") did not end well";
  if (account.well->operation == "destroy") return "the host was destroyed by run " + account.well->run;
  if (account.well->provider != thing.provider)
    return "the host is at " + account.well->provider + " since run " + account.well->run;
  if (!account.values) return std::nullopt;
  const std::string& machine = thing.kind == "machine" ? thing.id : thing.machine;
  if (!account.instance_id.empty() && machine == account.instance_id) return std::nullopt;
  if (thing.kind != "machine" && account.values->count(thing.id) > 0) return std::nullopt;
  if (account.instance_id.empty()) return "run " + account.well->run + " left the host no machine";
  if (thing.kind != "machine" && machine.empty())
    return "no machine has it, and run " + account.well->run + " does not know it";
  return "the host's machine is " + account.instance_id + " since run " + account.well->run;
}

Account account_of(House& house, const std::string& host) {
  Account account;
  for (const auto& record : house.journal().runs({host, false, 0})) {
    if (!pipeline::ended(record.state)) {
      account.in_flight = true;
      return account;
    }
    // One that was never begun (its confirmation did not come) says nothing about what is there.
    if (record.state == RunState::Cancelled && record.stage_number == 0) continue;
    const Account::Ended one{record.id, record.operation, record.provider};
    if (!account.newest) account.newest = one;
    if (record.state != RunState::Succeeded) continue;
    account.well = one;
    break;
  }
  if (!account.well) return account;
  try {
    const std::string text = house.pipeline().clipboard(account.well->run, std::nullopt);
    const auto board = pipeline::Clipboard::checked(text);
    account.instance_id = board.scalar("instance_id").value_or("");
    const auto scalars = pipeline::scalars_under(text, [](std::string_view) { return true; });
    account.values.emplace(scalars.begin(), scalars.end());
  } catch (const pipeline::Error&) {  // the key is missing: said where it matters
  }
  return account;
}

std::string host_of(House& house, const Thing& thing) {
  if (pipeline::valid_fqdn(thing.host) || thing.run.empty()) return thing.host;
  const auto record = house.journal().run(thing.run);
  return record && record->id == thing.run ? record->host : thing.host;
}

}  // namespace jarvis::bot
