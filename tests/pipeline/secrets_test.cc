#include "pipeline/secrets.h"

#include <doctest/doctest.h>

#include "pipeline/error.h"

using namespace jarvis::pipeline;

namespace {

bool secret(std::string_view key) {
  return key == "password" || key == "keys";
}

std::string turned(std::string_view text) {
  return "X" + std::string(text.rbegin(), text.rend());
}
std::string back(std::string_view text) {
  if (!text.starts_with('X')) throw Error(Kind::Usage, "another key");
  return std::string(text.rbegin(), text.rend() - 1);
}

}  // namespace

TEST_CASE("what is blanked in a line") {
  Blanker blanker(secret);
  blanker.learn("password: 'hunter2!'\nkeys: {a: \"line one\\nline two\", b: ab}\n");
  struct Case {
    const char *name, *line, *want;
  };
  for (const auto& c : {
           Case{"a value", "login with hunter2! failed, hunter2!", "login with [secret] failed, [secret]"},
           Case{"each line of a long one", "x line two y", "x [secret] y"},
           Case{"as it is escaped", "\"line one\\nline two\"", "\"[secret]\""},
           Case{"short values stay", "cab", "cab"},
           Case{"unknown value behind the key", "  password: other", "  password: [secret]"},
           Case{"with equals", "--password=other x", "--password= [secret]"},
           Case{"quoted key", "{\"password\": \"other\"}", "{\"password\": [secret]"},
           Case{"a key alone", "password:", "password:"},
           Case{"another key", "passwords: other", "passwords: other"},
           Case{"controls and bad bytes", "a\x1b[31m\xff", "a?[31m?"},
       }) {
    CAPTURE(c.name);
    CHECK(blanker.line(c.line) == c.want);
  }
  CHECK(blanker.lines("a\n-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\nb") ==
        "a\n[secret]\n[secret]\n[secret]\nb\n");
}

TEST_CASE("a shown clipboard seals secrets and comes back the same") {
  const std::string text =
      "a: '0123'\npassword: 'no'\nkeys:\n  x: |\n    l1\n    l2\n  y: [1, 2]\nlist:\n- password: deep\n  b: c\n";
  const std::string shown = show_sealed(text, secret, turned);
  CHECK(shown.find("password: !sealed ") != std::string::npos);
  CHECK(shown.find("'no'") == std::string::npos);
  CHECK(shown.find("l1") == std::string::npos);
  CHECK(shown.find("deep") == std::string::npos);
  CHECK(open_sealed(shown, back) == text);
  CHECK_THROWS_WITH(open_sealed("a: 1\npassword: !sealed Yabc\n", back), "line 2, column 11: password: another key");
}
