// explain: why a run is where it is.
#include "bot/commands.h"
#include "bot/explanation.h"
#include "bot/orders.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using boost::asio::awaitable;
using pipeline::Error;
using pipeline::Kind;
using pipeline::RunState;

awaitable<int> do_explain(House& house, Talk& talk) {
  pipeline::Pipeline& pipeline = house.pipeline();
  Circumstances known;
  known.view = allowed_run(house, talk, talk.invocation().words.at(0));
  known.host = house.shown(known.view.host);
  const auto record = house.journal().run(known.view.run);
  if (!record) throw Error(Kind::Usage, "no run " + known.view.run);
  known.record = *record;
  known.attempts = house.journal().attempts(known.view.run, std::nullopt, false);
  const pipeline::Run* live = pipeline.live(known.view.run);
  if (live != nullptr && live->current_step() >= 0) known.spent = live->spent();
  known.worker = live != nullptr && live->worker() != 0;
  known.hold = pipeline.held(known.view.host);
  known.frozen = pipeline.frozen();
  const auto holder = pipeline.holder_of(known.view.host);
  if (holder && *holder != known.view.run) known.holder = pipeline.view(*holder);
  if (known.view.state == RunState::Confirming) known.demand = pipeline.demand_on(known.view.run);
  known.now = pipeline::now();
  const Explanation what = explanation_of(known);
  if (talk.invocation().json) {
    talk.json(json_of(what, known));
    co_return kDone;
  }
  // In chat nobody reads twenty lines of one host.
  for (const std::string& line : talk.waits() ? explained(what, known) : explained_in_short(what)) talk.say(line);
  co_return kDone;
}

}  // namespace jarvis::bot
