#include "workers/allow_list.h"

#include <doctest/doctest.h>

#include "tests/workers/scratch.h"

using namespace jarvis::workers;
using jarvis::pipeline::Kind;
using jarvis::tests::error_of;

TEST_CASE("a star stands for any characters, slashes too") {
  struct Case {
    const char* pattern;
    const char* text;
    bool fits;
  };
  for (const Case& c : {Case{"", "", true},
                        {"*", "", true},
                        {"*", "a/b", true},
                        {"a*", "a", true},
                        {"a*c", "a/b/c", true},
                        {"a*c", "a/b/d", false},
                        {"*.y*", "x.yaml", true},
                        {"*a*a*", "aa", true},
                        {"*a*a*", "a", false},
                        {"a?c", "abc", false},
                        {"a?c", "a?c", true},
                        {"[a]", "a", false},
                        {"a", "", false},
                        {"", "a", false},
                        {"**b", "aab", true},
                        {"a*b*c", "axbxbxc", true}}) {
    CAPTURE(c.pattern);
    CAPTURE(c.text);
    CHECK(glob_matches(c.pattern, c.text) == c.fits);
  }
}

TEST_CASE("what an allow-list lets pass") {
  const AllowList list({"https://gist.github.com/*", "https://*.example.org/specs/*.yaml",
                        "https://[2001:db8::1]:8443/x", "http://127.0.0.1:*/raw"});
  struct Case {
    const char* url;
    bool allowed;
  };
  for (const Case& c : {
           Case{"https://gist.github.com/912450", true},
           {"https://GIST.github.com:443/thor/912450?x=1", true},
           {"https://gist.github.com", true},
           {"http://gist.github.com/912450", false},
           {"https://gist.github.com:444/912450", false},
           {"https://gist.github.com.evil.net/912450", false},
           {"https://gist.github.com./912450", false},
           {"https://evil.net/gist.github.com/", false},
           {"https://evil.net/?https://gist.github.com/", false},
           {"https://a.example.org/specs/loki.yaml", true},
           {"https://a.b.example.org/specs/x/loki.yaml", true},
           {"https://example.org/specs/loki.yaml", false},
           {"https://evil.net/a.example.org/specs/loki.yaml", false},
           {"https://a.example.org/specs/../secret/loki.yaml", false},
           {"https://a.example.org/specs/loki.yaml?x", false},
           {"https://[2001:db8::1]:8443/x", true},
           {"http://127.0.0.1:8080/raw", true},
           {"http://127.0.0.1/raw", false},
       }) {
    CAPTURE(c.url);
    CHECK(list.allows(parse_url(c.url)) == c.allowed);
  }
  CHECK_FALSE(AllowList({}).allows(parse_url("https://gist.github.com/")));
  for (const char* bad : {"*", "gist.github.com/*", "https://gist.github.com"}) {
    CAPTURE(bad);
    CHECK(error_of([&] { AllowList({bad}); }).kind() == Kind::Usage);
  }
}
