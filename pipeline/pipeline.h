// The pipeline: all runs of one jarvis, at most one per host. Takes orders, carries runs, knows who holds a host, tells
// everybody who listens. Owned by main; lives on the loop's thread; nothing here blocks but reads of the journal.
// Knows no chat, no command line and no configuration file.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pipeline/demand.h"
#include "pipeline/error.h"
#include "pipeline/plan.h"
#include "pipeline/run.h"
#include "pipeline/workshop.h"

namespace jarvis::pipeline {

// What a command wants run.
struct Order {
  Plan plan;
  Clipboard first;
  std::string by, where, source, directory;
  int approvals = 1;       // people who must confirm it, if it destroys
  std::string asker = {};  // the name that counts among them, and for whom the run counts
};

// A person's lock on a host, or on everything.
struct Hold {
  std::string host, by, reason;
  Time since{};
  std::string words() const;  // "by thor since ... because ..."
};

struct Confirmed {
  std::string run;
  int missing = 0;                     // people who must confirm it besides
  std::vector<std::string> approvers;  // so far, this one included
};

// What planning by asking the tasks found out.
struct Asked {
  std::string task, stage;
  bool asked = false;  // understands plan mode, and its needs are there
  std::vector<std::string> changes;
  std::vector<Cost> costs;
  std::string fault;       // why it would fail; empty: it would not
  bool temporary = false;  // the fault may pass
  bool refused = false;    // what is there is somebody else's
};

class Pipeline {
 public:
  using Listener = std::function<void(const Run&, Run::What)>;

  Pipeline(boost::asio::io_context& loop, Journal& journal, JournalThread& pen, const Seal& seal,
           const TaskTable& table, WorkshopOptions options);
  ~Pipeline();

  // First call: what an earlier jarvis left unfinished becomes `interrupted` (or expired), and processes of its
  // attempts that survived are ended. Who only looks goes on when that cannot be written down. Blocks for the journal.
  void take_stock(bool only_looks = false);

  // Begins a run; its id. `code` is set when it must be confirmed first (the plan destroys): the word to confirm with.
  // Error(Refused) when the host is held.
  boost::asio::awaitable<std::string> submit(Order order, std::optional<std::string>& code);
  // Asks every task of the plan that understands it, in plan mode; runs nothing else. A temporary fault is asked again
  // for at most 30 s.
  boost::asio::awaitable<std::vector<Asked>> ask(const Plan& plan, const Clipboard& first, std::string directory);

  // One task outside any run (a spec is fetched so): the clipboard that it leaves. Asked again while it says "not yet",
  // within its row's deadline. Error with its last words when it fails: Transient if that may pass.
  boost::asio::awaitable<std::string> perform(Row row, std::string clipboard, std::string directory);

  // What keeps the modules of this plan from their credentials, one line each; none: nothing.
  std::vector<std::string> credential_faults(const Plan& plan);

  // Goes on with an interrupted run; no harm if it is carried already. Error when its clipboard cannot be opened.
  void resume(const std::string& run, const std::string& directory);
  // The interrupted runs, of one host or all.
  std::vector<RunRecord> interrupted(const std::optional<std::string>& host);

  struct Retry {
    std::string run;                                        // id
    std::vector<std::pair<std::string, std::string>> skip;  // task, reason
    std::string by, where, directory;
    int approvals = 1;
    std::string asker = {};
  };
  // Goes on with a failed or interrupted run at the step where it stands. `code` as in submit().
  boost::asio::awaitable<std::string> retry(Retry what, std::optional<std::string>& code);

  // The run that waits for this code; nothing if none does.
  std::optional<RunView> waits_for(const std::string& code);
  // One more person confirms; when nobody is missing the run goes on. Error(Refused) for an unknown, used or expired
  // code, and for somebody who may not count (again).
  boost::asio::awaitable<Confirmed> confirm(std::string code, std::string approver, std::string directory);
  // What this person has confirmed, and is not begun yet, does not count any more.
  boost::asio::awaitable<void> withdraw(std::string approver);
  // Error(Usage) when nothing of that host is in flight.
  boost::asio::awaitable<std::string> cancel(std::string run, std::string by);

  // People's locks; they outlive runs and restarts. Each blocks for the disk. Error(Refused) if it is held already,
  // Error(Usage) if it is not.
  std::vector<Hold> holds();
  std::optional<Hold> held(const std::string& host);
  void hold(Hold hold);
  Hold release(const std::string& host);
  // No new task starts anywhere; what is at work ends.
  std::optional<Hold> frozen();
  void freeze(Hold how);
  Hold thaw();

  // Views. Live ones where there is a live run, else from the journal; newest first.
  std::vector<RunView> views(const RunFilter& filter);
  std::optional<RunView> view(const std::string& run);  // id or unique prefix
  const Run* live(const std::string& run) const;
  // The run that holds a host and is carried here; nothing if none does. Reads no disk.
  const Run* live_of(const std::string& host) const;
  // Hosts whose unfinished run counts for this person.
  std::set<std::string> hosts_of(const std::string& asker);
  bool carried(const std::string& run) const { return runs_.count(run) > 0; }
  std::size_t in_flight() const { return runs_.size(); }
  // Runs that still have something to do here: all but those that wait for their confirmation.
  std::size_t busy() const;

  // Listeners are called on the loop's thread for every change; the run is only valid during the call.
  int listen(Listener listener);
  void unlisten(int id) { listeners_.erase(id); }

  // Polite stop: nothing new begins, attempts under way get `grace`, then KILL; done when nothing is in flight. Specs
  // that are being read and plans that are being asked about end at once: they change nothing.
  boost::asio::awaitable<void> stop(std::chrono::milliseconds grace);

  // During stop(): no more grace.
  void hurry();

  Workshop& shop() { return shop_; }
  // The newest clipboard of a run, or the one after a step (-1: the first). Error when there is none or the key is
  // another.
  std::string clipboard(const std::string& run, std::optional<int> step);
  // The code that a run waits for; nothing if it waits for none. For whoever may confirm it anyway.
  std::optional<std::string> code_of(const std::string& run);
  // The same with how many people must say it, and who has.
  std::optional<Demand> demand_on(const std::string& run);
  // The run that holds a host, carried here or not; nothing if none does.
  std::optional<std::string> holder_of(const std::string& host) const;
  // The newest clipboard of a host's newest run that has one; nothing if the host is unknown here.
  std::optional<std::string> host_clipboard(const std::string& host);

 private:
  void carry(std::shared_ptr<Run> run);
  std::shared_ptr<Run> load(const std::string& run, const std::string& directory);
  std::shared_ptr<Run> make(RunRecord record, std::vector<RunStep> steps, std::string clipboard);
  std::string demand_code(RunRecord& record, int approvals, const std::string& asker) const;
  std::optional<Demand> demand_of(const RunRecord& record) const;
  std::vector<RunRecord> confirming();
  std::optional<std::pair<RunRecord, Demand>> demand_with(const std::string& code);
  boost::asio::awaitable<void> write_demand(RunRecord record, Demand demand);
  void refuse_if_frozen();
  boost::asio::awaitable<void> take_lock(std::string host, std::string run);
  RunView stored_view(const RunRecord& record);
  RunView unattended_view(RunRecord record);
  void stand_where_it_stopped(RunRecord& record);
  void leave_lock(const std::string& host, const std::string& run);
  void told(const Run& run, Run::What what);
  // While a command loads a run and writes what becomes of it, no other command does the same.
  class OnTheWay {
   public:
    OnTheWay(Pipeline& pipeline, std::string run) : pipeline_(pipeline), run_(std::move(run)) {
      if (pipeline_.carried(run_) || !pipeline_.on_the_way_.insert(run_).second) {
        throw Error(Kind::Refused, "run " + run_ + " goes on already, another command was first");
      }
    }
    ~OnTheWay() { pipeline_.on_the_way_.erase(run_); }
    OnTheWay(const OnTheWay&) = delete;
    OnTheWay& operator=(const OnTheWay&) = delete;

   private:
    Pipeline& pipeline_;
    std::string run_;
  };

  Workshop shop_;
  std::map<std::string, std::shared_ptr<Run>> runs_;  // by id
  std::map<std::string, std::string> holders_;        // host -> run that holds it, carried here or not
  std::map<int, Listener> listeners_;
  int next_listener_ = 1;
  bool stopping_ = false, only_looks_ = false;
  // What goes on outside runs (perform, ask) and how to end it, for stop().
  class Aside {
   public:
    Aside(Pipeline& pipeline, std::function<void()> end)
        : all_(pipeline.asides_), here_(all_.insert(all_.end(), std::move(end))) {}
    ~Aside() { all_.erase(here_); }
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;

   private:
    std::list<std::function<void()>>& all_;
    std::list<std::function<void()>>::iterator here_;
  };
  boost::asio::awaitable<AttemptResult> attempt_aside(const TaskRow& row, AttemptNames names,
                                                      std::shared_ptr<const std::string> clipboard,
                                                      std::string directory);
  boost::asio::awaitable<void> wait_aside(std::chrono::milliseconds delay);
  void refuse_if_stopping() const;

  std::set<std::string> on_the_way_;                       // runs that a command is about to carry
  std::map<std::string, std::string> demands_on_the_way_;  // by run: sealed, while it is written
  std::list<std::function<void()>> asides_;
  boost::asio::steady_timer idle_;
  boost::asio::steady_timer some_ended_;  // never expires; cancelled whenever a run has ended
};

}  // namespace jarvis::pipeline
