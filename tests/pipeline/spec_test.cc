#include "pipeline/spec.h"

#include <doctest/doctest.h>

#include "pipeline/error.h"

namespace jarvis::pipeline {
namespace {

constexpr const char* kKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGd0cmVlIG5vdCBhIHJlYWwga2V5IGF0IGFsbCE someone@example.org";

TaskTable table_of_gifts() {
  TaskTable table;
  TaskRow keys;
  keys.name = "keys:prepare";
  keys.gives = {"password", "ssh_host_keys", "ssh_port"};
  keys.from_spec = {"ssh_port"};
  table.add(keys);
  table.add_secret("password");
  table.add_secret("token");
  return table;
}

SpecRules rules(const TaskTable& table) {
  SpecRules made;
  made.domain = "example.org";
  made.table = &table;
  made.providers = {"linode", "local", "vmware"};
  return made;
}

struct Case {
  std::string name;
  std::string text;
  std::string want;  // the clipboard, or the error when `fails`
  bool fails = false;
};

void check_all(const std::vector<Case>& cases, const std::string& domain = "example.org") {
  const TaskTable table = table_of_gifts();
  SpecRules all = rules(table);
  all.domain = domain;
  for (const Case& c : cases) {
    CAPTURE(c.name);
    std::string got;
    bool failed = false;
    try {
      got = read_spec(c.text, all).clipboard.text();
    } catch (const Error& e) {
      failed = true;
      got = e.what();
      CHECK(e.kind() == Kind::Usage);
    }
    CHECK(got == c.want);
    CHECK(failed == c.fails);
  }
}

TEST_CASE("spec: instance with keys under it, with keys not indented, or the mapping alone") {
  const std::string board = "hostname: loki\nfqdn: loki.example.org\nprovider: Local\n";
  check_all({
      {"indented", "instance:\n  hostname: loki\n  fqdn: loki.example.org\n  provider: Local\n", board},
      {"indented by four", "instance:\n    hostname: loki\n    fqdn: loki.example.org\n    provider: Local\n", board},
      {"not indented", "instance:\nhostname: loki\nfqdn: loki.example.org\nprovider: Local\n", board},
      {"not indented, a comment behind it",
       "instance: # mine\nhostname: loki\nfqdn: loki.example.org\nprovider: Local\n", board},
      {"null said with ~", "instance: ~\nhostname: loki\nfqdn: loki.example.org\nprovider: Local\n", board},
      {"null said with null", "instance: null\nhostname: loki\nfqdn: loki.example.org\nprovider: Local\n", board},
      {"instance at the end", "hostname: loki\nfqdn: loki.example.org\nprovider: Local\ninstance:\n", board},
      {"alone", board, board},
      {"flow", "instance: {hostname: loki, fqdn: loki.example.org, provider: Local}\n", board},
      {"flow alone", "{hostname: loki, fqdn: loki.example.org, provider: Local}", board},
      {"a document mark", "---\ninstance:\n  hostname: loki\n  fqdn: loki.example.org\n  provider: Local\n", board},
      {"carriage returns", "instance:\r\n  hostname: loki\r\n  fqdn: loki.example.org\r\n  provider: Local\r\n", board},
  });
}

TEST_CASE("spec: shapes that are none") {
  check_all({
      {"a key beside it", "instance:\n  fqdn: loki.example.org\nprovider: local\n",
       "line 3, column 1: provider: stands beside `instance:`; the host's keys stand under it", true},
      {"a key before it", "provider: local\ninstance:\n  fqdn: loki.example.org\n",
       "line 1, column 1: provider: stands beside `instance:`; the host's keys stand under it", true},
      {"a scalar", "instance: loki\n", "line 1, column 1: instance: a mapping of the host's keys is expected", true},
      {"a list", "instance:\n  - fqdn: loki.example.org\n",
       "line 1, column 1: instance: a mapping of the host's keys is expected", true},
      {"a site", "site:\n  - fqdn: loki.example.org\n",
       "line 1, column 1: site: several hosts in one spec are not deployed by this version; give one `instance:` per "
       "spec",
       true},
      {"empty", "instance: {}\n",
       "fqdn: missing; give the host's full name, as in fqdn: loki.example.org\n"
       "provider: missing; one of linode, local, vmware",
       true},
      {"instance alone", "instance:\n",
       "fqdn: missing; give the host's full name, as in fqdn: loki.example.org\n"
       "provider: missing; one of linode, local, vmware",
       true},
  });
}

TEST_CASE("spec: hostname, domain and fqdn") {
  const std::string tail = "provider: local\n";
  check_all({
      {"a hostname and the domain", "hostname: loki\n" + tail, "hostname: loki\n" + tail + "fqdn: loki.example.org\n"},
      {"an fqdn alone", "fqdn: loki.example.com\n" + tail, "fqdn: loki.example.com\n" + tail + "hostname: loki\n"},
      {"a hostname that is an fqdn", "hostname: loki.example.com\n" + tail,
       "hostname: loki.example.com\n" + tail + "fqdn: loki.example.com\n"},
      {"capitals in the fqdn", "fqdn: Loki.Example.COM\n" + tail,
       "fqdn: loki.example.com\n" + tail + "hostname: loki\n"},
      {"both", "hostname: loki\nfqdn: loki.example.com\n" + tail, "hostname: loki\nfqdn: loki.example.com\n" + tail},
      {"an fqdn of one label", "fqdn: loki\n" + tail,
       "line 1, column 1: fqdn: `loki` is no full host name (labels of letters, digits, hyphens, joined by dots; RFC "
       "1123)",
       true},
      {"a hostname that is none", "hostname: lo_ki\n" + tail,
       "line 1, column 1: hostname: `lo_ki` is no host name (letters, digits, hyphens; RFC 1123)\n"
       "fqdn: missing, and the configuration has no `domain:` to complete `lo_ki`",
       true},
  });
  check_all({{"no domain configured", "hostname: loki\n" + tail,
              "fqdn: missing, and the configuration has no `domain:` to complete `loki`", true}},
            "");
}

TEST_CASE("spec: names of RFC 1123") {
  struct Name {
    std::string name;
    std::string text;
    bool host, full;
  };
  const std::string label63(63, 'a');
  const std::string long_name = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'a');
  for (const Name& c : std::vector<Name>{
           {"one label", "loki", true, false},
           {"two", "loki.org", true, true},
           {"digits first", "3com.example.org", true, true},
           {"digits alone", "1.2", true, true},
           {"hyphens inside", "a--b.c-d", true, true},
           {"a hyphen first", "-a.b", false, false},
           {"a hyphen last", "a-.b", false, false},
           {"a hyphen at the very end", "a.b-", false, false},
           {"an underscore", "a_b.c", false, false},
           {"a dot first", ".a.b", false, false},
           {"a dot last", "a.b.", false, false},
           {"two dots", "a..b", false, false},
           {"63 letters", label63 + ".b", true, true},
           {"64 letters", label63 + "a.b", false, false},
           {"253 in all", long_name, true, true},
           {"254 in all", long_name + "a", false, false},
           {"empty", "", false, false},
           {"a blank", "a b.c", false, false},
           {"a newline at the end", "a.b\n", false, false},
           {"not ASCII", "l\xc3\xb6ki.org", false, false},
           {"a slash", "a/b.c", false, false},
           {"a NUL", std::string("a\0b.c", 5), false, false},
       }) {
    CAPTURE(c.name);
    CHECK(valid_host_name(c.text) == c.host);
    CHECK(valid_fqdn(c.text) == c.full);
  }
}

TEST_CASE("spec: public keys") {
  const std::string blob = "AAAAC3NzaC1lZDI1NTE5AAAAIGd0cmVlIG5vdCBhIHJlYWwga2V5IGF0IGFsbCE";
  struct Line {
    std::string name;
    std::string text;
    const char* why;  // a part of it; empty: good
  };
  for (const Line& c : std::vector<Line>{
           {"ed25519", kKey, ""},
           {"no comment", "ssh-ed25519 " + blob, ""},
           {"ecdsa", "ecdsa-sha2-nistp256 " + blob, ""},
           {"rsa", "ssh-rsa " + blob, ""},
           {"a security key", "sk-ssh-ed25519@openssh.com " + blob, ""},
           {"dss", "ssh-dss AAAAB3NzaC1kc3MAAACBAM me@example.org", "ssh-dss (DSA) keys are not accepted"},
           {"dss alone", "ssh-dss", "ssh-dss (DSA) keys are not accepted"},
           {"an unknown type", "ssh-foo " + blob, "`ssh-foo` is no type of public key"},
           {"capitals", "SSH-RSA " + blob, "`SSH-RSA` is no type of public key"},
           {"the type alone", "ssh-rsa", "the key itself is missing after ssh-rsa"},
           {"short", "ssh-rsa AAAA", "is not a key (base64"},
           {"not base64", "ssh-rsa AAAA" + std::string(60, '!'), "is not a key (base64"},
           {"not a blob", "ssh-rsa BBBB" + blob, "is not a key (base64"},
           {"options before it", "from=\"10.0.0.1\" ssh-rsa " + blob, "is no type of public key"},
           {"a private key", "-----BEGIN OPENSSH PRIVATE KEY-----", "is no type of public key"},
           {"two lines", std::string(kKey) + "\n" + kKey, "several lines"},
           {"empty", "", "is no type of public key"},
       }) {
    CAPTURE(c.name);
    const std::string why = public_key_fault(c.text).value_or("");
    CHECK((*c.why == '\0' ? why.empty() : why.find(c.why) != std::string::npos));
  }
}

TEST_CASE("spec: providers are matched without case, unknown ones get a suggestion") {
  const TaskTable table = table_of_gifts();
  for (const std::string name : {"Linode", "LINODE", "linode", "'Linode'"}) {
    CAPTURE(name);
    const Spec spec = read_spec("fqdn: loki.example.org\nprovider: " + name + "\n", rules(table));
    CHECK(spec.provider == "linode");
    CHECK(spec.fqdn == "loki.example.org");
    CHECK_MESSAGE(spec.clipboard.text().find(name) != std::string::npos, "what people wrote stays on the clipboard");
  }
  const std::string head = "fqdn: loki.example.org\nhostname: loki\n";
  check_all({
      {"a typo", head + "provider: Lindoe\n",
       "line 3, column 1: provider: `Lindoe` is unknown; did you mean linode? There are linode, local, vmware", true},
      {"nothing near", head + "provider: openstack\n",
       "line 3, column 1: provider: `openstack` is unknown; There are linode, local, vmware", true},
      {"missing", head, "provider: missing; one of linode, local, vmware", true},
  });
}

TEST_CASE("spec: every fault at once, with line and column") {
  check_all({
      {"indented",
       "instance:\n"
       "  hostname: loki\n"
       "  fqdn: loki\n"
       "  provider: Lokal\n"
       "  password: correct horse\n"
       "  token: abc\n"
       "  sshpubkey: ssh-dss AAAA\n"
       "  size: [512]\n"
       "  ssh_port: 66000\n",
       "line 3, column 3: fqdn: `loki` is no full host name (labels of letters, digits, hyphens, joined by dots; RFC "
       "1123)\n"
       "line 4, column 3: provider: `Lokal` is unknown; did you mean local? There are linode, local, vmware\n"
       "line 5, column 3: password: not accepted in a spec, keys:prepare gives it\n"
       "line 6, column 3: token: a secret of fewer than 6 bytes; blanking it in logs would blank everything\n"
       "line 7, column 3: sshpubkey: ssh-dss (DSA) keys are not accepted by OpenSSH since 7.0; give an ssh-ed25519 "
       "key\n"
       "line 8, column 3: size: megabytes (512) or a type's own id is expected\n"
       "line 9, column 3: ssh_port: `66000` is no port (1 to 65535)",
       true},
      {"not indented", "instance:\n\n# a comment\nfqdn: loki.example.org\nprovider: local\nssh_host_keys: [a, b]\n",
       "line 6, column 1: ssh_host_keys: not accepted in a spec, keys:prepare gives it", true},
      {"flow", "instance: {fqdn: loki.example.org, provider: local, password: correct horse}\n",
       "line 1, column 53: password: not accepted in a spec, keys:prepare gives it", true},
  });
}

TEST_CASE("spec: an unclosed quote is named where it opens") {
  const TaskTable table = table_of_gifts();
  const std::string text =
      "instance:\n"
      "  fqdn: loki.example.org\n"
      "  provider: local\n"
      "  gitosis-admin: 'git@git.example.org:gitosis-admin.git\n"
      "  sshpubkey: ssh-ed25519 AAAA\n";
  std::string why;
  try {
    (void)read_spec(text, rules(table));
  } catch (const Error& e) {
    why = e.what();
  }
  CHECK(why.find("line 4, column 18") != std::string::npos);
}

TEST_CASE("spec: keys that a task gives, short secrets, ports") {
  const std::string head = "fqdn: loki.example.org\nhostname: loki\nprovider: local\n";
  check_all({
      {"a gift that a spec may carry", head + "ssh_port: 2222\n", head + "ssh_port: 2222\n"},
      {"a gift, though null", head + "password:\n",
       "line 4, column 1: password: not accepted in a spec, keys:prepare gives it", true},
      {"a secret of 6 bytes", head + "token: abcdef\n", head + "token: abcdef\n"},
      {"a secret of 5 bytes", head + "token: abcde\n",
       "line 4, column 1: token: a secret of fewer than 6 bytes; blanking it in logs would blank everything", true},
      {"an empty secret", head + "token: ''\n",
       "line 4, column 1: token: a secret of fewer than 6 bytes; blanking it in logs would blank everything", true},
      {"port 0", head + "ssh_port: 0\n", "line 4, column 1: ssh_port: `0` is no port (1 to 65535)", true},
      {"port 65535", head + "ssh_port: 65535\n", head + "ssh_port: 65535\n"},
      {"port 65536", head + "ssh_port: 65536\n", "line 4, column 1: ssh_port: `65536` is no port (1 to 65535)", true},
      {"port in words", head + "ssh_port: ssh\n", "line 4, column 1: ssh_port: `ssh` is no port (1 to 65535)", true},
      {"port negative", head + "ssh_port: -22\n", "line 4, column 1: ssh_port: `-22` is no port (1 to 65535)", true},
      {"a list for a key", head + "sshpubkey: [a]\n", "line 4, column 1: sshpubkey: one public key line is expected",
       true},
  });
}

TEST_CASE("spec: an identity that is no name at all is refused") {
  const TaskTable table = table_of_gifts();
  for (const std::string line : {"hostname: [loki]\n", "hostname: {a: b}\n", "hostname: ''\n"}) {
    CAPTURE(line);
    CHECK_THROWS_AS(read_spec("fqdn: loki.example.org\nprovider: local\n" + line, rules(table)), Error);
  }
}

TEST_CASE("spec: values stay as they were written") {
  const std::string head = "fqdn: loki.example.org\nhostname: loki\nprovider: local\n";
  for (const std::string& entry : std::vector<std::string>{
           "octal: '0123'\n", "plain_octal: 0123\n", "quoted: 'yes'\n", "truth: no\n", "number: 1e3\n",
           "null_here: ~\n", "empty: ''\n", "double: \"a\\tb\"\n", "guestid: Debian 12\n", "size: 512\n",
           "unicode: \xe2\x98\x83\n", "colon: 'git@git.example.org:gitosis-admin.git'\n",
           "unknown-key: {a: [1, 2], b: '3'}\n", "text: |\n  one\n  two\n", "time: 12:30:45\n", "date: 2001-01-01\n"}) {
    CAPTURE(entry);
    const TaskTable table = table_of_gifts();
    const Clipboard bare = read_spec(head + entry, rules(table)).clipboard;
    CHECK(bare.text() == head + entry);
    std::string indented = "instance:\n";
    std::string rest = head + entry;
    for (std::size_t at = 0; at < rest.size();) {
      const std::size_t end = rest.find('\n', at) + 1;
      indented += "  " + rest.substr(at, end - at);
      at = end;
    }
    const std::string key = entry.substr(0, entry.find(':'));
    const Clipboard unwrapped = read_spec(indented, rules(table)).clipboard;
    CHECK(unwrapped.scalar(key) == bare.scalar(key));
    CHECK(unwrapped.keys() == bare.keys());
    if (entry[entry.find(':') + 2] == '\'' || entry[entry.find(':') + 2] == '"') {
      CHECK_MESSAGE(unwrapped.raw(key) == bare.raw(key), "quotes kept");
    }
  }
}

}  // namespace
}  // namespace jarvis::pipeline
