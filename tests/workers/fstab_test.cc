#include "workers/fstab.h"

#include <doctest/doctest.h>

using namespace jarvis::workers;

TEST_CASE("lines of /etc/fstab") {
  const auto lines = fstab_lines(
      "# /etc/fstab\n#UUID=1 /opt ext4 defaults 0 2\n\nUUID=\"a-1\" / ext4 errors=remount-ro 0 1\n"
      "\t/dev/sdb  none swap sw 0 0\n  # UUID=2 /srv\nLABEL=opt\t/opt\text3\nUUID=cut");
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].device == "UUID=a-1");
  CHECK(lines[0].path == "/");
  CHECK(lines[1].device == "/dev/sdb");
  CHECK(lines[2].device == "LABEL=opt");
  CHECK(lines[2].path == "/opt");
  CHECK(fstab_lines("").empty());
}

TEST_CASE("the line of a data disk") {
  for (const char* type : {"ext2", "ext3", "ext4"})
    CHECK(fstab_line("a-1", "/opt", type) ==
          std::string("UUID=a-1 /opt ") + type + " noatime,errors=remount-ro,nofail 0 2\n");
  CHECK(fstab_line("a-1", "/srv/data", "xfs") == "UUID=a-1 /srv/data xfs noatime,nofail 0 0\n");
}
