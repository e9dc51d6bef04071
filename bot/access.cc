#include "bot/access.h"

#include <algorithm>
#include <cstdio>

#include "pipeline/error.h"

namespace jarvis::bot {

namespace {

char lower(char c) {
  return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool any_fits(const std::vector<std::string>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& one) { return fits(one, text); });
}

// Everybody may ask these: they say nothing about hosts.
bool for_everybody(std::string_view command) {
  return command == "help" || command == "whoami";
}

// Why this role does not allow it; nothing: it does.
std::optional<std::string> objection(const Role& role, const Asker& asker, const Deed& deed) {
  const std::string name = "role " + role.name;
  if (!any_fits(role.commands, deed.command)) return name + " has no command " + std::string(deed.command);
  if (!any_fits(role.places, asker.place)) return name + " is not for " + asker.place;
  for (const std::string& host : deed.hosts) {
    if (!any_fits(role.hosts, host)) return name + " is not for " + host;
  }
  if (!deed.provider.empty() && !any_fits(role.providers, deed.provider))
    return name + " is not for the provider " + deed.provider;
  if (deed.monthly && role.monthly && *deed.monthly > static_cast<double>(*role.monthly)) {
    char amount[48];
    std::snprintf(amount, sizeof amount, "%.2f", *deed.monthly);
    return name + " may spend " + std::to_string(*role.monthly) + " a month at once, and this would cost " + amount;
  }
  return std::nullopt;
}

}  // namespace

bool fits(std::string_view pattern, std::string_view text) {
  // The last star is where matching goes on after a mismatch: linear in practice, quadratic at worst.
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && lower(pattern[p]) == lower(text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Verdict may(const Settings& settings, const Asker& asker, const Deed& deed) {
  if (for_everybody(deed.command)) return {true, "everybody may", nullptr};
  if (asker.owner) return {true, "root and the owner of the state may do everything", nullptr};
  const Person* person = person_called(settings, asker.person);
  if (person == nullptr) {
    return {false,
            "nobody here knows who you are, so you may ask for `help` and `whoami` only" +
                (asker.missing.empty() ? "" : ": " + asker.missing),
            nullptr};
  }
  if (person->roles.empty()) return {false, person->name + " has no role", nullptr};
  std::string why;
  for (const std::string& name : person->roles) {
    const auto role = settings.roles.find(name);
    if (role == settings.roles.end()) continue;
    const auto against = objection(role->second, asker, deed);
    if (!against) return {true, "role " + name, &role->second};
    why += (why.empty() ? "" : "; ") + *against;
  }
  return {false, why.empty() ? person->name + " has no role" : why, nullptr};
}

const Role* require(const Settings& settings, const Asker& asker, const Deed& deed) {
  const Verdict verdict = may(settings, asker, deed);
  if (!verdict.allowed) throw pipeline::Error(pipeline::Kind::Refused, verdict.rule);
  return verdict.role;
}

const Person* person_called(const Settings& settings, const std::string& name) {
  const auto found = std::find_if(settings.people.begin(), settings.people.end(),
                                  [&](const Person& one) { return !name.empty() && one.name == name; });
  return found != settings.people.end() ? &*found : nullptr;
}

const Person* person_of(const Settings& settings, const std::string& link, const std::string& identity,
                        const std::string& proof) {
  // A fingerprint is what the link says it is, never an account that is called like one.
  if (identity.empty() || (identity.starts_with("cert:") && proof != "certificate")) return nullptr;
  const std::string wanted = proof == "certificate" && !identity.starts_with("cert:") ? "cert:" + identity : identity;
  for (const Person& person : settings.people) {
    const auto known = person.identities.find(link);
    if (known == person.identities.end()) continue;
    for (const std::string& one : known->second) {
      if (same(one, wanted)) return &person;
    }
  }
  return nullptr;
}

}  // namespace jarvis::bot
