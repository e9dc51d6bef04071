// Many runs at once: how many work, that none touches another, what one costs.
#include <doctest/doctest.h>
#include <malloc.h>

#include <algorithm>

#include "tests/pipeline/life.h"

namespace jarvis::pipeline {
namespace {

using namespace std::chrono_literals;

std::string host(int number) {
  return "h" + std::to_string(number) + ".example.org";
}

TEST_CASE("many runs: never more workers than max_workers, and everybody gets his turn") {
  World world;
  MemoryJournal journal;
  Life life(world, journal, [](WorkshopOptions& options) { options.max_workers = 3; });
  world.hold("x");
  std::vector<std::string> ids;
  ids.reserve(12);
  for (int i = 0; i < 12; ++i) ids.push_back(life.submit(world.order({"hang_x", "note_y"}, host(i))));
  life.until_hanging(3);
  life.loop().settle();
  CHECK(world.calls().size() == 3);
  CHECK(life.pipeline().in_flight() == 12);
  CHECK(life.pipeline().view(ids.back())->text == "waits for a free place, 3 workers are at work");
  std::size_t most = 0;
  const auto at_work = [&] {
    std::size_t count = 0;
    for (const std::string& id : ids) {
      const Run* run = life.pipeline().live(id);
      count += run != nullptr && run->worker() > 0 ? 1U : 0U;
    }
    most = std::max(most, count);
  };
  world.let_go("x");
  life.loop().run_until([&] {
    at_work();
    return life.pipeline().in_flight() == 0;
  });
  CHECK(most <= 3);
  CHECK(world.calls().size() == 24);
  for (const std::string& id : ids) CHECK(life.state_of(id) == RunState::Succeeded);
  // First come, first served: the first three have the places.
  const auto calls = world.calls();
  for (std::size_t i = 0; i < 3; ++i) {
    const auto is_his = [&](const std::string& call) { return call.find(ids[i]) != std::string::npos; };
    CHECK(std::count_if(calls.begin(), calls.begin() + 3, is_his) == 1);
  }
}

TEST_CASE("many runs: 50 at once, 10 of them fail in as many ways, none touches another") {
  World world;
  MemoryJournal journal;
  Life life(world, journal);
  for (const std::string task : {"stubborn", "stay_session"}) {
    world.row(task, [](TaskRow& row) {
      row.timeout = 50ms;
      row.grace = 20ms;
    });
  }
  world.row("exit_75", [](TaskRow& row) { row.retry.deadline = 0ms; });
  const std::vector<std::string> bad = {"fail_x",    "crashes_x",   "stubborn", "print_nothing_there",
                                        "signal_11", "exit_75",     "exit_255", "partial",
                                        "nonsense",  "stay_session"};
  std::vector<std::string> ids;
  for (int i = 0; i < 50; ++i) {
    const bool fails = i % 5 == 0;
    ids.push_back(life.submit(
        world.order({"note_a", fails ? bad[static_cast<std::size_t>(i) / 5] : "note_b", "note_c"}, host(i))));
  }
  life.loop().run_until([&] { return life.pipeline().in_flight() == 0; });
  for (int i = 0; i < 50; ++i) {
    CAPTURE(i);
    const std::string& id = ids[static_cast<std::size_t>(i)];
    const std::string task = i % 5 == 0 ? bad[static_cast<std::size_t>(i) / 5] : "";
    CAPTURE(task);
    // Printing an empty file is printing nothing.
    const bool fails = !task.empty() && task != "print_nothing_there";
    CHECK(life.state_of(id) == (fails ? RunState::Failed : RunState::Succeeded));
    const std::string head = "fqdn: " + host(i) + "\nhostname: h" + std::to_string(i) + "\na: done\n";
    const std::string rest = fails ? "" : task.empty() ? "b: done\nc: done\n" : "c: done\n";
    CHECK(life.pipeline().clipboard(id, std::nullopt) == head + rest);
  }
}

// Writes nothing down, so that what is measured is the loop's.
class Forgetful : public Journal {
 public:
  void write(const std::vector<Record>&) override {}
  std::vector<RunRecord> runs(const RunFilter&) override { return {}; }
  std::vector<std::string> hosts(const std::string&) override { return {}; }
  std::optional<RunRecord> run(const std::string&) override { return std::nullopt; }
  std::vector<AttemptRecord> attempts(const std::string&, std::optional<int>, bool) override { return {}; }
  std::optional<std::string> checkpoint(const std::string&, int) override { return std::nullopt; }
  std::optional<std::pair<int, std::string>> newest_checkpoint(const std::string&) override { return std::nullopt; }
  std::optional<std::chrono::milliseconds> usual(const std::string&, const std::string&) override {
    return std::nullopt;
  }
  std::optional<std::string> note(const std::string&) override { return std::nullopt; }
  void set_note(const std::string&, const std::string&) override {}
};

// A sanitizer has an allocator of its own, so that there is nothing to measure, and takes its time.
#ifdef __SANITIZE_ADDRESS__
constexpr int kRuns = 100, kWorkers = 40;
#else
constexpr int kRuns = 1000, kWorkers = 200;
#endif

std::size_t heap() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST_CASE("many runs: 1,000 in flight with clipboards of 4 KB cost less than 20 KB each") {
  World world;
  Forgetful journal;
  world.row("wait_a", [](TaskRow& row) { row.retry.deadline = 24h; });
  Life life(world, journal);
  Order order =
      world.order({"wait_a", "note_b", "note_c", "note_d", "note_e", "note_f", "note_g", "note_h", "note_i", "note_j"});
  const std::string filling(4000, 'x');
  const auto submit = [&](int number) {
    Order one = order;
    one.plan.host = host(number);
    one.first = Clipboard::parse("fqdn: " + host(number) + "\nhostname: h" + std::to_string(number) +
                                 "\nfilling: " + filling + "\n");
    return life.submit(std::move(one));
  };
  const auto all_waiting = [&](const std::vector<std::string>& ids) {
    return std::all_of(ids.begin(), ids.end(), [&](const std::string& id) {
      return life.pipeline().live(id)->record().state == RunState::Waiting;
    });
  };
  std::vector<std::string> ids;
  ids.reserve(20 + kRuns);
  for (int i = 0; i < 20; ++i) ids.push_back(submit(i));  // what only the first ones cost
  life.loop().run_until([&] { return all_waiting(ids); });
  const std::size_t before = heap();
  for (int i = 20; i < 20 + kRuns; ++i) ids.push_back(submit(i));
  life.loop().run_until([&] { return all_waiting(ids); });
  const std::size_t each = (heap() - before) / kRuns;
  CAPTURE(each);
  CHECK(each < 20'000);
}

TEST_CASE("many runs: one with its worker at work costs less than 20 KB in the loop") {
  World world;
  Forgetful journal;
  Life life(world, journal, [](WorkshopOptions& options) { options.max_workers = 500; });
  const std::string filling(4000, 'x');
  std::size_t before = 0;
  for (int i = 0; i < 20 + kWorkers; ++i) {
    if (i == 20) {  // what only the first ones cost
      life.until_hanging(20);
      before = heap();
    }
    Order order = world.order({"note_a", "hang", "note_c"}, host(i));
    order.first = Clipboard::parse(order.first.text() + "filling: " + filling + "\n");
    (void)life.submit(std::move(order));
  }
  life.until_hanging(20 + kWorkers);
  const std::size_t each = (heap() - before) / kWorkers;
  CAPTURE(each);
  CHECK(each < 20'000);
}

}  // namespace
}  // namespace jarvis::pipeline
