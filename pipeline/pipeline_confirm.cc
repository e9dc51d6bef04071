// Runs that wait for people to confirm them.
#include <algorithm>
#include <boost/asio/use_awaitable.hpp>
#include <set>

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
  const auto demand = demand_on(id);
  return demand ? std::optional(demand->code) : std::nullopt;
}

std::optional<Demand> Pipeline::demand_on(const std::string& id) {
  auto record = shop_.journal().run(id);
  if (!record) return std::nullopt;
  const auto newer = demands_on_the_way_.find(id);
  if (newer != demands_on_the_way_.end()) record->confirm = newer->second;
  return demand_of(*record);
}

// Runs that wait to be confirmed, as they stand now: the journal may still be writing what was said last.
std::vector<RunRecord> Pipeline::confirming() {
  std::vector<RunRecord> made;
  for (RunRecord& record : shop_.journal().runs({std::nullopt, true, 0})) {
    if (record.state != RunState::Confirming) continue;
    const auto live = runs_.find(record.id);
    if (live != runs_.end()) {
      record.state = live->second->record().state;
      record.confirm = live->second->record().confirm;
    }
    const auto newer = demands_on_the_way_.find(record.id);
    if (newer != demands_on_the_way_.end()) record.confirm = newer->second;
    made.push_back(std::move(record));
  }
  return made;
}

std::optional<std::pair<RunRecord, Demand>> Pipeline::demand_with(const std::string& code) {
  std::exception_ptr fault;
  for (RunRecord& record : confirming()) {
    try {
      auto demand = demand_of(record);
      if (demand && demand->code == code) return std::pair(std::move(record), *std::move(demand));
    } catch (const Error&) {  // one that cannot be opened must not keep the others from being confirmed
      fault = std::current_exception();
    }
  }
  if (fault) std::rethrow_exception(fault);
  return std::nullopt;
}

std::optional<RunView> Pipeline::waits_for(const std::string& code) {
  const auto found = demand_with(code);
  return found ? view(found->first.id) : std::nullopt;
}

asio::awaitable<void> Pipeline::write_demand(RunRecord record, Demand demand) {
  record.confirm = shop_.seal().seal_text(demand.text(), bound_to(record));
  const auto live = runs_.find(record.id);
  if (live != runs_.end()) live->second->replace_demand(record.confirm);
  // Whoever comes while it is written counts on from here.
  demands_on_the_way_[record.id] = record.confirm;
  const auto written = [this, id = record.id, sealed = record.confirm] {
    const auto newest = demands_on_the_way_.find(id);
    if (newest != demands_on_the_way_.end() && newest->second == sealed) demands_on_the_way_.erase(newest);
  };
  std::vector<Record> changes;
  changes.emplace_back(RunChanged{record.id, record.state, record.resume_as, record.error, record.ended,
                                  record.stage_number, record.stage, record.task, record.confirm,
                                  record.confirm_until});
  try {
    co_await shop_.write(std::move(changes));
  } catch (...) {
    written();
    throw;
  }
  written();
}

asio::awaitable<Confirmed> Pipeline::confirm(std::string code, std::string approver, std::string directory) {
  auto found = demand_with(code);
  if (!found) {
    throw Error(Kind::Refused,
                "no run waits for this code; a code is good once, for five minutes, for the plan it was given for");
  }
  auto& [record, demand] = *found;
  if (demand.needed > 1 && approver == demand.asker) {
    throw Error(Kind::Refused, record.host + ": " + record.operation + " was asked for by " + approver + ", " +
                                   people(demand.missing()) + " must confirm it");
  }
  if (std::find(demand.approvers.begin(), demand.approvers.end(), approver) != demand.approvers.end())
    throw Error(Kind::Refused, approver + " has confirmed it already, " + people(demand.missing()) + " must");
  demand.approvers.push_back(approver);
  Confirmed confirmed{record.id, demand.missing(), demand.approvers};
  if (demand.missing() > 0) {
    co_await write_demand(record, demand);
    co_return confirmed;
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
  co_return confirmed;
}

asio::awaitable<void> Pipeline::withdraw(std::string approver) {
  // Looked at anew after every wait: what waits for its confirmation now may have begun by then.
  std::set<std::string> seen;
  for (bool more = true; more;) {
    more = false;
    for (const RunRecord& record : confirming()) {
      if (!seen.insert(record.id).second) continue;
      auto demand = demand_of(record);
      if (!demand || std::erase(demand->approvers, approver) == 0) continue;
      co_await write_demand(record, *demand);
      more = true;
      break;
    }
  }
}

}  // namespace jarvis::pipeline
