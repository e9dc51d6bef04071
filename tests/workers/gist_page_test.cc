#include "workers/gist_page.h"

#include <doctest/doctest.h>

#include "tests/workers/scratch.h"

using namespace jarvis::workers;
using jarvis::tests::error_of;
using jarvis::tests::holds;

namespace {

const std::string kBlob = "9c4d5d0b1a6b1e2e6ba8a3d8f9b1b64fd4b9bf11";

Gist gist(const std::string& url) {
  const auto found = gist_of(parse_url(url));
  REQUIRE(found);
  return *found;
}

}  // namespace

TEST_CASE("which URLs are pages of gists, and where their text is") {
  struct Case {
    const char* url;
    std::string raw;  // empty: no page of a gist
  };
  for (const Case& c : {
           Case{"https://gist.github.com/912450", "https://gist.github.com/912450/raw"},
           {"https://gist.github.com/912450/", "https://gist.github.com/912450/raw"},
           {"https://gist.github.com/thor/912450", "https://gist.github.com/thor/912450/raw"},
           {"https://gist.github.com/thor/0123456789abcdef0123",
            "https://gist.github.com/thor/0123456789abcdef0123/raw"},
           {"https://gist.github.com/aa5a315d61ae9438b18d", "https://gist.github.com/aa5a315d61ae9438b18d/raw"},
           {"https://paste.example.org:8443/912450#x.yaml", "https://paste.example.org:8443/912450/raw"},
           {"https://gist.github.com/thor/912450/9c4d5d0b1a6b1e2e6ba8a3d8f9b1b64fd4b9bf11",
            "https://gist.github.com/thor/912450/raw/9c4d5d0b1a6b1e2e6ba8a3d8f9b1b64fd4b9bf11"},
           {"https://gist.github.com/", ""},
           {"https://gist.github.com/thor", ""},
           {"https://gist.github.com/thor/face", ""},
           {"https://gist.github.com/thor/912450/raw", ""},
           {"https://gist.github.com/912450/raw", ""},
           {"https://gist.github.com/thor/912450/raw/loki.yaml", ""},
           {"https://gist.github.com/thor/912450/revisions", ""},
           {"https://example.org/specs/loki.yaml", ""},
           {"https://example.org/912450?x=1", ""},
       }) {
    CAPTURE(c.url);
    const auto found = gist_of(parse_url(c.url));
    CHECK(found.has_value() == !c.raw.empty());
    if (found) CHECK(raw_url(*found, found->page, "").text() == c.raw);
  }
  const Gist one = gist("https://gist.github.com/912450#a%20b.yaml");
  CHECK(one.wanted == "a b.yaml");
  CHECK(raw_url(one, parse_url("https://gist.github.com/thor/912450"), one.wanted).text() ==
        "https://gist.github.com/thor/912450/raw/a%20b.yaml");
}

TEST_CASE("the files that a page links") {
  const std::string link = "<a href=\"/thor/912450/raw/" + kBlob + "/";
  CHECK(files_on_page(link + "loki.yaml\" class=\"x\">Raw</a>" + link + "b%20c.txt\">" + link + "loki.yaml\">",
                      "912450") == std::vector<std::string>{"loki.yaml", "b c.txt"});
  CHECK(files_on_page(link + "it&#39;s&amp;that.yml\">", "912450") == std::vector<std::string>{"it's&that.yml"});
  for (const std::string& html :
       {std::string("<a href=\"/thor/912450/raw\">"), std::string("<a href=\"/thor/912450/raw/loki.yaml\">"),
        link + "\">", link + "a%2Fb\">", link + "a%1Bb\">", "<a href=\"/thor/999999/raw/" + kBlob + "/x.yaml\">"}) {
    CAPTURE(html);
    CHECK(files_on_page(html, "912450").empty());
  }
}

TEST_CASE("which file is meant") {
  CHECK(anchor_of("loki.yaml") == "file-loki-yaml");
  CHECK(anchor_of("Hello_World v2..YML") == "file-hello_world-v2-yml");
  const Gist any = gist("https://gist.github.com/912450");
  CHECK(file_meant(any, {"notes.txt"}) == "notes.txt");
  CHECK(file_meant(any, {"a.txt", "loki.yml", "z.json"}) == "loki.yml");
  CHECK(file_meant(gist("https://gist.github.com/912450#z.json"), {"a.txt", "loki.yml", "z.json"}) == "z.json");
  CHECK(file_meant(gist("https://gist.github.com/912450#file-z-json"), {"loki.yml", "z.json"}) == "z.json");
  CHECK(file_meant(gist("https://gist.github.com/912450#file-z-json"), {"z.json", "file-z-json"}) == "file-z-json");
  struct Case {
    const char* url;
    std::vector<std::string> files;
    const char* reason;
  };
  for (const Case& c :
       {Case{"https://gist.github.com/912450",
             {"a.yaml", "b.yml", "c"},
             "several of them are .yaml; say which one as URL#NAME: a.yaml, b.yml"},
        {"https://gist.github.com/912450", {"a", "b"}, "none of them is .yaml; say which one as URL#NAME: a, b"},
        {"https://gist.github.com/912450#c", {"a", "b"}, "no file `c`; there are a, b"},
        {"https://gist.github.com/912450#c", {"a"}, "no file `c`; there is a"},
        {"https://gist.github.com/912450#file-a-b", {"a.b", "a-b"}, "no file `file-a-b`"}}) {
    CAPTURE(c.reason);
    CHECK(holds(error_of([&] { file_meant(gist(c.url), c.files); }).what(), c.reason));
  }
  const std::vector<std::string> many(50, "name.yaml");
  CHECK(std::string(error_of([&] { file_meant(any, many); }).what()).size() < 400);
}
