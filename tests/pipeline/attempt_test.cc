#include "pipeline/attempt.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>

#include "pipeline/error.h"
#include "pipeline/survivors.h"
#include "tests/pipeline/loop.h"
#include "tests/pipeline/processes.h"

namespace jarvis::pipeline {
namespace {

using namespace std::chrono_literals;

std::string value_of(const std::string& facts, const std::string& key) {
  for (const std::string& line : lines_of(facts)) {
    if (line.starts_with(key + ": ")) return line.substr(key.size() + 2);
  }
  return "no " + key;
}

std::vector<std::string> environment_in(const std::string& facts) {
  std::vector<std::string> made;
  for (const std::string& line : lines_of(facts)) {
    if (line.starts_with("  - ")) made.push_back(line.substr(4));
  }
  return made;
}

TEST_CASE("attempt: what a child finds: descriptors, signals, group, umask, environment, directory") {
  // What the loop has done to itself must not reach its children.
  ::signal(SIGUSR1, SIG_IGN);
  sigset_t some, before;
  ::sigemptyset(&some);
  ::sigaddset(&some, SIGUSR2);
  ::sigprocmask(SIG_BLOCK, &some, &before);
  Stage stage;
  stage.server().start();
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGUSR1, SIG_DFL);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const std::string here = std::filesystem::canonical(stage.scratch().path());
  for (const bool external : {false, true}) {
    CAPTURE(external);
    AttemptRequest request = stage.request("test:facts");
    if (external) request.fork.executable = test_forkserver();
    request.fork.environment.insert(request.fork.environment.end(), {"EMPTY=", "ODD=a b\nc=d"});
    request.fork.directory = here;
    const auto begun = stage.begin(request);
    const AttemptResult result = stage.end(begun);
    REQUIRE(result.outcome == Outcome::Succeeded);
    const std::string& facts = result.output;
    CHECK(value_of(facts, "descriptors") == "0 1 2");
    if (!external) CHECK(value_of(facts, "changed signals") == "0");
    CHECK(value_of(facts, "blocked signals") == "0");
    CHECK(value_of(facts, "umask") == "'077'");
    CHECK(value_of(facts, "directory") == here);
    CHECK(value_of(facts, "files") == std::to_string(files.rlim_cur));
    CHECK(value_of(facts, "group") == value_of(facts, "pid"));
    // One that ends at once may never have been announced.
    if (begun->attempt->pid() != 0) CHECK(value_of(facts, "pid") == std::to_string(begun->attempt->pid()));
    // "ODD" takes two lines there.
    std::vector<std::string> want = request.fork.environment;
    want.back() = "ODD=a b";
    CHECK(environment_in(facts) == want);
    CHECK(facts.ends_with("ODD=a b\nc=d\n"));
  }
}

TEST_CASE("attempt: an external program finds default signals too") {
  Stage stage;  // it ignores SIGPIPE
  AttemptRequest request = stage.request("test:/proc/self/status");
  request.fork.executable = "/bin/cat";  // NAME is its argument
  const AttemptResult result = stage.end(stage.begin(request));
  // 32 and 33 are the C library's own: its posix_spawn leaves them ignored, and whoever uses them sets them.
  constexpr std::uint64_t kOfTheLibrary = 3ULL << 31U;
  for (const std::string set : {"SigIgn:\t", "SigCgt:\t", "SigBlk:\t"}) {
    CAPTURE(set);
    const std::size_t at = result.output.find(set);
    REQUIRE(at != std::string::npos);
    CHECK((std::stoull(result.output.substr(at + set.size(), 16), nullptr, 16) & ~kOfTheLibrary) == 0);
  }
}

struct Case {
  std::string name, task;
  Outcome outcome;
  std::string why, last_words, output;
  bool not_yet = false;
  std::optional<std::chrono::milliseconds> timeout = {};
  std::string executable = {};
};

TEST_CASE("attempt: the working directory is the one asked for, every time") {
  Stage stage;
  const std::string here = std::filesystem::canonical(stage.scratch().path()), one = here + "/one", two = here + "/two";
  const auto where = [&](const std::string& directory) {
    AttemptRequest request = stage.request("test:facts");
    request.fork.directory = directory;
    return value_of(stage.end(stage.begin(request)).output, "directory");
  };
  std::filesystem::create_directory(one);
  std::filesystem::create_directory(two);
  const std::string home = std::filesystem::current_path();
  CHECK(where("") == home);
  CHECK(where(one) == one);
  CHECK(where(one) == one);
  CHECK(where(two) == two);
  CHECK_MESSAGE(where("") == home, "none: where jarvis is, not where the one before was");
  CHECK(where(one) == one);
  std::filesystem::remove(one);
  std::filesystem::create_directory(one);
  CHECK_MESSAGE(where(one) == one, "made anew under the same name");
  AttemptRequest request = stage.request("test:facts");
  request.fork.directory = here + "/nowhere";
  const AttemptResult result = stage.end(stage.begin(request));
  CHECK(result.why == "exit 126");
  CHECK(result.last_words == "cannot go to the working directory " + here + "/nowhere: No such file or directory");
}

TEST_CASE("attempt: how one ends") {
  Stage stage;
  const std::string plain = stage.scratch() / "plain";
  std::ofstream(plain) << "#!/bin/sh\n";
  const std::string nobody = stage.scratch() / "nobody";
  std::ofstream(nobody) << "#!/nonexistent/interpreter\n";
  ::chmod(nobody.c_str(), 0700);
  const std::vector<Case> cases = {
      {"done", "test:echo", Outcome::Succeeded, "", "", "a: 1\n"},
      {"done without reading", "test:unread", Outcome::Succeeded, "", "", ""},
      {"exit 1", "test:exit_1", Outcome::Failed, "exit 1", "so be it", ""},
      {"exit 255", "test:exit_255", Outcome::Failed, "exit 255", "so be it", ""},
      {"not yet", "test:exit_75", Outcome::Failed, "exit 75", "so be it", "", true},
      {"killed", "test:signal_9", Outcome::Crashed, "killed by signal 9 (Killed)", "so be it", ""},
      {"terminated by somebody", "test:signal_15", Outcome::Crashed, "killed by signal 15 (Terminated)", "so be it",
       ""},
      {"segmentation fault", "test:signal_11", Outcome::Crashed, "killed by signal 11 (Segmentation fault)", "so be it",
       ""},
      {"killed after it printed", "test:partial", Outcome::Crashed, "killed by signal 9 (Killed)", "", "half"},
      {"no such task", "test:nonsense", Outcome::Failed, "exit 2", "no such task: test:nonsense", ""},
      {"timed out", "test:hang", Outcome::TimedOut, "timed out after 0.05 s", "", "", false, 50ms},
      {"a program that is not there",
       "test:x",
       Outcome::Failed,
       "exit 127",
       "cannot run " + plain + "er: No such file or directory",
       "",
       false,
       {},
       plain + "er"},
      {"a program without its run bit",
       "test:x",
       Outcome::Failed,
       "exit 126",
       "cannot run " + plain + ": Permission denied",
       "",
       false,
       {},
       plain},
      {"a directory",
       "test:x",
       Outcome::Failed,
       "exit 126",
       "cannot run /tmp: Permission denied",
       "",
       false,
       {},
       "/tmp"},
      {"a script without its interpreter",
       "test:x",
       Outcome::Failed,
       "exit 127",
       "cannot run " + nobody + ": No such file or directory",
       "",
       false,
       {},
       nobody},
  };
  std::vector<std::shared_ptr<Begun>> begun;
  const auto start = std::chrono::steady_clock::now();
  for (const Case& c : cases) {
    AttemptRequest request = stage.request(c.task, "a: 1\n");
    request.fork.executable = c.executable;
    request.grace = 150ms;
    request.timeout = c.timeout.value_or(30s);
    begun.push_back(stage.begin(request));
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& c = cases[i];
    CAPTURE(c.name);
    const AttemptResult result = stage.end(begun[i]);
    CHECK(word(result.outcome) == word(c.outcome));
    CHECK(result.why == c.why);
    CHECK(result.last_words == c.last_words);
    CHECK(result.output == c.output);
    CHECK(result.not_yet == c.not_yet);
    CHECK_FALSE(result.lost);
    if (begun[i]->attempt->pid() != 0) CHECK_FALSE(alive(begun[i]->attempt->pid()));
    const auto took = begun[i]->ended - start;
    CHECK_MESSAGE(took < 10s, "nobody waits longer than he must");
  }
}

struct TimedOut {
  AttemptResult result;
  std::chrono::steady_clock::duration beyond;  // how long after its time was up it ended
};

// Of a task that says progress once it is at work. Its time runs from the start, and on a busy machine it may be up
// before: then it is given more.
TimedOut timed_out_at_work(Stage& stage, const std::string& task, std::chrono::milliseconds grace) {
  AttemptRequest request = stage.request(task, "a: 1\n");
  request.grace = grace;
  for (request.timeout = 50ms; request.timeout < 10s; request.timeout *= 2) {
    bool at_work = false;
    const auto start = std::chrono::steady_clock::now();
    const auto begun = stage.begin(request, [&] { at_work = true; });
    const AttemptResult result = stage.end(begun);
    CHECK(word(result.outcome) == word(Outcome::TimedOut));
    CHECK(result.why.starts_with("timed out after "));
    CHECK(result.last_words.empty());
    CHECK_FALSE(result.not_yet);
    CHECK_FALSE(result.lost);
    if (begun->attempt->pid() != 0) CHECK_FALSE(alive(begun->attempt->pid()));
    if (at_work) return {result, begun->ended - start - request.timeout};
  }
  FAIL(task << " was never at work");
  return {};
}

TEST_CASE("attempt: timed out, and finishing at TERM") {
  Stage stage;
  const TimedOut polite = timed_out_at_work(stage, "test:polite", 10s);
  CHECK(polite.result.output == "a: 1\npolite: done\n");
  CHECK_MESSAGE(polite.beyond < 10s, "nobody waits longer than he must");
}

TEST_CASE("attempt: timed out, and ignoring TERM") {
  Stage stage;
  const TimedOut stubborn = timed_out_at_work(stage, "test:stubborn", 150ms);
  CHECK(stubborn.result.output.empty());
  CHECK_MESSAGE(stubborn.beyond >= 150ms, "KILL comes after the grace period, not before");
  CHECK_MESSAGE(stubborn.beyond < 10s, "nobody waits longer than he must");
}

TEST_CASE("attempt: timed out, with a grandchild in a session of its own") {
  Stage stage;
  CHECK(timed_out_at_work(stage, "test:stay_session", 150ms).beyond < 10s);
  const pid_t left = std::stoi(contents(stage.scratch() / "left"));
  stage.loop().run_until([&] { return !alive(left); }, "the grandchild's end");
}

TEST_CASE("attempt: cancelled") {
  struct Cancelled {
    std::string name, task;
    Outcome outcome;
    std::string output;
  };
  Stage stage;
  for (const Cancelled& c : std::vector<Cancelled>{
           {"at its work", "test:hang", Outcome::Cancelled, ""},
           {"ignoring TERM", "test:stubborn", Outcome::Cancelled, ""},
           {"finishing all the same", "test:polite", Outcome::Succeeded, "polite: done\n"},
       }) {
    CAPTURE(c.name);
    AttemptRequest request = stage.request(c.task);
    request.grace = 50ms;
    bool told = false;
    const auto begun = stage.begin(request, [&] { told = true; });
    stage.loop().run_until([&] { return told; }, "progress");
    CHECK(begun->attempt->log().progress() == "hanging");
    begun->attempt->cancel();
    begun->attempt->cancel();
    const AttemptResult result = stage.end(begun);
    CHECK(word(result.outcome) == word(c.outcome));
    CHECK(result.output == c.output);
    CHECK_FALSE(result.lost);
    CHECK_FALSE(alive(begun->attempt->pid()));
  }
  // Before there is a child.
  const auto begun = stage.begin(stage.request("test:hang"));
  stage.loop().context().poll_one();
  begun->attempt->cancel();
  CHECK(word(stage.end(begun).outcome) == word(Outcome::Cancelled));
}

TEST_CASE("attempt: abandoned is killed at once, does not count, and leaves nobody") {
  Stage stage;
  bool told = false;
  const auto begun = stage.begin(stage.request("test:stay_session"), [&] { told = true; });
  stage.loop().run_until([&] { return told; }, "progress");
  begun->attempt->abandon();
  const AttemptResult result = stage.end(begun);
  CHECK(result.lost);
  CHECK_FALSE(alive(begun->attempt->pid()));
  const pid_t left = std::stoi(contents(stage.scratch() / "left"));
  stage.loop().run_until([&] { return !alive(left); }, "the grandchild's end");
}

TEST_CASE("attempt: more than a pipe holds, in both directions at once") {
  Stage stage;
  const std::string input(3U << 20U, 'i');
  const AttemptResult result = stage.run("test:both", input);
  CHECK(word(result.outcome) == word(Outcome::Succeeded));
  CHECK(result.output == std::string(1U << 20U, 'o'));
  CHECK(result.last_words == "read " + std::to_string(input.size()));
  const AttemptResult echoed = stage.run("test:echo", input);
  CHECK(echoed.output == input);
  const AttemptResult unread = stage.run("test:unread", input);
  CHECK_MESSAGE(unread.outcome == Outcome::Succeeded, "not to read its input is its right");
}

TEST_CASE("attempt: a flood on stderr is heard to its end") {
  Stage stage;
  const AttemptResult result = stage.run("test:flood");
  CHECK(result.why == "exit 3");
  CHECK(result.last_words == "last words");
  CHECK(result.log.size() < (200U << 10U));
}

TEST_CASE("attempt: output over the limit ends it at once") {
  Stage stage;
  AttemptRequest request = stage.request("test:endless");
  request.output_limit = 1U << 20U;
  const auto start = std::chrono::steady_clock::now();
  const auto begun = stage.begin(request);
  const AttemptResult result = stage.end(begun);
  CHECK(word(result.outcome) == word(Outcome::Failed));
  CHECK(result.why == "printed more than 1 MiB");
  CHECK(result.output.empty());
  CHECK_FALSE(alive(begun->attempt->pid()));
  CHECK(begun->ended - start < 5s);
  request.fork.task = "test:echo";
  request.input = std::make_shared<const std::string>(std::string(1U << 20U, 'x'));
  CHECK_MESSAGE(stage.end(stage.begin(request)).outcome == Outcome::Succeeded, "just the limit is not over it");
}

TEST_CASE("attempt: a grandchild that keeps stdout open gets a while, then what was read is judged") {
  struct Left {
    std::string name, task;
    bool waits, killed;
  };
  Stage stage;
  for (const Left& c : std::vector<Left>{
           {"in its group", "test:leave", true, true},
           {"in a session of its own", "test:leave_session", true, true},
           {"holding nothing", "test:leave_closed", false, false},
       }) {
    CAPTURE(c.name);
    AttemptRequest request = stage.request(c.task);
    CHECK(request.linger == 10s);
    request.linger = 100ms;
    const auto start = std::chrono::steady_clock::now();
    const auto begun = stage.begin(request);
    const AttemptResult result = stage.end(begun);
    const pid_t left = std::stoi(contents(stage.scratch() / "left"));
    CHECK(word(result.outcome) == word(Outcome::Succeeded));
    CHECK(result.output == "left: " + std::to_string(left) + "\n");
    CHECK((begun->ended - start >= 100ms) == c.waits);
    if (c.killed) {
      stage.loop().run_until([&] { return !alive(left); }, "the grandchild's end");
    } else {
      CHECK_MESSAGE(alive(left), "a worker may leave a daemon behind");
      ::kill(left, SIGKILL);
    }
  }
}

TEST_CASE("attempt: what a crashed one has left in its group does not go on beside the next") {
  Stage stage;
  for (const char* task : {"test:forsake", "test:forsake_closed"}) {
    CAPTURE(task);
    AttemptRequest request = stage.request(task);
    request.linger = 1h;
    const AttemptResult result = stage.end(stage.begin(request));
    CHECK(word(result.outcome) == word(Outcome::Crashed));
    const pid_t left = std::stoi(contents(stage.scratch() / "left"));
    stage.loop().run_until([&] { return !alive(left); }, "the grandchild's end");
  }
}

TEST_CASE("attempt: cancelled while a grandchild lingers: nobody waits for him") {
  Stage stage;
  AttemptRequest request = stage.request("test:leave");
  request.linger = 1h;
  const auto begun = stage.begin(request);
  const std::string file = stage.scratch() / "left";
  const auto step_is_ours = [&](std::string_view step) { return step == request.fork.environment.back().substr(12); };
  stage.loop().run_until([&] { return !contents(file).empty() && survivors(step_is_ours).size() == 1; },
                         "the child's end");
  stage.loop().settle();
  begun->attempt->cancel();
  CHECK_MESSAGE(stage.end(begun).outcome == Outcome::Succeeded, "it had finished");
  const pid_t left = std::stoi(contents(file));
  stage.loop().run_until([&] { return !alive(left); }, "the grandchild's end");
}

TEST_CASE("attempt: what it used is reported") {
  Stage stage;
  const AttemptResult result = stage.run("test:both", std::string(1U << 20U, 'i'));
  CHECK(result.usage.max_rss_kib > 500);
  CHECK(result.usage.user + result.usage.system > 0us);
  CHECK(result.usage.user + result.usage.system < 30s);
}

}  // namespace
}  // namespace jarvis::pipeline
