// Waiting for runs: asks a person where that is needed, tells how they go and how each ended.
#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <set>

#include "bot/commands.h"
#include "bot/words.h"
#include "pipeline/error.h"

namespace jarvis::bot {

namespace asio = boost::asio;
using asio::awaitable;
using pipeline::Clipboard;
using pipeline::Run;
using pipeline::RunState;
using pipeline::RunView;

namespace {

constexpr std::size_t kNamed = 20;  // changes in one question
constexpr int kLookedBack = 50;     // runs

std::string wiped(const Clipboard& board) {
  std::string names;
  try {
    for (const std::string& name : board.list("wipe")) names += (names.empty() ? "" : ", ") + name;
  } catch (const pipeline::Error&) {  // what it should be is the provider's to say
    return "(no list of names)";
  }
  return names.empty() ? "none" : names;
}

// Who had the machine made that is there, or took it over; empty: nobody that the journal knows of.
std::string deployed_by(House& house, const RunView& view) {
  for (const RunView& earlier : house.pipeline().views({view.host, false, kLookedBack})) {
    if (earlier.run == view.run || earlier.state != RunState::Succeeded) continue;
    if (earlier.operation == "deploy" || earlier.operation == "redeploy" || earlier.operation == "adopt")
      return earlier.by;
    if (earlier.operation == "destroy") return "";
  }
  return "";
}

// What a person should know before saying yes: which machine, where, whose.
std::string question(House& house, const Talk& talk, const RunView& view, const std::vector<std::string>& changes) {
  const Clipboard board = Clipboard::parse(house.pipeline().clipboard(view.run, std::nullopt));
  const std::string host = house.shown(view.host);
  std::string text = view.operation + " " + view.host + " (" + view.provider;
  if (const auto id = board.scalar("instance_id")) text += ", machine " + *id;
  for (const std::string& address : board.list("ipaddress")) text += ", " + address;
  if (const auto created = board.scalar("created")) text += ", made " + *created;
  if (const auto size = board.scalar("size")) text += ", size " + *size;
  if (const std::string owner = deployed_by(house, view); !owner.empty()) text += ", deployed by " + owner;
  text += ", asked for by " + view.by + "): ";
  text += view.operation == "adopt" ? "jarvis may turn off, delete and make anew this machine from then on"
                                    : "its machine and what is on its disks will be gone";
  if (board.has("wipe") && view.operation != "adopt") text += ", also the disks that the spec wipes: " + wiped(board);
  // In a channel an answer has a few lines, and the code stands in its last one.
  for (std::size_t i = 0; i < std::min(changes.size(), kNamed); ++i)
    text += talk.waits() ? "\n  " + changes[i] : (i == 0 ? ": " : "; ") + changes[i];
  if (changes.size() > kNamed)
    text += (talk.waits() ? "\n  and " : "; and ") + std::to_string(changes.size() - kNamed) + " more";
  return text;
}

int exit_of(RunState state) {
  switch (state) {
    case RunState::Succeeded:
      return kDone;
    case RunState::Failed:
      return kFailed;
    case RunState::Cancelled:
      return kCancelled;
    default:
      return kUnfinished;
  }
}

// Hears what happens to the runs of one command, tells the talk, and how each ended when it does.
class Watch {
 public:
  Watch(House& house, Talk& talk, const std::vector<std::string>& runs)
      : house_(house),
        talk_(talk),
        left_(runs.begin(), runs.end()),
        wake_(house.pipeline().shop().loop(), std::chrono::hours(24 * 365)) {
    id_ = house.pipeline().listen([this](const Run& one, Run::What what) {
      if (left_.count(one.record().id) > 0) heard(one, what);
    });
    for (const std::string& run : runs) {
      const Run* live = house_.pipeline().live(run);
      if (live != nullptr) heard(*live, Run::What::Stage);
      if (live == nullptr) over(run, *house_.pipeline().view(run));
    }
  }
  ~Watch() { house_.pipeline().unlisten(id_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // The worst exit status, when all have ended.
  awaitable<int> end() {
    while (!left_.empty()) {
      boost::system::error_code woken;
      co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    co_return worst_;
  }

 private:
  void heard(const Run& run, Run::What what) {
    const bool tell = !talk_.invocation().json && !talk_.invocation().quiet;
    if (!tell && what != Run::What::Ended) return;
    const RunView view = run.view();
    if (tell) {
      auto object = json_of(view);
      std::string& name = names_[view.host];
      if (name.empty()) name = house_.shown(view.host);
      object["host"] = name;
      talk_.progress(std::move(object));
    }
    if (what == Run::What::Ended) over(view.run, view);
  }

  void over(const std::string& run, const RunView& view) {
    const std::string host = house_.shown(view.host);
    if (talk_.invocation().json) talk_.json(json_of(view));
    if (!talk_.invocation().json) {
      talk_.say(status_line(view, host));
      const std::string next = next_step(view, host);
      if (!next.empty()) talk_.say("  " + next);
    }
    worst_ = std::max(worst_, exit_of(view.state));
    left_.erase(run);
    wake_.cancel();
  }

  House& house_;
  Talk& talk_;
  std::set<std::string> left_;
  std::map<std::string, std::string> names_;  // of hosts, as people call them
  asio::steady_timer wake_;
  int id_ = 0, worst_ = kDone;
};

// Asks a person about a run that deletes something. True: it goes on; false: it waits, or was given up.
awaitable<bool> asked_and_confirmed(House& house, Talk& talk, std::string run, std::string code,
                                    std::vector<std::string> changes) {
  const Invocation& invocation = talk.invocation();
  const RunView waiting = *house.pipeline().view(run);
  const std::string text = question(house, talk, waiting, changes);
  if (!talk.terminal() || invocation.json || invocation.detach) {
    if (invocation.json) {
      auto object = json_of(waiting);
      object["confirm"] = code;
      object["changes"] = changes;
      talk.json(std::move(object));
    } else {
      talk.say(text);
      talk.say("jarvis confirm " + code);
    }
    co_return false;
  }
  const auto answer = co_await talk.ask(text + "\nreally? (yes/no)");
  if (answer && (*answer == "yes" || *answer == "y" || *answer == code)) {
    co_await house.pipeline().confirm(code, talk.asker().name, house.directory_for(talk.directory()));
    co_return true;
  }
  co_await house.pipeline().cancel(run, talk.by());
  const bool plain_no = !answer || *answer == "no" || *answer == "n";
  talk.say(house.shown(waiting.host) + ": " + waiting.operation + " given up, nothing was changed" +
           (plain_no ? "" : " (the answer was not yes)"));
  co_return false;
}

}  // namespace

awaitable<int> follow(House& house, Talk& talk, std::vector<Begun> begun) {
  const Invocation& invocation = talk.invocation();
  std::vector<std::string> runs;
  int status = kDone;
  for (const Begun& one : begun) {
    bool goes_on = true;
    if (one.code) goes_on = co_await asked_and_confirmed(house, talk, one.run, *one.code, one.changes);
    if (goes_on) runs.push_back(one.run);
    if (!goes_on)
      status =
          std::max<int>(status, talk.terminal() && !invocation.json && !invocation.detach ? kCancelled : kUnfinished);
  }
  // In chat the reporter tells how runs go; nobody waits for them.
  if (!talk.waits()) co_return status;
  if (invocation.detach) {
    for (const std::string& run : runs) {
      if (invocation.json) talk.json(json_of(*house.pipeline().view(run)));
      if (!invocation.json) talk.say(run);
    }
    co_return status;
  }
  Watch watch(house, talk, runs);
  const int worst = co_await watch.end();
  co_return std::max(status, worst);
}

awaitable<int> follow(House& house, Talk& talk, std::string run, std::optional<std::string> code,
                      std::vector<std::string> changes) {
  std::vector<Begun> one;
  one.push_back({std::move(run), std::move(code), std::move(changes)});
  co_return co_await follow(house, talk, std::move(one));
}

}  // namespace jarvis::bot
