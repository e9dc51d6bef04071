#include "bot/settings.h"

#include <algorithm>
#include <system_error>

#include "bot/config_values.h"
#include "bot/settings_sections.h"

namespace jarvis::bot {

namespace {

// Sections of the contract whose parts of jarvis are not in this version.
constexpr const char* kLaterSections[] = {"dns", "git", "puppet"};

LogLevel log_level(const Value& value) {
  const auto word = value.text();
  if (!word || *word == "info") return LogLevel::Info;
  if (*word == "debug") return LogLevel::Debug;
  if (*word == "warn") return LogLevel::Warn;
  if (*word == "error") return LogLevel::Error;
  value.refuse("must be one of debug, info, warn, error");
  return LogLevel::Info;
}

void read_log(const Value& value, Settings& settings) {
  Section section(value);
  if (const auto level = section.take("level")) settings.log.level = log_level(*level);
  if (const auto written = section.take("file")) {
    const auto path = written->path(Existing::MayBe);
    std::error_code ignored;
    if (path && std::filesystem::status(path->parent_path(), ignored).type() == std::filesystem::file_type::not_found) {
      written->refuse(path->parent_path().string() + ": there is no such directory");
    }
    settings.log.file = path.value_or("");
  }
  section.done();
}

void read_common(Section& root, Settings& settings) {
  settings.state = root.path("state", Existing::MayBe).value_or("");
  settings.key_file = root.path("key_file", Existing::MayBe).value_or("");
  if (const auto domain = root.take("domain")) {
    settings.domain = domain->text().value_or("");
    const auto wrong = settings.domain.empty() ? std::nullopt : wrong_with_domain(settings.domain);
    if (wrong) domain->refuse(*wrong);
  }
  settings.max_workers = static_cast<int>(root.number("max_workers", 1, 10'000).value_or(settings.max_workers));
  settings.grace = root.duration("grace").value_or(settings.grace);
  if (const auto bytes = root.take("clipboard_bytes")) {
    settings.clipboard_bytes = bytes->size(1U << 10U, 256U << 20U).value_or(settings.clipboard_bytes);
  }
  if (const auto plans = root.take("plans")) {
    for (const Value& item : plans->items()) {
      if (auto path = item.path(Existing::MustBe)) settings.plans.push_back(*std::move(path));
    }
  }
  if (const auto log = root.take("log")) read_log(*log, settings);
}

}  // namespace

Settings default_settings() {
  return {};
}

Settings read_settings(const std::filesystem::path& file) {
  ConfigFile config(file);
  Settings settings;
  settings.file = file;
  Section root = config.root();
  read_common(root, settings);
  if (const auto workers = root.take("workers")) read_workers(*workers, settings);
  if (const auto providers = root.take("providers")) read_providers(*providers, settings);
  if (const auto monitoring = root.take("monitoring")) read_monitoring(*monitoring, settings);
  if (const auto fetch = root.take("fetch")) read_fetch(*fetch, settings);
  if (const auto ldap = root.take("ldap")) read_ldap(*ldap, settings);
  if (const auto pxe = root.take("pxe")) read_pxe(*pxe, settings);
  if (const auto irc = root.take("irc")) read_irc(*irc, settings);
  if (const auto xmpp = root.take("xmpp")) read_xmpp(*xmpp, settings);
  if (const auto links = root.take("links")) read_links(*links, settings);
  if (const auto roles = root.take("roles")) read_roles(*roles, settings);
  if (const auto people = root.take("people")) read_people(*people, settings);
  if (const auto orphans = root.take("orphans")) read_orphans(*orphans, settings);
  finish_links(settings);
  for (const char* section : kLaterSections) {
    if (root.take(section)) settings.unused_sections.emplace_back(section);
  }
  root.done();
  config.throw_faults();
  return settings;
}

Settings read_first_settings(const std::vector<std::filesystem::path>& candidates) {
  for (const auto& candidate : candidates) {
    std::error_code unreadable;
    if (std::filesystem::status(candidate, unreadable).type() == std::filesystem::file_type::not_found) continue;
    return read_settings(candidate);
  }
  return default_settings();
}

const Person* person_of_uid(const Settings& settings, unsigned uid) {
  for (const Person& person : settings.people) {
    if (std::find(person.uids.begin(), person.uids.end(), uid) != person.uids.end()) return &person;
  }
  return nullptr;
}

}  // namespace jarvis::bot
