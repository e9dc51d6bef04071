#include "workers/http_url.h"

#include <doctest/doctest.h>

#include "tests/workers/scratch.h"

using namespace jarvis::workers;
using jarvis::pipeline::Kind;
using jarvis::tests::error_of;
using jarvis::tests::holds;

TEST_CASE("a URL as it will be asked") {
  struct Case {
    const char* text;
    const char* want;
  };
  for (const Case& c : {
           Case{"https://Example.ORG", "https://example.org/"},
           {"HTTPS://example.org:443/a/./b/../c", "https://example.org/a/c"},
           {"https://example.org:8443/a?b=c#d", "https://example.org:8443/a?b=c"},
           {"http://0x7f.1/", "http://127.0.0.1/"},
           {"http://2130706433/", "http://127.0.0.1/"},
           {"http://0177.0.0.1/", "http://127.0.0.1/"},
           {"https://[2001:DB8::1]/", "https://[2001:db8::1]/"},
           {"file:///etc/passwd", "file:///etc/passwd"},
           {"https://example.org/%2e%2e/a", "https://example.org/%2e%2e/a"},
       }) {
    CAPTURE(c.text);
    CHECK(parse_url(c.text).text() == c.want);
  }
  const Url url = parse_url("https://example.org/a%20b?secret=1#file-x");
  CHECK(url.fragment == "file-x");
  CHECK(url.shown() == "https://example.org/a%20b");
}

TEST_CASE("what is no URL, or none to be asked") {
  for (const char* bad : {"", "loki", "https://", "//example.org/", "https://a b/", "https://a/\n", "https://exa mple/",
                          "https://example.org:99999/", "https://example.org\\@evil.net/"}) {
    CAPTURE(bad);
    CHECK(error_of([&] { parse_url(bad); }).kind() == Kind::Usage);
  }
  for (const char* bad : {"https://me:planted-secret@example.org/", "https://planted-secret@example.org/",
                          "https://me:planted-secret@exa mple", "https://me:planted-secret@:x/"}) {
    CAPTURE(bad);
    CHECK_FALSE(holds(error_of([&] { parse_url(bad); }).what(), "planted-secret"));
  }
}

TEST_CASE("where a redirect leads") {
  const Url base = parse_url("https://example.org/a/b?c");
  struct Case {
    const char* location;
    const char* want;
  };
  for (const Case& c : {Case{"/x", "https://example.org/x"},
                        {"x?y", "https://example.org/a/x?y"},
                        {"../../../x", "https://example.org/x"},
                        {"//other.net/x", "https://other.net/x"},
                        {"http://other.net", "http://other.net/"},
                        {"file:///etc/passwd", "file:///etc/passwd"}}) {
    CAPTURE(c.location);
    CHECK(resolve_url(base, c.location).text() == c.want);
  }
  CHECK(error_of([&] { resolve_url(base, "https://me:x@other.net/"); }).kind() == Kind::Usage);
}

TEST_CASE("percent signs") {
  CHECK(percent_encoded("a host's/spec&.yml") == "a%20host%27s%2Fspec%26.yml");
  CHECK(percent_decoded("a%20host%27s%2fspec") == "a host's/spec");
  CHECK(percent_decoded("100%") == "100%");
  CHECK(percent_decoded("%4") == "%4");
  CHECK(percent_decoded("%zz%41") == "%zzA");
}
