#include "bot/house.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstdlib>

#include "bot/config_values.h"
#include "pipeline/error.h"
#include "pipeline/journal_sqlite.h"
#include "pipeline/journal_sqlite_look.h"
#include "workers/rows.h"

namespace jarvis::bot {

using pipeline::Error;
using pipeline::Kind;
using pipeline::Seal;

namespace {

// The key of this state, or one that says why there is none: runs can be listed without it, not resumed.
Seal open_key(const Settings& settings, pipeline::Journal& journal) {
  const std::filesystem::path file = settings.key_path();
  const bool fresh = journal.runs({std::nullopt, false, 1}).empty() && !journal.note("key");
  try {
    Seal seal = open_or_make_key(file, fresh);
    const auto known = journal.note("key");
    if (!known) journal.set_note("key", seal.fingerprint());
    if (known && *known != seal.fingerprint())
      return Seal::missing(file.string() + " is not the key that sealed this state's clipboards");
    return seal;
  } catch (const Error& e) {
    return Seal::missing(e.what());
  }
}

std::unique_ptr<pipeline::Journal> open_journal(const std::filesystem::path& file, bool only_looks) {
  try {
    return std::make_unique<pipeline::SqliteJournal>(file);
  } catch (const Error& e) {
    std::error_code error;
    if (!only_looks || !std::filesystem::exists(file, error)) throw;
    return std::make_unique<pipeline::LookOnlyJournal>(file, e.what());
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string made;
  for (const std::string& word : words) made += (made.empty() ? "" : ", ") + word;
  return made;
}

}  // namespace

Seal open_or_make_key(const std::filesystem::path& file, bool fresh) {
  std::error_code error;
  return std::filesystem::exists(file, error) || !fresh ? Seal::from_file(file) : Seal::create(file);
}

Installation Installation::beside(const std::filesystem::path& executable) {
  const std::filesystem::path here = executable.parent_path();
  Installation made{here, JARVIS_SOURCE_PLANS};
  std::error_code error;
  if (!std::filesystem::exists(here / "jarvis-core", error)) made.forkservers = here.parent_path() / "libexec/jarvis";
  const std::filesystem::path installed = here.parent_path() / "share/jarvis/plans";
  if (std::filesystem::exists(installed, error)) made.plans = installed;
  return made;
}

pipeline::TaskTable task_table(const Settings& settings) {
  pipeline::TaskTable table;
  workers::add_built_in(table);
  add_external_workers(settings, table);
  return table;
}

House::House(boost::asio::io_context& loop, Settings settings, Installation installation, StateDirectory& state,
             Purpose purpose)
    : settings_(std::move(settings)),
      installation_(std::move(installation)),
      state_(state),
      purpose_(purpose),
      table_(task_table(settings_)),
      lists_(ActionLists::read(settings_.plans, installation_.plans)),
      journal_(open_journal(state.journal(), purpose == Purpose::Look)) {
  providers_ = lists_.providers();
  pen_ = std::make_unique<pipeline::JournalThread>(
      *journal_, [&loop](std::function<void()> f) { boost::asio::post(loop, std::move(f)); });
  pipeline::WorkshopOptions options;
  options.forkservers = installation_.forkservers;
  options.lock = state.lock();
  options.max_workers = settings_.max_workers;
  options.bounds.bytes = settings_.clipboard_bytes;
  if (serves()) {
    std::error_code error;
    std::filesystem::create_directory(state.work(), error);
    if (!error) std::filesystem::permissions(state.work(), std::filesystem::perms::owner_all, error);
    if (error) throw Error(Kind::Permanent, state.work().string() + ": " + error.message());
    options.directory = state.work();
  }
  options.grants = [this](const std::string& module) { return grants_of(settings_, module); };
  pipeline_ = std::make_unique<pipeline::Pipeline>(loop, *journal_, *pen_, open_key(settings_, *journal_), table_,
                                                   std::move(options));
  pipeline_->take_stock(purpose == Purpose::Look);
  audit_ = std::make_unique<Audit>(state.path(), pipeline_->shop().seal());
  followings_ = std::make_unique<Followings>(*journal_);
  bounds_ = std::make_unique<Bounds>(*pipeline_);
  pipeline_->listen([this](const pipeline::Run& run, pipeline::Run::What) { know(run.record().host); });
}

void House::reload(Settings settings) {
  settings.state = settings_.state;
  pipeline::TaskTable table = task_table(settings);
  ActionLists lists = ActionLists::read(settings.plans, installation_.plans);
  settings_ = std::move(settings);
  table_ = std::move(table);
  lists_ = std::move(lists);
  providers_ = lists_.providers();
  pipeline_->shop().forget_grants();
}

std::string House::directory_for(const std::string& callers) const {
  return serves() ? state_.work().string() : callers;
}

const std::vector<std::string>& House::hosts_called(const std::string& name) {
  constexpr std::size_t kMost = 10'000;  // people ask for names that are none, too
  if (called_.size() > kMost) called_.clear();
  const auto found = called_.find(name);
  return found != called_.end() ? found->second : called_.emplace(name, journal_->hosts(name)).first->second;
}

void House::know(const std::string& host) {
  if (!seen_.insert(host).second) return;
  const std::string first_label = host.substr(0, host.find('.'));
  try {
    hosts_called(first_label);  // somebody will ask for it soon
  } catch (const Error&) {
    // and is told then why nobody can say
  }
  for (const std::string& name : {host, first_label}) {  // no other means it (Journal::hosts)
    const auto called = called_.find(name);
    if (called == called_.end()) continue;
    auto& fits = called->second;
    const auto place = std::lower_bound(fits.begin(), fits.end(), host);
    if (place == fits.end() || *place != host) fits.insert(place, host);
  }
}

std::string House::host_of(const std::string& name) {
  const auto& fits = hosts_called(lower_case(name));
  if (fits.size() == 1) return fits.front();
  for (const std::string& one : fits) {
    if (one == lower_case(name)) return one;
  }
  if (fits.size() > 1)
    throw Error(Kind::Usage, name + " fits several hosts: " + joined(fits) + "; give the whole name");
  std::vector<std::string> known;
  for (const auto& record : journal_->runs({std::nullopt, false, 1000})) {
    known.push_back(record.host);
    known.push_back(record.host.substr(0, record.host.find('.')));
  }
  const auto near = pipeline::nearest(lower_case(name), known);
  throw Error(Kind::Usage, "no host " + name + " is known here" + (near ? ", did you mean " + *near + "?" : ""));
}

std::string House::shown(const std::string& fqdn) {
  const std::string name = fqdn.substr(0, fqdn.find('.'));
  const auto& fits = hosts_called(name);
  return fits.size() <= 1 ? name : fqdn;
}

pipeline::RunView House::run_of(const std::string& host_or_run) {
  if (const pipeline::Run* live = pipeline_->live(host_or_run)) return live->view();
  const auto& fits = hosts_called(lower_case(host_or_run));
  if (fits.size() == 1) {
    if (const pipeline::Run* live = pipeline_->live_of(fits.front())) return live->view();
  }
  if (auto by_id = pipeline_->view(host_or_run); by_id && by_id->run == host_or_run) return *by_id;
  try {
    const auto views = pipeline_->views({host_of(host_or_run), false, 1});
    if (!views.empty()) return views.front();
  } catch (const Error&) {
    if (host_or_run.size() >= 4) {
      if (auto by_prefix = pipeline_->view(host_or_run)) return *by_prefix;
    }
    throw;
  }
  throw Error(Kind::Usage, host_or_run + " has no run");
}

pipeline::SpecRules House::spec_rules() const {
  return {settings_.domain, &table_, providers_};
}

const pipeline::ActionList& House::list_of(const std::string& provider, const std::string& operation) const {
  if (const auto* list = lists_.find(provider, operation)) return *list;
  throw Error(Kind::Usage, "the provider " + provider + " has no action list `" + operation + "`; it has " +
                               joined(lists_.operations(provider)));
}

}  // namespace jarvis::bot
