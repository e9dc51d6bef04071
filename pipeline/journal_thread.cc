#include "pipeline/journal_thread.h"

#include <iterator>
#include <utility>

namespace jarvis::pipeline {
namespace {

constexpr std::chrono::duration<double, std::micro> kQuick{500};
constexpr std::size_t kMany = 8, kLarge = 64;
constexpr std::chrono::microseconds kGather{1000};
constexpr double kWeight = 1.0 / 8;  // of the newest commit in the smoothed time

}  // namespace

JournalThread::JournalThread(Journal& journal, Post post, Inline allowed)
    : journal_(journal), post_(std::move(post)), allowed_(allowed), thread_([this] { work(); }) {}

JournalThread::~JournalThread() {
  *here_ = false;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void JournalThread::write(std::vector<Record> records, Done done) {
  bool ask_loop = false;
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({std::move(records), std::move(done), nullptr});
    // Not committed here and now: other runs may be about to write in this turn of the loop. Those that do make it a
    // group, and a group is the thread's.
    ask_loop =
        allowed_ == Inline::WhenAlone && !busy_ && !posted_ && queue_.size() == 1 && last_size_ == 1 && usual_ < kQuick;
    if (ask_loop) posted_ = true;
  }
  if (ask_loop) {
    post_([this, here = here_] {
      if (*here) commit_inline();
    });
  } else {
    wake_.notify_one();
  }
}

bool JournalThread::work_due() const {
  return stopping_ || queue_.size() > 1 || (!queue_.empty() && !posted_) || journal_.tidy_due();
}

void JournalThread::commit_inline() {
  std::unique_lock lock(mutex_);
  posted_ = false;
  if (busy_ || queue_.size() != 1) {
    lock.unlock();
    wake_.notify_one();
    return;
  }
  Batch batch = std::exchange(queue_, {});
  busy_ = true;
  lock.unlock();
  commit(batch);
  lock.lock();
  busy_ = false;
  lock.unlock();
  if (journal_.tidy_due()) wake_.notify_one();
  batch.front().done(batch.front().failed);
}

void JournalThread::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return !busy_ && work_due(); });
    // Many runs are at work, none of them waits for this one commit alone: a larger group costs each of them less.
    if (last_size_ >= kMany && !stopping_)
      wake_.wait_for(lock, kGather, [this] { return stopping_ || queue_.size() > kLarge; });
    Batch batch = std::exchange(queue_, {});
    if (batch.empty() && stopping_) return;
    busy_ = true;
    lock.unlock();
    if (!batch.empty()) commit(batch);
    const bool tidy = journal_.tidy_due();
    if (!tidy) {
      // Before the loop hears of it: its next write, if it stands alone, is the loop's own.
      lock.lock();
      busy_ = false;
      lock.unlock();
    }
    if (!batch.empty()) {
      post_([written = std::make_shared<Batch>(std::move(batch))] {
        for (const Write& write : *written) write.done(write.failed);
      });
    }
    if (tidy) journal_.tidy();
    lock.lock();
    if (tidy) busy_ = false;
  }
}

void JournalThread::commit(Batch& batch) {
  const auto began = std::chrono::steady_clock::now();
  commit_together(batch);
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
  const std::lock_guard lock(mutex_);
  last_size_ = batch.size();
  if (batch.size() == 1) usual_ += (took - usual_) * kWeight;
}

void JournalThread::commit_together(Batch& batch) {
  const auto write_alone = [this](Write& write) {
    try {
      journal_.write(write.records);
    } catch (...) {
      write.failed = std::current_exception();
    }
  };
  if (batch.size() == 1) return write_alone(batch.front());

  std::vector<Record> together;
  std::vector<std::size_t> sizes;
  for (Write& write : batch) {
    sizes.push_back(write.records.size());
    std::move(write.records.begin(), write.records.end(), std::back_inserter(together));
  }
  try {
    journal_.write(together);
    return;
  } catch (...) {
    // Which of them was it? Each by itself will tell.
  }
  auto record = together.begin();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i].records.assign(std::make_move_iterator(record),
                            std::make_move_iterator(record + static_cast<std::ptrdiff_t>(sizes[i])));
    record += static_cast<std::ptrdiff_t>(sizes[i]);
    write_alone(batch[i]);
  }
}

}  // namespace jarvis::pipeline
