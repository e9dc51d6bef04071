#include "workers/monitoring.h"

#include <doctest/doctest.h>

#include "tests/workers/scratch.h"

using namespace jarvis;
using namespace jarvis::tests;
using pipeline::Kind;

TEST_CASE("the hook is run with the fqdn") {
  const TempDir dir;
  write_text(dir / "hook",
             "#!/bin/sh\necho \"$JARVIS_TASK $1 $#\" > \"$(dirname \"$0\")/called\"\necho told the server\n", 0700);
  ::setenv("MONITORING_SILENCE", (dir / "hook").c_str(), 1);
  auto call = call_of("monitoring:silence", "fqdn: loki.example.org\n");
  const SetAsideStderr log;
  workers::silence(call);
  ::unsetenv("MONITORING_SILENCE");
  CHECK(read_text(dir / "called") == "monitoring:silence loki.example.org 1\n");
  CHECK(holds(log.text(), "told the server\n"));
}

TEST_CASE("without a hook there is nothing to do, and that is said") {
  auto call = call_of("monitoring:unsilence", "fqdn: loki.example.org\n");
  const SetAsideStderr log;
  workers::unsilence(call);
  CHECK(holds(log.text(), "names no monitoring.unsilence program"));
}

TEST_CASE("a hook that fails fails the task; 75 is not yet") {
  struct Case {
    const char* body;
    Kind kind;
    const char* reason;
  };
  const TempDir dir;
  for (const Case& c :
       {Case{"exit 1", Kind::Permanent, "ended with status 1"}, Case{"exit 75", Kind::Transient, "status 75"}}) {
    CAPTURE(c.body);
    write_text(dir / "hook", std::string("#!/bin/sh\n") + c.body + "\n", 0700);
    ::setenv("MONITORING_SILENCE", (dir / "hook").c_str(), 1);
    auto call = call_of("monitoring:silence", "fqdn: loki.example.org\n");
    const SetAsideStderr log;
    const auto e = error_of([&] { workers::silence(call); });
    CHECK(e.kind() == c.kind);
    CHECK(holds(e.what(), c.reason));
  }
  ::setenv("MONITORING_SILENCE", "relative/hook", 1);
  auto call = call_of("monitoring:silence", "fqdn: loki.example.org\n");
  CHECK(error_of([&] { workers::silence(call); }).kind() == Kind::Usage);
  ::unsetenv("MONITORING_SILENCE");
}
