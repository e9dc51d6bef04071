// Asking the tasks of a plan what they would do, and whether they could.
#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "pipeline/error.h"
#include "pipeline/pipeline.h"

namespace jarvis::pipeline {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto kAskAgainFor = 30s;  // temporary answers in plan mode
constexpr int kRunIdLength = 6;

bool has_all(const Clipboard& board, const std::vector<std::string>& keys) {
  return std::all_of(keys.begin(), keys.end(), [&](const std::string& key) { return board.has(key); });
}

}  // namespace

// One attempt that belongs to no run; Error(Refused) when jarvis stops meanwhile.
asio::awaitable<AttemptResult> Pipeline::attempt_aside(const TaskRow& row, AttemptNames names,
                                                       std::shared_ptr<const std::string> clipboard,
                                                       std::string directory) {
  refuse_if_stopping();
  if (!shop_.places().try_take()) {
    Places::Wait wait(shop_.places());
    const Aside aside(*this, [&] { wait.cancel(); });
    const bool taken = co_await wait.taken();
    if (!taken) throw Error(Kind::Refused, "jarvis is stopping");
  }
  const Places::Taken place(shop_.places());
  refuse_if_stopping();
  const auto one = shop_.attempt(row, names, std::move(clipboard), directory);
  const Aside aside(*this, [&] { one->abandon(); });
  AttemptResult result = co_await one->run();
  refuse_if_stopping();
  co_return result;
}

asio::awaitable<void> Pipeline::wait_aside(std::chrono::milliseconds delay) {
  asio::steady_timer timer(shop_.loop(), delay);
  const Aside aside(*this, [&] { timer.cancel(); });
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  refuse_if_stopping();
}

asio::awaitable<std::vector<Asked>> Pipeline::ask(const Plan& plan, const Clipboard& first, std::string directory) {
  refuse_if_frozen();
  std::vector<Asked> made;
  const auto text = std::make_shared<const std::string>(first.text());
  const std::string id = "plan-" + random_word(kRunIdLength);
  const std::vector<std::string> secrets = facts_of(first, shop_.table().secrets()).secrets;
  for (const PlanStep& step : plan.steps) {
    const Blanker blanker = shop_.blanker(secrets, *step.row);
    Asked asked;
    asked.task = step.row->name;
    asked.stage = step.row->stage;
    asked.asked = step.row->plan && has_all(first, step.row->needs);
    const auto until = std::chrono::steady_clock::now() + kAskAgainFor;
    for (int attempt = 1; asked.asked; ++attempt) {
      AttemptNames names{id, id + "." + std::to_string(made.size()), attempt, true};
      const AttemptResult result = co_await attempt_aside(*step.row, std::move(names), text, directory);
      asked.temporary = result.not_yet;
      asked.refused = result.exit_status == kRefusedStatus;
      asked.costs = result.costs;
      asked.changes.clear();
      for (const std::string& change : result.changes) asked.changes.push_back(blanker.line(change));
      asked.fault.clear();
      if (result.outcome == Outcome::Succeeded) break;
      asked.fault = blanker.line(result.last_words.empty() ? result.why : result.last_words);
      const auto delay = result.retry_after.value_or(std::chrono::milliseconds(1000));
      if (!result.not_yet || std::chrono::steady_clock::now() + delay > until) break;
      co_await wait_aside(delay);
    }
    made.push_back(std::move(asked));
  }
  co_return made;
}

asio::awaitable<std::string> Pipeline::perform(Row row, std::string clipboard, std::string directory) {
  refuse_if_frozen();
  const std::string id = "once-" + random_word(kRunIdLength);
  const auto text = std::make_shared<const std::string>(std::move(clipboard));
  const Blanker blanker = shop_.blanker({}, *row);
  const auto until = std::chrono::steady_clock::now() + row->retry.deadline;
  for (int attempt = 1;; ++attempt) {
    AttemptNames names{id, id + ".0", attempt, false};
    AttemptResult result = co_await attempt_aside(*row, std::move(names), text, directory);
    if (result.outcome == Outcome::Succeeded) {
      if (Clipboard::blank(result.output)) co_return *text;
      co_await shop_.check(result.output);
      co_return std::move(result.output);
    }
    const std::string words = blanker.line(result.last_words.empty() ? result.why : result.last_words);
    const auto delay = result.retry_after.value_or(std::chrono::milliseconds(1000));
    if (!result.not_yet) throw Error(Kind::Permanent, words);
    if (std::chrono::steady_clock::now() + delay > until) throw Error(Kind::Transient, words);
    co_await wait_aside(delay);
  }
}

std::vector<std::string> Pipeline::credential_faults(const Plan& plan) {
  std::set<std::string> modules;
  std::vector<std::string> faults;
  for (const PlanStep& step : plan.steps) {
    const std::string module = step.row->module();
    if (!modules.insert(module).second) continue;
    try {
      shop_.granted(module);
    } catch (const Error& e) {
      faults.emplace_back(e.what());
    }
  }
  return faults;
}

}  // namespace jarvis::pipeline
