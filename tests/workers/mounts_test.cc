// What a spec says about mounting, and where a host finds its disks.
#include "workers/mounts.h"

#include <doctest/doctest.h>

#include "tests/workers/scratch.h"

using namespace jarvis;
using namespace jarvis::tests;
using namespace jarvis::workers;

namespace {

std::string shown(const std::string& spec) {
  std::string made;
  for (const Mount& one : mounts_of(Clipboard::parse(spec + "\n")))
    made += (made.empty() ? "" : " ") + one.name + ":" + one.path;
  return made;
}

}  // namespace

TEST_CASE("mounts of a spec") {
  struct Case {
    const char *name, *spec, *mounts;
  };
  for (const Case& c : {
           Case{"nothing there", "fqdn: a", ""},
           {"root and swap are no data disks", "disks: {root: 4096, swap: 512}", ""},
           {"a disk opt is on /opt", "disks: {root: 4096, opt: rest}", "opt:/opt"},
           {"a volume opt, too", "volumes: {opt: 20}", "opt:/opt"},
           {"others are not", "volumes: {data: 20}", ""},
           {"left empty is left out", "volumes: {opt: 20}\nmounts:", "opt:/opt"},
           {"none at all", "volumes: {opt: 20}\nmounts: {}", ""},
           {"opt alone where it is said", "volumes: {opt: 20, data: 5}\nmounts: {data: /srv/data}", "data:/srv/data"},
           {"opt elsewhere", "volumes: {opt: 20}\nmounts: {opt: /srv/opt}", "opt:/srv/opt"},
           {"what holds another one comes first", "volumes: {a: 1, b: 1}\nmounts: {a: /srv/data/a, b: /srv/data}",
            "b:/srv/data a:/srv/data/a"},
           {"below directories that have contents", "volumes: {a: 1}\nmounts: {a: /usr/local/a.b-c_d}",
            "a:/usr/local/a.b-c_d"},
           {"a name like the system's", "volumes: {a: 1}\nmounts: {a: /devices}", "a:/devices"},
       }) {
    CAPTURE(c.name);
    CHECK(shown(c.spec) == c.mounts);
  }
}

TEST_CASE("mounts that are refused name key, value and what would be right") {
  struct Case {
    const char *name, *mounts, *text;
  };
  const std::string disks = "disks: {root: 4096, swap: 512, opt: rest}\nvolumes: {data: 20}\nmounts: ";
  for (const Case& c : {
           Case{"unknown", "{dta: /srv}",
                "mounts: `dta` is no data disk and no volume of the spec; there are: opt data"},
           {"the root disk", "{root: /srv}", "`root` is no data disk"},
           {"a list", "[data]", "a mapping is expected, such as {data: /srv/data}"},
           {"a text", "/opt", "a mapping is expected"},
           {"relative", "{data: srv/data}", "mounts: data: `srv/data` must be an absolute path"},
           {"empty", "{data: }", "must be an absolute path"},
           {"a blank", "{data: /srv/my data}", "`/srv/my data` must hold no blanks"},
           {"a tab", "{data: \"/srv/a\\tb\"}", "must hold no blanks"},
           {"a line", "{data: \"/srv/a\\nb\"}", "must hold no blanks"},
           {"a backslash", "{data: '/srv/a\\040b'}", "must hold no blanks"},
           {"the root", "{data: /}", "is the root itself"},
           {"a slash at the end", "{data: /srv/}", "must be written without"},
           {"two slashes", "{data: /srv//data}", "must be written without"},
           {"up", "{data: /srv/../etc}", "must be written without"},
           {"up at the end", "{data: /srv/..}", "must be written without"},
           {"here", "{data: /srv/./data}", "must be written without"},
           {"bin", "{data: /bin}", "`/bin` is the system's own"},
           {"etc", "{data: /etc}", "is the system's own"},
           {"lib64", "{data: /lib64}", "is the system's own"},
           {"root's home", "{data: /root}", "is the system's own"},
           {"tmp", "{data: /tmp}", "is the system's own"},
           {"usr", "{data: /usr}", "is the system's own"},
           {"dev", "{data: /dev}", "is the system's own"},
           {"below dev", "{data: /dev/data}", "is the system's own"},
           {"below proc", "{data: /proc/data}", "is the system's own"},
           {"below sys", "{data: /sys/data}", "is the system's own"},
           {"below run", "{data: /run/data}", "is the system's own"},
           {"one path twice", "{data: /srv, opt: /srv}", "mounts: opt: `/srv` is where data is mounted"},
       }) {
    CAPTURE(c.name);
    const auto e = error_of([&] { (void)shown(disks + c.mounts); });
    CHECK(e.kind() == Kind::Usage);
    CHECK_MESSAGE(holds(e.what(), c.text), e.what());
  }
  const auto none = error_of([&] { (void)shown("mounts: {data: /srv}"); });
  CHECK(holds(none.what(), "the spec has none (`disks`, `volumes`)"));
  const auto longer = error_of([&] { (void)shown(disks + "{data: /" + std::string(300, 'a') + "}"); });
  CHECK(holds(longer.what(), "at most 255 characters"));
}

TEST_CASE("devices, however they are written") {
  auto board = Clipboard::parse("fqdn: a\n");
  set_devices(board, {{"opt", {"/dev/sdc"}}, {"yes", {"/dev/disk/by-path/*-scsi-0:0:1:0", "/dev/sd b", "/etc/x"}}});
  const std::vector<std::string> pattern = {"/dev/disk/by-path/*-scsi-0:0:1:0"};
  CHECK(devices_of(board, "opt") == std::vector<std::string>{"/dev/sdc"});
  CHECK(devices_of(board, "yes") == pattern);  // without what is no path below /dev
  CHECK(devices_of(board.block_style(), "yes") == pattern);
  for (const char* text :
       {"devices:\n  opt:\n    - /dev/sdc\n    - /dev/sdd\n  data: [/dev/sde]\nfqdn: a\n",
        "devices: {opt: [/dev/sdc,\n  /dev/sdd], data: /dev/sde}\n",
        "{\"a\": 1, \"devices\": {\"opt\": [\"/dev/sdc\", \"/dev/sdd\"], \"data\": [\"/dev/sde\"]}}\n"}) {
    CAPTURE(text);
    const auto written = Clipboard::parse(text);
    CHECK(devices_of(written, "opt") == std::vector<std::string>{"/dev/sdc", "/dev/sdd"});
    CHECK(devices_of(written, "data") == std::vector<std::string>{"/dev/sde"});
  }
  for (const char* text : {"fqdn: a\n", "devices: {other: [/dev/sdc]}\n", "devices: {data: []}\n", "devices: none\n"})
    CHECK(holds(error_of([&] { (void)devices_of(Clipboard::parse(text), "data"); }).what(),
                "devices: nobody said which device `data` is"));
  for (const char* path : {"/etc/passwd", "dev/sdc", "/dev/../etc/passwd", "/dev/s$(x)", "/dev/a b"}) {
    CAPTURE(path);
    CHECK(holds(error_of([&] {
                  (void)devices_of(Clipboard::parse("devices: {data: ['" + std::string(path) + "']}\n"), "data");
                }).what(),
                "is no path below /dev"));
  }
  set_devices(board, {});
  CHECK_FALSE(board.has("devices"));
}

TEST_CASE("what is known as mounted") {
  auto board = Clipboard::parse("fqdn: a\n");
  CHECK_FALSE(known_as_mounted(board, {"data", "/srv/data"}));
  set_mounted(board, {{"data", "/srv/data"}, {"opt", "/opt"}});
  CHECK(known_as_mounted(board, {"data", "/srv/data"}));
  CHECK_FALSE(known_as_mounted(board, {"data", "/srv/other"}));
  CHECK_FALSE(known_as_mounted(board, {"more", "/srv/data"}));
  set_mounted(board, {});
  CHECK(board.text() == "fqdn: a\n");
}
