#include "pipeline/journal_thread.h"

#include <doctest/doctest.h>

#include <atomic>
#include <deque>

#include "pipeline/journal_sqlite.h"
#include "tests/pipeline/journal_records.h"
#include "tests/pipeline/memory_journal.h"
#include "tests/pipeline/scratch.h"

namespace jarvis::pipeline {
namespace {

using Inline = JournalThread::Inline;

// The loop: runs what is posted, in the test's thread.
class Loop {
 public:
  JournalThread::Post post() {
    return [this](std::function<void()> call) {
      {
        const std::lock_guard lock(mutex_);
        calls_.push_back(std::move(call));
        ++posted_;
      }
      more_.notify_one();
    };
  }

  void run_until(const std::function<bool()>& done) {
    while (!done()) {
      std::unique_lock lock(mutex_);
      REQUIRE(more_.wait_for(lock, std::chrono::seconds{10}, [this] { return !calls_.empty(); }));
      const auto call = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      call();
    }
  }

  void run_what_is_there() {
    run_until([this] {
      const std::lock_guard lock(mutex_);
      return calls_.empty();
    });
  }

  int posted() {
    const std::lock_guard lock(mutex_);
    return posted_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::function<void()>> calls_;
  int posted_ = 0;
};

// Knows who writes, and holds writers at a gate while it is closed.
class GateJournal : public FailingJournal {
 public:
  void write(const std::vector<Record>& records) override {
    {
      std::unique_lock lock(mutex_);
      writer_ = std::this_thread::get_id();
      ++waiting_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return open_; });
      --waiting_;
    }
    if (slow_) {
      const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{8};
      while (std::chrono::steady_clock::now() < until) {
      }
    }
    FailingJournal::write(records);
  }
  bool tidy_due() const override { return due_; }
  void tidy() override {
    {
      const std::lock_guard lock(mutex_);
      tidier_ = std::this_thread::get_id();
      due_ = false;
    }
    changed_.notify_all();
  }

  void gate(bool open) {
    {
      const std::lock_guard lock(mutex_);
      open_ = open;
    }
    changed_.notify_all();
  }
  void wait_for_writer() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds{10}, [this] { return waiting_ > 0; }));
  }
  void wait_for_tidy() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds{10}, [this] { return !due_; }));
  }
  std::thread::id writer() {
    const std::lock_guard lock(mutex_);
    return writer_;
  }
  std::thread::id tidier() {
    const std::lock_guard lock(mutex_);
    return tidier_;
  }

  std::atomic<bool> due_{false};
  std::atomic<bool> slow_{false};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int waiting_ = 0;
  std::thread::id writer_, tidier_;
};

std::string failure_of(const std::exception_ptr& failed) {
  if (!failed) return "";
  try {
    std::rethrow_exception(failed);
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("every write is durable when its done is called, on the loop's thread") {
  for (const Inline allowed : {Inline::WhenAlone, Inline::Never}) {
    CAPTURE(static_cast<int>(allowed));
    const Scratch scratch;
    SqliteJournal journal(scratch / "journal.db");
    Loop loop;
    JournalThread thread(journal, loop.post(), allowed);
    const auto here = std::this_thread::get_id();
    int left = 0;
    // 30 runs write by turns, each as soon as its last write is durable, the first ones alone.
    std::function<void(int, int)> go = [&](int run, int turn) {
      const std::string id = "r" + std::to_string(run) + "t" + std::to_string(turn);
      thread.write({full_run(id)}, [&, id, run, turn](const std::exception_ptr& failed) {
        CHECK_FALSE(failed);
        CHECK(std::this_thread::get_id() == here);
        CHECK(journal.run(id).has_value());
        if (turn < 4) {
          go(run, turn + 1);
        } else {
          --left;
        }
      });
    };
    for (const int runs : {1, 30}) {
      left = runs;
      for (int run = 0; run < runs; ++run) go(run * 10 + runs, 0);
      loop.run_until([&] { return left == 0; });
    }
    CHECK(journal.runs({{}, false, 0}).size() == 31 * 5);
  }
}

TEST_CASE("what is queued while a commit is under way is one commit, in order, and one call of the loop") {
  GateJournal journal;
  Loop loop;
  JournalThread thread(journal, loop.post(), Inline::Never);
  std::vector<int> done;
  journal.gate(false);
  thread.write({full_run("first")}, [&](const std::exception_ptr&) { done.push_back(0); });
  journal.wait_for_writer();
  for (int i = 1; i <= 20; ++i) {
    thread.write({full_run("r" + std::to_string(i))}, [&, i](const std::exception_ptr&) { done.push_back(i); });
  }
  // Each speaks of what the one before it created: order matters within a group, too.
  thread.write({AttemptBegan{"r20", 0, 1, at(1)}}, [&](const std::exception_ptr& failed) {
    CHECK_FALSE(failed);
    done.push_back(21);
  });
  CHECK(done.empty());
  journal.gate(true);
  loop.run_until([&] { return done.size() == 22; });
  CHECK(std::is_sorted(done.begin(), done.end()));
  CHECK(journal.writes() == 2);
  CHECK(loop.posted() == 2);
}

TEST_CASE("one bad record fails its own write only") {
  GateJournal journal;
  Loop loop;
  JournalThread thread(journal, loop.post(), Inline::Never);
  journal.gate(false);
  thread.write({full_run("abc")}, [](const std::exception_ptr&) {});
  journal.wait_for_writer();
  std::vector<std::string> failures;
  const auto keep = [&](const std::exception_ptr& failed) { failures.push_back(failure_of(failed)); };
  thread.write({AttemptBegan{"abc", 0, 1, at(1)}}, keep);
  thread.write({full_run("def"), AttemptBegan{"nobody", 0, 1, at(1)}}, keep);
  thread.write({full_run("ghi")}, keep);
  journal.gate(true);
  loop.run_until([&] { return failures.size() == 3; });
  CHECK(failures[0].empty());
  CHECK(failures[1].find("no run nobody") != std::string::npos);
  CHECK(failures[2].empty());
  CHECK(journal.run("abc")->steps.at(0).tries == 1);
  CHECK_FALSE(journal.run("def"));
  CHECK(journal.run("ghi"));
}

TEST_CASE("a journal that fails says so to everybody, and works again") {
  for (const Inline allowed : {Inline::WhenAlone, Inline::Never}) {
    FailingJournal journal([](const auto&) { return true; });
    Loop loop;
    JournalThread thread(journal, loop.post(), allowed);
    int failed_writes = 0;
    for (int i = 0; i < 3; ++i) {
      thread.write({full_run("r" + std::to_string(i))}, [&](const std::exception_ptr& failed) {
        CHECK(failure_of(failed).find("the test says no") != std::string::npos);
        ++failed_writes;
      });
    }
    loop.run_until([&] { return failed_writes == 3; });
    journal.fail_when({});
    bool written = false;
    thread.write({full_run("abc")}, [&](const std::exception_ptr& failed) { written = !failed; });
    loop.run_until([&] { return written; });
    CHECK(journal.runs({}).size() == 1);
  }
}

TEST_CASE("who commits") {
  GateJournal journal;
  Loop loop;
  const auto here = std::this_thread::get_id();
  int written = 0;
  const auto count = [&](const std::exception_ptr&) { ++written; };
  int number = 0;
  const auto write = [&](JournalThread& thread) { thread.write({full_run("r" + std::to_string(++number))}, count); };

  SUBCASE("the loop, when one writes alone") {
    JournalThread thread(journal, loop.post());
    write(thread);
    CHECK(written == 0);  // never before write() returned
    loop.run_until([&] { return written == 1; });
    CHECK(journal.writer() == here);
  }
  SUBCASE("the thread, when it must") {
    JournalThread thread(journal, loop.post(), Inline::Never);
    write(thread);
    loop.run_until([&] { return written == 1; });
    CHECK(journal.writer() != here);
  }
  SUBCASE("the thread, when several write in one turn, then the loop again") {
    JournalThread thread(journal, loop.post());
    journal.gate(false);
    write(thread);
    write(thread);
    journal.wait_for_writer();
    CHECK(journal.writer() != here);
    journal.gate(true);
    loop.run_until([&] { return written == 2; });
    CHECK(journal.writes() == 1);
    write(thread);  // the last commit was a group
    loop.run_until([&] { return written == 3; });
    CHECK(journal.writer() != here);
    // Not the very next one for certain: on a busy machine the commit above may have taken long.
    for (int more = 0; more < 100 && journal.writer() != here; ++more) {
      const int before = written;
      write(thread);
      loop.run_until([&] { return written == before + 1; });
    }
    CHECK(journal.writer() == here);
  }
  SUBCASE("the thread, when the disk is slow") {
    JournalThread thread(journal, loop.post());
    journal.slow_ = true;
    write(thread);
    loop.run_until([&] { return written == 1; });
    CHECK(journal.writer() == here);
    write(thread);
    loop.run_until([&] { return written == 2; });
    CHECK(journal.writer() != here);
  }
  SUBCASE("the thread tidies, also after what the loop committed") {
    JournalThread thread(journal, loop.post());
    journal.due_ = true;
    write(thread);
    loop.run_until([&] { return written == 1; });
    journal.wait_for_tidy();
    CHECK(journal.tidier() != here);
  }
}

TEST_CASE("destruction writes what is queued") {
  for (const Inline allowed : {Inline::WhenAlone, Inline::Never}) {
    MemoryJournal journal;
    Loop loop;
    int written = 0;
    {
      JournalThread thread(journal, loop.post(), allowed);
      for (int i = 0; i < (allowed == Inline::Never ? 10 : 1); ++i) {
        thread.write({full_run("r" + std::to_string(i))}, [&](const std::exception_ptr&) { ++written; });
      }
    }
    const auto runs = journal.runs({});
    CHECK(runs.size() == (allowed == Inline::Never ? 10U : 1U));
    loop.run_what_is_there();  // the inline commit that was posted finds nobody, the dones are called
    CHECK(written == static_cast<int>(runs.size()));
  }
}

}  // namespace jarvis::pipeline
