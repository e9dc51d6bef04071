#include "workers/remote.h"

#include <doctest/doctest.h>

#include "tests/workers/scratch.h"
#include "workers/program.h"

using namespace jarvis;
using namespace jarvis::tests;
using workers::RemoteHost;
using workers::RemoteResult;
using workers::shell_command;
using workers::shell_quoted;

namespace {

// Answers every command with what the test says.
struct ScriptedSession : workers::SshSession {
  const std::string& place() const override { return name; }
  const workers::PublicKey& host_key() const override { return key; }
  bool log_in(const std::string& /*user*/, const std::string& /*private_text*/,
              const workers::PublicKey& /*key*/) override {
    return true;
  }
  RemoteResult run(const std::string& command, const std::string& /*input*/,
                   const std::function<void(std::string_view)>& error_line) override {
    commands.push_back(command);
    for (const std::string& line : error_lines) error_line(line);
    return answer;
  }
  std::string name = "127.0.0.9:22";
  workers::PublicKey key;
  std::vector<std::string> commands, error_lines;
  RemoteResult answer;
};

}  // namespace

TEST_CASE("quoting table") {
  struct Case {
    const char* text;
    const char* want;
  };
  for (const Case& c : {Case{"", "''"}, Case{"a", "'a'"}, Case{"a b", "'a b'"}, Case{"it's", "'it'\\''s'"},
                        Case{"'", "''\\'''"}, Case{"$(id) `id` $HOME", "'$(id) `id` $HOME'"},
                        Case{"two\nlines", "'two\nlines'"}, Case{"\\", "'\\'"}, Case{"-n", "'-n'"}}) {
    CHECK(shell_quoted(c.text) == c.want);
  }
  CHECK_THROWS_AS(shell_quoted(std::string_view("a\0b", 3)), pipeline::Error);
  CHECK(shell_command({"rm", "-f", "a b"}) == "'rm' '-f' 'a b'");
}

TEST_CASE("every shell reads quoted words as they were") {
  std::vector<std::string> arguments = {"printf", "%s\\n", "",   " ",    "'",   "''", "\"", "$(id)", "`id`", "$HOME",
                                        "*",      "~",     "!x", "a\nb", "\\n", "ü",  "#x", ";",     "-"};
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  arguments.push_back(all);
  std::string want;
  for (std::size_t i = 2; i < arguments.size(); ++i) want += arguments[i] + "\n";
  for (const std::string shell : {"dash", "bash"}) {
    CAPTURE(shell);
    CHECK(workers::run_program({shell, "-c", shell_command(arguments)}).output == want);
  }
}

TEST_CASE("a failed command names place, command, status and last words") {
  ScriptedSession session;
  session.answer.exit_status = 3;
  session.error_lines = {"warming up", "no space left on device"};
  const auto call = call_of("ssh:run_first_boot", "fqdn: loki.example.org\n");
  RemoteHost host(session, call);
  const SetAsideStderr log;
  CHECK(std::string(error_of([&] {
                      host.run({"touch", "/x y"});
                    }).what()) == "127.0.0.9:22: `'touch' '/x y'` ended with status 3: no space left on device");
  CHECK(log.text() == "remote: warming up\nremote: no space left on device\n");
  CHECK(holds(session.commands.at(0), "'LC_ALL=C' 'touch' '/x y'"));
  session.answer = {0, "TERM", {}};
  session.error_lines = {};
  CHECK(std::string(error_of([&] { host.read_file("/etc/hosts"); }).what()) ==
        "127.0.0.9:22: `read /etc/hosts` was ended by signal TERM");
}
