#include "workers/boot_links.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/workers/scratch.h"

using namespace jarvis::workers;
using namespace jarvis::tests;
namespace fs = std::filesystem;

namespace {

BootHost loki() {
  return {"loki",
          "loki.websages.com",
          "192.168.1.2",
          {MacAddress::parse("0:1a:4:b:5:c"), MacAddress::parse("52-54-00-0a-0b-01")}};
}

std::string board(const char* more) {
  return std::string("hostname: loki\nfqdn: Loki.WebSages.com\n") + more;
}

}  // namespace

TEST_CASE("an address in hexadecimal") {
  CHECK(boot_hex("192.168.1.2") == "C0A80102");
  CHECK(boot_hex("10.20.0.7") == "0A140007");
  CHECK(boot_hex("255.255.255.255") == "FFFFFFFF");
  CHECK(boot_hex("0.0.0.0") == "00000000");
  for (const char* bad : {"", "10.20.0", "10.20.0.256", "2001:db8::7", "0x0a.1.1.1", "loki"}) {
    CAPTURE(bad);
    CHECK(error_of([&] { boot_hex(bad); }).kind() == Kind::Usage);
  }
}

TEST_CASE("the chain, from its far end") {
  CHECK(boot_links(loki(), install_menu(loki().fqdn)) ==
        std::vector<BootLink>{{"C0A80102", "../pxelinux.menus/install_loki.websages.com"},
                              {"192.168.1.2", "C0A80102"},
                              {"loki.websages.com", "192.168.1.2"},
                              {"01-00-1a-04-0b-05-0c", "loki.websages.com"},
                              {"01-52-54-00-0a-0b-01", "loki.websages.com"}});
  CHECK(boot_links(loki(), kMainMenu)[0].target == "../pxelinux.menus/main_menu");
}

TEST_CASE("links are made under a strict umask for everybody to read, and made again with nothing to do") {
  const TempDir dir;
  const ::mode_t before = ::umask(077);
  const TftpRoot root(dir.text());
  root.write_menu("main_menu", "m\n");
  root.write_menu(install_menu(loki().fqdn), "i\n");
  CHECK(root.missing(loki(), kMainMenu).size() == 5);
  root.link(loki(), kMainMenu);
  ::umask(before);
  CHECK(root.missing(loki(), kMainMenu).empty());
  CHECK(root.missing(loki(), install_menu(loki().fqdn)).size() == 1);
  CHECK(read_text(dir / "pxelinux.cfg/01-00-1a-04-0b-05-0c") == "m\n");
  root.link(loki(), install_menu(loki().fqdn));
  CHECK(read_text(dir / "pxelinux.cfg/01-52-54-00-0a-0b-01") == "i\n");
  for (const char* path : {"pxelinux.cfg", "pxelinux.menus"})
    CHECK((fs::status(dir / path).permissions() & fs::perms::others_exec) != fs::perms::none);
  CHECK((fs::status(dir / "pxelinux.menus/main_menu").permissions() & fs::perms::others_read) != fs::perms::none);
  // What an attempt left that was killed in the middle.
  fs::create_symlink("x", dir / "pxelinux.cfg/.C0A80102.new");
  write_text(dir / "pxelinux.menus/.main_menu.new", "half");
  root.link(loki(), kMainMenu);
  root.write_menu("main_menu", "n\n");
  CHECK(read_text(dir / "pxelinux.cfg/loki.websages.com") == "n\n");
  root.unlink(loki().fqdn);
  CHECK(fs::is_empty(dir / "pxelinux.cfg"));
  CHECK(root.present(loki().fqdn).empty());
  CHECK(root.read_menu("main_menu") == "n\n");
}

TEST_CASE("a card that the host has no more loses its link") {
  const TempDir dir;
  const TftpRoot root(dir.text());
  root.link(loki(), kMainMenu);
  BootHost changed = loki();
  changed.macs.erase(changed.macs.begin());
  const std::string old = dir.text() + "/pxelinux.cfg/01-00-1a-04-0b-05-0c";
  CHECK(root.missing(changed, kMainMenu) == std::vector<std::string>{"remove " + old});
  root.link(changed, kMainMenu);
  CHECK_FALSE(fs::is_symlink(old));
  CHECK(root.missing(changed, kMainMenu).empty());
}

TEST_CASE("links are found and taken away by the host's name alone") {
  const TempDir dir;
  const TftpRoot root(dir.text());
  const std::string links = dir.text() + "/pxelinux.cfg/";
  root.write_menu(install_menu("loki.websages.com"), "i\n");
  root.link(loki(), install_menu("loki.websages.com"));
  const std::vector<std::string> all = {links + "01-00-1a-04-0b-05-0c",
                                        links + "01-52-54-00-0a-0b-01",
                                        links + "C0A80102",
                                        links + "192.168.1.2",
                                        links + "loki.websages.com",
                                        dir.text() + "/pxelinux.menus/install_loki.websages.com"};
  CHECK(root.present("loki.websages.com") == all);
  CHECK(root.present("thor.websages.com").empty());
  SUBCASE("cut short anywhere, the rest goes the next time") {
    for (std::size_t gone = 0; gone < all.size(); ++gone) {
      fs::remove(all[gone]);
      CHECK(root.present("loki.websages.com") ==
            std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(gone) + 1, all.end()));
    }
  }
  SUBCASE("what another host uses, and what is no link of jarvis's, stays") {
    fs::create_symlink("192.168.1.2", links + "thor.websages.com");
    write_text(dir / "pxelinux.cfg/01-00-00-00-00-00-01", "loki.websages.com");
    root.unlink("loki.websages.com");
    CHECK(read_text(dir / "pxelinux.cfg/thor.websages.com").empty());  // its menu was loki's
    CHECK(fs::is_symlink(links + "C0A80102"));
    CHECK(fs::exists(links + "01-00-00-00-00-00-01"));
    CHECK_FALSE(fs::is_symlink(links + "loki.websages.com"));
  }
}

TEST_CASE("a menu's place taken by something else") {
  const TempDir dir;
  const TftpRoot root(dir.text());
  fs::create_directory(dir / "pxelinux.menus");
  fs::create_symlink("/etc/hostname", dir / "pxelinux.menus/install_loki.websages.com");
  CHECK(holds(error_of([&] { root.write_menu(install_menu(loki().fqdn), "i\n"); }).what(), "is in the way"));
  CHECK(error_of([&] { TftpRoot("/nowhere"); }).kind() == Kind::Usage);
}

TEST_CASE("what a clipboard says of a host that boots") {
  const BootHost host =
      boot_host(call_of("pxe:x", board("ipaddress: ['2001:db8::7', 10.20.0.7, 10.20.0.8]\nmacaddrs: [5254000a0b01, "
                                       "'52:54:0:a:b:1', '52:54:0:a:b:2']\n")));
  CHECK(host.fqdn == "loki.websages.com");
  CHECK(host.domain() == "websages.com");
  CHECK(host.address == "10.20.0.7");
  REQUIRE(host.macs.size() == 2);
  CHECK(host.macs[1].text() == "52:54:00:0a:0b:02");
  struct Case {
    const char* text;
    const char* said;
  };
  for (const Case& c :
       {Case{"fqdn: loki.websages.com\nmacaddrs: 5254000a0b01\n", "ipaddress: "},
        {"fqdn: loki.websages.com\nipaddress: '::1'\nmacaddrs: 5254000a0b01\n", "ipaddress: "},
        {"fqdn: loki.websages.com\nipaddress: 10.20.0.7; evil\nmacaddrs: 5254000a0b01\n", "ipaddress: "},
        {"fqdn: loki.websages.com\nipaddress: 10.20.0.7\n", "macaddrs: missing"},
        {"fqdn: loki.websages.com\nipaddress: 10.20.0.7\nmacaddrs: [x]\n", "macaddrs: `x`"},
        {"fqdn: loki\nipaddress: 10.20.0.7\nmacaddrs: 5254000a0b01\n", "fqdn: `loki`"},
        {"fqdn: ../etc/passwd\nipaddress: 10.20.0.7\nmacaddrs: 5254000a0b01\n", "fqdn: "},
        {"fqdn: a.b\nhostname: 'x\"; filename \"y'\nipaddress: 10.20.0.7\nmacaddrs: 5254000a0b01\n", "hostname: "}}) {
    CAPTURE(c.text);
    const auto error = error_of([&] { boot_host(call_of("pxe:x", c.text)); });
    CHECK(error.kind() == Kind::Usage);
    CHECK(holds(error.what(), c.said));
  }
}
