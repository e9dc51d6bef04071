// Runs that wait for people to confirm them.
#include <algorithm>
#include <boost/asio/use_awaitable.hpp>

#include "pipeline/demand.h"
#include "pipeline/error.h"
#include "pipeline/pipeline.h"

namespace jarvis::pipeline {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto kConfirmWithin = 5min;
constexpr int kCodeLength = 6;

std::string bound_to(const RunRecord& record) {
  return record.id + record.plan_digest;
}

std::string people(int count) {
  return count == 1 ? "one more person" : std::to_string(count) + " more people";
}

}  // namespace

std::string Pipeline::demand_code(RunRecord& record, int approvals, const std::string& asker) const {
  Demand demand;
  demand.code = random_word(kCodeLength);
  demand.needed = std::max(1, approvals);
  demand.asker = asker;
  record.state = RunState::Confirming;
  record.confirm = shop_.seal().seal_text(demand.text(), bound_to(record));
  record.confirm_until = now() + kConfirmWithin;
  return demand.code;
}

std::optional<Demand> Pipeline::demand_of(const RunRecord& record) const {
  if (record.state != RunState::Confirming || record.confirm.empty()) return std::nullopt;
  if (record.confirm_until && *record.confirm_until <= now()) return std::nullopt;
  return Demand::from(shop_.seal().open_text(record.confirm, bound_to(record)));
}

std::optional<std::string> Pipeline::code_of(const std::string& id) {
  const auto record = shop_.journal().run(id);
  const auto demand = record ? demand_of(*record) : std::nullopt;
  return demand ? std::optional(demand->code) : std::nullopt;
}

std::optional<RunView> Pipeline::waits_for(const std::string& code) {
  for (const RunRecord& record : shop_.journal().runs({std::nullopt, true, 0})) {
    const auto demand = demand_of(record);
    if (demand && demand->code == code) return view(record.id);
  }
  return std::nullopt;
}

asio::awaitable<void> Pipeline::write_demand(RunRecord record, Demand demand) {
  record.confirm = shop_.seal().seal_text(demand.text(), bound_to(record));
  const auto live = runs_.find(record.id);
  if (live != runs_.end()) live->second->replace_demand(record.confirm);
  std::vector<Record> changes;
  changes.emplace_back(RunChanged{record.id, record.state, record.resume_as, record.error, record.ended,
                                  record.stage_number, record.stage, record.task, record.confirm,
                                  record.confirm_until});
  co_await shop_.write(std::move(changes));
}

asio::awaitable<Confirmed> Pipeline::confirm(std::string code, std::string approver, std::string directory) {
  for (const RunRecord& record : shop_.journal().runs({std::nullopt, true, 0})) {
    auto demand = demand_of(record);
    if (!demand || demand->code != code) continue;
    if (demand->needed > 1 && approver == demand->asker) {
      throw Error(Kind::Refused, record.host + ": " + record.operation + " was asked for by " + approver + ", " +
                                     people(demand->missing()) + " must confirm it");
    }
    if (std::find(demand->approvers.begin(), demand->approvers.end(), approver) != demand->approvers.end())
      throw Error(Kind::Refused, approver + " has confirmed it already, " + people(demand->missing()) + " must");
    demand->approvers.push_back(approver);
    if (demand->missing() > 0) {
      co_await write_demand(record, *demand);
      co_return Confirmed{record.id, demand->missing(), demand->approvers};
    }
    const auto live = runs_.find(record.id);
    if (live != runs_.end()) {
      live->second->confirm();
    } else {
      const OnTheWay mine(*this, record.id);
      auto run = load(record.id, directory);
      run->confirm();
      carry(std::move(run));
    }
    co_return Confirmed{record.id, 0, demand->approvers};
  }
  throw Error(Kind::Refused,
              "no run waits for this code; a code is good once, for five minutes, for the plan it was given for");
}

asio::awaitable<void> Pipeline::withdraw(std::string approver) {
  for (const RunRecord& record : shop_.journal().runs({std::nullopt, true, 0})) {
    auto demand = demand_of(record);
    if (!demand || std::erase(demand->approvers, approver) == 0) continue;
    co_await write_demand(record, *demand);
  }
}

}  // namespace jarvis::pipeline
