// What providers list, as it comes from their workers.
#include "bot/listed.h"

#include <doctest/doctest.h>

#include "pipeline/error.h"

using namespace jarvis::bot;
using jarvis::pipeline::Error;

namespace {

std::string fault_of(const std::string& clipboard) {
  try {
    (void)read_machines("rack", clipboard);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("listed: JSON and any other YAML") {
  for (const char* text : {R"(provider: rack
machines: [{"kind":"volume","id":"7","name":"n","fqdn":"Loki.example.org","run":"r","step":"r.1","created":"2026-11-20T10:00:00Z","shown":"s: \u001b[2J\nx","machine":null,"monthly":1.5,"currency":"EUR","more":{"a":[1,{"b":2}]}}]
)",
                           R"(provider: rack
before: {machines: [no]}
? [machines]
: no
machines:
- kind: volume
  id: 7
  name: n
  fqdn: Loki.example.org
  run: r
  more: {a: [1, {b: 2}]}
  step: r.1
  created: 2026-11-20T10:00:00Z
  shown: "s: \e[2J\nx"
  machine:
  monthly: 1.5
  currency: EUR
after: x
)"}) {
    CAPTURE(text);
    const auto things = read_machines("rack", text);
    REQUIRE(things.size() == 1);
    const Thing& one = things[0];
    CHECK(one.provider == "rack");
    CHECK(one.kind == "volume");
    CHECK(one.id == "7");
    CHECK(one.host == "loki.example.org");
    CHECK(one.run == "r");
    CHECK(one.step == "r.1");
    CHECK(one.created == time_from("2026-11-20T10:00:00Z"));
    CHECK(one.shown == "s:  [2J x");
    CHECK(one.machine.empty());
    CHECK(one.monthly == 1.5);
    CHECK(one.currency == "EUR");
  }
  CHECK(read_machines("rack", "machines: []\n").empty());
  CHECK(read_machines("rack", "machines: [{id: a, fqdn: b.c}]\n")[0].kind == "machine");
}

TEST_CASE("listed: what is no list") {
  struct Case {
    const char* text;
    const char* fault;
  };
  for (const Case& c :
       {Case{"provider: rack\n", "`machines` is not on the clipboard that it left"},
        {"machines: no\n", "machines: is no list"},
        {"machines: {id: x}\n", "machines: is no list"},
        {"machines: [x]\n", "machines: item 1 is no mapping"},
        {"machines: [{id: x, fqdn: a.b}, {fqdn: a.b}]\n", "machines: item 2 has no `id`"},
        {"machines: [{id: x, fqdn: null}]\n", "machines: item 1 has no `fqdn`"},
        {"machines: [{id: x, fqdn: a.b, monthly: free}]\n", "machines: item 1: monthly: `free` is no amount of money"},
        {"machines: [{id: x, fqdn: a.b, monthly: -1}]\n", "machines: item 1: monthly: `-1` is no amount of money"}}) {
    CAPTURE(c.text);
    CHECK(fault_of(c.text) == c.fault);
  }
}

TEST_CASE("listed: words of a filter") {
  const Offered type{"type", "g6-nanode-1", "Nanode 1GB", "1 CPU, 1024 MB", 5.0, "USD"};
  struct Case {
    std::vector<std::string> words;
    bool want;
  };
  for (const Case& c : {Case{{}, true},
                        {{"type"}, true},
                        {{"types"}, true},
                        {{"TYPE", "1024"}, true},
                        {{"nanode"}, true},
                        {{"1gb"}, true},
                        {{"type", "2048"}, false},
                        {{"image"}, false},
                        {{"typesetting"}, false}}) {
    CAPTURE(c.words.size());
    CHECK(fits_words(type, c.words) == c.want);
  }
}

TEST_CASE("listed: times and sums") {
  const auto base = time_from("2026-11-20T10:00:00Z");
  REQUIRE(base);
  for (const char* same :
       {"2026-11-20T10:00:00", "2026-11-20T10:00:00.123Z", "2026-11-20T12:00:00+02:00", "2026-11-20T04:30:00-05:30"}) {
    CAPTURE(same);
    CHECK(time_from(same) == base);
  }
  for (const char* none : {"", "yesterday", "2026-11-20", "2026-11-20T10:00:00+2", "2026-11-20T10:00:00Zulu"}) {
    CAPTURE(none);
    CHECK_FALSE(time_from(none));
  }
  Sum sum;
  CHECK(sum.empty());
  sum.add(std::nullopt, "USD");
  CHECK(sum.empty());
  sum.add(5, "USD");
  sum.add(2.5, "EUR");
  sum.add(0.25, "USD");
  CHECK(sum.text() == "5.25 USD + 2.50 EUR");
}
