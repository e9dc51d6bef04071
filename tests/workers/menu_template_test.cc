#include "workers/menu_template.h"

#include <doctest/doctest.h>

#include "tests/workers/scratch.h"

using namespace jarvis::workers;
using jarvis::pipeline::Kind;
using jarvis::tests::error_of;
using jarvis::tests::holds;

namespace {
const MenuValues kValues = {{"hostname", "loki"}, {"ip", "10.20.0.7"}, {"next_server", "[% ip %]"}};
}

TEST_CASE("names become values, everything else stays") {
  CHECK(rendered("", kValues).empty());
  CHECK(rendered("default install_[% hostname %]_serial\n", kValues) == "default install_loki_serial\n");
  CHECK(rendered("[%hostname%][%  ip\t%]", kValues) == "loki10.20.0.7");
  CHECK(rendered("a % ] [ %] \\ $ip ${ip}", kValues) == "a % ] [ %] \\ $ip ${ip}");
  CHECK(rendered("[% next_server %]", kValues) == "[% ip %]");  // a value is not read again
}

TEST_CASE("what is wrong with a template, and where") {
  struct Case {
    const char* text;
    const char* said;
  };
  for (const Case& c :
       {Case{"a\nb\n[% secret %]", "line 3: `[% secret %]` has no value; there are: hostname, ip, next_server"},
        {"[% hostname", "line 1: `[%` is not closed"},
        {"\n[% IF ip %]x[% END %]", "line 2: `[% IF ip %]` has no value"},
        {"[% Hostname %]", "has no value"},
        {"[%%]", "has no value"}}) {
    CAPTURE(c.text);
    const auto error = error_of([&] { rendered(c.text, kValues); });
    CHECK(error.kind() == Kind::Usage);
    CHECK(holds(error.what(), c.said));
  }
}

TEST_CASE("the template of an operating system") {
  CHECK(template_file("Debian 12") == "install_debian_12.tpl");
  CHECK(template_file("CentOS-6.x") == "install_centos-6.x.tpl");
  for (const char* bad : {"", "../x", "a/b", "a\\b", "a\nb", "Debian 12;", "ö"}) {
    CAPTURE(bad);
    CHECK(error_of([&] { template_file(bad); }).kind() == Kind::Usage);
  }
}
