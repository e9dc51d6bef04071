#include "workers/printable.h"

#include <doctest/doctest.h>

using namespace jarvis::workers;

TEST_CASE("what a person reads has no control characters") {
  struct Case {
    const char* name;
    std::string_view text, want;
  };
  for (const Case& c : {
           Case{"plain", "a b-c", "a b-c"},
           {"letters of other languages", "Öl ☃ 好", "Öl ☃ 好"},
           {"controls", std::string_view("a\0b\x1b[31m\r\n\x7f", 11), "a?b?[31m???"},
           {"C1",
            "a\xC2\x9B"
            "31m",
            "a?31m"},
           {"direction",
            "a\xE2\x80\xAE"
            "b",
            "a?b"},
           {"no width",
            "a\xE2\x80\x8B"
            "b\xEF\xBB\xBF",
            "a?b?"},
           {"no UTF-8", "a\xFF\xC3", "a??"},
           {"too long a form", "\xC0\xAF\xE0\x80\xAF", "?????"},
           {"surrogate", "\xED\xA0\x80", "???"},
       }) {
    CAPTURE(c.name);
    CHECK(printable(c.text) == c.want);
  }
  CHECK(printable("abcdef", 3) == "abc...");
  CHECK(printable("aö", 2) == "a...");  // never half a character
  CHECK(printable("aö", 3) == "aö");
}

TEST_CASE("text is UTF-8 without control characters") {
  for (const char* text : {"", "a: b\n", "a\tb\r\n", "ö ☃"}) CHECK(is_text(text));
  for (const char* text : {"\x1b", "\x07", "\x7f", "\xFC", "\xED\xA0\x80", "\xF4\x90\x80\x80"}) {
    CAPTURE(text);
    CHECK_FALSE(is_text(text));
  }
  CHECK_FALSE(is_text(std::string_view("a\0b", 3)));
}
