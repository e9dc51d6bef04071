#include "bot/front.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "pipeline/error.h"
#include "pipeline/unique_fd.h"
#include "tests/bot/captured.h"
#include "tests/bot/scratch_directory.h"

namespace jarvis::bot {
namespace {

using pipeline::Error;
using pipeline::UniqueFd;
using Words = std::vector<std::string>;

TEST_CASE("front: the files that a command names are read, whatever else it says") {
  const ScratchDirectory scratch;
  const std::string spec = scratch.write("loki.yaml", "fqdn: loki.example.org\n"), empty = scratch.write("empty", ""),
                    missing = scratch.path() / "missing.yaml", odd = scratch.write("a=b.yaml", "a: b\n"),
                    nul = scratch.write("nul", std::string("a\0b", 3)), directory = scratch.path(),
                    largest = scratch.write("largest", std::string(8U << 20U, 'x')),
                    larger = scratch.write("larger", std::string((8U << 20U) + 1, 'x'));
  struct Case {
    std::string name;
    Words arguments;
    std::map<std::string, std::string> inputs;
    std::map<std::string, std::string> errors = {};
  };
  for (const Case& c : std::vector<Case>{
           {"a spec", {"deploy", spec}, {{spec, "fqdn: loki.example.org\n"}}},
           {"two, one of them empty", {"deploy", spec, empty}, {{spec, "fqdn: loki.example.org\n"}, {empty, ""}}},
           {"bytes as they are", {"deploy", nul}, {{nul, std::string("a\0b", 3)}}},
           {"not there",
            {"deploy", spec, missing},
            {{spec, "fqdn: loki.example.org\n"}},
            {{missing, "No such file or directory"}}},
           {"a directory", {"deploy", directory}, {}, {{directory, "Is a directory"}}},
           {"a URL is not a path", {"deploy", "https://gist.example.org/1"}, {}},
           {"an LDAP name is not a path", {"deploy", "cn=loki"}, {}},
           {"unless there is such a file", {"deploy", odd}, {{odd, "a: b\n"}}},
           {"a host need not be a file", {"plan", "loki"}, {}},
           {"plan with a file", {"plan", spec}, {{spec, "fqdn: loki.example.org\n"}}},
           {"a clipboard", {"replay", spec, "--only", "ssh:wait"}, {{spec, "fqdn: loki.example.org\n"}}},
           {"no file is read for a host", {"destroy", spec}, {}},
           {"nor for status", {"status", spec}, {}},
           {"8 MiB", {"deploy", largest}, {{largest, std::string(8U << 20U, 'x')}}},
           {"more", {"deploy", larger}, {}, {{larger, "larger than 8 MiB"}}},
       }) {
    CAPTURE(c.name);
    const FrontRequest made = make_request(c.arguments);
    CHECK((made.inputs == c.inputs));
    CHECK(made.arguments == c.arguments);
    CHECK(made.input_errors.size() == c.errors.size());
    for (const auto& [name, why] : c.errors) {
      REQUIRE(made.input_errors.count(name) == 1);
      CHECK(made.input_errors.at(name).find(why) != std::string::npos);
    }
  }
  CHECK_THROWS_AS(make_request({"deplyo", spec}), Error);
}

TEST_CASE("front: - is standard input, once") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], "fqdn: a.b\n", 10) == 10);
  ::close(ends[1]);
  const UniqueFd before(::dup(0));
  ::dup2(ends[0], 0);
  ::close(ends[0]);
  const FrontRequest made = make_request({"deploy", "-", "-"});
  ::dup2(before.get(), 0);
  REQUIRE(made.inputs.count("-") == 1);
  CHECK(made.inputs.at("-") == "fqdn: a.b\n");
}

// The other end of the socket: reads the request, then says these lines and goes.
struct Other {
  explicit Other(std::string says) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    near = ends[0];
    thread = std::thread([this, fd = ends[1], says = std::move(says)] {
      const UniqueFd socket(fd);
      char byte = 0;
      while (heard.find('\n') == std::string::npos && ::read(socket.get(), &byte, 1) == 1) heard += byte;
      const std::string line = heard;
      std::size_t left = 0;
      const nlohmann::json request = nlohmann::json::parse(line);
      for (const auto& input : request["inputs"]) left += input.value("size", std::size_t{0});
      while (left-- > 0 && ::read(socket.get(), &byte, 1) == 1) heard += byte;
      for (std::size_t at = 0; at < says.size();) {
        const ssize_t n =
            ::send(socket.get(), says.data() + at, std::min<std::size_t>(says.size() - at, 1000), MSG_NOSIGNAL);
        if (n <= 0) break;
        at += static_cast<std::size_t>(n);
      }
    });
  }
  ~Other() {
    if (thread.joinable()) thread.join();
  }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;

  int near = -1;
  std::string heard;
  std::thread thread;
};

TEST_CASE("front: a conversation") {
  struct Case {
    std::string name, says;
    int status;
    bool begun;
    std::string out, err;
  };
  const std::string large(300'000, 'x');
  for (const Case& c : std::vector<Case>{
           {"said and done", "{\"hello\":1}\n{\"say\":\"loki is ready\"}\n{\"exit\":0}\n", 0, true, "loki is ready\n",
            ""},
           {"refused", "{\"hello\":1}\n{\"error\":\"refused: because\"}\n{\"exit\":3}\n", 3, true, "",
            "jarvis: refused: because\n"},
           {"bytes as they are", "{\"hello\":1}\n{\"raw\":\"a: 1\\n\\u0000\"}\n{\"exit\":0}\n", 0, true,
            std::string("a: 1\n\0", 6), ""},
           {"JSON", "{\"hello\":1}\n{\"json\":{\"a\":1}}\n{\"exit\":0}\n", 0, true, "{\"a\":1}\n", ""},
           {"long lines", "{\"hello\":1}\n{\"say\":\"" + large + "\"}\n{\"exit\":0}\n", 0, true, large + "\n", ""},
           {"what comes behind the exit is not heard", "{\"hello\":1}\n{\"exit\":4}\n{\"say\":\"x\"}\n", 4, true, "",
            ""},
           {"it goes away: unfinished", "{\"hello\":1}\n{\"say\":\"so far\"}\n", 6, true, "so far\n", ""},
           {"it goes away before it began", "", 6, false, "", ""},
           {"unknown words are passed over", "{\"hello\":1}\n{\"new\":1}\n\n{\"exit\":0}\n", 0, true, "", ""},
       }) {
    CAPTURE(c.name);
    Captured out(1), err(2);
    Other other(c.says);
    const FrontResult result = converse(other.near, make_request({"status"}));
    const std::string said = out.text(), complained = err.text();
    CHECK(result.status == c.status);
    CHECK(result.begun == c.begun);
    CHECK((said == c.out));
    CHECK(complained == c.err);
  }
}

TEST_CASE("front: what is sent: arguments, inputs, and bytes that are no UTF-8") {
  const ScratchDirectory scratch;
  const std::string one = scratch.write("one", "a: 1\n"), two = scratch.write("two", std::string("\xff\0", 2));
  Other other("{\"hello\":1}\n{\"exit\":0}\n");
  {
    const Captured out(1);
    (void)converse(other.near, make_request({"deploy", one, two, "cn=l\xf6ki"}));
  }
  other.thread.join();
  const std::size_t newline = other.heard.find('\n');
  const auto request = nlohmann::json::parse(other.heard.substr(0, newline));
  CHECK(request["arguments"][1] == one);
  CHECK(request["terminal"] == false);
  CHECK(request["directory"] == std::filesystem::current_path().string());
  REQUIRE(request["inputs"].size() == 2);
  CHECK(request["inputs"][0] == nlohmann::json{{"name", one}, {"size", 5}});
  CHECK(request["inputs"][1] == nlohmann::json{{"name", two}, {"size", 2}});
  CHECK((other.heard.substr(newline + 1) == std::string("a: 1\n\xff\0", 7)));
}

TEST_CASE("front: connecting, by a long path too") {
  const ScratchDirectory scratch;
  CHECK(connect_to(scratch.path() / "nobody") == -1);
  CHECK(connect_to(scratch.path() / "no" / "where") == -1);
  const std::filesystem::path deep = scratch.path() / std::string(100, 'd');
  std::filesystem::create_directory(deep);
  const UniqueFd listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::filesystem::path here = std::filesystem::current_path();
  std::filesystem::current_path(deep);
  std::snprintf(address.sun_path, sizeof address.sun_path, "socket");
  REQUIRE(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  std::filesystem::current_path(here);
  REQUIRE(::listen(listening.get(), 1) == 0);
  const UniqueFd connected(connect_to(deep / "socket"));
  CHECK(connected.get() >= 0);
}

}  // namespace
}  // namespace jarvis::bot
