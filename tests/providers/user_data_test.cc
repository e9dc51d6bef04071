#include "providers/user_data.h"

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

using namespace jarvis::providers;
using jarvis::workers::Clipboard;

namespace {

const std::string kPrivate =
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\nQyNTUxOQAA: ''\"#\n-----END OPENSSH "
    "PRIVATE KEY-----\n";

Clipboard board() {
  Clipboard made = Clipboard::parse("hostname: loki\nfqdn: loki.example.org\npassword: planted-secret\n");
  made.set("ssh_login_key", "planted-login-key");
  made.set("ssh_login_pubkey", "ssh-ed25519 AAAAlogin jarvis");
  made.set("ssh_host_private_key", kPrivate);
  made.set_list("ssh_host_keys", {"ssh-rsa AAAArsa root@loki", "ssh-ed25519 AAAAhost root@loki"});
  return made;
}

YAML::Node read(const std::string& text) {
  REQUIRE(text.starts_with("#cloud-config\n"));
  return YAML::Load(text);
}

}  // namespace

TEST_CASE("user data: what cloud-init reads") {
  Clipboard clipboard = board();
  clipboard.set_list("sshpubkey", {"ssh-ed25519 AAAAone thor: #1", "ssh-rsa AAAAtwo"});
  const std::string text = user_data(clipboard);
  const YAML::Node config = read(text);
  CHECK(config["hostname"].as<std::string>() == "loki");
  CHECK(config["fqdn"].as<std::string>() == "loki.example.org");
  CHECK(config["disable_root"].as<bool>() == false);
  CHECK(config["ssh_pwauth"].as<bool>() == false);
  CHECK(config["ssh_authorized_keys"].as<std::vector<std::string>>() ==
        std::vector<std::string>{"ssh-ed25519 AAAAone thor: #1", "ssh-rsa AAAAtwo", "ssh-ed25519 AAAAlogin jarvis"});
  CHECK(config["ssh_keys"]["ed25519_private"].as<std::string>() == kPrivate);
  CHECK(config["ssh_keys"]["ed25519_public"].as<std::string>() == "ssh-ed25519 AAAAhost root@loki");
  CHECK(config["ssh_keys"].size() == 2);
  CHECK(config["ssh_deletekeys"].as<bool>());
  CHECK(text.find("planted-") == std::string::npos);
}

TEST_CASE("user data: of little comes little") {
  const YAML::Node config = read(user_data(Clipboard::parse("fqdn: '0123.example.org'\n")));
  CHECK(config["hostname"].Tag() == "!");  // quoted: a string, whatever it looks like
  CHECK(config["hostname"].as<std::string>() == "0123");
  CHECK_FALSE(config["ssh_authorized_keys"]);
  CHECK_FALSE(config["ssh_keys"]);
  CHECK_FALSE(config["ssh_deletekeys"]);
  CHECK_THROWS((void)user_data(Clipboard::parse("hostname: loki\n")));
}

TEST_CASE("base64: RFC 4648 section 10") {
  struct Case {
    const char* text;
    const char* want;
  };
  for (const Case& c : {Case{"", ""},
                        {"f", "Zg=="},
                        {"fo", "Zm8="},
                        {"foo", "Zm9v"},
                        {"foob", "Zm9vYg=="},
                        {"fooba", "Zm9vYmE="},
                        {"foobar", "Zm9vYmFy"},
                        {"\xff\xfe\xfd", "//79"}}) {
    CAPTURE(c.want);
    CHECK(base64(c.text) == c.want);
  }
  CHECK(base64(std::string("\0\0", 2)) == "AAA=");
}
