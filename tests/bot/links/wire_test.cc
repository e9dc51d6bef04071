// A link's end of the line protocol, and what text becomes before it goes out.
#include "bot/links/wire.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "pipeline/unique_fd.h"

using namespace jarvis::bot::links;
using Pieces = std::vector<std::string>;

namespace {

// A wire with both of its far ends.
struct Ends {
  Ends() {
    int in[2], out[2];
    REQUIRE(::pipe2(in, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
    in_here.reset(in[0]), in_far.reset(in[1]), out_far.reset(out[0]), out_here.reset(out[1]);
    ::fcntl(in_here.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(out_far.get(), F_SETFL, O_NONBLOCK);
  }
  // What is heard when this comes in, each as text, joined by `|`.
  std::string heard(Wire& wire, const std::string& bytes) {
    REQUIRE(::write(in_far.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    std::string made;
    alive = wire.hear([&](const nlohmann::json& one) { made += one.dump() + "|"; });
    return made;
  }
  std::string said() const {
    char bytes[65536];
    const ssize_t n = ::read(out_far.get(), bytes, sizeof bytes);
    return n > 0 ? std::string(bytes, static_cast<std::size_t>(n)) : "";
  }
  jarvis::pipeline::UniqueFd in_here, in_far, out_far, out_here;
  bool alive = true;
};

}  // namespace

TEST_CASE("wire: lines are heard as they come, and rubbish is passed over") {
  Ends ends;
  Wire wire(ends.in_here.get(), ends.out_here.get());
  CHECK(wire.fd() == ends.in_here.get());
  CHECK_MESSAGE(wire.hear([](const nlohmann::json&) { FAIL("nothing was said"); }), "nothing there is no end");
  CHECK(ends.heard(wire, "{\"name\":\"a\"}\n") == "{\"name\":\"a\"}|");
  CHECK(ends.heard(wire, "{\"type\":\"st") == "");
  CHECK(ends.heard(wire, "op\"}") == "");
  CHECK(ends.heard(wire, "\n{\"type\":\"say\",\"text\":\"\\u2603\"}\n{\"ty") ==
        "{\"type\":\"stop\"}|{\"text\":\"\xe2\x98\x83\",\"type\":\"say\"}|");
  CHECK(ends.heard(wire, "pe\":1}\n") == "{\"type\":1}|");
  CHECK(ends.heard(wire, "rubbish\n\n[1]\n5\n\"x\"\nnull\n{\"a\":\n\xff\xfe\n{\"type\":\"ok\"}\n") ==
        "{\"type\":\"ok\"}|");
  CHECK(ends.heard(wire, "{\"type\":\"x\"}\r\n") == "{\"type\":\"x\"}|");
  CHECK(ends.alive);
  ends.in_far.reset();
  CHECK_FALSE(wire.hear([](const nlohmann::json&) { FAIL("nothing was said"); }));
}

TEST_CASE("wire: a line without end ends it") {
  Ends ends;
  Wire wire(ends.in_here.get(), ends.out_here.get());
  const std::string block(32768, 'x');
  for (int i = 0; i < 31; ++i) REQUIRE((ends.heard(wire, block).empty() && ends.alive));
  CHECK(ends.heard(wire, block).empty());
  CHECK_FALSE(ends.alive);
}

TEST_CASE("wire: what a link says is one line each, whatever is in it") {
  const Ends ends;
  Wire wire(ends.in_here.get(), ends.out_here.get());
  const auto next = [&] {
    const std::string line = ends.said();
    REQUIRE(!line.empty());
    CHECK(line.find('\n') == line.size() - 1);
    return nlohmann::json::parse(line);
  };
  wire.up("jarvis", 400);
  CHECK(next() == nlohmann::json({{"type", "up"}, {"nick", "jarvis"}, {"limit", 400}, {"confirms", true}}));
  wire.down("a\nb\xff");
  CHECK(next() == nlohmann::json({{"type", "down"}, {"why", "a\nb\xef\xbf\xbd"}}));
  Message message;
  message.place = "#ops";
  message.sender = "thor";
  message.text = "jarvis: status";
  message.addressed = true;
  wire.message(message);
  const auto unproven = next();
  CHECK(unproven["identity"].is_null());
  CHECK(unproven["proof"].is_null());
  CHECK(unproven["addressed"] == true);
  CHECK(unproven["direct"] == false);
  CHECK(unproven["history"] == false);
  CHECK(unproven["bot"] == false);
  message.identity = "thor";
  message.proof = "account";
  wire.message(message);
  CHECK(next()["identity"] == "thor");
  wire.gone("thor");
  CHECK(next() == nlohmann::json({{"type", "gone"}, {"identity", "thor"}}));
  wire.identity("thor", std::nullopt, std::nullopt);
  CHECK(next() ==
        nlohmann::json({{"type", "identity"}, {"sender", "thor"}, {"identity", nullptr}, {"proof", nullptr}}));
}

TEST_CASE("wire: clean text") {
  const std::string bad = "\xef\xbf\xbd";
  struct Case {
    const char* name;
    std::string text, want;
  };
  for (const Case& c : std::vector<Case>{
           {"nothing", "", ""},
           {"letters", "abc ~", "abc ~"},
           {"line ends and tabs", "a\r\nb\tc", "a  b c"},
           {"a null byte", std::string("a\0b", 3), "a b"},
           {"colours and escapes",
            "\x03"
            "4red\x02\x1b[31m",
            " 4red  [31m"},
           {"delete",
            "a\x7f"
            "b",
            "a b"},
           {"C1 controls",
            "a\xc2\x85"
            "b\xc2\x9b"
            "c",
            "a b c"},
           {"what follows them", "\xc2\xa0", "\xc2\xa0"},
           {"two, three, four bytes", "\xc3\xa9\xe2\x98\x83\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x98\x83\xf0\x9f\x98\x80"},
           {"the last one", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
           {"beyond it", "\xf4\x90\x80\x80", bad + bad + bad + bad},
           {"five bytes", "\xf8\x88\x80\x80\x80", bad + bad + bad + bad + bad},
           {"an overlong slash", "\xc0\xaf", bad + bad},
           {"an overlong line end", "\xc0\x8a", bad + bad},
           {"an overlong null", "\xc1\xbf", bad + bad},
           {"overlong in three bytes", "\xe0\x80\x8a", bad + bad + bad},
           {"the longest overlong in three bytes", "\xe0\x9f\xbf", bad + bad + bad},
           {"overlong in four bytes", "\xf0\x80\x80\x8a", bad + bad + bad + bad},
           {"a surrogate", "\xed\xa0\x80", bad + bad + bad},
           {"before the surrogates", "\xed\x9f\xbf", "\xed\x9f\xbf"},
           {"a byte that follows nothing",
            "a\x80"
            "b",
            "a" + bad + "b"},
           {"cut at the end", "a\xe2\x98", "a" + bad + bad},
           {"cut by a letter",
            "\xe2"
            "ab",
            bad + "ab"},
           {"cut by a line end", "\xe2\n", bad + " "},
           {"Latin-1",
            "gr\xfc\xdf"
            "e",
            "gr" + bad + bad + "e"},
           {"no byte at all", "\xff\xfe", bad + bad},
       }) {
    CAPTURE(std::string(c.name));
    CHECK(clean_text(c.text) == c.want);
    CHECK_MESSAGE(clean_text(clean_text(c.text)) == clean_text(c.text), "clean stays clean");
  }
}

TEST_CASE("wire: split text") {
  const std::string snow = "\xe2\x98\x83";
  struct Case {
    const char* name;
    std::string text;
    std::size_t limit;
    Pieces want;
  };
  for (const Case& c : std::vector<Case>{
           {"nothing", "", 10, {}},
           {"blanks", "    ", 10, {}},
           {"short", "abc", 10, {"abc"}},
           {"just so", "abcdefghij", 10, {"abcdefghij"}},
           {"at a word", "abc defg hij", 10, {"abc defg", "hij"}},
           {"a blank right behind the limit", "abcde fghij klm", 11, {"abcde fghij", "klm"}},
           {"blanks at the cut", "abcd      efgh", 6, {"abcd", "efgh"}},
           {"blanks around", "  ab cd  ", 10, {"ab cd"}},
           {"blanks within stay", "a  b", 10, {"a  b"}},
           {"a word longer than the limit", "abcdefghijkl", 5, {"abcde", "fghij", "kl"}},
           {"a long word behind a short one", "ab cdefghijkl", 5, {"ab", "cdefg", "hijkl"}},
           {"characters stay whole", snow + snow + snow, 5, {snow, snow, snow}},
           {"two fit", snow + snow + snow, 6, {snow + snow, snow}},
           {"letters and characters", "ab" + snow + "cd", 4, {"ab", snow + "c", "d"}},
           {"four bytes",
            "a\xf0\x9f\x98\x80"
            "b",
            4,
            {"a", "\xf0\x9f\x98\x80", "b"}},
           {"a limit that is none", "abcdef", 0, {"abcd", "ef"}},
       }) {
    CAPTURE(std::string(c.name));
    CHECK(split_text(c.text, c.limit) == c.want);
  }
  // Whatever it is: nothing is longer than the limit, empty, or no UTF-8; and no letter is lost.
  std::string text;
  for (int i = 0; i < 500; ++i) text += (i % 7 == 0 ? " " : i % 3 == 0 ? snow : i % 5 == 0 ? "\xf0\x9f\x98\x80" : "x");
  const auto letters = [](std::string one) {
    std::erase(one, ' ');
    return one;
  };
  for (std::size_t limit = 4; limit < 60; ++limit) {
    CAPTURE(limit);
    std::string joined;
    for (const std::string& piece : split_text(text, limit)) {
      CHECK((!piece.empty() && piece.size() <= limit));
      CHECK(clean_text(piece) == piece);
      joined += piece;
    }
    CHECK(letters(joined) == letters(text));
  }
}
