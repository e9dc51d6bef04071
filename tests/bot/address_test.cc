// What a chat line asks for.
#include "bot/address.h"

#include <doctest/doctest.h>

using namespace jarvis::bot;
using Words = std::vector<std::string>;

TEST_CASE("address: the command without it") {
  struct Case {
    const char* name;
    const char* text;
    const char* prefix;
    const char* want;
  };
  for (const Case& c : {
           Case{"a colon", "jarvis: status loki", "", "status loki"},
           {"a comma", "jarvis, status loki", "", "status loki"},
           {"no blank", "jarvis:status", "", "status"},
           {"blanks and tabs", "  jarvis: \t status loki \t", "", "status loki"},
           {"another nick there", "jarvis_|2: status", "", "status"},
           {"a URL behind it", "jarvis: deploy https://x.example/a:b,c", "", "deploy https://x.example/a:b,c"},
           {"a URL in a direct message", "deploy https://x.example/a", "", "deploy https://x.example/a"},
           {"a list in a direct message", "hold loki because disk, net", "", "hold loki because disk, net"},
           {"no address", "status", "", "status"},
           {"a mark alone", ": status", "", ": status"},
           {"nothing behind", "jarvis:", "", ""},
           {"nothing", "   ", "", ""},
           {"a prefix", "!status loki", "!", "status loki"},
           {"a prefix and a blank", "! status", "!", "status"},
           {"a long prefix", "jarvis status", "jarvis", "status"},
           {"an address where there is a prefix", "jarvis: status", "!", "status"},
           {"a prefix behind an address stays", "jarvis: !status", "!", "!status"},
           {"only once", "jarvis: jarvis: status", "", "jarvis: status"},
       }) {
    CAPTURE(c.name);
    CHECK(without_address(c.text, c.prefix) == c.want);
  }
}

TEST_CASE("address: words") {
  struct Case {
    const char* name;
    const char* text;
    Words want;
  };
  for (const Case& c : std::vector<Case>{
           {"none", "", {}},
           {"blanks", " \t ", {}},
           {"some", "status  loki\tx", {"status", "loki", "x"}},
           {"double quotes", "hold loki because \"two words\"", {"hold", "loki", "because", "two words"}},
           {"single quotes", "a 'b c' d", {"a", "b c", "d"}},
           {"the other quote within", "\"it's\" 'say \"x\"'", {"it's", "say \"x\""}},
           {"an apostrophe in a word", "because it's broken", {"because", "it's", "broken"}},
           {"an empty word", "a '' b", {"a", "", "b"}},
           {"a quote that does not end", "a 'b c", {"a", "b c"}},
           {"text after a quote", "'a b'c d", {"a bc", "d"}},
           {"no escapes", "a\\ b", {"a\\", "b"}},
           {"nothing of a shell", "$(x) `y` ; *", {"$(x)", "`y`", ";", "*"}},
       }) {
    CAPTURE(std::string(c.name));
    CHECK(words_of(c.text) == c.want);
  }
}

TEST_CASE("address: hints as they are typed there") {
  struct Case {
    const char* name;
    const char* text;
    const char* nick;
    bool direct;
    const char* want;
  };
  for (const Case& c : {
           Case{"in a channel", "`jarvis retry loki` goes on", "jarvis", false, "`jarvis: retry loki` goes on"},
           {"another nick", "`jarvis retry loki`", "jarvis_", false, "`jarvis_: retry loki`"},
           {"by direct message", "`jarvis retry loki`", "jarvis", true, "`retry loki`"},
           {"several", "`jarvis retry x`, `jarvis cancel x`", "j", false, "`j: retry x`, `j: cancel x`"},
           {"a usage", "jarvis retry HOST", "j", false, "j: retry HOST"},
           {"the name elsewhere", "is jarvis stopping", "j", false, "is jarvis stopping"},
           {"a nick that looks like a hint", "`jarvis help`", "`jarvis x", false, "``jarvis x: help`"},
       }) {
    CAPTURE(c.name);
    CHECK(as_said_in_chat(c.text, c.nick, c.direct) == c.want);
  }
}
