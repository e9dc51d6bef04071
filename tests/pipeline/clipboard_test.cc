#include "pipeline/clipboard.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "pipeline/error.h"

using namespace jarvis::pipeline;

namespace {

std::string error_of(const std::string& text, const Bounds& bounds = {}) {
  try {
    (void)Clipboard::parse(text, bounds);
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

std::string repeated(const std::string& text, int times) {
  std::string made;
  for (int i = 0; i < times; ++i) made += text;
  return made;
}

}  // namespace

TEST_CASE("a clipboard is one mapping within its bounds") {
  struct Case {
    const char* name;
    std::string text;
    std::string error;  // a part of it; empty: accepted
  };
  const std::string deep = repeated("[", 10'000);
  for (const auto& c : std::vector<Case>{
           {"block", "a: 1\nb: {c: d}\n", ""},
           {"flow", "{a: 1}", ""},
           {"with markers", "---\na: 1\n...\n", ""},
           {"scalar", "hello\n", "line 1, column 1: a mapping (key: value) is expected, this is a single value"},
           {"list", "- a\n", "this is a list"},
           {"two documents", "a: 1\n---\nb: 2\n", "line 2, column 1: a second document"},
           {"empty", "# nothing\n", "empty, a mapping"},
           {"tab", "a:\n\tb: 1\n", "line 2, column 1"},
           {"twice", "a: 1\nb: 2\na: 3\n",
            "line 3, column 1: the key a stands here a second time (first at line 1, column 1)"},
           {"twice, deeper", "x:\n  a: 1\n  'a': 3\n", "line 3, column 3: the key a"},
           {"unclosed quote", "a: 1\nb: 'git@x:y.git\nc: 2\n",
            "line 2, column 4: the quote that opens here is never closed"},
           {"quote closed too late", "b: 'git@x\nc: 2\nd: it's\n",
            "the quote that opens at line 1, column 4 closes only at line 3"},
           {"unknown alias", "a: *b\n", "line 1, column 4: the alias *b has no anchor"},
           {"alias into itself", "a: &x [*x]\n", "points into itself"},
           {"alias", "a: &x [1]\nb: *x\n", ""},
           {"not UTF-8", "a: 1\nb: \xff\n", "line 2, column 4"},
           {"control character", "a: \x01\n", "line 1"},
           {"deep", "a: " + deep, "nested deeper than 64 levels"},
           {"64 levels", "a: " + repeated("[", 63) + repeated("]", 63), ""},
           {"many nodes", "a: [" + repeated("1,", 100'001) + "]", "more than 100000 values"},
           {"many aliases", "a: &x 1\nb: [" + repeated("*x,", 1'001) + "]", "more than 1000 aliases"},
           {"large", "a: " + std::string(9U << 20U, 'x'), "at most 8388608 are accepted"},
       }) {
    CAPTURE(c.name);
    const std::string error = error_of(c.text);
    if (c.error.empty()) {
      CHECK(error == "");
    } else {
      CHECK_MESSAGE(error.find(c.error) != std::string::npos, error);
    }
  }
}

TEST_CASE("an alias bomb is refused for what it would become") {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeated(before + ",", 9) + before + "]\n";
  }
  CHECK_MESSAGE(
      error_of(bomb).find("more than 100000 values, counting what the aliases stand for") != std::string::npos,
      error_of(bomb));
}

TEST_CASE("values are read as written") {
  const Clipboard board = Clipboard::parse(
      "a: '0123'\nb: no\nc:\nd: ~\ne: '~'\nlist:\n- x\n- 'y: z'\nflow: [1, two]\nmap:\n  k: v\n  'q': \"a\\nb\"\ntext: "
      "|\n  one\n\n  two\nlast: d\xC3\xA9j\xC3\xA0\n");
  CHECK(board.scalar("a") == "0123");
  CHECK(board.scalar("b") == "no");
  CHECK_FALSE(board.scalar("c"));
  CHECK_FALSE(board.scalar("d"));
  CHECK(board.scalar("e") == "~");
  CHECK(board.list("list") == std::vector<std::string>{"x", "y: z"});
  CHECK(board.list("flow") == std::vector<std::string>{"1", "two"});
  CHECK(board.list("a") == std::vector<std::string>{"0123"});
  CHECK(board.list("none").empty());
  CHECK(board.map("map") == std::vector<std::pair<std::string, std::string>>{{"k", "v"}, {"q", "a\nb"}});
  CHECK(board.scalar("text") == "one\n\ntwo\n");
  CHECK(board.scalar("last") == "d\xC3\xA9j\xC3\xA0");
  CHECK(board.raw("flow") == "[1, two]");
  CHECK(board.where("list") == std::pair(6, 1));
  CHECK_THROWS_AS((void)board.list("map"), Error);
  CHECK_THROWS_AS((void)board.require("c"), Error);
}

TEST_CASE("an edit changes one entry and no other byte") {
  struct Case {
    const char* name;
    std::string text, key, value, want;
  };
  for (const auto& c : std::vector<Case>{
           {"append", "a: '0123' # note\n", "b", "x", "a: '0123' # note\nb: x\n"},
           {"append without newline", "a: yes", "b", "x", "a: yes\nb: x\n"},
           {"replace in the middle", "a: 1\nb: old # gone\n# kept\nc: 'q'\n", "b", "new",
            "a: 1\nb: new\n# kept\nc: 'q'\n"},
           {"replace a list", "a:\n- 1\n- 2\nc: 3\n", "a", "x", "a: x\nc: 3\n"},
           {"replace an indented list", "a:\n  - 1\n  - [2, 3]\n# c\nc: 3\n", "a", "x", "a: x\n# c\nc: 3\n"},
           {"replace a literal", "a: |\n  one\n  two\nc: 3\n", "a", "x", "a: x\nc: 3\n"},
           {"replace a literal at the end", "c: 3\na: |-\n  one", "a", "x", "c: 3\na: x\n"},
           {"replace nothing by something", "a:\nb: 2\n", "a", "x", "a: x\nb: 2\n"},
           {"after non-ASCII", "\xC3\xA9: \xE2\x82\xAC\na: 1\nb: 2\n", "a", "x",
            "\xC3\xA9: \xE2\x82\xAC\na: x\nb: 2\n"},
           {"before an end marker", "a: 1\n...\n", "b", "x", "a: 1\nb: x\n...\n"},
           {"quoted where YAML 1.1 sees a number", "a: 1\n", "b", "0123", "a: 1\nb: '0123'\n"},
           {"quoted where YAML 1.1 sees a time", "a: 1\n", "b", "12:30:45", "a: 1\nb: '12:30:45'\n"},
           {"quoted word", "a: 1\n", "b", "Yes", "a: 1\nb: 'Yes'\n"},
           {"empty", "a: 1\n", "b", "", "a: 1\nb: ''\n"},
           {"several lines", "a: 1\n", "b", "x\ny\n", "a: 1\nb: |\n  x\n  y\n"},
           {"flow root", "{a: '1', b: [x, {c: }]}", "d", "e", "a: '1'\nb: [x, {c: ~}]\nd: e\n"},
           {"indented root", "  a: 1\n  b: 2\n", "b", "x", "a: 1\nb: x\n"},
       }) {
    CAPTURE(c.name);
    Clipboard board = Clipboard::parse(c.text);
    board.set(c.key, c.value);
    CHECK(board.text() == c.want);
    CHECK(board.scalar(c.key) == c.value);
  }
}

TEST_CASE("erasing") {
  Clipboard board = Clipboard::parse("a: 1\nb:\n- x\n- y\nc: 3\n");
  board.erase("b");
  CHECK(board.text() == "a: 1\nc: 3\n");
  board.erase("none");
  board.erase("a");
  board.erase("c");
  CHECK(board.text() == "{}\n");
  board.set("x", "z");
  CHECK(board.text() == "x: z\n");
}

TEST_CASE("any string comes back, whatever it looks like") {
  Clipboard board = Clipboard::parse("first: 1\n");
  const std::vector<std::string> values = {"",
                                           " ",
                                           "a ",
                                           " a",
                                           "~",
                                           "null",
                                           "1e3",
                                           "0x1f",
                                           ".inf",
                                           "-",
                                           "- a",
                                           "a: b",
                                           "a #b",
                                           "#",
                                           "'",
                                           "\"",
                                           "it's",
                                           "{}",
                                           "[",
                                           "&a",
                                           "*a",
                                           "!t",
                                           "%",
                                           "@",
                                           "`",
                                           "|",
                                           ">",
                                           "=",
                                           "<<",
                                           "2001-01-01",
                                           "52:54:00:12:34:56",
                                           "line\nline",
                                           "line\n",
                                           "\nline",
                                           "a\n\n",
                                           "a\n\nb",
                                           " a\nb",
                                           "a \nb",
                                           "tab\there",
                                           "\tx",
                                           "cr\rlf\r\n",
                                           "bell\x07",
                                           "\xC2\x85",
                                           "\xE2\x80\xA8",
                                           "\xEF\xBB\xBF",
                                           "d\xC3\xA9j\xC3\xA0 \xE2\x82\xAC \xF0\x9F\x98\x80",
                                           "...",
                                           "---",
                                           "a\n---\nb",
                                           "? x",
                                           ":",
                                           "a:",
                                           "-----BEGIN KEY-----\nabc=\n-----END KEY-----\n",
                                           "\\",
                                           "\\n",
                                           "C:\\x",
                                           "y",
                                           "No"};
  for (std::size_t i = 0; i < values.size(); ++i) board.set("key " + std::to_string(i), values[i]);
  board.set_list("list", values);
  const Clipboard again = Clipboard::parse(board.text());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(values[i]);
    CHECK(again.raw("key " + std::to_string(i)) != "");
    const auto value = again.scalar("key " + std::to_string(i));
    CHECK(value == values[i]);
  }
  CHECK(again.list("list") == values);
  CHECK(again.block_style().list("list") == values);
}

TEST_CASE("what counts as no output") {
  CHECK(Clipboard::blank(""));
  CHECK(Clipboard::blank(" \n\t\n# a comment\n"));
  CHECK_FALSE(Clipboard::blank("a"));
  CHECK_FALSE(Clipboard::blank("--- \n"));
}

TEST_CASE("scalars under a key, at any depth") {
  const std::string text =
      "password: 'top'\nother: {password: deep, x: y}\nkeys:\n- private: |\n    l1\n    l2\n  z: 1\nlist: [password]\n";
  const auto found = scalars_under(text, [](std::string_view key) { return key == "password" || key == "keys"; });
  CHECK(found == std::vector<std::string>{"top", "deep", "l1\nl2\n", "1"});
}
