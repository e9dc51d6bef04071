// Where a command was said, kept as text.
#include "bot/whence.h"

#include <doctest/doctest.h>

using namespace jarvis::bot;

TEST_CASE("whence: as it was, from its text") {
  const Whence channel{"freenet", "#ops", false, "thor", "thor", "account"};
  const Whence direct{"jabber", "thor@example.org/desk", true, "thor@example.org", "thor@example.org", "jid"};
  const Whence odd{"x", "a\"b\\c\nd", false, "\xe2\x98\x83", "", ""};
  for (const Whence& one : {channel, direct, odd, Whence{}}) {
    CAPTURE(one.text());
    const auto read = Whence::from(one.text());
    REQUIRE(read.has_value());
    CHECK(*read == one);
    CHECK_MESSAGE(one.text().find('\n') == std::string::npos, "one line");
  }
  CHECK(channel.shown() == "freenet/#ops");
  CHECK(direct.shown() == "direct");
}

TEST_CASE("whence: what is none") {
  for (const char* text : {"", "command line", "{}", "[]", "null", "\"link\"", "{\"link\":", "{\"place\":\"#ops\"}",
                           "{\"link\":1}", "{\"link\":\"x\",\"direct\":\"yes\"}", "{\"link\":\"x\",\"sender\":null}",
                           "{\"link\":\"x\",\"place\":[]}"}) {
    CAPTURE(text);
    CHECK_FALSE(Whence::from(text).has_value());
  }
  const auto least = Whence::from("{\"link\":\"x\",\"new\":1}");
  REQUIRE(least.has_value());
  CHECK(*least == Whence{"x", "", false, "", "", ""});
  // What is no UTF-8 does not keep a run from being written down.
  CHECK(Whence::from(Whence{"x", "\xff", false, "", "", ""}.text())->place == "\xef\xbf\xbd");
}
