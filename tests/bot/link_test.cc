// A link's process, as the loop sees it: small programs that behave, and some that do not.
#include "bot/link.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "bot/log.h"
#include "tests/bot/scratch_directory.h"
#include "tests/pipeline/loop.h"

using namespace jarvis::bot;
using namespace std::chrono_literals;
using jarvis::pipeline::Loop;
using Clock = std::chrono::steady_clock;

namespace {

// The log of this program's tests, opened once.
std::string logged() {
  static const ScratchDirectory scratch;
  static const bool open = [] {
    Settings settings;
    settings.log.file = scratch.path() / "log";
    open_log(settings, false);
    return true;
  }();
  (void)open;
  std::ifstream in(scratch.path() / "log", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool gone(pid_t pid) {
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

// One link on a loop, with what was heard of it.
class Stand {
 public:
  Stand() : log_from_(logged().size()) {}
  ~Stand() {
    if (link_) end();
  }
  Stand(const Stand&) = delete;
  Stand& operator=(const Stand&) = delete;

  // Its program: `body` in a shell, which finds the test's directory as $DIR and its own configuration as $config.
  std::filesystem::path write(const std::string& body) {
    return scratch_.write("link", "#!/bin/sh\nDIR=" + scratch_.path().string() + "\n" + body + "\n", 0755);
  }
  Link& start(const std::string& body) {
    write(body);
    return start();
  }
  Link& start() {
    LinkSettings settings;
    settings.name = "console";
    settings.config = R"({"name":"console","port":4000})";
    link_ = std::make_shared<Link>(
        loop_.context(), settings, scratch_.path() / "link",
        [this](Link&, const nlohmann::json& event) { hear(event); }, patience);
    link_->start();
    return *link_;
  }
  Link& link() { return *link_; }
  std::weak_ptr<Link> watched() { return link_; }
  void forget() { link_.reset(); }
  void end() { loop_.wait_for(link_->stop()); }
  Loop& loop() { return loop_; }

  // Events of a type so far.
  int count(const std::string& type) const {
    return static_cast<int>(
        std::count_if(events.begin(), events.end(), [&](const auto& e) { return e["type"] == type; }));
  }
  void until(const std::string& type, int often = 1) {
    loop_.run_until([&] { return count(type) >= often; }, "an event");
  }
  void until_logged(const std::string& text) {
    loop_.run_until([&] { return log().find(text) != std::string::npos; }, text.c_str());
  }
  std::string log() const { return logged().substr(log_from_); }
  std::string file(const std::string& name) const {
    std::ifstream in(scratch_.path() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  LinkPatience patience{10ms, 40ms, 60s, 200ms, 50ms};
  std::vector<nlohmann::json> events;
  std::vector<Clock::time_point> times;
  std::function<void(const nlohmann::json&)> on_event;

 private:
  void hear(const nlohmann::json& event) {
    events.push_back(event);
    times.push_back(Clock::now());
    if (on_event) on_event(event);
  }

  std::size_t log_from_;
  ScratchDirectory scratch_;
  Loop loop_;
  std::shared_ptr<Link> link_;
};

const std::string kUp = R"(echo '{"type":"up","nick":"jarvis_","limit":200}')";
const std::string kHearAll = R"(while read -r line; do printf '%s\n' "$line" >> $DIR/heard; done)";
const std::string kDeaf = "exec tail -f /dev/null";  // reads nothing, and does not end by itself

}  // namespace

TEST_CASE("link: what it is told, what it says, and a polite end") {
  Stand stand;
  Link& link = stand.start("read -r config; echo \"$config\" > $DIR/config\n" + kUp + "\n" +
                           R"(echo '{"type":"message","place":"#ops"}'; echo hello >&2)" + "\n" + kHearAll);
  CHECK(link.name() == "console");
  CHECK_FALSE(link.up());
  stand.until("message");
  CHECK(link.up());
  CHECK(link.nick() == "jarvis_");
  CHECK(link.limit() == 200);
  CHECK(stand.file("config") == "{\"name\":\"console\",\"port\":4000}\n");
  stand.until_logged("link console: hello");
  CHECK(link.send({{"type", "say"}, {"place", "#ops"}, {"text", "a\nb\xff"}}));
  const pid_t pid = link.process();
  CHECK(::getpgid(pid) == pid);
  stand.end();
  CHECK_MESSAGE(stand.file("heard") ==
                    "{\"place\":\"#ops\",\"text\":\"a\\nb\xef\xbf\xbd\",\"type\":\"say\"}\n"
                    "{\"type\":\"stop\"}\n",
                "everything that was said before the end was read");
  CHECK(gone(pid));
  CHECK(link.process() == 0);
  CHECK_FALSE(link.up());
  CHECK_FALSE(link.send({{"type", "say"}}));
  CHECK(stand.events.back() == nlohmann::json({{"type", "down"}, {"why", "the link's process ended"}}));
  CHECK_MESSAGE(stand.log().find("started again") == std::string::npos, "a stopped one is not started again");
}

TEST_CASE("link: down and up again without an end of the process") {
  Stand stand;
  Link& link = stand.start("read -r config; " + kUp + R"(; echo '{"type":"down","why":"x"}'; read -r go; )" + kUp +
                           "\n" + kHearAll);
  stand.until("down");
  CHECK_FALSE(link.up());
  CHECK_MESSAGE(link.nick() == "jarvis_", "as it was");
  CHECK(link.send({{"type", "go"}}));
  stand.until("up", 2);
  CHECK(link.up());
}

TEST_CASE("link: one that ends is started again, later each time") {
  Stand stand;
  stand.patience.first_delay = 20ms;
  SUBCASE("by itself") {
    stand.start(kUp + "; exit 3");
  }
  SUBCASE("by a signal") {
    stand.start(kUp + "; kill -9 $$");
  }
  SUBCASE("it leaves somebody behind who keeps its pipes") {
    stand.start(kUp + "; tail -f /dev/null & exit 3");
  }
  stand.until("up", 4);
  CHECK(stand.count("down") == 3);
  std::vector<Clock::time_point> ups, downs;
  for (std::size_t i = 0; i < stand.events.size(); ++i) {
    (stand.events[i]["type"] == "up" ? ups : downs).push_back(stand.times[i]);
  }
  CHECK(ups[1] - downs[0] >= 20ms);
  CHECK(ups[2] - downs[1] >= 40ms);
  CHECK_MESSAGE(ups[3] - downs[2] >= 40ms, "no longer than the longest");
  const std::string log = stand.log();
  CHECK((log.find("its process ended with exit status 3") != std::string::npos ||
         log.find("its process was killed by signal 9") != std::string::npos));
}

TEST_CASE("link: killed from outside") {
  Stand stand;
  Link& link = stand.start(kUp + "\n" + kHearAll);
  stand.until("up");
  const pid_t before = link.process();
  REQUIRE(::kill(before, SIGKILL) == 0);
  stand.until("up", 2);
  CHECK(stand.count("down") == 1);
  CHECK(link.process() != before);
  CHECK(link.send({{"type", "say"}, {"text", "to the new one"}}));
  stand.end();
  CHECK(stand.file("heard").find("to the new one") != std::string::npos);
}

TEST_CASE("link: lines that are no events") {
  Stand stand;
  Link& link = stand.start(kUp + R"(
echo rubbish; echo; echo '[1]'; echo '{"kind":"up"}'; echo '{"type":7}'; printf '\377\376\n'; printf '\033[31m\n'
echo '{"type":"up","nick":7}'; echo '{"type":"up","limit":"many"}'
echo '{"type":"unheard of","x":1}'; echo '{"type":"message"}')" +
                           "\n" + kHearAll);
  stand.until("message");
  CHECK(link.up());
  CHECK(link.nick() == "jarvis_");
  CHECK(link.limit() == 200);
  CHECK_MESSAGE(stand.count("unheard of") == 1, "it is for whoever hears to pass over");
  CHECK(stand.count("up") == 1);
  const std::string log = stand.log();
  CHECK(log.find("a line that is no event: rubbish") != std::string::npos);
  CHECK_MESSAGE(log.find('\033') == std::string::npos, "the log is clean");
}

TEST_CASE("link: limits are kept within reason") {
  struct Case {
    const char* said;
    std::size_t want;
  };
  for (const Case& c : {Case{"1", 64}, {"0", 64}, {"64", 64}, {"1000000000", 60'000}, {"-5", 60'000}}) {
    CAPTURE(c.said);
    Stand stand;
    Link& link = stand.start(R"(echo '{"type":"up","limit":)" + std::string(c.said) + "}'\n" + kHearAll);
    stand.until("up");
    CHECK(link.limit() == c.want);
  }
}

TEST_CASE("link: a flood ends it, and it is started again") {
  Stand stand;
  std::string why;
  SUBCASE("of lines that are no events") {
    stand.start(kUp + "; exec yes rubbish");
    why = "a flood of lines that are no events";
  }
  SUBCASE("of bytes without a line's end") {
    stand.start(kUp + "; head -c 2097152 /dev/zero | tr '\\0' x; " + kDeaf);
    why = "a line of more than 1 MiB";
  }
  stand.until("up", 2);
  stand.until_logged(why);
  stand.until_logged("its process was killed by signal 9");
}

TEST_CASE("link: a log without line ends, and a fault of whoever hears, keep nobody from hearing") {
  Stand stand;
  stand.on_event = [](const nlohmann::json& event) {
    if (event["type"] == "message") throw std::runtime_error("planted");
  };
  stand.start("head -c 2097152 /dev/zero | tr '\\0' x >&2 &\n" + kUp +
              R"(; echo '{"type":"message"}'; echo '{"type":"gone"}')" + "\n" + kHearAll);
  stand.until("gone");
  CHECK(stand.log().find("a fault in jarvis: planted") != std::string::npos);
}

TEST_CASE("link: one that does not stop is ended") {
  Stand stand;
  Link& link = stand.start("trap '' TERM INT; " + kUp + "; " + kDeaf);
  stand.until("up");
  const pid_t pid = link.process();
  const auto before = Clock::now();
  stand.end();
  CHECK(Clock::now() - before >= 200ms);
  CHECK(Clock::now() - before < 5s);
  CHECK(gone(pid));
}

TEST_CASE("link: for one that never reads only so much is kept") {
  Stand stand;
  Link& link = stand.start(kUp + "; " + kDeaf);
  stand.until("up");
  const std::string text(64U << 10U, 'x');
  int taken = 0;
  while (taken < 1000 && link.send({{"type", "say"}, {"text", text}})) ++taken;
  CHECK(taken > 60);
  CHECK(taken < 80);
  stand.loop().settle();
  CHECK_FALSE(link.send({{"type", "say"}, {"text", text}}));
  // Nothing of it reaches the next one.
  REQUIRE(::kill(link.process(), SIGKILL) == 0);
  stand.write(kUp + "\n" + kHearAll);
  stand.until("up", 2);
  CHECK(link.send({{"type", "say"}, {"text", "short"}}));
  stand.end();
  CHECK(stand.file("heard").find("xxxx") == std::string::npos);
  CHECK(stand.file("heard").find("short") != std::string::npos);
}

TEST_CASE("link: a program that is not there is waited for") {
  Stand stand;
  Link& link = stand.start();
  stand.until_logged("cannot start");
  CHECK(stand.log().find("/link: No such file or directory") != std::string::npos);
  CHECK_FALSE(link.send({{"type", "say"}}));
  CHECK(link.process() == 0);
  stand.write(kUp + "\n" + kHearAll);
  stand.until("up");
}

TEST_CASE("link: stopped while it waits to be started again") {
  Stand stand;
  stand.patience.first_delay = stand.patience.longest_delay = 1h;
  stand.start("exit 0");
  stand.until_logged("it is started again in 60 min");
  const auto before = Clock::now();
  stand.end();
  CHECK(Clock::now() - before < 5s);
  const auto watched = stand.watched();
  stand.forget();
  stand.loop().run_until([&] { return watched.expired(); }, "the end of what waits");
}

TEST_CASE("link: what its process is born with") {
  ::setenv("JARVIS_TEST_SECRET", "planted", 1);
  Stand stand;
  stand.start("env > $DIR/env; ls /proc/$$/fd > $DIR/descriptors; " + kUp + "\n" + kHearAll);
  stand.until("up");
  ::unsetenv("JARVIS_TEST_SECRET");
  CHECK(stand.file("env").find("planted") == std::string::npos);
  CHECK(stand.file("env").find("PATH=") != std::string::npos);
  const std::string descriptors = "\n" + stand.file("descriptors");  // the shell's own begin with 10
  for (const char* one : {"\n0\n", "\n1\n", "\n2\n"}) CHECK(descriptors.find(one) != std::string::npos);
  for (char c = '3'; c <= '9'; ++c) {
    CHECK_MESSAGE(descriptors.find(std::string("\n") + c + "\n") == std::string::npos, descriptors);
  }
}

TEST_CASE("link: how what was handed over ended") {
  std::vector<std::string> ends;
  const auto note = [&](const std::string& what) {
    return [&ends, what](bool said) { ends.push_back(what + (said ? " said" : " lost")); };
  };
  const auto have = [&](std::size_t how_many) { return [&ends, how_many] { return ends.size() >= how_many; }; };
  const nlohmann::json say = {{"type", "say"}, {"place", "#ops"}, {"text", "x"}};
  Stand stand;

  SUBCASE("a link that does not tell: it was handed over") {
    Link& link = stand.start("read -r config\n" + kUp + "\n" + kHearAll);
    CHECK_FALSE(link.send(say, note("early")));
    stand.until("up");
    CHECK(link.send(say, note("one")));
    CHECK(ends == std::vector<std::string>{"early lost", "one said"});
    stand.end();
    CHECK(stand.file("heard").find("\"id\"") == std::string::npos);
  }
  SUBCASE("a link that tells is believed, once; what it did not tell when it ends is lost") {
    Link& link = stand.start(R"(read -r config; echo '{"type":"up","nick":"j","limit":200,"confirms":true}'
        read -r one; read -r two; read -r three; printf '%s\n' "$one" "$two" "$three" > $DIR/heard
        echo '{"type":"said","id":2}'; echo '{"type":"unsaid","id":1}'; echo '{"type":"said","id":1}'
        echo '{"type":"said","id":99}'; echo '{"type":"said"}'; echo '{"type":"said","id":"two"}'
        read -r die; exit 1)");
    stand.until("up");
    for (const char* what : {"one", "two", "three"}) CHECK(link.send(say, note(what)));
    stand.loop().run_until(have(2), "two answers");
    CHECK(ends == std::vector<std::string>{"two said", "one lost"});
    CHECK(stand.file("heard").find(R"("id":3)") != std::string::npos);
    CHECK(link.send({{"type", "presence"}, {"text", ""}}));
    stand.loop().run_until(have(3), "the third is given up");
    CHECK(ends.back() == "three lost");
    CHECK(stand.count("said") == 0);
    stand.end();
  }
}
