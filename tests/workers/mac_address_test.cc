#include "workers/mac_address.h"

#include <doctest/doctest.h>

#include "tests/workers/scratch.h"

using namespace jarvis::workers;
using jarvis::pipeline::Kind;
using jarvis::tests::error_of;

TEST_CASE("one card, however it is written") {
  for (const char* form : {"52:54:00:0a:0b:01", "52:54:00:0A:0B:01", "52-54-00-0a-0b-01", "52:54:0:a:b:1",
                           "52-54-0-A-B-1", "5254.000a.0b01", "5254000a0b01", "5254000A0B01"}) {
    CAPTURE(form);
    CHECK(MacAddress::parse(form).text() == "52:54:00:0a:0b:01");
    CHECK(MacAddress::parse(form).boot_file() == "01-52-54-00-0a-0b-01");
  }
  CHECK(MacAddress::parse("0:1a:4:b:5:c").boot_file() == "01-00-1a-04-0b-05-0c");
}

TEST_CASE("what is no card's address") {
  for (const char* bad : {"", "loki", "52:54:00:0a:0b", "52:54:00:0a:0b:01:02", "52:54:00:0a:0b:", ":54:00:0a:0b:01",
                          "52:54:00:0a:0b:001", "52:54:00:0a:0b:0g", "52:54:00:0a:0b:+1", "52:54:00:0a:0b: 1",
                          "52:54:00-0a-0b-01", "5254.000a", "52.54.00.0a.0b.01", "5254000a0b0", "00:00:00:00:00:00",
                          "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "52:54:00:0a:0b:01\n"}) {
    CAPTURE(bad);
    CHECK(error_of([&] { MacAddress::parse(bad); }).kind() == Kind::Usage);
  }
}
