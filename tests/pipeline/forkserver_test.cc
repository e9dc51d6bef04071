#include "pipeline/forkserver.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include <fstream>
#include <set>

#include "pipeline/error.h"
#include "pipeline/survivors.h"
#include "tests/pipeline/loop.h"
#include "tests/pipeline/processes.h"

namespace jarvis::pipeline {
namespace {

using namespace std::chrono_literals;

// Hears how one request goes, as words.
class Ear : public ForkListener {
 public:
  void started(pid_t pid) override {
    heard += "started ";
    child = pid;
  }
  void exited(const ForkMessage& report) override {
    heard += "exited ";
    status = report.status;
  }
  void not_forked(const std::string& reason) override {
    heard += "not forked ";
    why = reason;
  }
  void lost() override { heard += "lost "; }
  bool over() const {
    return heard.find("exited") != std::string::npos || heard.find("not") != std::string::npos ||
           heard.find("lost") != std::string::npos;
  }

  std::string heard, why;
  pid_t child = 0;
  int status = -1;
};

std::array<UniqueFd, 3> nulls() {
  const auto null = [] { return UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)); };
  return {null(), null(), null()};
}

struct FilesLimit {
  FilesLimit() {
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit more = before;
    more.rlim_cur = more.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &more);
  }
  ~FilesLimit() { ::setrlimit(RLIMIT_NOFILE, &before); }
  rlimit before{};
};

TEST_CASE("forkserver: 1,000 requests in flight at once all end") {
  const FilesLimit limit;
  Stage stage;
  const int before = open_descriptors();
  const int count = limit.before.rlim_max >= 8192 ? 1000 : 100;
  std::vector<std::shared_ptr<Begun>> all;
  all.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    all.push_back(stage.begin(stage.request("test:echo", "n: " + std::to_string(i) + "\n")));
  stage.loop().context().poll_one();
  for (int i = 0; i < count; ++i) {
    CAPTURE(i);
    const AttemptResult result = stage.end(all[static_cast<std::size_t>(i)]);
    REQUIRE(result.outcome == Outcome::Succeeded);
    REQUIRE(result.output == "n: " + std::to_string(i) + "\n");
  }
  CHECK(stage.server().in_flight() == 0);
  all.clear();
  stage.loop().settle();
  const int socket = 1;
  CHECK_MESSAGE(open_descriptors() == before + socket, "nothing stays open in the loop");
}

TEST_CASE("forkserver: 300 children at work at once") {
  const FilesLimit limit;
  Stage stage;
  std::vector<std::shared_ptr<Begun>> all;
  int hanging = 0;
  all.reserve(300);
  for (int i = 0; i < 300; ++i) all.push_back(stage.begin(stage.request("test:hang"), [&] { ++hanging; }));
  stage.loop().run_until([&] { return hanging == 300; }, "300 children");
  CHECK(stage.server().in_flight() == 300);
  for (const auto& one : all) one->attempt->cancel();
  for (const auto& one : all) REQUIRE(stage.end(one).outcome == Outcome::Cancelled);
}

TEST_CASE("forkserver: it holds no descriptor of children that are over") {
  Stage stage;
  (void)stage.run("test:echo");
  const auto held = [&] {
    int count = 0;
    for (const auto& one :
         std::filesystem::directory_iterator("/proc/" + std::to_string(stage.server().pid()) + "/fd")) {
      (void)one;
      ++count;
    }
    return count;
  };
  const int before = held();
  for (int i = 0; i < 20; ++i) (void)stage.run("test:exit_1");
  CHECK(held() == before);
}

TEST_CASE("forkserver: killed, it takes its children along, says so, and is there again") {
  Stage stage;
  int told = 0;
  const auto first = stage.begin(stage.request("test:stay_session"), [&] { ++told; });
  const auto second = stage.begin(stage.request("test:stubborn"), [&] { ++told; });
  stage.loop().run_until([&] { return told == 2; }, "two children at work");
  const pid_t before = stage.server().pid();
  const pid_t left = std::stoi(contents(stage.scratch() / "left"));
  ::kill(before, SIGKILL);
  CHECK(stage.end(first).lost);
  CHECK(stage.end(second).lost);
  for (const pid_t pid : {first->attempt->pid(), second->attempt->pid(), left}) {
    CAPTURE(pid);
    CHECK_MESSAGE(!alive(pid), "told before the last of them was gone");
  }
  CHECK(stage.run("test:echo", "a: 1\n").output == "a: 1\n");
  CHECK(stage.server().pid() != before);
}

TEST_CASE("forkserver: requests that it had not taken yet are lost too, not forgotten") {
  Stage stage;
  (void)stage.run("test:echo");
  ::kill(stage.server().pid(), SIGSTOP);
  std::vector<std::shared_ptr<Begun>> all;
  all.reserve(50);
  for (int i = 0; i < 50; ++i) all.push_back(stage.begin(stage.request("test:echo")));
  stage.loop().settle();
  ::kill(stage.server().pid(), SIGKILL);
  for (const auto& one : all) REQUIRE(stage.end(one).lost);
}

TEST_CASE("forkserver: one that cannot be started, or that keeps dying, fails its requests") {
  struct Case {
    std::string name, program, why;
  };
  const Scratch scratch;
  std::ofstream(scratch / "text") << "no program\n";
  for (const Case& c : std::vector<Case>{
           {"missing", scratch / "missing", "No such file or directory"},
           {"not executable", scratch / "text", "Permission denied"},
           {"ends at once", "/bin/true", "keeps dying"},
       }) {
    CAPTURE(c.name);
    Loop loop;
    Forkserver server(loop.context(), c.program, -1);
    bool told = false;
    for (int again = 0; again < 20 && !told; ++again) {
      Ear ear;
      server.fork({"test:echo", "", "", {}}, nulls(), ear);
      CHECK_MESSAGE(ear.heard.empty(), "never from inside fork()");
      loop.run_until([&] { return ear.over(); });
      told = ear.heard == "not forked ";
      if (told) CHECK(ear.why.find(c.why) != std::string::npos);
      if (!told) CHECK(ear.heard == "lost ");
    }
    CHECK(told);
  }
}

TEST_CASE("forkserver: an environment that is too large is refused, the next request goes on") {
  Loop loop;
  Forkserver server(loop.context(), test_forkserver(), -1);
  Ear large, small;
  server.fork({"test:unread", "", "", {"X=" + std::string(200'000, 'x')}}, nulls(), large);
  server.fork({"test:unread", "", "", {"X=" + std::string(100'000, 'x')}}, nulls(), small);
  loop.run_until([&] { return large.over() && small.over(); });
  CHECK(large.heard == "not forked ");
  CHECK(large.why == "the environment of test:unread is larger than 128 KiB");
  CHECK(small.heard.ends_with("exited "));
  CHECK(small.status == 0);
}

TEST_CASE("forkserver: a forgotten request is not told any more") {
  Loop loop;
  Forkserver server(loop.context(), test_forkserver(), -1);
  Ear forgotten, after;
  server.forget(server.fork({"test:unread", "", "", {}}, nulls(), forgotten));
  server.fork({"test:unread", "", "", {}}, nulls(), after);
  loop.run_until([&] { return after.over(); });
  CHECK(forgotten.heard.empty());
}

TEST_CASE("forkserver: a closed one leaves no child, no corpse and no descriptor") {
  const int before = open_descriptors();
  pid_t server = 0, child = 0;
  {
    Stage stage;
    bool told = false;
    const auto begun = stage.begin(stage.request("test:stubborn"), [&] { told = true; });
    stage.loop().run_until([&] { return told; });
    server = stage.server().pid();
    child = begun->attempt->pid();
    stage.server().join();
    CHECK_FALSE(alive(child));
  }
  CHECK(::kill(server, 0) == -1);
  CHECK(open_descriptors() == before);
}

TEST_CASE("survivors: found by their step, ended, never ourselves") {
  Stage stage;
  int told = 0;
  AttemptRequest one = stage.request("test:hang"), other = stage.request("test:hang");
  const auto step_of = [](const AttemptRequest& request) { return request.fork.environment.back().substr(12); };
  const std::string wanted = step_of(one), kept = step_of(other);
  const auto first = stage.begin(one, [&] { ++told; });
  const auto second = stage.begin(other, [&] { ++told; });
  stage.loop().run_until([&] { return told == 2; });
  const auto is_wanted = [&](std::string_view step) { return step == wanted; };
  REQUIRE((survivors(is_wanted) == std::vector<pid_t>{first->attempt->pid()}));
  CHECK(survivors([](std::string_view) { return false; }).empty());
  CHECK(kill_survivors(is_wanted) == 1);
  CHECK(stage.end(first).why == "killed by signal 9 (Killed)");
  CHECK(kill_survivors(is_wanted) == 0);
  CHECK(alive(second->attempt->pid()));
  second->attempt->cancel();
  (void)stage.end(second);
}

}  // namespace
}  // namespace jarvis::pipeline
