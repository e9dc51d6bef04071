// Group commit: one thread writes whatever is due as one transaction and says so on the loop. When a single run is the
// only one that writes and the disk is quick, the loop commits itself, which saves two changes of thread.
// Knows no Asio: `post` is all it knows of the loop. Owned by main; made and destroyed on the loop's thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "pipeline/journal.h"

namespace jarvis::pipeline {

class JournalThread {
 public:
  // Called on the loop's thread, once per write: nullptr when the records are durable, else why they were not written.
  // Must not throw.
  using Done = std::function<void(std::exception_ptr)>;
  // Queues a function for the loop's thread; must not run it at once. Called from both threads.
  using Post = std::function<void(std::function<void()>)>;
  enum class Inline { WhenAlone, Never };

  JournalThread(Journal& journal, Post post, Inline allowed = Inline::WhenAlone);
  // Writes what is queued, then joins. Posts the dones of what it wrote: whoever runs the loop afterwards gets them.
  ~JournalThread();
  JournalThread(const JournalThread&) = delete;
  JournalThread& operator=(const JournalThread&) = delete;

  // Never blocks and never calls `done` before it returns. Writes are made durable in the order of the calls. What is
  // queued in one turn of the loop, or while a commit is under way, is one commit. One write alone is committed by a
  // posted function in the loop's thread (150 us), as long as recent commits took less than 500 us. If the common
  // commit fails, every write is tried by itself, so that one bad record spoils its own write only.
  void write(std::vector<Record> records, Done done);

 private:
  struct Write {
    std::vector<Record> records;
    Done done;
    std::exception_ptr failed;
  };
  using Batch = std::vector<Write>;

  void work();
  void commit_inline();
  void commit(Batch& batch);
  void commit_together(Batch& batch);
  bool work_due() const;

  Journal& journal_;
  const Post post_;
  const Inline allowed_;
  const std::shared_ptr<bool> here_ = std::make_shared<bool>(true);  // for posted functions that outlive this object

  std::mutex mutex_;  // everything below
  std::condition_variable wake_;
  Batch queue_;
  bool busy_ = false;    // somebody commits or tidies
  bool posted_ = false;  // commit_inline() is on its way through the loop
  bool stopping_ = false;
  std::size_t last_size_ = 1;                           // writes in the last commit
  std::chrono::duration<double, std::micro> usual_{0};  // time of a lone commit, smoothed
  std::thread thread_;                                  // last: it uses all of the above
};

}  // namespace jarvis::pipeline
