// The pure parts of the XMPP link.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>

#include "bot/links/xmpp/address.h"
#include "bot/links/xmpp/outbox.h"
#include "bot/links/xmpp/pulse.h"
#include "bot/links/xmpp/room.h"
#include "bot/links/xmpp/settings.h"
#include "bot/links/xmpp/sightings.h"
#include "bot/links/xmpp/srv.h"
#include "bot/links/xmpp/stanza_gate.h"
#include "tests/bot/scratch_directory.h"

using namespace jarvis::bot::links::xmpp;  // NOLINT
using namespace std::chrono_literals;

namespace {

const Time kNoon = Time{} + std::chrono::hours(12);

const char* pass_all(StanzaGate& gate, std::string_view text, std::size_t piece) {
  const char* why = nullptr;
  for (; !text.empty() && why == nullptr; text.remove_prefix(std::min(piece, text.size()))) {
    why = gate.pass(text.substr(0, piece));
  }
  return why;
}

// A DNS answer for _xmpp-client._tcp.xmpp.test as a name server sends it.
std::string srv_answer(const std::vector<Srv>& records) {
  std::string made("\x12\x34\x81\x80\x00\x01", 6);
  made += '\0';
  made += static_cast<char>(records.size());
  made += std::string(4, '\0');
  const std::string name = std::string("\x0c_xmpp-client\x04_tcp\x04xmpp\x04test") + '\0';
  const auto number = [](unsigned value) {
    return std::string{static_cast<char>(value >> 8U), static_cast<char>(value)};
  };
  made += name + number(33) + number(1);
  for (const Srv& one : records) {
    std::string target;
    for (std::size_t from = 0; from < one.target.size();) {
      const std::size_t dot = std::min(one.target.find('.', from), one.target.size());
      target += static_cast<char>(dot - from) + one.target.substr(from, dot - from);
      from = dot + 1;
    }
    target += '\0';
    const std::string data = number(one.priority) + number(one.weight) + number(one.port) + target;
    made += std::string("\xc0\x0c", 2) + number(33) + number(1) + number(0) + number(60) +
            number(static_cast<unsigned>(data.size())) + data;
  }
  return made;
}

}  // namespace

TEST_CASE("xmpp: whom a line is meant for") {
  struct Case {
    const char *name, *text, *nick, *prefix;
    bool want;
  };
  for (const Case& c :
       {Case{"colon", "jarvis: status", "jarvis", "", true}, Case{"comma", "jarvis, status", "jarvis", "", true},
        Case{"case", "JARVIS: status", "jarvis", "", true}, Case{"nothing behind", "jarvis:", "jarvis", "", true},
        Case{"only the nick", "jarvis", "jarvis", "", false}, Case{"longer nick", "jarvis_: x", "jarvis", "", false},
        Case{"space", "jarvis status", "jarvis", "", false}, Case{"later", "ask jarvis: x", "jarvis", "", false},
        Case{"other nick", "jarvis: x", "jarvis_", "", false}, Case{"prefix", "!status", "jarvis", "!", true},
        Case{"no prefix", "!status", "jarvis", "", false}, Case{"no nick", ": x", "", "", false},
        Case{"empty", "", "jarvis", "!", false},
        Case{"emoji nick", "\xf0\x9f\xa6\x84: x", "\xf0\x9f\xa6\x84", "", true}}) {
    CAPTURE(c.name);
    CHECK(is_addressed(c.text, c.nick, c.prefix) == c.want);
  }
  CHECK(addressed_to("thor", "ready") == "thor: ready");
  CHECK(addressed_to("thor", "Thor: ready") == "Thor: ready");
  CHECK(addressed_to("", "ready") == "ready");
}

TEST_CASE("xmpp: what a server may send") {
  const std::string open = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0'>";
  struct Case {
    const char* name;
    std::string text;
    const char* want;  // a word of the reason; null: it passes
  };
  for (const Case& c :
       {Case{"stanza", open + "<message a='>' b=\"'/>\"><body>x</body><x/></message>\n<iq/>", nullptr},
        Case{"new stream inside", open + open + "<iq/>" + open + "<iq/>", nullptr},
        Case{"cdata", open + "<a><![CDATA[</a> ]] > <!-- ]]></a><iq/>", nullptr},
        Case{"comment", open + "<a><!-- x --></a>", "forbids"}, Case{"comment between", open + "<!-- x -->", "forbids"},
        Case{"doctype", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "forbids"},
        Case{"instruction", open + "<?php x?>", "forbids"},
        Case{"instruction in a stanza", open + "<a><?xml x?></a>", "forbids"},
        Case{"text between", open + "hello", "not XML"}, Case{"no stream", "<a/>", "not XML"},
        Case{"http", "HTTP/1.1 400 Bad Request", "not XML"}, Case{"control character", open + "<a>\x01</a>", "not XML"},
        Case{"tag in a tag", open + "<a <b/>", "not XML"}, Case{"deep", open + "<a><a><a><a><a><a><a>", "deeper"},
        Case{"deep by empty tags", open + "<a><a><a><a><a/><a/><a/></a></a></a></a>", nullptr},
        Case{"too many ends", open + "</stream:stream></a>", "not XML"},
        Case{"large text", open + "<a>" + std::string(600, 'x'), "larger"},
        Case{"large name", open + "<" + std::string(600, 'x'), "not XML"},
        Case{"large attribute", open + "<a b='" + std::string(600, 'x'), "larger"}}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100000}}) {
      CAPTURE(c.name);
      CAPTURE(piece);
      StanzaGate gate(500, 6);
      const char* why = pass_all(gate, c.text, piece);
      if (c.want == nullptr) {
        CHECK_MESSAGE(why == nullptr, why);
      } else {
        REQUIRE(why != nullptr);
        CHECK(std::string(why).find(c.want) != std::string::npos);
      }
    }
  }
  StanzaGate gate(500, 6);
  CHECK(gate.pass(open) == nullptr);
  for (int i = 0; i < 100; ++i) CHECK(gate.pass("<message><body>12345678</body></message> ") == nullptr);
  CHECK_FALSE(gate.is_over());
  CHECK(gate.pass("</stream:stream>") == nullptr);
  CHECK(gate.is_over());
}

TEST_CASE("xmpp: the outbox") {
  Outbox box(2, 1, 4);
  const auto everywhere = [](const std::string&) { return true; };
  CHECK_FALSE(box.next(kNoon, everywhere));
  for (const char* text : {"a", "b", "c"}) CHECK_FALSE(box.push({"room", text}));

  SUBCASE("is paced") {
    CHECK(box.next(kNoon, everywhere)->text == "a");
    CHECK(box.next(kNoon, everywhere)->text == "b");
    CHECK_FALSE(box.next(kNoon, everywhere));
    CHECK(box.next_token(kNoon) == kNoon + 1s);
    CHECK_FALSE(box.next(kNoon + 999ms, everywhere));
    CHECK(box.next(kNoon + 1s, everywhere)->text == "c");
    CHECK(box.empty());
  }
  SUBCASE("is bounded") {
    CHECK_FALSE(box.push({"room", "d"}));
    CHECK(box.push({"room", "e"})->text == "a");
    CHECK(box.next(kNoon, everywhere)->text == "b");
  }
  SUBCASE("holds a closed place back, in order") {
    CHECK_FALSE(box.push({"thor", "d"}));
    const auto open = [](const std::string& place) { return place == "thor"; };
    CHECK(box.next(kNoon, open)->text == "d");
    CHECK_FALSE(box.next(kNoon, open));
    CHECK(box.next(kNoon, everywhere)->text == "a");
  }
  SUBCASE("says again what was not confirmed") {
    (void)box.next(kNoon, everywhere);
    const std::size_t mark = box.mark();
    (void)box.next(kNoon, everywhere);
    box.confirm(mark);
    box.lost();
    CHECK(box.next(kNoon + 5s, everywhere)->text == "b");
    CHECK(box.next(kNoon + 5s, everywhere)->text == "c");
    CHECK(box.empty());
  }
  SUBCASE("tells of what was asked about, once") {
    CHECK_FALSE(box.push({"room", "d", 7}));
    for (int i = 0; i < 4; ++i) CHECK(box.next(kNoon + std::chrono::seconds(i), everywhere));
    CHECK(box.under_way());
    CHECK(box.confirm(3) == std::vector<std::uint64_t>{});
    CHECK(box.confirm(4) == std::vector<std::uint64_t>{7});
    CHECK(box.confirm(4) == std::vector<std::uint64_t>{});
    CHECK_FALSE(box.under_way());
  }
  SUBCASE("says again what a place refused") {
    (void)box.next(kNoon, everywhere);
    const std::size_t number = box.mark();
    (void)box.next(kNoon, everywhere);
    box.confirm(box.mark());
    box.refused(number);
    box.refused(number);
    box.refused(number + 9);
    CHECK(box.next(kNoon + 5s, everywhere)->text == "a");
    CHECK(box.next(kNoon + 5s, everywhere)->text == "c");
    CHECK(box.empty());
    box.lost();
    std::string again;
    for (Time now = kNoon + 9s; !box.empty(); now += 1s) again += box.next(now, everywhere)->text;
    CHECK(again == "ac");
  }
}

TEST_CASE("xmpp: the pulse") {
  Pulse pulse(60s, 20s, 5s);
  pulse.begin(kNoon);
  CHECK_FALSE(pulse.due(kNoon + 59s));
  CHECK(pulse.due(kNoon + 60s));
  pulse.asked(kNoon + 60s);
  CHECK_FALSE(pulse.due(kNoon + 300s));
  CHECK_FALSE(pulse.is_dead(kNoon + 79s));
  CHECK(pulse.is_dead(kNoon + 80s));
  CHECK(pulse.next() == kNoon + 80s);
  pulse.said(kNoon + 61s);
  pulse.answered(kNoon + 79s);
  CHECK_FALSE(pulse.is_dead(kNoon + 80s));
  CHECK(pulse.due(kNoon + 79s));
  pulse.asked(kNoon + 79s);
  pulse.answered(kNoon + 79s);
  CHECK(pulse.next() == kNoon + 139s);
  pulse.said(kNoon + 80s);
  CHECK(pulse.next() == kNoon + 85s);
}

TEST_CASE("xmpp: a delay grows, with jitter, up to its bound") {
  std::minstd_rand random;  // NOLINT
  GrowingDelay delay(1s, 300s);
  milliseconds nominal = 1s;
  for (int i = 0; i < 12; ++i) {
    const milliseconds wait = delay.grow(random);
    CHECK(wait >= nominal * 8 / 10);
    CHECK(wait <= nominal * 12 / 10);
    nominal = std::min<milliseconds>(nominal * 2, 300s);
  }
  delay.reset();
  CHECK(delay.grow(random) <= 1200ms);
}

TEST_CASE("xmpp: a room") {
  Room room("ops@conference", "jarvis", "");
  CHECK(room.due(kNoon));
  room.ask(kNoon);
  CHECK_FALSE(room.due(kNoon + 1h));
  CHECK(room.is_late(kNoon + 30s));
  std::string tried;
  while (room.another_nick()) tried += room.nick() + " ";
  CHECK(tried == "jarvis_ jarvis__ jarvis___ jarvis____ ");
  room.in("jarvis", kNoon);
  room.see("thor", "thor@xmpp.test");
  room.see("loki@xmpp.test", "");
  CHECK(room.identity("thor") == "thor@xmpp.test");
  CHECK_FALSE(room.identity("loki@xmpp.test"));
  CHECK_FALSE(room.identity("odin"));
  CHECK(room.left("thor") == "thor@xmpp.test");
  CHECK_FALSE(room.identity("thor"));
  CHECK(room.left("thor").empty());
  room.see("thor", "thor@xmpp.test");
  CHECK(room.out(kNoon + 1s, false).size() == 2);
  CHECK_FALSE(room.identity("thor"));
  CHECK_FALSE(room.due(kNoon + 2s));
  CHECK(room.due(kNoon + 5s));
  (void)room.out(kNoon + 10s, true);
  CHECK_FALSE(room.due(kNoon + 200s));
  CHECK(room.due(kNoon + 310s));
  CHECK(room.is_news("banned"));
  CHECK_FALSE(room.is_news("banned"));
}

TEST_CASE("xmpp: who is seen where") {
  Sightings seen;
  seen.seen("thor@x", "ops@c/thor");
  CHECK_FALSE(seen.left("thor@x", "ops@c/thor"));  // never spoke
  seen.heard("thor@x");
  CHECK_FALSE(seen.left("thor@x", "ops@c/thor"));  // was not seen
  seen.seen("thor@x", "ops@c/thor");
  seen.seen("thor@x", "thor@x/desk");
  CHECK_FALSE(seen.left("thor@x", "ops@c/thor"));
  CHECK_FALSE(seen.left("thor@x", "ops@c/thor"));
  CHECK(seen.left("thor@x", "thor@x/desk"));
  seen.seen("thor@x", "thor@x/desk");
  CHECK_FALSE(seen.left("thor@x", "thor@x/desk"));  // told already
  seen.heard("thor@x");
  seen.seen("thor@x", "thor@x/desk");
  seen.forget();
  CHECK_FALSE(seen.left("thor@x", "thor@x/desk"));
}

TEST_CASE("xmpp: SRV records") {
  const std::vector<Srv> want = {{10, 5, 5222, "a.xmpp.test"}, {0, 0, 15222, "b.xmpp.test"}};
  const std::string answer = srv_answer(want);
  const auto records = srv_records(answer);
  REQUIRE(records);
  REQUIRE(records->size() == 2);
  CHECK(records->at(0).target == "a.xmpp.test");
  CHECK(records->at(0).weight == 5);
  CHECK(records->at(1).port == 15222);
  CHECK(srv_records(srv_answer({{0, 0, 0, ""}}))->front().target.empty());
  CHECK(srv_records(srv_answer({}))->empty());
  for (std::size_t length = 0; length < answer.size(); ++length) CHECK_FALSE(srv_records(answer.substr(0, length)));

  std::minstd_rand random;  // NOLINT
  std::map<std::string, int> first;
  for (int i = 0; i < 4000; ++i) {
    const auto ordered = in_order({{1, 0, 1, "last"}, {0, 30, 1, "often"}, {0, 10, 1, "sometimes"}}, random);
    REQUIRE(ordered.size() == 3);
    CHECK(ordered.back().target == "last");
    ++first[ordered.front().target];
  }
  CHECK(first["often"] > 2700);
  CHECK(first["sometimes"] > 700);
}

TEST_CASE("xmpp: the link's configuration") {
  using nlohmann::json;
  const json good = {{"jid", "jarvis@xmpp.test"}, {"password_file", "/p"}};
  const Settings plain = read_settings(good);
  CHECK(plain.domain == "xmpp.test");
  CHECK(plain.nick == "jarvis");
  CHECK(plain.host.empty());
  CHECK(plain.ping_every == 60s);

  json full = good;
  full.update(
      {{"server", "[::1]:15222"},
       {"nick", "butler"},
       {"priority", -1},
       {"people", {"thor@xmpp.test"}},
       {"ping_every", 0.5},
       {"pace", {{"burst", 3}}},
       {"rooms", json::array({"ops@c.test", {{"room", "deep@c.test"}, {"nick", "j"}, {"password_file", "/d"}}})}});
  const Settings read = read_settings(full);
  CHECK(read.host == "::1");
  CHECK(read.port == 15222);
  CHECK(read.priority == -1);
  CHECK(read.ping_every == 500ms);
  CHECK(read.burst == 3);
  REQUIRE(read.rooms.size() == 2);
  CHECK(read.rooms[0].nick == "butler");
  CHECK(read.rooms[1].nick == "j");
  CHECK(read.rooms[1].password_file == "/d");

  struct Case {
    const char* name;
    json wrong;
    const char* want;
  };
  for (const Case& c : {Case{"no jid", {{"jid", nullptr}}, "jid: missing"},
                        Case{"resource", {{"jid", "a@b/c"}}, "\"a@b/c\" is not a JID"},
                        Case{"no password", {{"password_file", nullptr}}, "password_file: missing"},
                        Case{"port", {{"server", "a:70000"}}, "is not host:port"},
                        Case{"port text", {{"server", "a:x"}}, "is not host:port"},
                        Case{"priority", {{"priority", 128}}, "priority: 128 is not between"},
                        Case{"rooms", {{"rooms", "ops"}}, "rooms: \"ops\" is not a list"},
                        Case{"room", {{"rooms", {5}}}, "rooms: 5 is not a room's JID"},
                        Case{"room jid", {{"rooms", {"ops"}}}, "rooms: \"ops\" is not a JID"}}) {
    CAPTURE(c.name);
    json object = good;
    object.update(c.wrong);
    try {
      (void)read_settings(object);
      FAIL("accepted");
    } catch (const std::runtime_error& error) {
      CAPTURE(error.what());
      CHECK(std::string(error.what()).find(c.want) != std::string::npos);
    }
  }
}

TEST_CASE("xmpp: a secret is read from a file of its owner's only") {
  const jarvis::bot::ScratchDirectory scratch;
  const std::string path = (scratch.path() / "secret").string();
  CHECK_THROWS_WITH_AS(read_secret(path), doctest::Contains("No such file"), std::runtime_error);
  std::ofstream(path) << "pass word\r\nmore\n";
  ::chmod(path.c_str(), 0640);
  CHECK_THROWS_WITH_AS(read_secret(path), doctest::Contains("chmod 600"), std::runtime_error);
  ::chmod(path.c_str(), 0600);
  CHECK(read_secret(path) == "pass word");
  std::ofstream(path) << "\n";
  CHECK_THROWS_WITH_AS(read_secret(path), doctest::Contains("empty"), std::runtime_error);
  CHECK_THROWS_AS(read_secret(scratch.path().string()), std::runtime_error);
}
