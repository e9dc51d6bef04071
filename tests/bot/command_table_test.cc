#include "bot/command_table.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

#include "pipeline/error.h"

namespace jarvis::bot {
namespace {

using pipeline::Error;
using pipeline::Kind;
using Words = std::vector<std::string>;
using Options = std::map<std::string, std::string>;

std::string error_of(const Words& arguments) {
  try {
    (void)parse_invocation(arguments);
    return "";
  } catch (const Error& e) {
    CHECK(e.kind() == Kind::Usage);
    return e.what();
  }
}

TEST_CASE("commands: what is given is understood") {
  struct Case {
    std::string name;
    Words arguments;
    std::string command;
    Words words;
    Options options = {};
    std::string common = "";  // of json, quiet, detach, config, state
  };
  for (const Case& c : std::vector<Case>{
           {"a name alone", {"serve"}, "serve", {}},
           {"one word", {"destroy", "loki"}, "destroy", {"loki"}},
           {"several", {"deploy", "a.yaml", "-", "b.yaml"}, "deploy", {"a.yaml", "-", "b.yaml"}},
           {"optional words left out", {"status"}, "status", {}},
           {"common options behind it", {"status", "loki", "--json", "--quiet"}, "status", {"loki"}, {}, "json quiet "},
           {"common options before it",
            {"--json", "-c", "file", "status", "loki"},
            "status",
            {"loki"},
            {},
            "json config=file "},
           {"between", {"deploy", "--detach", "a.yaml", "-q"}, "deploy", {"a.yaml"}, {}, "quiet detach "},
           {"values with a blank",
            {"--state", "dir", "--config", "file", "check"},
            "check",
            {},
            {},
            "config=file state=dir "},
           {"values with =", {"--state=dir", "check", "--config=a=b"}, "check", {}, {}, "config=a=b state=dir "},
           {"the last one counts", {"--state=one", "check", "--state=two"}, "check", {}, {}, "state=two "},
           {"an option of the row",
            {"clipboard", "loki", "--after", "ssh:wait"},
            "clipboard",
            {"loki"},
            {{"after", "ssh:wait"}}},
           {"the same with =",
            {"clipboard", "--after=ssh:wait", "loki"},
            "clipboard",
            {"loki"},
            {{"after", "ssh:wait"}}},
           {"a flag of the row", {"clipboard", "loki", "--reveal"}, "clipboard", {"loki"}, {{"reveal", "yes"}}},
           {"from", {"retry", "loki", "from", "ssh:wait"}, "retry", {"loki", "from", "ssh:wait"}},
           {"because, to the end",
            {"retry", "loki", "--skip", "a:b", "because", "it", "rains", "--json"},
            "retry",
            {"loki"},
            {{"skip", "a:b"}, {"because", "it rains --json"}}},
           {"because is a word elsewhere", {"status", "because"}, "status", {"because"}},
           {"all of replay",
            {"replay", "f", "--operation", "x", "--from", "a:b", "--only=c:d"},
            "replay",
            {"f"},
            {{"operation", "x"}, {"from", "a:b"}, {"only", "c:d"}}},
           {"help for one command", {"deploy", "--help"}, "help", {"deploy"}},
           {"help, short", {"-h"}, "help", {}},
           {"help, whatever is wrong", {"deploy", "-h", "--nonsense"}, "help", {"deploy"}},
       }) {
    CAPTURE(c.name);
    const Invocation made = parse_invocation(c.arguments);
    REQUIRE(made.row != nullptr);
    CHECK(std::string(made.row->name) == c.command);
    CHECK(made.words == c.words);
    CHECK(made.options == c.options);
    std::string common =
        std::string(made.json ? "json " : "") + (made.quiet ? "quiet " : "") + (made.detach ? "detach " : "");
    if (!made.config.empty()) common += "config=" + made.config + " ";
    if (!made.state.empty()) common += "state=" + made.state + " ";
    CHECK(common == c.common);
  }
}

TEST_CASE("commands: what is wrong is said, with what was meant") {
  struct Case {
    std::string name;
    Words arguments;
    std::string error;  // a part of it
  };
  for (const Case& c : std::vector<Case>{
           {"unknown", {"frobnicate"}, "unknown command frobnicate; `jarvis help` lists them"},
           {"a typo", {"deplyo", "x"}, "unknown command deplyo, did you mean deploy?"},
           {"capitals", {"Status"}, "unknown command Status, did you mean status?"},
           {"too little", {"destroy"}, "too little behind `destroy`: jarvis destroy HOST, as in `jarvis destroy loki`"},
           {"too much", {"destroy", "a", "b"}, "too much behind `destroy`"},
           {"words behind one that takes none", {"check", "now"}, "too much behind `check`"},
           {"no spec", {"deploy"}, "too little behind `deploy`"},
           {"an unknown option", {"status", "--frobnicate"}, "unknown option --frobnicate"},
           {"a typo in an option", {"status", "--jsno"}, "unknown option --jsno, did you mean --json?"},
           {"a typo in the row's own",
            {"clipboard", "loki", "--revael"},
            "unknown option --revael, did you mean --reveal?"},
           {"another row's option", {"status", "--reveal"}, "unknown option --reveal"},
           {"a short one", {"status", "-x"}, "unknown option -x"},
           {"a value left out", {"clipboard", "loki", "--after"}, "--after needs a value"},
           {"a common value left out", {"check", "--state"}, "--state needs a value"},
           {"no reason", {"retry", "loki", "because"}, "because: the reason is missing"},
           {"nothing at all", {}, "jarvis COMMAND ..."},
           {"options alone", {"--json"}, "jarvis COMMAND ..."},
       }) {
    CAPTURE(c.name);
    const std::string error = error_of(c.arguments);
    CAPTURE(error);
    CHECK(error.find(c.error) != std::string::npos);
  }
}

TEST_CASE("commands: the table is whole, and its examples are commands themselves") {
  std::set<std::string> names;
  for (const CommandRow& row : command_table()) {
    const std::string name = row.name;
    CAPTURE(name);
    CHECK(names.insert(name).second);
    CHECK(find_command(name) == &row);
    CHECK_FALSE(std::string(row.help).empty());
    // The example, without redirections, parses to its own row.
    Words words;
    std::string word;
    for (const char c : std::string(row.example) + " ") {
      if (c != ' ') {
        word += c;
      } else if (!word.empty()) {
        words.push_back(std::exchange(word, ""));
      }
    }
    REQUIRE(words.size() >= 2);
    CHECK(words.front() == "jarvis");
    words.erase(words.begin());
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] == "<" || words[i] == ">") words.resize(i);
    }
    CHECK(parse_invocation(words).row == &row);
    CHECK(help_text("").find("\n  " + name + " ") != std::string::npos);
    CHECK(help_text(name).find(row.example) != std::string::npos);
  }
  for (const std::string name : {"serve", "deploy", "redeploy", "destroy", "plan", "status", "history", "logs",
                                 "confirm", "cancel", "retry", "replay", "clipboard", "task", "check", "help"}) {
    CAPTURE(name);
    CHECK(names.count(name) == 1);
  }
  CHECK(find_command("nonsense") == nullptr);
  CHECK(find_command("") == nullptr);
}

TEST_CASE("commands: help in chat is three short lines, and its examples can be said there") {
  for (const CommandRow& row : command_table()) {
    const std::string name = row.name;
    CAPTURE(name);
    if (row.where == CommandRow::Where::CommandLine) {
      CHECK_THROWS_AS((void)chat_help(name), Error);
      CHECK(chat_help("").find(" " + name + ",") == std::string::npos);
      continue;
    }
    CHECK(chat_help("").find(" " + name) != std::string::npos);
    const std::string text = chat_help(name);
    const std::string example = text.substr(text.rfind('\n') + 1);
    CHECK(example.starts_with("jarvis " + name));  // said as "jarvis: ..."
    CHECK(text.find(".yaml") == std::string::npos);
  }
  CHECK(chat_help("deploy").ends_with("\njarvis deploy https://gist.github.com/912450"));
  for (const std::string command : {"", "deploy", "plan", "retry", "hold", "status"}) {
    std::istringstream lines(chat_help(command));
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) CHECK(line.size() <= 400);
    CHECK(count <= 3);
  }
  try {
    (void)parse_invocation({"deploy"}, Medium::Chat);
    FAIL("deploy without a spec");
  } catch (const Error& e) {
    CHECK(std::string(e.what()) ==
          "too little behind `deploy`: `jarvis deploy SPEC...`, as in `jarvis deploy https://gist.github.com/912450`");
  }
}

TEST_CASE("commands: completion and documentation know each of them") {
  const std::string top = JARVIS_TEST_DATA "/../../";
  const auto text_of = [](const std::string& file) {
    std::ifstream in(file);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string completion = text_of(top + "config/jarvis.bash"), pages = text_of(top + "docs/commands.md");
  const std::size_t list = completion.find("commands='");
  REQUIRE(list != std::string::npos);
  std::string offered = completion.substr(list + 10, completion.find('\'', list + 10) - list - 10);
  offered = " " + offered + " ";
  for (const CommandRow& row : command_table()) {
    const std::string name = row.name;
    CAPTURE(name);
    CHECK(offered.find(" " + name + " ") != std::string::npos);
    const bool headed = pages.find("\n## " + name) != std::string::npos;
    const bool beside = pages.find(", " + name) != std::string::npos;  // "## hold HOST because REASON, release HOST"
    CHECK((headed || beside));
  }
}

TEST_CASE("commands: help fits one screen") {
  const std::string text = help_text("");
  int lines = 1;
  std::size_t width = 0;
  for (const char c : text) {
    if (c == '\n') {
      ++lines;
      width = 0;
    } else {
      CHECK(++width <= 132);
    }
  }
  CHECK(lines <= 40);
}

}  // namespace
}  // namespace jarvis::bot
