#include <climits>

#include "bot/settings_sections.h"
#include "pipeline/error.h"

namespace jarvis::bot {

void read_roles(const Value& value, Settings& settings) {
  constexpr int kMostApprovals = 100;
  for (const Value& named : Section(value).take_all()) {
    Section section(named);
    Role role;
    role.name = named.key();
    role.commands = section.texts("commands");
    role.hosts = section.texts("hosts");
    role.providers = section.texts("providers");
    role.places = section.texts("places");
    role.approvals = static_cast<int>(section.number("approvals", 1, kMostApprovals).value_or(1));
    section.done();
    settings.roles.emplace(role.name, role);
  }
}

namespace {

std::string no_such_role(const std::string& role, const Settings& settings) {
  std::vector<std::string> known;
  for (const auto& [name, unused] : settings.roles) known.push_back(name);
  const auto meant = pipeline::nearest(role, known);
  return "there is no role " + role + (meant ? ", did you mean " + *meant + "?" : " under roles:");
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
    // Identities on networks: read by the parts that speak them.
    for (const char* elsewhere : {"irc", "xmpp", "links", "dn"}) section.take(elsewhere);
    section.done();
    settings.people.push_back(person);
  }
}

}  // namespace jarvis::bot
