// A world for runs in tests: tasks of jarvis-test, a directory, a key, a journal that remembers every write; and lives
// of jarvis in it: a pipeline with its loop, which a test can end and follow by another one over the same journal.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <boost/asio/post.hpp>
#include <mutex>
#include <set>

#include "pipeline/error.h"
#include "pipeline/pipeline.h"
#include "tests/pipeline/loop.h"
#include "tests/pipeline/memory_journal.h"
#include "tests/pipeline/processes.h"

namespace jarvis::pipeline {

using Batch = std::vector<Record>;

// Keeps what was written, write by write; can hold writers back at a gate.
class RememberingJournal : public FailingJournal {
 public:
  void write(const std::vector<Record>& records) override {
    {
      std::unique_lock lock(mutex_);
      ++at_gate_;
      opened_.wait(lock, [this] { return open_; });
      --at_gate_;
    }
    if (before_) before_(records);
    FailingJournal::write(records);
    const std::lock_guard lock(mutex_);
    batches_.push_back(records);
  }
  // Called before every write, from the thread that writes.
  void before(std::function<void(const Batch&)> what) { before_ = std::move(what); }
  void gate(bool open) {
    {
      const std::lock_guard lock(mutex_);
      open_ = open;
    }
    opened_.notify_all();
  }
  bool somebody_at_gate() {
    const std::lock_guard lock(mutex_);
    return at_gate_ > 0 && !open_;
  }
  std::vector<Batch> batches() {
    const std::lock_guard lock(mutex_);
    return batches_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  std::function<void(const Batch&)> before_;
  std::vector<Batch> batches_;
  int at_gate_ = 0;
  bool open_ = true;
};

class World {
 public:
  const Scratch& scratch() const { return scratch_; }
  const Seal& seal() const { return seal_; }
  TaskTable& table() { return table_; }

  // The row of a task of jarvis-test, quick to retry; made when first named.
  using Tweak = std::function<void(TaskRow&)>;
  void row(const std::string& word, const Tweak& tweak = {}) {
    TaskRow made;
    made.name = "test:" + word;
    made.family = "test";
    made.timeout = std::chrono::seconds{20};
    made.grace = std::chrono::milliseconds{200};
    made.retry.delay = std::chrono::milliseconds{10};
    if (tweak) tweak(made);
    table_.add(made);
  }

  Plan plan(const std::vector<std::string>& words, const std::string& host = "loki.example.org") {
    ActionList list;
    list.provider = "test";
    list.operation = "deploy";
    for (const std::string& word : words) {
      if (!table_.find("test:" + word)) row(word);
      list.entries.push_back({});
      list.entries.back().task = "test:" + word;
    }
    return make_plan(list, table_, board(host), host);
  }

  static Clipboard board(const std::string& host) {
    return Clipboard::parse("fqdn: " + host + "\nhostname: " + host.substr(0, host.find('.')) + "\n");
  }

  Order order(const std::vector<std::string>& words, const std::string& host = "loki.example.org") {
    return {plan(words, host), board(host), "the test", "here", "", ""};
  }

  // The calls of tasks so far, "WORD STEP ATTEMPT", or only their words in one line.
  std::vector<std::string> calls() const { return lines_of(contents(scratch_ / "log")); }
  std::string words() const {
    std::string made;
    for (const std::string& call : calls()) made += (made.empty() ? "" : " ") + call.substr(0, call.find(' '));
    return made;
  }
  void forget_calls() const { std::filesystem::remove(scratch_ / "log"); }

  // hang_WORD waits until it is let go, as often as it is asked.
  void hold(const std::string& word) const { REQUIRE(::mkfifo((scratch_ / ("go_" + word)).c_str(), 0600) == 0); }
  void let_go(const std::string& word) {
    gates_.emplace_back(::open((scratch_ / ("go_" + word)).c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(::write(gates_.back().get(), std::string(64, '.').data(), 64) == 64);
  }

 private:
  Scratch scratch_;
  Seal seal_ = Seal::create(scratch_ / "key");
  TaskTable table_;
  std::vector<UniqueFd> gates_;
};

// One life of jarvis, as far as runs see it.
class Life {
 public:
  using Options = std::function<void(WorkshopOptions&)>;
  Life(World& world, Journal& journal, const Options& tweak = {},
       JournalThread::Inline inline_commits = JournalThread::Inline::WhenAlone)
      : pen_(
            journal, [this](std::function<void()> call) { boost::asio::post(loop_.context(), std::move(call)); },
            inline_commits),
        pipeline_(loop_.context(), journal, pen_, world.seal(), world.table(), options(world, tweak)) {
    pipeline_.listen([this](const Run& run, Run::What what) { hear(run, what); });
  }
  // Ends what is under way, as a stop without patience does.
  ~Life() {
    bool done = false;
    boost::asio::co_spawn(loop_.context(), pipeline_.stop({}), [&](const std::exception_ptr&) { done = true; });
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!done && std::chrono::steady_clock::now() < deadline)
      loop_.context().run_one_for(std::chrono::milliseconds{5});
    pipeline_.shop().join_forkservers();
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  Loop& loop() { return loop_; }
  Pipeline& pipeline() { return pipeline_; }

  std::string submit(Order order) {
    std::optional<std::string> code;
    return loop_.wait_for(pipeline_.submit(std::move(order), code));
  }
  void until_over(const std::string& run) {
    loop_.run_until([&] { return !pipeline_.carried(run); }, "a run's end");
  }
  RunView end_of(const std::string& run) {
    until_over(run);
    return *pipeline_.view(run);
  }
  RunView run(Order order) { return end_of(submit(std::move(order))); }

  // The text of what a call refuses with, or "".
  template <typename T>
  std::string refusal(boost::asio::awaitable<T> what) {
    try {
      (void)loop_.wait_for(std::move(what));
      return "";
    } catch (const Error& e) {
      return e.what();
    }
  }
  std::string cancel(const std::string& run, const std::string& by = "thor") {
    return refusal(pipeline_.cancel(run, by));
  }

  void until(const std::string& run, RunState state) {
    loop_.run_until([&] { return state_of(run) == state; }, "a run's state");
  }
  void until_hanging(int count = 1) {
    loop_.run_until([&] { return hanging_ >= count; }, "a task at work");
  }
  RunState state_of(const std::string& run) {
    const Run* live = pipeline_.live(run);
    return live != nullptr ? live->record().state : pipeline_.view(run)->state;
  }

  // The states that runs went through, as heard.
  const std::vector<std::string>& states() const { return states_; }
  int hanging() const { return hanging_; }

 private:
  static WorkshopOptions options(const World& world, const Options& tweak) {
    WorkshopOptions made;
    made.forkservers = test_forkserver().parent_path();
    made.journal_again = std::chrono::milliseconds{10};
    const std::string directory = world.scratch().path();
    made.grants = [directory](const std::string&) {
      Granted granted;
      granted.environment = {"TEST_DIR=" + directory};
      return granted;
    };
    if (tweak) tweak(made);
    return made;
  }
  void hear(const Run& run, Run::What what) {
    if (what == Run::What::State) states_.emplace_back(word(run.record().state));
    if (what == Run::What::Progress) ++hanging_;
  }

  Loop loop_;
  JournalThread pen_;
  Pipeline pipeline_;
  std::vector<std::string> states_;
  int hanging_ = 0;
};

}  // namespace jarvis::pipeline
