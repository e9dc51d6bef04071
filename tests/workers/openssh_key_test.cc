#include "workers/openssh_key.h"

#include <doctest/doctest.h>

#include "tests/workers/scratch.h"
#include "workers/key_wire.h"
#include "workers/program.h"

using namespace jarvis;
using namespace jarvis::workers;
using namespace jarvis::tests;

TEST_CASE("base64 comes back, and only its one spelling is read") {
  for (std::size_t size = 0; size < 70; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 37 + 11 + size);
    CHECK(from_base64(base64(bytes)) == bytes);
  }
  CHECK(base64("foob") == "Zm9vYg==");
  for (const char* bad : {"Zm9vYg", "Zm9vYg=", "Zm9vYh==", "Zm9v Yg==", "Zm9vYg==\n", "Zm9v====", "Z", "="}) {
    CAPTURE(bad);
    CHECK_FALSE(from_base64(bad));
  }
}

TEST_CASE("OpenSSH reads our key pairs") {
  const TempDir dir;
  // The comment's length decides the padding.
  for (const std::string comment : {"", "a", "ab", "abc", "jarvis@loki.websages.com", "abcdefgh"}) {
    CAPTURE(comment);
    const KeyPair pair = make_ed25519_pair(comment);
    const std::string file = dir / "key";
    write_text(file, pair.private_text);
    const ProgramResult derived = run_program({"ssh-keygen", "-y", "-P", "", "-f", file});
    CHECK(derived.exit_status == 0);
    CHECK(derived.output == pair.public_line + "\n");
    const PublicKey key = check_public_key(pair.public_line);
    CHECK(key.comment == comment);
    CHECK(key.line() == pair.public_line);
    CHECK(public_half(pair.private_text).blob == key.blob);
    write_text(dir / "key.pub", pair.public_line + "\n");
    CHECK(holds(run_program({"ssh-keygen", "-l", "-f", dir / "key.pub"}).output, key.fingerprint()));
  }
  CHECK(make_ed25519_pair("x").private_text != make_ed25519_pair("x").private_text);
}

TEST_CASE("we read OpenSSH's keys, and SSHFP data are those of ssh-keygen -r") {
  const TempDir dir;
  for (const std::vector<std::string>& kind :
       {std::vector<std::string>{"ed25519", "256"}, {"ecdsa", "256"}, {"ecdsa", "521"}, {"rsa", "2048"}}) {
    CAPTURE(kind[0]);
    const std::string file = dir / (kind[0] + kind[1]);
    run_program({"ssh-keygen", "-q", "-t", kind[0], "-b", kind[1], "-N", "", "-C", "two words", "-f", file});
    const PublicKey key = check_public_key(read_text(file + ".pub"));
    CHECK(key.comment == "two words");
    CHECK(public_half(read_text(file)).blob == key.blob);
    std::string expected;
    for (const std::string& one : sshfp_of(key)) expected += "host IN SSHFP " + one + "\n";
    CHECK(run_program({"ssh-keygen", "-r", "host", "-f", file + ".pub"}).output == expected);
  }
}

TEST_CASE("private keys that cannot serve are refused without being shown") {
  const TempDir dir;
  const std::string file = dir / "locked";
  run_program({"ssh-keygen", "-q", "-t", "ed25519", "-N", "secret words", "-f", file});
  const std::string good = make_ed25519_pair("x").private_text;
  struct Case {
    const char* name;
    std::string text;
    const char* reason;
  };
  for (const Case& c :
       {Case{"passphrase", read_text(file), "passphrase"}, Case{"empty", "", "OpenSSH's own format"},
        Case{"cut", good.substr(0, 200), "OpenSSH's own format"},
        Case{"cut inside", good.substr(0, 150) + good.substr(good.find("\n-----END")), "OpenSSH's own format"}}) {
    CAPTURE(c.name);
    const Error e = error_of([&] { public_half(c.text); });
    CHECK(e.kind() == Kind::Usage);
    CHECK(holds(e.what(), c.reason));
    CHECK_FALSE(holds(e.what(), "b3BlbnNzaC1rZXktdjE"));
  }
}

TEST_CASE("public key lines that no sshd takes are refused with the reason") {
  const std::string good = make_ed25519_pair("").public_line;
  const std::string body = good.substr(good.find(' ') + 1);
  const auto with = [](std::string_view type, std::initializer_list<std::string_view> parts) {
    std::string blob;
    put_string(blob, type);
    for (const std::string_view part : parts) put_string(blob, part);
    return std::string(type) + ' ' + base64(blob);
  };
  struct Case {
    const char* name;
    std::string line;
    const char* reason;
  };
  for (const Case& c :
       {Case{"dsa", with("ssh-dss", {"p", "q", "g", "y"}), "ssh-dss keys (DSA) are not accepted"},
        Case{"dsa as pasted", "ssh-dss AAAAB3NzaC1kc3MAAACBAIDM... whitejs@somehost",
             "ssh-dss keys (DSA) are not accepted"},
        Case{"empty", "  ", "is empty"}, Case{"no type", body, "is not a key type"},
        Case{"options", "no-pty " + good, "is not a key type"},
        Case{"typo", "ssh-ed25518 " + body, "is not a key type"},
        Case{"other type inside", "ssh-rsa " + body, "are a key of type ssh-ed25519"},
        Case{"no body", "ssh-ed25519", "is not base64"}, Case{"dots", "ssh-ed25519 AAAA...", "is not base64"},
        Case{"cut", good.substr(0, good.size() - 8), "cut short"},
        Case{"two lines", std::string(good).append("\n").append(good), "more than one line"},
        Case{"short point", with("ssh-ed25519", {"short"}), "not 32 bytes"},
        Case{"trailing part", with("ssh-ed25519", {std::string(32, 'x'), "more"}), "parts"},
        Case{"weak rsa", with("ssh-rsa", {"\x03", std::string("\0", 1) + std::string(96, '\xff')}),
             "768 bits is too short"},
        Case{"wrong curve", with("ecdsa-sha2-nistp256", {"nistp384", "\x04xy"}), "curve"}}) {
    CAPTURE(c.name);
    const Error e = error_of([&] { check_public_key(c.line); });
    CHECK(e.kind() == Kind::Usage);
    CAPTURE(e.what());
    CHECK(holds(e.what(), c.reason));
  }
  CHECK(check_public_key(good + " me@here \r\n").comment == "me@here");
}
