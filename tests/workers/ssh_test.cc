// The tasks against a real sshd with an /etc and a /root of its own.
#include "workers/ssh.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/workers/sshd.h"
#include "workers/keys.h"
#include "workers/password.h"

using namespace jarvis;
using namespace jarvis::tests;
using namespace jarvis::workers;

namespace {

Call logged(const std::string& task, const Clipboard& clipboard) {
  return call_of(task, clipboard.text());
}

// Text and time of change of everything a first boot may touch.
std::string state_of(const Sshd& sshd) {
  std::string all;
  for (const char* file : {"etc/hostname", "etc/hosts", "etc/shadow", "root/.ssh/authorized_keys"}) {
    struct stat found {};
    ::stat((sshd.dir / file).c_str(), &found);
    all += std::to_string(found.st_mtim.tv_sec) + '.' + std::to_string(found.st_mtim.tv_nsec) + ' ' +
           read_text(sshd.dir / file) + '\n';
  }
  return all;
}

}  // namespace

TEST_CASE("ssh:wait" * doctest::skip(!can_run_sshd())) {
  Sshd sshd;
  const SetAsideStderr log;
  auto call = call_of("ssh:wait", sshd.clipboard());
  ssh_wait(call);
  CHECK(holds(log.text(), "runs commands"));

  SUBCASE("a login key that is not there yet is waited for") {
    auto stranger = Clipboard::parse(sshd.clipboard());
    stranger.set("ssh_login_key", make_ed25519_pair("").private_text);
    auto waiting = logged("ssh:wait", stranger);
    const auto e = error_of([&] { ssh_wait(waiting); });
    CHECK(e.kind() == Kind::Transient);
    CHECK(e.retry_after() == std::chrono::seconds(1));
    CHECK(holds(log.text(), "progress: 127.0.0.1:" + std::to_string(sshd.port) + " does not accept the login key yet"));
    auto later = logged("ssh:make_keypair", stranger);
    CHECK(error_of([&] { ssh_make_keypair(later); }).kind() == Kind::Permanent);
  }
  SUBCASE("a wrong host key is not") {
    auto other = Clipboard::parse(sshd.clipboard());
    other.set_list("ssh_host_keys", {make_ed25519_pair("").public_line});
    for (const auto task : {ssh_wait, ssh_fingerprints}) {
      auto refused = logged("ssh:wait", other);
      CHECK(error_of([&] { task(refused); }).kind() == Kind::Permanent);
    }
  }
  SUBCASE("a host that is gone is") {
    sshd.stop();
    auto waiting = call_of("ssh:wait", sshd.clipboard());
    const auto e = error_of([&] { ssh_wait(waiting); });
    CHECK(e.kind() == Kind::Transient);
    CHECK(holds(log.text(), "progress: 127.0.0.1:" + std::to_string(sshd.port) + " refuses the connection"));
  }
}

TEST_CASE("ssh:fingerprints gives what ssh-keygen reads" * doctest::skip(!can_run_sshd())) {
  const Sshd sshd({"ed25519", "ecdsa"});
  auto call = call_of("ssh:fingerprints", sshd.clipboard());
  {
    const SetAsideStderr log;
    ssh_fingerprints(call);
  }
  CHECK(call.clipboard.list("sshfp").size() == 4);
  CHECK(call.clipboard.list("sshfp")[0] == sshfp_of(sshd.host_keys[0])[0]);
  std::string known;
  for (const std::string& line : call.clipboard.list("known_hosts")) known += line + "\n";
  write_text(sshd.dir / "known_hosts", known);
  const std::string port = "]:" + std::to_string(sshd.port);
  for (const std::string& name : {"[127.0.0.1" + port, "[loki.example.org" + port}) {
    const auto found = run_program({"ssh-keygen", "-F", name, "-f", sshd.dir / "known_hosts"});
    CHECK(found.exit_status == 0);
    CHECK(holds(found.output, PublicKey{sshd.host_keys[0].type, sshd.host_keys[0].blob, {}}.line()));
  }
}

TEST_CASE("ssh:run_first_boot makes it so, and a second time changes nothing" * doctest::skip(!can_run_sshd())) {
  const Sshd sshd;
  auto clipboard = Clipboard::parse(sshd.clipboard());
  const std::string password = random_password();
  const KeyPair person = make_ed25519_pair("someone@example.org");
  clipboard.set("password", password);
  clipboard.set("sshpubkey", person.public_line);
  auto call = logged("ssh:run_first_boot", clipboard);
  const SetAsideStderr log;
  ssh_run_first_boot(call);
  CHECK(call.clipboard.text() == clipboard.text());
  CHECK(read_text(sshd.dir / "etc/hostname") == "loki\n");
  CHECK(read_text(sshd.dir / "etc/hosts") == "127.0.0.1 localhost\n127.0.1.1 loki.example.org loki\n");
  CHECK(read_text(sshd.dir / "root/.ssh/authorized_keys") ==
        "# first\n" + sshd.login.public_line + "\n" + person.public_line + "\n");
  const std::string shadow = read_text(sshd.dir / "etc/shadow");
  CHECK(hash_fits(password, shadow.substr(5, shadow.find(':', 5) - 5)));
  CHECK(holds(shadow, "\nsshd:!:"));
  CHECK(holds(log.text(), "progress: root's password set\n"));
  CHECK_FALSE(holds(log.text(), password));
  CHECK_FALSE(holds(log.text(), "$6$"));

  const std::string before = state_of(sshd);
  auto again = logged("ssh:run_first_boot", clipboard);
  ssh_run_first_boot(again);
  CHECK(state_of(sshd) == before);
  CHECK(holds(log.text(), "progress: root's password is there\n"));
}

TEST_CASE("ssh:make_keypair makes one pair, once" * doctest::skip(!can_run_sshd())) {
  const Sshd sshd;
  auto call = call_of("ssh:make_keypair", sshd.clipboard());
  const SetAsideStderr log;
  ssh_make_keypair(call);
  const std::string line = call.clipboard.require("remote_ssh_pubkey");
  const std::string file = sshd.dir / "root/.ssh/id_ed25519";
  CHECK(check_public_key(line).comment == "root@loki.example.org");
  CHECK(public_half(read_text(file)).blob == check_public_key(line).blob);
  CHECK(read_text(file + ".pub") == line + "\n");

  const std::string before = read_text(file);
  std::filesystem::remove(file + ".pub");  // a crash between the two files
  auto again = call_of("ssh:make_keypair", sshd.clipboard());
  ssh_make_keypair(again);
  CHECK(again.clipboard.require("remote_ssh_pubkey") == line);
  CHECK(read_text(file) == before);
  CHECK(read_text(file + ".pub") == line + "\n");

  write_text(file, "");  // a crash while the first was written
  auto third = call_of("ssh:make_keypair", sshd.clipboard());
  ssh_make_keypair(third);
  CHECK(third.clipboard.require("remote_ssh_pubkey") != line);
  CHECK(read_text(file + ".pub") == third.clipboard.require("remote_ssh_pubkey") + "\n");
}

TEST_CASE("ldapworker:save_secret" * doctest::skip(!can_run_sshd())) {
  const Sshd sshd;
  const std::string file = sshd.dir / "etc/ldap/ldap.secret";
  auto board = Clipboard::parse(sshd.clipboard());
  board.set("password", "p'w\"$(x) \\n");
  const SetAsideStderr log;
  const auto save = [&](bool plan = false) {
    auto call = call_of("ldapworker:save_secret", board.text(), plan);
    ssh_save_secret(call);
    return call.clipboard.text();
  };
  save(true);
  CHECK(holds(log.text(), "change: write /etc/ldap/ldap.secret of loki.example.org"));
  CHECK_FALSE(std::filesystem::exists(file));

  CHECK(save() == board.text());
  CHECK(read_text(file) == "p'w\"$(x) \\n\n");
  struct stat found {};
  const auto look = [&] {
    REQUIRE(::lstat(file.c_str(), &found) == 0);
    return std::pair{found.st_mode & 07777U, found.st_ino};
  };
  CHECK(look().first == 0400U);
  const auto before = look();
  save();  // nothing to do
  CHECK(look() == before);

  SUBCASE("others could read it") {
    std::filesystem::permissions(file, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
    save();
    CHECK(look().first == 0400U);
  }
  SUBCASE("another password") {
    board.set("password", "another-one");
    save();
    CHECK(read_text(file) == "another-one\n");
    CHECK(look().first == 0400U);
  }
  SUBCASE("a link to somewhere else is replaced, not followed") {
    std::filesystem::rename(file, sshd.dir / "etc/elsewhere");
    std::filesystem::create_symlink("/etc/elsewhere", file);
    board.set("password", "another-one");
    save();
    CHECK(look().first == 0400U);
    CHECK(S_ISREG(found.st_mode));
    CHECK(read_text(sshd.dir / "etc/elsewhere") != "another-one\n");
  }
  SUBCASE("a host that does not answer can be planned for") {
    const auto stranger = make_ed25519_pair("");
    board.set("ssh_login_key", stranger.private_text);
    CHECK(error_of([&] { save(); }).kind() == Kind::Permanent);
    save(true);
  }
  CHECK_FALSE(holds(log.text(), "another-one"));
  CHECK_FALSE(holds(log.text(), "p'w"));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(sshd.dir / "etc/ldap")) files += entry.exists() ? 1 : 0;
  CHECK(files == 1);
}

TEST_CASE("a host key that was handed over is replaced by the host's own" * doctest::skip(!can_run_sshd())) {
  const Sshd sshd({"ed25519"}, true, "-r");
  const std::string first = read_text(sshd.dir / "etc/ssh/ssh_host_ed25519_key");
  auto handed = Clipboard::parse(sshd.clipboard());
  handed.set("ssh_host_private_key", first);
  const SetAsideStderr log;

  auto make = logged("ssh:make_host_keys", handed);
  ssh_make_host_keys(make);
  const auto both = make.clipboard.list("ssh_host_keys");
  REQUIRE(both.size() == 2);
  CHECK(check_public_key(both[0]).blob != sshd.host_keys[0].blob);
  CHECK(check_public_key(both[1]).blob == sshd.host_keys[0].blob);
  CHECK(read_text(sshd.dir / "etc/ssh/ssh_host_ed25519_key") == first);  // nothing is switched before both are expected

  auto again = logged("ssh:make_host_keys", make.clipboard);  // asked again after a crash
  ssh_make_host_keys(again);
  CHECK(again.clipboard.list("ssh_host_keys") == both);

  const auto until_own = [](Call& call) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (;;) {
      try {
        return ssh_own_keys(call);
      } catch (const Error& e) {
        // sshd reads its keys a moment after it was told.
        if (e.kind() != Kind::Transient || std::chrono::steady_clock::now() > deadline) throw;
      }
    }
  };
  auto own = logged("ssh:own_keys", make.clipboard);
  until_own(own);
  CHECK(own.clipboard.list("ssh_host_keys") == std::vector<std::string>{both[0]});
  CHECK_FALSE(own.clipboard.has("ssh_host_private_key"));
  CHECK(public_half(read_text(sshd.dir / "etc/ssh/ssh_host_ed25519_key")).blob == check_public_key(both[0]).blob);
  CHECK(check_public_key(read_text(sshd.dir / "etc/ssh/ssh_host_ed25519_key.pub")).blob ==
        check_public_key(both[0]).blob);
  CHECK_FALSE(std::filesystem::exists(sshd.dir / "etc/ssh/ssh_host_ed25519_key.own"));

  auto crashed = logged("ssh:own_keys", make.clipboard);  // after the switch, before anybody knew of it
  until_own(crashed);
  CHECK(crashed.clipboard.text() == own.clipboard.text());

  auto old = logged("ssh:wait", handed);  // whoever reads the user data cannot pose as the host any more
  CHECK(error_of([&] { ssh_wait(old); }).kind() == Kind::Permanent);

  const std::string before = own.clipboard.text();  // and where nothing was handed over nothing changes
  auto nothing = logged("ssh:make_host_keys", own.clipboard);
  ssh_make_host_keys(nothing);
  auto nothing_either = logged("ssh:own_keys", own.clipboard);
  ssh_own_keys(nothing_either);
  CHECK(nothing.clipboard.text() == before);
  CHECK(nothing_either.clipboard.text() == before);
}
