#include "pipeline/workshop.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>

#include "pipeline/error.h"

namespace jarvis::pipeline {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kCheckedHere = 64U << 10U;  // larger clipboards are checked by a child: libyaml needs ms for them
constexpr auto kForEver = std::chrono::hours(24 * 365);
constexpr std::size_t kRemembered = 20;

std::string variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return std::string(name) + "=" + (value != nullptr && *value != '\0' ? value : otherwise);
}

}  // namespace

bool Places::try_take() {
  if (free_ <= 0 || closed_) return false;
  --free_;
  return true;
}

void Places::give_back() {
  ++free_;
  grant();
}

void Places::open() {
  closed_ = false;
  grant();
}

void Places::grant() {
  while (free_ > 0 && !closed_ && !waiting_.empty()) {
    Wait* next = waiting_.front();
    waiting_.pop_front();
    --free_;
    next->granted_ = true;
    next->timer_.cancel();
  }
}

Places::Wait::Wait(Places& places) : places_(places), timer_(places.loop_, kForEver) {
  places.waiting_.push_back(this);
  places.grant();  // one may have become free since it was asked for, and nobody may ever give back another
}

Places::Wait::~Wait() {
  std::erase(places_.waiting_, this);
}

asio::awaitable<bool> Places::Wait::taken() {
  if (!granted_) {
    boost::system::error_code woken;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  if (!granted_) std::erase(places_.waiting_, this);  // whoever gave up is given nothing, however long he stays
  co_return granted_;
}

void Workshop::freeze(std::string why) {
  frozen_ = std::move(why);
  places_.close();
}

void Workshop::thaw() {
  frozen_.clear();
  places_.open();
}

Workshop::Workshop(asio::io_context& loop, Journal& journal, JournalThread& pen, const Seal& seal,
                   const TaskTable& table, WorkshopOptions options)
    : loop_(loop),
      journal_(journal),
      pen_(pen),
      seal_(seal),
      table_(table),
      options_(std::move(options)),
      places_(loop, options_.max_workers) {}

std::function<bool(std::string_view)> Workshop::is_secret() const {
  return [this](std::string_view key) { return table_.is_secret(key); };
}

const Granted& Workshop::granted(const std::string& module) {
  const auto known = grants_.find(module);
  if (known != grants_.end()) return known->second;
  return grants_.emplace(module, options_.grants ? options_.grants(module) : Granted{}).first->second;
}

Blanker Workshop::blanker(const std::vector<std::string>& secrets, const TaskRow& row) const {
  Blanker made(is_secret());
  made.learn_values(secrets);
  const auto known = grants_.find(row.module());  // not read yet: then no worker has them
  if (known != grants_.end()) made.learn_values(known->second.credentials);
  return made;
}

asio::awaitable<void> Workshop::write(std::vector<Record> records) {
  if (records.empty()) co_return;
  struct State {
    explicit State(asio::io_context& loop) : timer(loop, kForEver) {}
    asio::steady_timer timer;
    std::exception_ptr error;
    bool done = false;
  };
  auto state = std::make_shared<State>(loop_);
  pen_.write(std::move(records), [state](std::exception_ptr error) {
    state->error = std::move(error);
    state->done = true;
    state->timer.cancel();
  });
  while (!state->done) {
    boost::system::error_code woken;
    co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  if (state->error) std::rethrow_exception(state->error);
}

Forkserver& Workshop::forkserver(const std::string& family) {
  auto& found = forkservers_[family];
  if (!found) found = std::make_unique<Forkserver>(loop_, options_.forkservers / ("jarvis-" + family), options_.lock);
  return *found;
}

void Workshop::start_forkservers(const std::vector<std::string>& families) {
  for (const std::string& family : families) forkserver(family).start();
}

void Workshop::join_forkservers() {
  for (auto& [family, server] : forkservers_) server->join();
}

std::unique_ptr<Attempt> Workshop::attempt(const TaskRow& row, const AttemptNames& names,
                                           std::shared_ptr<const std::string> clipboard, const std::string& directory,
                                           std::function<void()> on_progress) {
  AttemptRequest request;
  request.fork.task = row.name;
  request.fork.executable = row.executable;
  request.fork.directory = directory.empty() ? options_.directory.string() : directory;
  std::vector<std::string>& environment = request.fork.environment;
  environment = {"JARVIS_RUN=" + names.run,
                 "JARVIS_TASK=" + row.name,
                 "JARVIS_ATTEMPT=" + std::to_string(names.attempt),
                 "JARVIS_STEP=" + names.step,
                 std::string("JARVIS_MODE=") + (names.plan ? "plan" : "apply"),
                 variable("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
                 variable("HOME", "/"),
                 variable("LANG", "C.UTF-8"),
                 variable("TMPDIR", "/tmp")};
  const Granted& grants = granted(row.module());
  environment.insert(environment.end(), grants.environment.begin(), grants.environment.end());
  request.input = std::move(clipboard);
  request.timeout = row.timeout;
  request.grace = row.grace;
  request.output_limit = options_.bounds.bytes;
  return std::make_unique<Attempt>(loop_, forkserver(row.family), std::move(request), std::move(on_progress));
}

asio::awaitable<Facts> Workshop::check(std::string text) {
  if (text.size() <= kCheckedHere)
    co_return facts_of(Clipboard::parse(std::move(text), options_.bounds), table_.secrets());
  TaskRow row;
  row.name = "jarvis:check_clipboard";
  row.family = "core";
  row.timeout = std::chrono::seconds(60);
  std::string secrets;
  for (const std::string& key : table_.secrets()) secrets += (secrets.empty() ? "" : " ") + key;
  grants_["jarvis"] = {{"JARVIS_SECRETS=" + secrets}, {}};
  const auto made = attempt(row, {}, std::make_shared<const std::string>(std::move(text)), "");
  AttemptResult result = co_await made->run();
  if (result.outcome != Outcome::Succeeded)
    throw Error(Kind::Usage, result.last_words.empty() ? "the check " + result.why : result.last_words);
  const Clipboard facts = Clipboard::parse(std::move(result.output), options_.bounds);
  co_return Facts{facts.scalar("hostname").value_or(""), facts.scalar("fqdn").value_or(""), facts.list("secrets")};
}

std::optional<std::chrono::milliseconds> Workshop::usual(const std::string& provider, const std::string& task) {
  const auto key = std::pair(provider, task);
  auto found = usual_.find(key);
  if (found == usual_.end()) {
    found = usual_.emplace(key, Usual{}).first;
    found->second.median = journal_.usual(provider, task);
    if (found->second.median) found->second.last.push_back(*found->second.median);
  }
  return found->second.median;
}

void Workshop::took(const std::string& provider, const std::string& task, std::chrono::milliseconds time) {
  const auto found = usual_.find(std::pair(provider, task));
  if (found == usual_.end()) return;  // nobody asked yet; the journal will tell
  auto& last = found->second.last;
  last.push_back(time);
  if (last.size() > kRemembered) last.pop_front();
  std::vector<std::chrono::milliseconds> sorted(last.begin(), last.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  found->second.median = *middle;
}

}  // namespace jarvis::pipeline
