#include "workers/keys.h"

#include <doctest/doctest.h>

#include "tests/workers/scratch.h"
#include "workers/openssh_key.h"

using namespace jarvis;
using namespace jarvis::tests;
using workers::check_public_key;
using workers::public_half;

TEST_CASE("what a new host needs is made once and kept") {
  auto call = call_of("keys:prepare", "fqdn: loki.example.org\n");
  workers::prepare_keys(call);
  const auto& made = call.clipboard;
  CHECK(made.require("password").size() == 24);
  CHECK(public_half(made.require("ssh_login_key")).blob == check_public_key(made.require("ssh_login_pubkey")).blob);
  REQUIRE(made.list("ssh_host_keys").size() == 1);
  CHECK(public_half(made.require("ssh_host_private_key")).blob == check_public_key(made.list("ssh_host_keys")[0]).blob);
  CHECK(made.require("ssh_login_key") != made.require("ssh_host_private_key"));

  auto again = call_of("keys:prepare", made.text());
  workers::prepare_keys(again);
  CHECK(again.clipboard.text() == made.text());
  auto plan = call_of("keys:prepare", made.text(), true);
  const SetAsideStderr log;
  workers::prepare_keys(plan);
  CHECK(log.text().empty());
}

TEST_CASE("plan mode says what would be made and makes nothing") {
  auto call = call_of("keys:prepare", "fqdn: loki.example.org\n", true);
  const SetAsideStderr log;
  workers::prepare_keys(call);
  CHECK(call.clipboard.text() == "fqdn: loki.example.org\n");
  CHECK(log.text() ==
        "change: make a root password\nchange: make jarvis's login key\nchange: make the host's own key\n");
}

TEST_CASE("halves are completed or refused") {
  const auto pair = workers::make_ed25519_pair("someone");
  const auto with = [](const std::string& key, const std::string& value) {
    auto clipboard = workers::Clipboard::parse("fqdn: loki.example.org\n");
    clipboard.set(key, value);
    return clipboard;
  };
  auto call = call_of("keys:prepare", with("ssh_login_key", pair.private_text).text());
  workers::prepare_keys(call);
  CHECK(check_public_key(call.clipboard.require("ssh_login_pubkey")).blob == check_public_key(pair.public_line).blob);
  CHECK(call.clipboard.require("ssh_login_key") == pair.private_text);

  auto host = call_of("keys:prepare", with("ssh_host_keys", pair.public_line).text());
  workers::prepare_keys(host);
  CHECK_FALSE(host.clipboard.has("ssh_host_private_key"));

  auto half = call_of("keys:prepare", with("ssh_login_pubkey", pair.public_line).text());
  CHECK(holds(error_of([&] { workers::prepare_keys(half); }).what(), "without its ssh_login_key"));
  auto mixed = with("ssh_login_key", pair.private_text);
  mixed.set("ssh_login_pubkey", workers::make_ed25519_pair("").public_line);
  auto wrong = call_of("keys:prepare", mixed.text());
  CHECK(holds(error_of([&] { workers::prepare_keys(wrong); }).what(), "not the public half"));
}

TEST_CASE("a person's key that no host would take is refused before anything is made") {
  auto call = call_of("keys:prepare",
                      "fqdn: loki.example.org\nsshpubkey: ssh-dss AAAAB3NzaC1kc3MAAACB whitejs@somehost\n", true);
  const SetAsideStderr log;
  const auto e = error_of([&] { workers::prepare_keys(call); });
  CHECK(e.kind() == pipeline::Kind::Usage);
  CHECK(holds(e.what(), "sshpubkey: ssh-dss keys (DSA) are not accepted"));
  CHECK(log.text().empty());
}

TEST_CASE("what was mounted is forgotten with the keys of a machine that is made anew") {
  auto call = call_of("keys:forget", "fqdn: loki.example.org\nmounted: {data: /srv/data}\nssh_login_key: stays\n");
  workers::forget_keys(call);
  CHECK(call.clipboard.text() == "fqdn: loki.example.org\nssh_login_key: stays\n");
}
