// The syslog of this test: a datagram socket that it binds, reads, and does not read.
#include "bot/syslog_lines.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <regex>

#include "tests/bot/scratch_directory.h"

using namespace jarvis::bot;
using jarvis::pipeline::UniqueFd;

namespace {

UniqueFd listening(const std::string& path) {
  ::unlink(path.c_str());
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.copy(address.sun_path, sizeof address.sun_path - 1) == path.size());
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

// Empty: nothing is there.
std::string heard(const UniqueFd& fd) {
  char bytes[4096];
  const ssize_t n = ::recv(fd.get(), bytes, sizeof bytes, 0);
  return n > 0 ? std::string(bytes, static_cast<std::size_t>(n)) : "";
}

}  // namespace

TEST_CASE("syslog lines: told, dropped when nobody reads, and told again") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() / "log";
  SyslogLines lines(path);
  CHECK_FALSE(lines.write("nobody is there"));
  UniqueFd syslog = listening(path);
  CHECK(lines.write("one"));
  CHECK(std::regex_match(heard(syslog), std::regex(R"(<85>\w{3} [ \d]\d [\d:]{8} jarvis\[\d+\]: one)")));

  int taken = 0;
  while (taken < 1'000'000 && lines.write("more than it has room for")) ++taken;
  CHECK(taken > 0);
  CHECK(taken < 1'000'000);
  CHECK(heard(syslog).ends_with("more than it has room for"));
  CHECK(lines.write("room again"));

  syslog = listening(path);  // started anew
  CHECK(lines.write("two"));
  CHECK(heard(syslog).ends_with(": two"));
  CHECK_FALSE(lines.write(std::string(4'000'000, 'x')));  // larger than a datagram may be
  CHECK(lines.write("three"));
}
