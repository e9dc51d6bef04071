#include "workers/ldap_name.h"

#include <doctest/doctest.h>

#include "tests/workers/scratch.h"

using namespace jarvis::workers;
using jarvis::pipeline::Kind;
using jarvis::tests::error_of;

TEST_CASE("names are taken apart as RFC 4514 has it") {
  const LdapName name = LdapName::parse("cn=lo\\,ki+uid = 7 , OU=Hosts,dc=websages,dc=com");
  REQUIRE(name.rdns().size() == 4);
  CHECK(name.rdns()[0] == Rdn{{"cn", "lo,ki"}, {"uid", "7"}});
  CHECK(name.rdns()[1] == Rdn{{"OU", "Hosts"}});
  CHECK(LdapName::parse("cn=\\4c\\6Fki").rdns()[0][0].second == "Loki");
  CHECK(LdapName::parse("cn=l\\2bk\\3di").text() == "cn=l\\2Bk\\3Di");
  for (const char* bad :
       {"", "loki", "=loki", "cn=", "cn=loki,", "cn=loki,,dc=x", "cn=#0404", "cn=a\\", "cn=\"a", "cn=a\\zz"}) {
    CAPTURE(bad);
    CHECK(error_of([&] { LdapName::parse(bad); }).kind() == Kind::Usage);
  }
  CHECK(error_of([&] { LdapName::parse(std::string("cn=a\0b", 6)); }).kind() == Kind::Usage);
}

TEST_CASE("what lies under a base") {
  const LdapName base = LdapName::parse("dc=websages,dc=com");
  for (const char* in : {"dc=websages,dc=com", "DC=WebSages, dc=com", "cn=loki,ou=Hosts,dc=websages,dc=com",
                         "cn=x,dc = websages , dc=com"}) {
    CAPTURE(in);
    CHECK(LdapName::parse(in).lies_under(base));
  }
  for (const char* out : {"dc=com", "cn=loki", "cn=loki,dc=websages,dc=org", "cn=loki,dc=notwebsages,dc=com",
                          "cn=dc\\=websages\\,dc\\=com", "dc=websages,dc=com,o=x", "dc=websages+o=x,dc=com"}) {
    CAPTURE(out);
    CHECK_FALSE(LdapName::parse(out).lies_under(base));
  }
}

TEST_CASE("a value stands for itself in a filter (RFC 4515)") {
  CHECK(filter_of(LdapName::parse("cn=loki").rdns()[0]) == "(cn=loki)");
  CHECK(filter_of(LdapName::parse("cn=*").rdns()[0]) == "(cn=\\2a)");
  CHECK(filter_of(LdapName::parse("cn=x)(cn\\=*").rdns()[0]) == "(cn=x\\29\\28cn=\\2a)");
  CHECK(filter_of(LdapName::parse("cn=a+uid=b").rdns()[0]) == "(&(cn=a)(uid=b))");
  CHECK(filter_value(std::string_view("a\\b\0c\n", 6)) == "a\\5cb\\00c\\0a");
  CHECK(filter_value("ö") == "\\c3\\b6");
}

TEST_CASE("a value stands for itself in a name (RFC 4514)") {
  for (const char* value : {"loki", "Debian 12", "CentOS, 6", "x,ou=Hosts", " a ", "#1", "a#", "a\\b", "\"q\"", "<a;b>",
                            "a+b=c", "ö", "a\nb", "  ", "*()"}) {
    CAPTURE(value);
    const LdapName name = LdapName::parse("cn=" + name_value(value) + ",dc=com");
    CHECK(name.rdns().size() == 2);
    CHECK(name.rdns()[0] == Rdn{{"cn", value}});
  }
  CHECK(name_value("CentOS, 6") == "CentOS\\2c 6");
  CHECK(LdapName::parse("CN=Loki, dc=com").is(LdapName::parse("cn=loki,DC=com")));
  CHECK_FALSE(LdapName::parse("cn=loki,dc=com").is(LdapName::parse("dc=com")));
}
