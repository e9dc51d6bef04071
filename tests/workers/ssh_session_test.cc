// The session against a real sshd.
#include "workers/ssh_session.h"

#include <doctest/doctest.h>

#include <thread>

#include "tests/workers/sshd.h"
#include "workers/remote.h"

using namespace jarvis;
using namespace jarvis::tests;
using namespace jarvis::workers;
using namespace std::chrono_literals;

namespace {

SshTarget target_of(const Sshd& sshd) {
  SshTarget target;
  target.addresses = {"127.0.0.1"};
  target.port = sshd.port;
  target.host_keys = sshd.host_keys;
  return target;
}

std::unique_ptr<SshSession> logged_in(const Sshd& sshd, const SshTarget& target) {
  auto session = open_ssh_session(target);
  REQUIRE(session->log_in("root", sshd.login.private_text, check_public_key(sshd.login.public_line)));
  return session;
}

const auto kIgnore = [](std::string_view) {};

}  // namespace

TEST_CASE("commands over a session" * doctest::skip(!can_run_sshd())) {
  const Sshd sshd;
  SshTarget target = target_of(sshd);
  target.addresses = {"127.0.0.9", "127.0.0.1"};  // the first one refuses
  const auto session = logged_in(sshd, target);
  CHECK(session->place() == "127.0.0.1:" + std::to_string(sshd.port));
  CHECK(session->host_key().blob == sshd.host_keys[0].blob);

  SUBCASE("awkward arguments arrive as they are") {
    const std::string output =
        session
            ->run(shell_command({"printf", "%s|", "a b", "", "it's", "$(id)", "`id`", "two\nlines", "\\", "\""}), {},
                  kIgnore)
            .output;
    CHECK(output == "a b||it's|$(id)|`id`|two\nlines|\\|\"|");
  }
  SUBCASE("exit status and signal") {
    CHECK(session->run("exit 3", {}, kIgnore).exit_status == 3);
    CHECK(session->run("kill -TERM $$", {}, kIgnore).signal == "TERM");
    CHECK(session->run("true", {}, kIgnore).exit_status == 0);
  }
  SUBCASE("stderr comes by lines beside the output") {
    std::vector<std::string> lines;
    const auto result = session->run("echo one >&2; echo out; printf 'two\\nhalf' >&2", {},
                                     [&](std::string_view line) { lines.emplace_back(line); });
    CHECK(result.output == "out\n");
    CHECK(lines == std::vector<std::string>{"one", "two", "half"});
  }
  SUBCASE("much output, much input, both at once") {
    CHECK(session->run("head -c 204800 /dev/zero", {}, kIgnore).output == std::string(204800, '\0'));
    std::string input;
    for (int i = 0; input.size() < 900'000; ++i) input += std::to_string(i) + '\n';
    CHECK(session->run("cat", input, kIgnore).output == input);
    CHECK(session->run("exec cat >&2", input, kIgnore).output.empty());
    CHECK(session->run("true", input, kIgnore).exit_status == 0);
    CHECK(session->run("wc -c", input, kIgnore).output == std::to_string(input.size()) + "\n");
  }
  SUBCASE("floods are bounded") {
    const auto e = error_of([&] { session->run("yes", {}, kIgnore); });
    CHECK(e.kind() == Kind::Permanent);
    CHECK(holds(e.what(), "more than 1 MiB"));
    std::size_t bytes = 0;
    const auto other = logged_in(sshd, target);
    CHECK(other
              ->run("yes 12345678901234567890 | head -c 4000000 >&2", {},
                    [&](std::string_view line) { bytes += line.size() + 1; })
              .exit_status == 0);
    CHECK(bytes < 1'100'000);
  }
}

TEST_CASE("a command that does not end is given up" * doctest::skip(!can_run_sshd())) {
  const Sshd sshd;
  SshTarget target = target_of(sshd);
  target.command_limit = 300ms;
  const auto session = logged_in(sshd, target);
  const auto e = error_of([&] { session->run("tail -f /dev/null", {}, kIgnore); });
  CHECK(e.kind() == Kind::Transient);
  CHECK(holds(e.what(), "took too long"));
}

TEST_CASE("a host that dies in the middle of a command is no success" * doctest::skip(!can_run_sshd())) {
  Sshd sshd;
  const auto session = logged_in(sshd, target_of(sshd));
  bool stopped = false;
  const auto e = error_of([&] {
    session->run("echo started >&2; tail -f /dev/null", {}, [&](std::string_view) {
      sshd.stop();
      stopped = true;
    });
  });
  CHECK(stopped);
  CAPTURE(e.what());
  CHECK(e.kind() == Kind::Transient);
}

TEST_CASE("a wrong host key is a failure that names both" * doctest::skip(!can_run_sshd())) {
  const Sshd sshd;
  SshTarget target = target_of(sshd);
  const PublicKey other = check_public_key(make_ed25519_pair("").public_line);
  target.host_keys = {other};
  const auto e = error_of([&] { open_ssh_session(target); });
  CHECK(e.kind() == Kind::Permanent);
  CHECK(holds(e.what(), sshd.host_keys[0].fingerprint()));
  CHECK(holds(e.what(), other.fingerprint()));
  target.host_keys.push_back(sshd.host_keys[0]);  // one of several is enough
  CHECK(open_ssh_session(target)->host_key().blob == sshd.host_keys[0].blob);
}

TEST_CASE("a login key that the host does not know" * doctest::skip(!can_run_sshd())) {
  const Sshd sshd;
  const auto session = open_ssh_session(target_of(sshd));
  const KeyPair stranger = make_ed25519_pair("stranger");
  CHECK_FALSE(session->log_in("root", stranger.private_text, check_public_key(stranger.public_line)));
  CHECK(session->log_in("root", sshd.login.private_text, check_public_key(sshd.login.public_line)));
}

TEST_CASE("of several host keys the expected type is asked for; RSA alone is not enough" *
          doctest::skip(!can_run_sshd())) {
  const Sshd both({"ed25519", "ecdsa"});
  SshTarget target = target_of(both);
  target.host_keys = {both.host_keys[1]};
  CHECK(open_ssh_session(target)->host_key().type == "ecdsa-sha2-nistp256");
  const Sshd rsa({"rsa"});
  const auto e = error_of([&] { open_ssh_session(target_of(rsa)); });
  CHECK(e.kind() == Kind::Permanent);
  CHECK(holds(e.what(), "no algorithm in common"));
}

TEST_CASE("what is not there yet") {
  SshTarget target;
  target.addresses = {"127.0.0.1"};
  target.host_keys = {check_public_key(make_ed25519_pair("").public_line)};
  target.handshake_limit = 300ms;
  Listener listener;
  target.port = listener.port;
  SUBCASE("accepts and says nothing") {
    const auto e = error_of([&] { open_ssh_session(target); });
    CHECK(e.kind() == Kind::Transient);
    CHECK(holds(e.what(), "does not speak SSH yet"));
  }
  SUBCASE("refuses") {
    listener.close();
    const auto e = error_of([&] { open_ssh_session(target); });
    CHECK(e.kind() == Kind::Transient);
    CHECK(std::string(e.what()) == "127.0.0.1:" + std::to_string(target.port) + " refuses the connection");
  }
  SUBCASE("hangs up, before and after its banner") {
    for (const std::string banner : {"", "Exceeded MaxStartups\r\n", "SSH-2.0-OpenSSH_9.2\r\n"}) {
      CAPTURE(banner);
      std::thread server([&] {
        const int one = ::accept(listener.fd, nullptr, nullptr);
        CHECK(::write(one, banner.data(), banner.size()) == static_cast<ssize_t>(banner.size()));
        ::close(one);
      });
      const auto e = error_of([&] { open_ssh_session(target); });
      server.join();
      CAPTURE(e.what());
      CHECK(e.kind() == Kind::Transient);
    }
  }
  SUBCASE("is no address") {
    target.addresses = {"loki.example.org"};
    CHECK(error_of([&] { open_ssh_session(target); }).kind() == Kind::Usage);
    target.addresses = {};
    CHECK(error_of([&] { open_ssh_session(target); }).kind() == Kind::Usage);
  }
}

TEST_CASE("a stranger at one of several addresses" * doctest::skip(!can_run_sshd())) {
  const Sshd sshd, other;
  struct Case {
    const char* name;
    std::vector<std::string> addresses;
    Kind kind;
  };
  // At 127.0.0.9 nobody listens; at 127.0.0.1 answers one with another key.
  const Case cases[] = {{"the only one", {"127.0.0.1"}, Kind::Permanent},
                        {"the first", {"127.0.0.1", "127.0.0.9"}, Kind::Permanent},
                        {"a later one: the first may still come up", {"127.0.0.9", "127.0.0.1"}, Kind::Transient}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    SshTarget target = target_of(sshd);
    target.host_keys = other.host_keys;
    target.addresses = c.addresses;
    const Error error = error_of([&] { (void)open_ssh_session(target); });
    CHECK(error.kind() == c.kind);
    CHECK(std::string(error.what()).find("127.0.0.1") != std::string::npos);
  }
}
