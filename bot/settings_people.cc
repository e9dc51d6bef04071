#include <strings.h>

#include <algorithm>
#include <climits>

#include "bot/settings_sections.h"
#include "pipeline/error.h"

namespace jarvis::bot {

void read_roles(const Value& value, Settings& settings) {
  constexpr int kMostApprovals = 100, kMostRuns = 100'000, kMostMonthly = 1'000'000;
  for (const Value& named : Section(value).take_all()) {
    Section section(named);
    Role role;
    role.name = named.key();
    role.commands = section.texts("commands");
    role.hosts = section.texts("hosts");
    role.providers = section.texts("providers");
    role.places = section.texts("places");
    role.approvals = static_cast<int>(section.number("approvals", 1, kMostApprovals).value_or(1));
    role.runs = static_cast<int>(section.number("runs", 1, kMostRuns).value_or(0));
    role.monthly = section.number("monthly", 0, kMostMonthly);
    section.done();
    settings.roles.emplace(role.name, role);
  }
}

void read_orphans(const Value& value, Settings& settings) {
  constexpr std::chrono::milliseconds kShortest = std::chrono::seconds{1};
  Section section(value);
  if (const auto tell = section.take("tell")) {
    for (const Value& item : tell->items()) {
      const auto place = item.text();
      if (!place) continue;
      const std::size_t slash = place->find('/');
      const std::string link = place->substr(0, slash);
      std::vector<std::string> known;
      for (const LinkSettings& one : settings.links) known.push_back(one.name);
      if (slash == std::string::npos || slash + 1 == place->size()) {
        item.refuse("`" + *place + "` is no place; write NETWORK/#channel or NETWORK/ROOM");
      } else if (std::find(known.begin(), known.end(), link) == known.end()) {
        const auto meant = pipeline::nearest(link, known);
        item.refuse("there is no network " + link + (meant ? ", did you mean " + *meant + "?" : ""));
      } else {
        settings.orphans.tell.push_back(*place);
      }
    }
  }
  if (const auto every = section.take("every")) {
    settings.orphans.every = every->duration().value_or(settings.orphans.every);
    if (settings.orphans.every < kShortest) every->refuse("must be at least 1s");
  }
  section.done();
}

namespace {

std::string no_such_role(const std::string& role, const Settings& settings) {
  std::vector<std::string> known;
  for (const auto& [name, unused] : settings.roles) known.push_back(name);
  const auto meant = pipeline::nearest(role, known);
  return "there is no role " + role + (meant ? ", did you mean " + *meant + "?" : " under roles:");
}

void add_identities(const Value& where, const std::string& link, const std::vector<std::string>& identities,
                    const Settings& settings, Person& person) {
  for (const std::string& identity : identities) {
    // Compared as access compares them: without case.
    const auto same = [&](const std::string& one) { return ::strcasecmp(one.c_str(), identity.c_str()) == 0; };
    const auto known = [&](const Person& one) {
      const auto theirs = one.identities.find(link);
      return theirs != one.identities.end() && std::any_of(theirs->second.begin(), theirs->second.end(), same);
    };
    for (const Person& other : settings.people) {
      if (known(other)) where.refuse(identity + " on " + link + " is already " + other.name);
    }
    if (known(person)) where.refuse(identity + " on " + link + " is given twice");
    person.identities[link].push_back(identity);
  }
}

// LINK: [IDENTITY...] for links of one kind.
void read_identities(const Value& value, LinkSettings::Kind kind, const Settings& settings, Person& person) {
  std::vector<std::string> known;
  for (const LinkSettings& link : settings.links) {
    if (link.kind == kind) known.push_back(link.name);
  }
  for (const Value& entry : Section(value).take_all()) {
    if (std::find(known.begin(), known.end(), entry.key()) == known.end()) {
      const auto meant = pipeline::nearest(entry.key(), known);
      entry.refuse("there is no network " + entry.key() + (meant ? ", did you mean " + *meant + "?" : ""));
      continue;
    }
    add_identities(entry, entry.key(), entry.texts(), settings, person);
  }
}

}  // namespace

void read_people(const Value& value, Settings& settings) {
  for (const Value& named : Section(value).take_all()) {
    Section section(named);
    Person person;
    person.name = named.key();
    if (const auto roles = section.take("roles")) {
      for (const Value& item : roles->items()) {
        const auto role = item.text();
        if (!role) continue;
        if (settings.roles.count(*role) == 0) item.refuse(no_such_role(*role, settings));
        person.roles.push_back(*role);
      }
    }
    if (const auto uids = section.take("unix")) {
      for (const Value& item : uids->items()) {
        const auto uid = item.number(0, UINT_MAX - 1);  // the last one means "nobody said"
        if (!uid) continue;
        const Person* other = person_of_uid(settings, static_cast<unsigned>(*uid));
        if (other != nullptr) item.refuse("uid " + std::to_string(*uid) + " is already " + other->name);
        person.uids.push_back(static_cast<unsigned>(*uid));
      }
    }
    if (const auto irc = section.take("irc")) read_identities(*irc, LinkSettings::Kind::Irc, settings, person);
    if (const auto links = section.take("links")) read_identities(*links, LinkSettings::Kind::Other, settings, person);
    if (const auto xmpp = section.take("xmpp")) {
      const auto jids = xmpp->texts();
      for (const LinkSettings& link : settings.links) {
        if (link.kind == LinkSettings::Kind::Xmpp) add_identities(*xmpp, link.name, jids, settings, person);
      }
    }
    section.take("dn");  // for people who are kept in LDAP: read by what looks them up
    section.done();
    settings.people.push_back(person);
  }
}

}  // namespace jarvis::bot
