#include "bot/reporter.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>
#include <nlohmann/json.hpp>

#include "bot/words.h"
#include "pipeline/error.h"

namespace jarvis::bot {

namespace asio = boost::asio;
using asio::awaitable;
using pipeline::Run;
using pipeline::RunState;
using pipeline::RunView;
using namespace std::chrono_literals;

namespace {

constexpr auto kLookEvery = 5s;  // for stages that take long
constexpr auto kGather = 100ms;  // ends at one place within this are told together
constexpr auto kPresenceEvery = 5s;
constexpr auto kCatchUp = std::chrono::hours(24);
constexpr int kCatchUpRuns = 1000;
constexpr std::size_t kToldKept = 2000;
constexpr std::size_t kNamed = 12;  // hosts in one line
constexpr const char* kTold = "told";

// Longer than usual, by enough to matter.
bool slow(const RunView& view) {
  if (!view.usual || ended(view.state)) return false;
  return view.elapsed > *view.usual * 2 && view.elapsed > *view.usual + 10s;
}

// The same for one end of one run, also after a restart.
std::string end_of(const std::string& run, const std::optional<pipeline::Time>& ended) {
  const auto since = ended ? ended->time_since_epoch() : pipeline::Time::duration::zero();
  return run + "/" + std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

std::string joined(const std::vector<std::string>& hosts) {
  std::string made;
  const std::size_t shown = std::min(hosts.size(), kNamed);
  for (std::size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == hosts.size();
    made += (i == 0 ? "" : last ? " and " : ", ") + hosts[i];
  }
  return hosts.size() > shown ? made + " and " + std::to_string(hosts.size() - shown) + " more" : made;
}

}  // namespace

Reporter::Reporter(asio::io_context& loop, House& house, Chat& chat)
    : loop_(loop), house_(house), chat_(chat), tick_(loop), soon_(loop), presence_due_(loop) {
  const auto told = nlohmann::json::parse(house.journal().note(kTold).value_or("[]"), nullptr, false);
  for (const auto& end : told.is_array() ? told : nlohmann::json::array()) {
    if (end.is_string()) note_told(end.get<std::string>());
  }
  id_ = house.pipeline().listen([this](const Run& run, Run::What what) { heard(run, what); });
  chat.on_up([this] { say_ends(); });
  asio::co_spawn(loop_, watch_slow_ones(), asio::detached);
}

Reporter::~Reporter() {
  house_.pipeline().unlisten(id_);
}

void Reporter::stop() {
  say_ends();
  tick_.cancel();
  soon_.cancel();
  presence_due_.cancel();
  house_.pipeline().unlisten(id_);
}

void Reporter::heard(const Run& run, Run::What what) {
  show_presence();
  const std::string& id = run.record().id;
  if (what == Run::What::Ended) {
    const RunView view = run.view();
    if (pipeline::ended(view.state)) ended(view);
    followed_.erase(id);
    return;
  }
  if (what == Run::What::Progress) return;
  if (followed_.count(id) == 0) begun(run);
  const auto found = followed_.find(id);
  const bool anybody = !house_.followings().empty();
  if (found == followed_.end() && !anybody) return;
  const RunView view = run.view();
  if (what == Run::What::Stage && anybody) tell_followers(view, status_line(view, house_.shown(view.host)), "");
  // A worker that says "not yet" waits as it should and is no news; a try that failed is.
  if (what == Run::What::AskedAgain && found != followed_.end() && wants(view, found->second.whence))
    chat_.tell_late(found->second.whence, status_line(view, found->second.host) + "; it is asked again");
}

// One line when a run starts, or goes on after a restart.
void Reporter::begun(const Run& run) {
  const auto& record = run.record();
  const auto whence = Whence::from(record.where);
  if (!whence || record.state == RunState::Confirming) return;
  const std::string host = house_.shown(record.host);
  followed_[record.id] = {*whence, host, record.stage, false};
  const RunView view = run.view();
  const bool from_the_start = record.stage_number <= 1;
  std::string line = host + ": " + record.operation + " with " + record.provider + ", " +
                     std::to_string(record.stages) + (record.stages == 1 ? " stage" : " stages") + ", run " + record.id;
  if (!from_the_start)
    line += ", goes on at " + std::to_string(view.stage_number) + "/" + std::to_string(view.stages) + " " + view.stage;
  chat_.tell_late(*whence, line);
}

std::string Reporter::person_at(const Whence& whence) const {
  const Person* person = person_of(house_.settings(), whence.link, whence.identity, whence.proof);
  return person != nullptr ? person->name : "";
}

bool Reporter::wants(const RunView& view, const Whence& whence) const {
  return !house_.followings().quiet(person_at(whence), view.host);
}

bool Reporter::may_hear(const std::string& person, const std::string& command, const Whence& where,
                        const RunView& view) const {
  Asker asker;
  asker.person = person;
  asker.place = where.shown();
  return may(house_.settings(), asker, {command, {view.host}, view.provider}).allowed;
}

void Reporter::tell_followers(const RunView& view, const std::string& line, const std::string& except) {
  for (const Following& one : house_.followings().of(view.host)) {
    if (one.quiet || one.person == except || !may_hear(one.person, "status", one.where, view)) continue;
    chat_.tell_late(one.where, line);
  }
}

void Reporter::ended(const RunView& view) {
  const auto whence = Whence::from(view.where);
  const std::string host = house_.shown(view.host);
  const std::string line = status_line(view, host);
  if (whence) tell_end(*whence, view);
  for (const Listener& other : house_.followings().take_listeners(view.run)) {
    const std::string person = person_at(other.where);
    if (may_hear(person, "status", other.where, view) || may_hear(person, other.command, other.where, view))
      chat_.tell_late(other.where, line);
  }
  tell_followers(view, line, whence ? person_at(*whence) : "");
}

void Reporter::tell_end(const Whence& whence, const RunView& view) {
  End end{end_of(view.run, view.ended), "", ""};
  if (told_.count(end.key) > 0) return;
  const std::string host = house_.shown(view.host);
  if (view.state == RunState::Succeeded && view.operation != "destroy" && view.operation != "adopt") {
    end.ready = host;
  } else {
    const std::string next = next_step(view, host);
    end.line = status_line(view, host) + (next.empty() ? "" : "; " + next);
  }
  wait(whence, {std::move(end)});
  if (std::exchange(ends_wait_, true)) return;
  soon_.expires_after(kGather);
  soon_.async_wait([this](auto error) {
    if (!error) say_ends();
  });
}

// What cannot be said, because its network is away, stays until that is back; the journal knows that it was not told.
void Reporter::say_ends() {
  ends_wait_ = false;
  for (auto& [place, ends] : std::exchange(ends_, {})) {
    if (!chat_.reaches(ends.whence)) {
      wait(ends.whence, std::move(ends.all));
      continue;
    }
    std::vector<std::string> hosts;
    std::vector<End> ready, others;
    for (End& end : ends.all) {
      if (!end.ready.empty()) hosts.push_back(end.ready);
      (end.ready.empty() ? others : ready).push_back(std::move(end));
    }
    if (!hosts.empty()) say(ends.whence, joined(hosts) + (hosts.size() == 1 ? " is ready" : " are ready"), ready);
    for (End& end : others) {
      const std::string line = end.line;
      say(ends.whence, line, {std::move(end)});
    }
  }
}

// Told is what the network has. What got lost on the way there is said again when that is back.
void Reporter::say(const Whence& whence, const std::string& line, std::vector<End> ends) {
  chat_.tell_late(whence, line, [this, whence, ends = std::move(ends)](bool said) {
    if (!said) return wait(whence, ends);
    for (const End& end : ends) note_told(end.key);
    keep_told();
  });
}

void Reporter::wait(const Whence& whence, std::vector<End> ends) {
  Ends& there = ends_[whence.text()];
  there.whence = whence;
  std::move(ends.begin(), ends.end(), std::back_inserter(there.all));
}

void Reporter::keep_told() {
  auto list = nlohmann::json::array();
  for (const std::string& one : told_in_order_) list.push_back(one);
  try {
    house_.journal().set_note(kTold, list.dump());
  } catch (const pipeline::Error&) {  // then it may be told twice: better than never
  }
}

void Reporter::note_told(const std::string& end) {
  if (told_.insert(end).second) told_in_order_.push_back(end);
  if (told_in_order_.size() <= kToldKept) return;
  told_.erase(told_in_order_.front());
  told_in_order_.pop_front();
}

void Reporter::catch_up() {
  for (const auto& record : house_.journal().runs({std::nullopt, false, kCatchUpRuns})) {
    if (!pipeline::ended(record.state) || !record.ended || *record.ended < pipeline::now() - kCatchUp) continue;
    if (told_.count(end_of(record.id, record.ended)) > 0) continue;
    const auto whence = Whence::from(record.where);
    if (whence) tell_end(*whence, *house_.pipeline().view(record.id));
  }
}

awaitable<void> Reporter::watch_slow_ones() {
  for (;;) {
    tick_.expires_after(kLookEvery);
    boost::system::error_code error;
    co_await tick_.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    for (auto& [id, one] : followed_) {
      const Run* run = house_.pipeline().live(id);
      if (run == nullptr) continue;
      const RunView view = run->view();
      if (view.stage != one.stage) {
        one.stage = view.stage;
        one.slow_told = false;
      }
      if (one.slow_told || !slow(view) || !wants(view, one.whence)) continue;
      one.slow_told = true;
      chat_.tell_late(one.whence, status_line(view, one.host) + ", longer than usual");
    }
  }
}

// What is running, in the places that show a status line; not more often than people can read.
void Reporter::show_presence() {
  if (std::exchange(presence_waits_, true)) return;
  presence_due_.expires_after(kPresenceEvery);
  presence_due_.async_wait([this](auto error) {
    presence_waits_ = false;
    if (error) return;
    const auto views = house_.pipeline().views({std::nullopt, true, 0});
    std::string text = views.empty() ? "ready" : std::to_string(views.size()) + " in flight: ";
    for (std::size_t i = 0; i < std::min<std::size_t>(views.size(), 3); ++i) {
      text += (i > 0 ? ", " : "") + house_.shown(views[i].host) + " " + std::to_string(views[i].stage_number) + "/" +
              std::to_string(views[i].stages);
    }
    chat_.presence(text + (views.size() > 3 ? ", ..." : ""));
  });
}

}  // namespace jarvis::bot
