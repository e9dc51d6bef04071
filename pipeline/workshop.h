// What every run uses and no run owns: the forkservers, the places for workers, the journal's pen, the seal, the table
// of tasks. Made by the pipeline; lives on the loop's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/attempt.h"
#include "pipeline/clipboard.h"
#include "pipeline/granted.h"
#include "pipeline/journal.h"
#include "pipeline/journal_thread.h"
#include "pipeline/seal.h"
#include "pipeline/secrets.h"
#include "pipeline/task.h"

namespace jarvis::pipeline {

// The bounded number of workers at once, first come first served.
class Places {
 public:
  Places(boost::asio::io_context& loop, int count) : loop_(loop), free_(count) {}

  bool try_take();
  void give_back();
  // While they are closed none is given out.
  void close() { closed_ = true; }
  void open();
  // A place that was taken, given back when this goes.
  class Taken {
   public:
    explicit Taken(Places& places) : places_(places) {}
    ~Taken() { places_.give_back(); }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;

   private:
    Places& places_;
  };
  // Somebody who waits for a place. Destroying it gives up the wait.
  class Wait {
   public:
    explicit Wait(Places& places);
    ~Wait();
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    // True: the place is taken; false: cancel() was called.
    boost::asio::awaitable<bool> taken();
    void cancel() { timer_.cancel(); }

   private:
    friend class Places;
    Places& places_;
    boost::asio::steady_timer timer_;
    bool granted_ = false;
  };

 private:
  boost::asio::io_context& loop_;
  void grant();

  int free_;
  bool closed_ = false;
  std::deque<Wait*> waiting_;
};

struct WorkshopOptions {
  std::filesystem::path forkservers;  // the directory with jarvis-core, jarvis-ssh, ...
  int lock = -1;                      // see Forkserver
  int max_workers = 64;
  Bounds bounds;
  std::filesystem::path directory;  // working directory of workers
  // May throw Error: a credential file is missing or open to others.
  std::function<Granted(const std::string& module)> grants;
  std::chrono::milliseconds journal_again{2000};  // between tries while the journal cannot be written
};

// The JARVIS_* variables of one attempt.
struct AttemptNames {
  std::string run, step;
  int attempt = 1;
  bool plan = false;
};

class Workshop {
 public:
  Workshop(boost::asio::io_context& loop, Journal& journal, JournalThread& pen, const Seal& seal,
           const TaskTable& table, WorkshopOptions options);

  boost::asio::io_context& loop() { return loop_; }
  Journal& journal() { return journal_; }
  const Seal& seal() const { return seal_; }
  const TaskTable& table() const { return table_; }
  const WorkshopOptions& options() const { return options_; }
  Places& places() { return places_; }
  // No attempt begins until thaw(); `why` is what a run that waits says.
  void freeze(std::string why);
  void thaw();
  const std::string& frozen() const { return frozen_; }
  std::function<bool(std::string_view)> is_secret() const;

  // Durable when it returns; Error when nothing was written.
  boost::asio::awaitable<void> write(std::vector<Record> records);

  // Started when first needed. Throws Error when the family has no executable.
  Forkserver& forkserver(const std::string& family);
  void start_forkservers(const std::vector<std::string>& families);
  // Ends all of them and waits for that. Blocks; at the very end.
  void join_forkservers();

  // One attempt of a row, ready to run.
  std::unique_ptr<Attempt> attempt(const TaskRow& row, const AttemptNames& names,
                                   std::shared_ptr<const std::string> clipboard, const std::string& directory,
                                   std::function<void()> on_progress = {});

  // The check of a clipboard that a worker printed, in a child when it is large. Error(Usage) when it is none.
  boost::asio::awaitable<Facts> check(std::string text);

  // What a module is granted, read once.
  const Granted& granted(const std::string& module);
  // They are read again when they are next needed.
  void forget_grants() { grants_.clear(); }
  // Knows the secret keys, these secrets and the credentials that the task's module holds.
  Blanker blanker(const std::vector<std::string>& secrets, const TaskRow& row) const;

  // How long tasks usually take; kept here so that a status asks no disk.
  std::optional<std::chrono::milliseconds> usual(const std::string& provider, const std::string& task);
  void took(const std::string& provider, const std::string& task, std::chrono::milliseconds time);

 private:
  boost::asio::io_context& loop_;
  Journal& journal_;
  JournalThread& pen_;
  Seal seal_;
  const TaskTable& table_;
  WorkshopOptions options_;
  Places places_;
  std::string frozen_;
  std::map<std::string, std::unique_ptr<Forkserver>, std::less<>> forkservers_;
  struct Usual {
    std::deque<std::chrono::milliseconds> last;
    std::optional<std::chrono::milliseconds> median;
  };
  std::map<std::pair<std::string, std::string>, Usual> usual_;  // by provider and task
  std::map<std::string, Granted, std::less<>> grants_;          // by module, as of this start
};

}  // namespace jarvis::pipeline
