#include "bot/one_off.h"

#include <signal.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <filesystem>

namespace jarvis::bot {

namespace asio = boost::asio;

namespace {

// A journal that nobody reads or writes: what runs here leaves no record.
class NoJournal final : public pipeline::Journal {
 public:
  void write(const std::vector<pipeline::Record>&) override {}
  std::vector<pipeline::RunRecord> runs(const pipeline::RunFilter&) override { return {}; }
  std::vector<std::string> hosts(const std::string&) override { return {}; }
  std::optional<pipeline::RunRecord> run(const std::string&) override { return std::nullopt; }
  std::vector<pipeline::AttemptRecord> attempts(const std::string&, std::optional<int>, bool) override { return {}; }
  std::optional<std::string> checkpoint(const std::string&, int) override { return std::nullopt; }
  std::optional<std::pair<int, std::string>> newest_checkpoint(const std::string&) override { return std::nullopt; }
  std::optional<std::chrono::milliseconds> usual(const std::string&, const std::string&) override {
    return std::nullopt;
  }
  std::optional<std::string> note(const std::string&) override { return std::nullopt; }
  void set_note(const std::string&, const std::string&) override {}
};

pipeline::WorkshopOptions options_for(const Settings& settings, const Installation& installation) {
  pipeline::WorkshopOptions options;
  options.forkservers = installation.forkservers;
  options.bounds.bytes = settings.clipboard_bytes;
  options.directory = std::filesystem::current_path();
  options.grants = [&settings](const std::string& module) { return grants_of(settings, module); };
  return options;
}

}  // namespace

struct OneOff::Parts {
  Parts(const Settings& settings, const pipeline::TaskTable& table, const Installation& installation,
        const pipeline::Seal& seal)
      : signals(loop, SIGINT, SIGTERM),
        pen(journal, [this](std::function<void()> f) { asio::post(loop, std::move(f)); }),
        shop(loop, journal, pen, seal, table, options_for(settings, installation)) {}

  // The loop's turn until this is done; what it throws is thrown here.
  template <typename T>
  T wait_for(asio::awaitable<T> work) {
    std::optional<T> made;
    std::exception_ptr fault;
    asio::co_spawn(loop, std::move(work), [&](std::exception_ptr error, T result) {
      fault = std::move(error);
      if (!fault) made = std::move(result);
      loop.stop();
    });
    loop.restart();
    loop.run();
    if (fault) std::rethrow_exception(fault);
    return std::move(*made);
  }

  asio::io_context loop{1};
  asio::signal_set signals;
  NoJournal journal;
  pipeline::JournalThread pen;
  pipeline::Workshop shop;
};

OneOff::OneOff(const Settings& settings, const pipeline::TaskTable& table, const Installation& installation,
               const pipeline::Seal& seal)
    : parts_(std::make_unique<Parts>(settings, table, installation, seal)) {
  parts_->signals.async_wait([this](auto error, int number) {
    if (error) return;
    parts_->shop.join_forkservers();  // ends the worker
    ::_exit(128 + number);
  });
}

OneOff::~OneOff() {
  parts_->shop.join_forkservers();
}

pipeline::AttemptResult OneOff::attempt(const pipeline::TaskRow& row, const pipeline::AttemptNames& names,
                                        const std::string& clipboard) {
  const auto attempt = parts_->shop.attempt(row, names, std::make_shared<const std::string>(clipboard), "");
  return parts_->wait_for(attempt->run());
}

pipeline::Facts OneOff::check(const std::string& clipboard) {
  return parts_->wait_for(parts_->shop.check(clipboard));
}

pipeline::Workshop& OneOff::shop() {
  return parts_->shop;
}

}  // namespace jarvis::bot
