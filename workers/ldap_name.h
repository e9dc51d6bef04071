// Distinguished names (RFC 4514) and what of them goes into a search filter (RFC 4515), by libldap's own parser. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jarvis::workers {

// One component: `cn=loki`, or several of them joined by +.
using Rdn = std::vector<std::pair<std::string, std::string>>;  // type, value with its escapes resolved

class LdapName {
 public:
  // Error(Usage) for text that is no name, is empty, or has a value that is empty or no text (`cn=#04...`).
  static LdapName parse(const std::string& text);

  const std::vector<Rdn>& rdns() const { return rdns_; }  // from the entry upwards
  std::string text() const { return text_; }              // as libldap writes it
  // Itself or below. Types and values are compared without case and surplus blanks.
  bool lies_under(const LdapName& base) const;
  bool is(const LdapName& other) const { return rdns_.size() == other.rdns_.size() && lies_under(other); }

 private:
  std::vector<Rdn> rdns_;
  std::string text_;
};

// `value` so that it stands for itself in a name: "Debian\\2C 12".
std::string name_value(std::string_view value);
// `value` so that it stands for itself in a filter: * ( ) \ NUL and everything that is not ASCII escaped.
std::string filter_value(std::string_view value);
// "(cn=loki)", "(&(cn=a)(uid=b))".
std::string filter_of(const Rdn& rdn);

// "dc=websages,dc=com" of websages.com.
std::string base_of_domain(const std::string& domain);

}  // namespace jarvis::workers
