#include "workers/program.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/workers/scratch.h"

using namespace jarvis;
using namespace jarvis::tests;
using pipeline::Kind;
using workers::run_program;

namespace {

std::set<std::string> open_descriptors() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) names.insert(entry.path().filename());
  return names;
}

// Those that whoever started the tests left open and that every program therefore gets.
std::set<std::string> inherited() {
  std::set<std::string> names;
  for (const std::string& name : open_descriptors()) {
    const int flags = ::fcntl(std::stoi(name), F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) names.insert(name);
  }
  return names;
}

}  // namespace

TEST_CASE("a program gets its arguments and input as they are") {
  const auto result = run_program({"printf", "%s|", "a b", "", "$(id)", "'", "two\nlines"});
  CHECK(result.exit_status == 0);
  CHECK(result.output == "a b||$(id)|'|two\nlines|");
  const std::string much(700'000, 'x');  // more than both pipes hold
  CHECK(run_program({"cat"}, much).output == much);
  CHECK(run_program({"cat"}).output.empty());
  CHECK(run_program({"true"}, much).exit_status == 0);  // reads nothing: no broken pipe for us
}

TEST_CASE("the exit status is the shell's") {
  CHECK(run_program({"sh", "-c", "exit 7"}).exit_status == 7);
  CHECK(run_program({"sh", "-c", "kill -9 $$"}).exit_status == 137);
  CHECK(run_program({"sh", "-c", "kill -PIPE $$"}).exit_status == 141);  // default signals: not ignored for it
}

TEST_CASE("what cannot be started is named") {
  const TempDir dir;
  write_text(dir / "no-run-bit", "#!/bin/sh\n", 0600);
  write_text(dir / "bad-interpreter", "#!/nowhere/sh\n", 0700);
  struct Case {
    std::string program;
    const char* reason;
  };
  for (const Case& c :
       {Case{dir / "missing", "No such file or directory"}, Case{dir / "no-run-bit", "Permission denied"},
        Case{dir / "bad-interpreter", "No such file or directory"}, Case{"no-such-program-anywhere", "not in PATH"}}) {
    const auto e = error_of([&] { run_program({c.program}); });
    CAPTURE(e.what());
    CHECK(e.kind() == Kind::Permanent);
    CHECK(holds(e.what(), "cannot run " + c.program + ": "));
    CHECK(holds(e.what(), c.reason));
  }
}

TEST_CASE("a flood is cut and its program killed") {
  const auto e = error_of([&] { run_program({"yes"}); });
  CHECK(e.kind() == Kind::Permanent);
  CHECK(holds(e.what(), "more than 1 MiB"));
}

TEST_CASE("environment and descriptors are clean") {
  ::setenv("JARVIS_TEST_SECRET", "x", 1);
  const std::string environment = run_program({"env"}, {}, {"EXTRA=a=b"}).output;
  ::unsetenv("JARVIS_TEST_SECRET");
  CHECK(holds(environment, "EXTRA=a=b\n"));
  CHECK(holds(environment, "PATH="));
  CHECK_FALSE(holds(environment, "JARVIS_TEST_SECRET"));
  const auto before = open_descriptors();
  std::set<std::string> seen;  // the directory that the shell read is closed again by then, hence -L
  std::istringstream names(
      run_program({"sh", "-c", "for one in /proc/$$/fd/*; do [ ! -L $one ] || echo ${one##*/}; done"}).output);
  for (std::string name; names >> name;) seen.insert(name);
  CHECK(seen == inherited());
  error_of([&] { run_program({"/nowhere/x"}); });
  CHECK(open_descriptors() == before);
}
