// The parts of the local provider that decide: names, addresses, the file `machine`, what follows a host's end. Hosts
// themselves are made by the scenarios.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <set>
#include <string>

#include "pipeline/error.h"
#include "providers/local_address.h"
#include "providers/local_files.h"
#include "providers/local_flavour.h"
#include "providers/local_hosts.h"
#include "providers/local_machine.h"
#include "providers/local_namespaces.h"
#include "providers/local_state.h"
#include "providers/local_supervisor.h"

using namespace jarvis::providers;
using jarvis::pipeline::Error;
using jarvis::pipeline::Kind;

namespace {

// An empty directory that ends with the test.
class Scratch {
 public:
  Scratch() : path_("/tmp/local_test-" + random_text(8, kHex)) { make_directory(AT_FDCWD, path_, 0700); }
  ~Scratch() { remove_tree(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Kind kind_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.kind();
  }
  return Kind::Bug;
}

LocalMachine loki() {
  LocalMachine machine;
  machine.id = "local-0123abcd";
  machine.fqdn = "loki.websages.com";
  machine.hostname = "loki";
  machine.run = "r1";
  machine.step = "r1-7";
  machine.address = "127.0.64.9";
  machine.port = 2222;
  machine.flavour = "thin";
  machine.created = "2026-11-21T10:00:00Z";
  machine.host_key = "ssh-ed25519 AAAA root@loki";
  machine.booted = true;
  return machine;
}

}  // namespace

TEST_CASE("a host's name can be a directory's name and nothing else") {
  const std::string label63(63, 'a');
  struct Case {
    const char* name;
    std::string value, want;  // want empty: refused
  };
  for (const auto& c : {Case{"usual", "loki.websages.com", "loki.websages.com"},
                        Case{"one label", "loki", "loki"},
                        Case{"capitals", "Loki.Websages.COM", "loki.websages.com"},
                        Case{"digits", "0a-1.x2", "0a-1.x2"},
                        Case{"63 characters", label63, label63},
                        Case{"64 characters", label63 + "a", ""},
                        Case{"empty", "", ""},
                        Case{"dot", ".", ""},
                        Case{"parent", "..", ""},
                        Case{"leading dot", ".loki", ""},
                        Case{"last dot", "loki.", ""},
                        Case{"two dots", "a..b", ""},
                        Case{"slash", "a/b", ""},
                        Case{"way out", "../../etc", ""},
                        Case{"leading hyphen", "-a.b", ""},
                        Case{"last hyphen", "a-.b", ""},
                        Case{"blank", "a b", ""},
                        Case{"newline", "a\nb", ""},
                        Case{"zero", std::string("a\0b", 3), ""},
                        Case{"underscore", "a_b", ""},
                        Case{"not ASCII", "l\xc3\xb6ki", ""},
                        Case{"too long", std::string(254, 'a'), ""}}) {
    CAPTURE(c.name);
    if (c.want.empty())
      CHECK(kind_of([&] { checked_name("fqdn", c.value); }) == Kind::Usage);
    else
      CHECK(checked_name("fqdn", c.value) == c.want);
  }
}

TEST_CASE("a public key is one line without options") {
  struct Case {
    const char* name;
    std::string line;
    bool good;
  };
  for (const auto& c :
       {Case{"ed25519", "ssh-ed25519 AAAAC3== a@b", true}, Case{"no comment", "ssh-rsa AAAA", true},
        Case{"last newline", "ssh-ed25519 AAAA a\n", true}, Case{"token", "sk-ssh-ed25519@openssh.com AAAA", true},
        Case{"two lines", "ssh-ed25519 AAAA a\nssh-rsa AAAA", false},
        Case{"options", "command=\"x\" ssh-rsa AAAA", false}, Case{"only a type", "ssh-ed25519", false},
        Case{"no base64", "ssh-ed25519 <AAAA>", false}, Case{"control", "ssh-ed25519 AAAA a\x1b[2J", false},
        Case{"empty", "", false}}) {
    CAPTURE(c.name);
    if (c.good)
      CHECK_NOTHROW(checked_public_key("sshpubkey", c.line));
    else
      CHECK(kind_of([&] { checked_public_key("sshpubkey", c.line); }) == Kind::Usage);
  }
  CHECK(bare_key("ssh-ed25519 AAAA root@loki\n") == "ssh-ed25519 AAAA");
  CHECK(bare_key("ssh-ed25519 AAAA\n") == "ssh-ed25519 AAAA");
}

TEST_CASE("the file machine") {
  const LocalMachine machine = loki();
  const LocalMachine read = LocalMachine::parse(machine.text());
  CHECK(read.text() == machine.text());
  CHECK(read.port == 2222);
  CHECK(read.booted);
  CHECK(read.wanted);

  SUBCASE("a value cannot add a line") {
    LocalMachine odd = machine;
    odd.run = "r1\nid: local-ffffffff";
    CHECK(LocalMachine::parse(odd.text()).id == "local-0123abcd");
  }
  SUBCASE("what is not known is ignored, a newer version is not") {
    CHECK(LocalMachine::parse(machine.text() + "colour: blue\n").id == machine.id);
    std::string newer = machine.text();
    newer.replace(newer.find("version: 1"), 10, "version: 2");
    CHECK_THROWS_WITH_AS(LocalMachine::parse(newer), "version '2' is not known here", Error);
  }
  SUBCASE("a text cut before the port is refused") {
    const std::string text = machine.text();
    for (std::size_t n = 0; n < text.find("port: ") + 6; ++n) {
      CAPTURE(n);
      CHECK_THROWS_AS(LocalMachine::parse(text.substr(0, n)), Error);
    }
  }
  SUBCASE("on the disk") {
    const Scratch scratch;
    const Descriptor directory = open_directory(AT_FDCWD, scratch.path());
    CHECK_FALSE(read_machine(directory.get()).has_value());
    write_machine(directory.get(), machine);
    CHECK(read_machine(directory.get())->text() == machine.text());
  }
}

TEST_CASE("ranges of addresses") {
  CHECK(AddressRange::parse("127.0.64.0/24").text() == "127.0.64.0/24");
  CHECK(AddressRange::parse("127.0.64.77/24").text() == "127.0.64.0/24");
  for (const char* bad :
       {"", "127.0.64.0", "127.0.64.0/", "127.0.64.0/7", "127.0.64.0/31", "127.0.64/24", "127.0.64.0/24 ", "a/24"}) {
    CAPTURE(bad);
    CHECK(kind_of([&] { AddressRange::parse(bad); }) == Kind::Usage);
  }
}

TEST_CASE("candidates cover the range once, without its ends") {
  const AddressRange range = AddressRange::parse("127.0.64.0/24");
  std::set<std::string> seen;
  for (std::uint32_t n = 0; n < range.size(); ++n) {
    const std::string address = candidate(range, "loki.websages.com", n);
    if (!address.empty()) CHECK(seen.insert(address).second);
  }
  CHECK(seen.size() == 254);
  CHECK(seen.count("127.0.64.0") == 0);
  CHECK(seen.count("127.0.64.255") == 0);
  // The same name starts at the same address in every version.
  CHECK(candidate(range, "loki.websages.com", 0) == "127.0.64.78");
}

TEST_CASE("a taken address is passed over, a listening one too") {
  const AddressRange range = AddressRange::parse("127.0.65.0/24");
  const Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  const std::string first = candidate(range, "x.y", 0);
  ::inet_pton(AF_INET, first.c_str(), &name.sin_addr);
  REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  socklen_t size = sizeof name;
  REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
  const std::uint16_t port = ntohs(name.sin_port);

  const std::string second = free_address(range, "x.y", port, {});
  CHECK(second != first);
  const std::string third = free_address(range, "x.y", port, {second});
  CHECK(third != first);
  CHECK(third != second);
  std::set<std::string> all;
  for (std::uint32_t n = 0; n < range.size(); ++n) all.insert(candidate(range, "x.y", n));
  CHECK(kind_of([&] { free_address(range, "x.y", port, all); }) == Kind::Permanent);
}

TEST_CASE("what follows a host's end") {
  const int exit_0 = 0;
  const int exit_70 = 70 << 8;
  struct Case {
    const char* name;
    Asked asked;
    int status;
    bool ready;
    Next want;
  };
  for (const auto& c : {Case{"reboot in the host", Asked::Nothing, SIGHUP, true, Next::Again},
                        Case{"power off in the host", Asked::Nothing, SIGINT, true, Next::Off},
                        Case{"polite power off in the host", Asked::Nothing, exit_0, true, Next::Off},
                        Case{"killed", Asked::Nothing, SIGKILL, true, Next::Failed},
                        Case{"sshd cannot start", Asked::Nothing, exit_70, false, Next::Failed},
                        Case{"reboots before it is up", Asked::Nothing, SIGHUP, false, Next::Failed},
                        Case{"asked off, exits", Asked::Off, exit_0, true, Next::Off},
                        Case{"asked off, killed", Asked::Off, SIGKILL, true, Next::Off},
                        Case{"asked off, reboots", Asked::Off, SIGHUP, true, Next::Off},
                        Case{"asked to reboot, exits", Asked::Reboot, exit_0, true, Next::Again},
                        Case{"asked to reboot, killed", Asked::Reboot, SIGKILL, true, Next::Again}}) {
    CAPTURE(c.name);
    CHECK(next_power(c.asked, c.status, c.ready) == c.want);
  }
}

TEST_CASE("the file state") {
  HostState state{LocalPower::Ready, "b83d9aa6-3b46-44e3-ada5-ae687433dd86", {77, 1234567890123ULL}, "two\nlines"};
  const HostState read = HostState::parse(state.text());
  CHECK(read.power == LocalPower::Ready);
  CHECK(read.boot_id == state.boot_id);
  CHECK(read.init.pid == 77);
  CHECK(read.init.start == 1234567890123ULL);
  CHECK(read.why == "two lines");
  CHECK(HostState::parse("").power == LocalPower::Off);
  CHECK(HostState::parse("state: dancing\ninit: x\n").init.pid == 0);
}

TEST_CASE("a process is its pid and its start") {
  const std::optional<Process> self = process_of(::getpid());
  REQUIRE(self.has_value());
  CHECK(open_process(*self));
  CHECK_FALSE(open_process({self->pid, self->start + 1}));
  CHECK_FALSE(open_process({0, 0}));
  CHECK(parse_process(text_of(*self))->start == self->start);
}

TEST_CASE("ranges of subordinate ids") {
  const char* text = "ada:100000:65536\n1001:300000:1000\nbroken\nloki:x:y\nloki:400000:10\n";
  CHECK(find_sub_ids(text, "ada", 1000)->first == 100000);
  CHECK(find_sub_ids(text, "", 1001)->first == 300000);
  CHECK(find_sub_ids(text, "loki", 5)->first == 400000);
  CHECK_FALSE(find_sub_ids(text, "thor", 5).has_value());
  CHECK_FALSE(find_sub_ids("", "ada", 1000).has_value());
}

TEST_CASE("flavours") {
  CHECK(std::string(find_flavour("thin").name) == "thin");
  CHECK(kind_of([] { find_flavour("full"); }) == Kind::Usage);
}

TEST_CASE("the directory of hosts") {
  const Scratch scratch;
  const Hosts hosts(scratch.path(), Launcher("/nonexistent"), true);
  const Descriptor directory = open_directory(AT_FDCWD, scratch.path());

  SUBCASE("nothing there") {
    CHECK_FALSE(hosts.find("loki.websages.com").has_value());
  }
  SUBCASE("a host of ours") {
    make_directory(directory.get(), "loki.websages.com", 0700);
    write_machine(open_directory(directory.get(), "loki.websages.com").get(), loki());
    CHECK(hosts.find("loki.websages.com")->id == "local-0123abcd");
    CHECK(hosts.addresses() == std::set<std::string>{"127.0.64.9"});
    CHECK_FALSE(hosts.runs("loki.websages.com"));
  }
  SUBCASE("somebody else's directory, file, link, or another host's metadata is refused") {
    make_directory(directory.get(), "a.b", 0700);
    replace_file(directory.get(), "c.d", "text", false);
    REQUIRE(::symlinkat("/etc", directory.get(), "e.f") == 0);
    make_directory(directory.get(), "g.h", 0700);
    write_machine(open_directory(directory.get(), "g.h").get(), loki());
    for (const char* name : {"a.b", "c.d", "e.f", "g.h"}) {
      CAPTURE(name);
      CHECK(kind_of([&] { hosts.find(name); }) == Kind::Refused);
    }
  }
  SUBCASE("one attempt at a time") {
    auto lock = hosts.lock("loki.websages.com");
    CHECK(kind_of([&] { hosts.lock("loki.websages.com"); }) == Kind::Transient);
    CHECK(hosts.lock("thor.websages.com") != nullptr);
    lock.reset();
    CHECK(hosts.lock("loki.websages.com") != nullptr);
    CHECK(::faccessat(directory.get(), ".loki.websages.com.lock", F_OK, 0) != 0);
  }
}
