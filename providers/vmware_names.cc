#include "providers/vmware_names.h"

#include <algorithm>

#include "workers/ascii.h"
#include "workers/printable.h"

namespace jarvis::providers::vmware {

using pipeline::Error;
using pipeline::Kind;
using workers::lower_case;

namespace {

const std::string& shown(const Named& one) {
  return one.path.empty() ? one.name : one.path;
}

// The nearest by spelling, letters in either case.
std::optional<std::string> near(const std::string& wanted, const std::vector<Named>& offered) {
  std::vector<std::string> names;
  names.reserve(offered.size());
  for (const Named& one : offered) names.push_back(lower_case(one.name));
  const auto found = pipeline::nearest(lower_case(wanted), names);
  if (!found) return std::nullopt;
  return offered[static_cast<std::size_t>(std::find(names.begin(), names.end(), *found) - names.begin())].name;
}

}  // namespace

std::string decoded_name(std::string_view name) {
  std::string made;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const std::string code = lower_case(name.substr(i, 3));
    if (code == "%2f" || code == "%5c" || code == "%25") {
      made += code == "%2f" ? '/' : code == "%5c" ? '\\' : '%';
      i += 2;
    } else {
      made += name[i];
    }
  }
  return made;
}

std::string shown_names(const std::vector<Named>& offered, std::size_t most) {
  std::vector<std::string> names;
  names.reserve(offered.size());
  for (const Named& one : offered) names.push_back(workers::printable(shown(one), 80));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string made;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) made += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > most) made += " and " + std::to_string(names.size() - most) + " more";
  return made;
}

std::size_t the_one(const std::string& key, const std::string& wanted, const std::vector<Named>& offered,
                    const std::string& where) {
  const std::string begin = key + ": " + workers::printable(wanted, 80);
  std::vector<std::size_t> fits;
  for (std::size_t i = 0; i < offered.size(); ++i)
    if (offered[i].path == wanted && !wanted.empty()) fits.push_back(i);
  if (fits.empty()) {
    for (std::size_t i = 0; i < offered.size(); ++i)
      if (offered[i].name == wanted) fits.push_back(i);
  }
  if (fits.size() == 1) return fits.front();
  if (fits.empty()) {
    const auto nearest = near(wanted, offered);
    throw Error(Kind::Usage, begin + " is not in " + where +
                                 (nearest           ? "; did you mean " + workers::printable(*nearest, 80) + "?"
                                  : offered.empty() ? ", which has none"
                                                    : "; there are " + shown_names(offered)));
  }
  std::vector<Named> several;
  several.reserve(fits.size());
  for (const std::size_t i : fits) several.push_back(offered[i]);
  throw Error(Kind::Usage, begin + " fits " + std::to_string(several.size()) + " in " + where + ": " +
                               shown_names(several) + "; give its path");
}

std::size_t the_only(const std::string& key, const std::vector<Named>& offered, const std::string& where) {
  if (offered.size() == 1) return 0;
  if (offered.empty()) throw Error(Kind::Usage, key + ": missing, and " + where + " has none to choose");
  throw Error(Kind::Usage, key + ": missing, and " + where + " has several: " + shown_names(offered));
}

}  // namespace jarvis::providers::vmware
