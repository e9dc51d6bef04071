#include "workers/ldap_name.h"

#include <ldap.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "pipeline/error.h"
#include "workers/printable.h"

namespace jarvis::workers {

using pipeline::Error;
using pipeline::Kind;

namespace {

std::string text_of(const berval& value) {
  return {value.bv_val, value.bv_len};
}

// What the usual matching rules (caseIgnoreMatch, RFC 4517) do not look at, taken out; ASCII letters only.
std::string folded(std::string_view text) {
  std::string made;
  for (const char c : text) {
    if (c == ' ' && (made.empty() || made.back() == ' ')) continue;
    made += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  while (!made.empty() && made.back() == ' ') made.pop_back();
  return made;
}

// As names and filters both have it: a backslash and two digits.
std::string escaped(char c) {
  static const char* const kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'\\', kHex[byte >> 4U], kHex[byte & 15U]};
}

Rdn folded(const Rdn& rdn) {
  Rdn made;
  for (const auto& [type, value] : rdn) made.emplace_back(folded(type), folded(value));
  std::sort(made.begin(), made.end());
  return made;
}

struct FreeName {
  void operator()(LDAPRDN* name) const { ldap_dnfree(name); }
};

Error no_name(const std::string& text, const char* why) {
  return {Kind::Usage, "`" + printable(text) + "` is no LDAP name like cn=loki: " + why};
}

}  // namespace

LdapName LdapName::parse(const std::string& text) {
  if (text.find('\0') != std::string::npos) throw no_name(text, "it holds a zero byte");
  LDAPDN parsed = nullptr;
  if (ldap_str2dn(text.c_str(), &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
    throw no_name(text, "it cannot be taken apart (RFC 4514)");
  const std::unique_ptr<LDAPRDN, FreeName> owned(parsed);
  LdapName made;
  for (LDAPDN rdn = parsed; rdn != nullptr && *rdn != nullptr; ++rdn) {
    Rdn one;
    for (LDAPRDN ava = *rdn; *ava != nullptr; ++ava) {
      if (((*ava)->la_flags & LDAP_AVA_BINARY) != 0) throw no_name(text, "a value is given by its bytes");
      one.emplace_back(text_of((*ava)->la_attr), text_of((*ava)->la_value));
      if (one.back().second.empty()) throw no_name(text, "a value is empty");
    }
    made.rdns_.push_back(std::move(one));
  }
  if (made.rdns_.empty()) throw no_name(text, "it is empty");
  char* written = nullptr;
  if (ldap_dn2str(parsed, &written, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS || written == nullptr)
    throw no_name(text, "it cannot be written again");
  made.text_ = written;
  ldap_memfree(written);
  return made;
}

bool LdapName::lies_under(const LdapName& base) const {
  if (rdns_.size() < base.rdns_.size()) return false;
  return std::equal(base.rdns_.rbegin(), base.rdns_.rend(), rdns_.rbegin(),
                    [](const Rdn& a, const Rdn& b) { return folded(a) == folded(b); });
}

std::string name_value(std::string_view value) {
  std::string made;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool at_an_end = i == 0 || i + 1 == value.size();
    const bool special = std::string_view("\"+,;<>=\\").find(c) != std::string_view::npos || (c == '#' && i == 0) ||
                         (c == ' ' && at_an_end) || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    made += special ? escaped(c) : std::string(1, c);
  }
  return made;
}

std::string filter_value(std::string_view value) {
  std::string made;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const bool special = byte < 0x20 || byte >= 0x7F || c == '*' || c == '(' || c == ')' || c == '\\';
    made += special ? escaped(c) : std::string(1, c);
  }
  return made;
}

std::string filter_of(const Rdn& rdn) {
  std::string made;
  for (const auto& [type, value] : rdn) made += "(" + type + "=" + filter_value(value) + ")";
  return rdn.size() == 1 ? made : "(&" + made + ")";
}

std::string base_of_domain(const std::string& domain) {
  std::string made;
  for (std::size_t begin = 0; begin < domain.size();) {
    const std::size_t end = std::min(domain.find('.', begin), domain.size());
    made += (made.empty() ? "dc=" : ",dc=") + domain.substr(begin, end - begin);
    begin = end + 1;
  }
  return made;
}

}  // namespace jarvis::workers
