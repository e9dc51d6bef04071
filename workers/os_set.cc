#include "workers/os_set.h"

#include <algorithm>

#include "workers/ldap_settings.h"
#include "workers/printable.h"

namespace jarvis::workers {

namespace {

constexpr int kMostSets = 100;

struct OsSet {
  std::string dn;
  std::vector<std::string> names, members;
};

std::vector<OsSet> sets_below(Directory& directory, const std::string& base) {
  LdapSearch search;
  search.base = base;
  search.subtree = true;
  search.filter = "(objectClass=groupOfUniqueNames)";
  search.attributes = {"cn", "uniqueMember"};
  search.most_entries = kMostSets;
  LdapFound found = directory.search(search);
  if (found.more)
    throw Error(Kind::Permanent, "more than " + std::to_string(kMostSets) + " groups lie under " + printable(base));
  std::vector<OsSet> sets;
  for (LdapEntry& entry : found.entries)
    sets.push_back({entry.dn, std::move(entry.values["cn"]), std::move(entry.values["uniquemember"])});
  return sets;
}

// Members by that name; what is no name cannot be the host's.
std::vector<std::string> matching(const std::vector<std::string>& members, const LdapName& host) {
  std::vector<std::string> found;
  for (const std::string& member : members) {
    try {
      if (LdapName::parse(member).is(host)) found.push_back(member);
    } catch (const Error&) {
      continue;
    }
  }
  return found;
}

std::string listed(const std::vector<OsSet>& sets) {
  std::vector<std::string> names;
  for (const OsSet& set : sets) names.insert(names.end(), set.names.begin(), set.names.end());
  std::sort(names.begin(), names.end());
  std::string made;
  for (const std::string& name : names) made += (made.empty() ? "" : ", ") + printable(name, 60);
  return made.empty() ? "none at all" : made;
}

}  // namespace

void join_os_set(Call& call) {
  const LdapTree tree = ldap_tree(call);
  const std::string os = call.clipboard.require("os");
  if (os.empty() || !is_text(os)) throw Error(Kind::Usage, "os: `" + printable(os, 60) + "` is no name");
  const LdapName wanted = LdapName::parse("cn=" + name_value(os) + "," + tree.os_sets);
  const LdapName host = LdapName::parse("cn=" + name_value(call.clipboard.require("hostname")) + "," + tree.hosts);
  const auto directory = open_directory(ldap_access(call, tree));
  call.progress("asking " + directory->server());
  const auto sets = sets_below(*directory, tree.os_sets);
  const auto into =
      std::find_if(sets.begin(), sets.end(), [&](const OsSet& set) { return LdapName::parse(set.dn).is(wanted); });
  if (into == sets.end())
    throw Error(Kind::Permanent,
                "os: no group " + printable(wanted.text()) + " in the directory; there are: " + listed(sets));

  std::vector<std::pair<std::string, std::vector<std::string>>> out_of;
  for (const OsSet& set : sets) {
    if (&set == &*into) continue;
    auto found = matching(set.members, host);
    if (found.empty()) continue;
    if (found.size() == set.members.size())
      throw Error(Kind::Permanent, printable(host.text()) + " is the only member of " + printable(set.dn) +
                                       ", and a group must have one: remove that group, or put another member in");
    out_of.emplace_back(set.dn, std::move(found));
  }
  const bool is_in = !matching(into->members, host).empty();
  if (is_in && out_of.empty()) return call.log(printable(host.text()) + " is in " + printable(into->dn) + " already");
  // In first: a crash between the two leaves a host with two systems, which the next attempt puts right, not with none.
  if (!is_in) {
    if (call.plan) call.change("add " + printable(host.text()) + " to " + printable(into->dn));
    if (!call.plan) directory->modify(into->dn, {{"uniqueMember", {}, {host.text()}}});
  }
  for (const auto& [dn, members] : out_of) {
    if (call.plan) call.change("take " + printable(host.text()) + " out of " + printable(dn));
    if (!call.plan) directory->modify(dn, {{"uniqueMember", members, {}}});
  }
  if (!call.plan) call.progress("in " + printable(into->dn));
}

}  // namespace jarvis::workers
