#include <algorithm>

#include "bot/config_values.h"
#include "bot/settings_sections.h"

namespace jarvis::bot {

namespace {

constexpr std::uint64_t kLeastDocument = 1U << 10U;
constexpr std::uint64_t kMostDocument = 4U << 20U;                              // quoted, it must still fit a clipboard
constexpr std::chrono::milliseconds kMostFetchTime = std::chrono::seconds{20};  // below the task's own timeout

using Wrong = std::optional<std::string> (*)(std::string_view);

// The items that are well, with a blank between: none of these forms can hold one.
std::string checked_list(const Value& value, Wrong wrong_with) {
  std::string list;
  for (const Value& item : value.items()) {
    const auto text = item.text();
    if (!text) continue;
    if (const auto wrong = wrong_with(*text)) {
      item.refuse(*wrong);
    } else if (text->find(' ') != std::string::npos) {
      item.refuse("must not hold blanks");
    } else {
      list += (list.empty() ? "" : " ") + *text;
    }
  }
  return list;
}

void grant_list(Section& section, const char* key, Wrong wrong_with, std::string name,
                std::vector<ModuleSetting>& grants) {
  const auto value = section.take(key);
  const std::string list = value ? checked_list(*value, wrong_with) : "";
  if (!list.empty()) grants.push_back({std::move(name), list});
}

void grant_file(Section& section, const char* key, std::string name, bool in_file, std::vector<ModuleSetting>& grants) {
  if (const auto path = section.path(key, Existing::MustBe))
    grants.push_back({std::move(name), path->string(), in_file});
}

std::optional<std::string> wrong_with_dn(std::string_view name) {
  const bool control =
      std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  const std::size_t equals = name.find('=');
  if (control || equals == std::string_view::npos || equals == 0 || equals + 1 == name.size())
    return "must be a name like ou=Hosts,dc=example,dc=org";
  return {};
}

std::optional<std::string> dn(Section& section, const char* key) {
  const auto value = section.take(key);
  auto text = value ? value->text() : std::nullopt;
  const auto wrong = text ? wrong_with_dn(*text) : std::nullopt;
  if (wrong) value->refuse(*wrong);
  return text;
}

std::string base_of_domain(const std::string& domain) {
  std::string base = domain.empty() ? "" : "dc=";
  for (const char c : domain) base += c == '.' ? std::string(",dc=") : std::string(1, c);
  return base;
}

// A bind with a password over ldap:// without TLS would show it to the network.
bool sends_in_clear(const std::vector<ModuleSetting>& grants) {
  for (const ModuleSetting& grant : grants) {
    if (grant.name != "LDAP_URI") continue;
    std::string_view uris = grant.value;
    while (!uris.empty()) {
      const std::string_view uri = uris.substr(0, uris.find(' '));
      uris.remove_prefix(std::min(uri.size() + 1, uris.size()));
      constexpr std::string_view kScheme = "ldap://";
      if (!uri.starts_with(kScheme)) continue;
      std::string_view host = uri.substr(kScheme.size());
      host = host.substr(0, host.find('/'));
      const std::size_t colon = host.rfind(':');
      if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos)
        host = host.substr(0, colon);
      if (!is_loopback_host(host)) return true;
    }
    return false;
  }
  return true;  // found by SRV records: anywhere
}

// Who looks hosts up and who writes about them are two modules, and may be two identities of the directory.
void grant_directory(Section& section, const Value& value, std::vector<ModuleSetting> grants,
                     const std::vector<ModuleSetting>& places, Settings& settings) {
  std::vector<ModuleSetting> writing = grants;
  const auto writer = dn(section, "writer_dn");
  if (writer && !section.has("writer_password_file")) value.refuse("writer_dn needs a writer_password_file");
  if (!writer && !section.has("writer_dn") && section.has("writer_password_file"))
    value.refuse("writer_password_file needs a writer_dn");
  if (writer) {
    std::erase_if(writing, [](const auto& one) { return one.name == "LDAP_BIND_DN" || one.name == "LDAP_PASSWORD"; });
    writing.push_back({"LDAP_BIND_DN", *writer});
    const bool in_clear =
        std::any_of(writing.begin(), writing.end(), [](const auto& one) { return one.name == "LDAP_STARTTLS"; });
    if (in_clear && sends_in_clear(writing))
      value.refuse("starttls: no would send the writer's password in clear; use ldaps://, or leave starttls out");
  }
  grant_file(section, "writer_password_file", "LDAP_PASSWORD", true, writing);
  writing.insert(writing.end(), places.begin(), places.end());
  auto& to_worker = settings.modules["ldapworker"];
  to_worker.insert(to_worker.end(), writing.begin(), writing.end());
  auto& to_spec = settings.modules["spec"];
  to_spec.insert(to_spec.end(), grants.begin(), grants.end());
  if (!settings.domain.empty()) to_spec.push_back({"DOMAIN", settings.domain});
}

}  // namespace

void read_fetch(const Value& value, Settings& settings) {
  Section section(value);
  auto& grants = settings.modules["spec"];
  grant_list(section, "allow", wrong_with_url_pattern, "FETCH_ALLOW", grants);
  grant_list(section, "private", wrong_with_address_range, "FETCH_PRIVATE", grants);
  if (const auto bytes = section.take("max_bytes")) {
    if (const auto size = bytes->size(kLeastDocument, kMostDocument))
      grants.push_back({"FETCH_MAX_BYTES", std::to_string(*size)});
  }
  if (const auto timeout = section.take("timeout")) {
    const auto time = timeout->duration();
    if (time && (*time < std::chrono::milliseconds{1} || *time > kMostFetchTime)) {
      timeout->refuse("must be at most 20s: a person waits for the answer");
    } else if (time) {
      grants.push_back({"FETCH_TIMEOUT", std::to_string(time->count())});
    }
  }
  grant_file(section, "ca_file", "FETCH_CA_FILE", false, grants);
  section.done();
}

void read_ldap(const Value& value, Settings& settings) {
  Section section(value);
  std::vector<ModuleSetting> grants;
  grant_list(section, "uri", wrong_with_ldap_uri, "LDAP_URI", grants);
  const bool starttls = section.flag("starttls").value_or(true);
  if (!starttls) grants.push_back({"LDAP_STARTTLS", "no"});

  const bool has_base = section.has("base");
  const std::string base = dn(section, "base").value_or(base_of_domain(settings.domain));
  if (base.empty() && !has_base) value.refuse("base is missing, and there is no `domain` to make it of");
  if (!base.empty()) grants.push_back({"LDAP_BASE", base});
  if (const auto hosts = dn(section, "hosts")) grants.push_back({"LDAP_HOSTS", *hosts});

  std::vector<ModuleSetting> places;
  if (const auto dhcp = dn(section, "dhcp")) places.push_back({"LDAP_DHCP", *dhcp});
  if (const auto sets = dn(section, "os_sets")) places.push_back({"LDAP_OS_SETS", *sets});

  const auto bind_dn = dn(section, "bind_dn");
  if (bind_dn) grants.push_back({"LDAP_BIND_DN", *bind_dn});
  const bool has_password = section.has("password_file");
  grant_file(section, "password_file", "LDAP_PASSWORD", true, grants);
  if (bind_dn && !has_password) value.refuse("bind_dn needs a password_file; leave both out to bind anonymously");
  if (!bind_dn && !section.has("bind_dn") && has_password) value.refuse("password_file needs a bind_dn");
  if (!starttls && bind_dn && sends_in_clear(grants))
    value.refuse("starttls: no would send the password in clear; use ldaps://, or leave starttls out");
  grant_file(section, "ca_file", "LDAP_CA_FILE", false, grants);
  grant_directory(section, value, std::move(grants), places, settings);
  section.done();
}

}  // namespace jarvis::bot
