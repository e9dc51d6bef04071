#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "bot/links/irc/address.h"
#include "bot/links/irc/channels.h"
#include "bot/links/irc/history.h"
#include "bot/links/irc/inquiries.h"
#include "bot/links/irc/isupport.h"
#include "bot/links/irc/line.h"
#include "bot/links/irc/line_buffer.h"
#include "bot/links/irc/network.h"
#include "bot/links/irc/pace.h"
#include "bot/links/irc/people.h"
#include "bot/links/irc/receipts.h"
#include "bot/links/irc/registration.h"

namespace jarvis::bot::links::irc {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

Line line_of(const std::string& text) {
  return parse_line(text).value();
}

TEST_CASE("irc line: tags, source, command, parameters") {
  const Line line = line_of(R"(@account=thor;time=x;empty;esc=a\:b\sc\\d\r\n\e\ :thor!t@h privmsg #ops :jarvis: a :b)");
  CHECK(line.tags.at("account") == "thor");
  CHECK(line.tags.at("empty").empty());
  CHECK(line.tags.at("esc") == "a;b c\\d\r\ne");
  CHECK(line.nick() == "thor");
  CHECK(line.user_at_host() == "t@h");
  CHECK(line.command == "PRIVMSG");
  CHECK(line.params == Lines{"#ops", "jarvis: a :b"});
  CHECK(without_tags(line) == ":thor!t@h PRIVMSG #ops :jarvis: a :b");
  CHECK(line_of("@a=1;a=2 PING x").tags.at("a") == "2");  // the last one counts
  CHECK(line_of(":irc.test 005 j A=1 B :are supported").params.size() == 4);
  CHECK(line_of("AUTHENTICATE :+").params == Lines{"+"});
  CHECK(line_of("AUTHENTICATE +").params == Lines{"+"});
  CHECK(line_of(":s  MODE   #a  +o").params == Lines{"#a", "+o"});
  CHECK(line_of("PRIVMSG #a :" + std::string(2000, 'x')).params[1].size() == kLongestTaken - 12);
  for (const char* bad : {"", " ", ":", "::", "@", "@a", "@a ", ":x", ":x ", "12", "1234", "A1", "PRIV\xff"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_line(bad));
  }
}

TEST_CASE("irc line: what may be sent") {
  for (const std::string good : {"PING :x", "PRIVMSG #a :\xc3\xa4", "NOTICE a :\x01VERSION x\x01"})
    CHECK(may_be_sent(good));
  CHECK(may_be_sent(std::string(kLongestSent, 'x')));
  CHECK_FALSE(may_be_sent(std::string(kLongestSent + 1, 'x')));
  CHECK_FALSE(may_be_sent(std::string("PRIVMSG #a :x\0y", 15)));
  for (const char* bad : {"", "A\r\nQUIT", "A\nB", "A\rB", "PRIVMSG #a :\x01VERSION\x01", "NOTICE a\x01 :\x01X\x01",
                          "NOTICE a :\x01X\x01Y\x01", "NOTICE a :\x01", "PRIVMSG #a :\x7f"}) {
    CAPTURE(bad);
    CHECK_FALSE(may_be_sent(bad));
  }
}

TEST_CASE("irc line: places") {
  for (const char* good : {"#ops", "&local", "##x"}) CHECK(is_channel(good, "#&"));
  for (const char* bad : {"", "#", "ops", "+x", "#a,b", "#a b", "#a\x07"}) CHECK_FALSE(is_channel(bad, "#&"));
  for (const char* good : {"thor", "[x]{y}\\|^_`-9", "\xc3\xa4"}) CHECK(is_nick(good));
  for (const char* bad : {"", "9x", "-x", "$*", "*", "a,b", "a b", "a!b", "a@b", "#x", "@#x", ":x", "a\n", "a.b"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_nick(bad));
  }
}

TEST_CASE("irc line: without the codes of colour") {
  CHECK(without_formatting("\x02jarvis\x0f: \x03"
                           "04,12status \x03"
                           "1,x\x03,y\x1d \x04"
                           "ff0000,00ff00z") == "jarvis: status ,x,y z");
  CHECK(without_formatting("\x03") == "");
  CHECK(without_formatting("\x03"
                           "123") == "3");
}

TEST_CASE("irc line buffer: pieces, ends, lines without end") {
  LineBuffer buffer;
  Lines got;
  int cuts = 0;
  const auto add = [&](const std::string& bytes) {
    buffer.add(bytes, [&](std::string_view text, bool cut) {
      got.emplace_back(text);
      cuts += cut ? 1 : 0;
    });
  };
  for (const char c : std::string("one\r\ntwo\nthree\r\r\n\n")) add(std::string(1, c));
  CHECK(got == Lines{"one", "two", "three"});
  add("unfin");
  add(std::string("is\0hed\r\nnext", 12));
  CHECK(got.back() == "unfinished");
  add("\r\n");
  got.clear();
  add(std::string(1000, 'a') + "\r\n" + std::string(1001, 'b') + "\r\n");
  CHECK(got[0].size() == 1000);
  CHECK(got[1].size() == 1000);
  CHECK(cuts == 1);
  for (int i = 0; i < 100; ++i) add(std::string(10000, 'c'));
  add("\r\nafter\r\n@t=" + std::string(8000, 'x') + " " + std::string(900, 'd') + "\r\n");
  CHECK(got[2].size() == 1000);
  CHECK(got[3] == "after");
  CHECK(got[4].size() == 8904);
  CHECK(cuts == 2);
}

TEST_CASE("irc casemapping") {
  struct Case {
    const char *one, *other;
    bool ascii, rfc1459, strict;
  };
  for (const Case& c : {Case{"JARVIS", "jarvis", true, true, true}, Case{"a[]\\", "A{}|", false, true, true},
                        Case{"a~", "a^", false, true, false}, Case{"a^", "a~", false, true, false},
                        Case{"@", "`", false, false, false}, Case{"a", "ab", false, false, false}}) {
    CAPTURE(c.one);
    CHECK(same_name(c.one, c.other, Casemapping::Ascii) == c.ascii);
    CHECK(same_name(c.one, c.other, Casemapping::Rfc1459) == c.rfc1459);
    CHECK(same_name(c.one, c.other, Casemapping::StrictRfc1459) == c.strict);
    CHECK((folded(c.one, Casemapping::Rfc1459) == folded(c.other, Casemapping::Rfc1459)) == c.rfc1459);
  }
  CHECK(casemapping_of("rfc1459") == Casemapping::Rfc1459);
  CHECK(casemapping_of("rfc8265") == Casemapping::Ascii);
}

TEST_CASE("irc: what the server says of itself") {
  Isupport isupport;
  isupport.learn({"j", "CASEMAPPING=ascii", "CHANTYPES=#", "PREFIX=(qov)~@+", "NICKLEN=9", "MONITOR=30", "WHOX",
                  "BOT=B", "STATUSMSG=@+", "JUNK=", "=", "", "NICKLEN", "PREFIX=", "are supported by this server"});
  CHECK(isupport.casemapping == Casemapping::Ascii);
  CHECK(isupport.channel_prefixes == "#");
  CHECK(isupport.status_prefixes == "~@+");
  CHECK(isupport.nick_length == 9);
  CHECK((isupport.monitor && isupport.whox && isupport.bot_flag == 'B'));
}

TEST_CASE("irc: addressed") {
  const auto is = [](const char* text) { return is_addressed(text, "jarvis[x]", "!", Casemapping::Rfc1459); };
  for (const char* yes : {"jarvis[x]: a", "JARVIS{X}, a", "jarvis[x]:", "!a"}) CHECK(is(yes));
  for (const char* no : {"", "jarvis[x]", "jarvis[x] a", "jarvis[x]y: a", " jarvis[x]: a", "jarvis: a", "a !b"})
    CHECK_FALSE(is(no));
  CHECK_FALSE(is_addressed("anything", "jarvis", "", Casemapping::Ascii));
}

TEST_CASE("irc: substitutes of a nick") {
  CHECK(substitute_nick("jarvis", 1, 9) == "jarvis_");
  CHECK(substitute_nick("jarvis", 3, 9) == "jarvis___");
  CHECK(substitute_nick("jarvis", 4, 9) == "jarvis_4");
  CHECK(substitute_nick("jarvis", 12, 9) == "jarvis_12");
  CHECK(substitute_nick("longnicks", 1, 9) == "longnic_1");
}

TEST_CASE("irc pace: a burst, then a rate") {
  const Time begin{1000s};
  Pace pace(3, 2);
  for (int i = 0; i < 3; ++i) {
    CHECK(pace.may_send(begin));
    pace.sent(begin);
  }
  CHECK_FALSE(pace.may_send(begin));
  CHECK(pace.ready(begin) == begin + 500ms);
  CHECK(pace.may_send(begin + 500ms));
  CHECK_FALSE(pace.may_send(begin + 499ms));
  pace.sent(begin);  // what could not wait makes the others wait longer
  CHECK(pace.ready(begin) == begin + 1000ms);
  pace.sent(begin + 1000s);
  CHECK(pace.may_send(begin + 1000s));
  pace.sent(begin + 1000s);
  pace.sent(begin + 1000s);
  CHECK_FALSE(pace.may_send(begin + 1000s));
}

TEST_CASE("irc outbox: questions first, bounded, kept over a loss only where it is still true") {
  Outbox outbox;
  outbox.say({Outgoing::Kind::Say, "#ops", "one"});
  outbox.say({Outgoing::Kind::Say, "thor", "two"});
  outbox.ask("WHOIS thor");
  CHECK(outbox.next()->text == "WHOIS thor");
  outbox.ask("WHOIS loki");
  const auto dropped = outbox.lost([](const Outgoing& said) { return said.place == "#ops"; });
  CHECK(dropped.size() == 1);
  CHECK(dropped.front().text == "two");
  CHECK(outbox.next()->text == "one");
  CHECK_FALSE(outbox.next());
  for (int i = 0; i < 1000; ++i) CHECK(outbox.say({Outgoing::Kind::Say, "#ops", "x"}));
  CHECK_FALSE(outbox.say({Outgoing::Kind::Say, "#ops", "x"}));
}

TEST_CASE("irc receipts: what a PING stood behind has arrived when it is answered") {
  using Ids = Receipts::Ids;
  Receipts receipts;
  CHECK_FALSE(receipts.open());
  receipts.sent(1, "#ops");
  receipts.sent(2, "thor");
  CHECK(receipts.open());
  receipts.mark();
  CHECK_FALSE(receipts.open());
  receipts.sent(3, "#ops");
  CHECK(receipts.open());

  SUBCASE("and nothing that was sent after it") {
    CHECK(receipts.answered() == Ids{1, 2});
    CHECK(receipts.answered() == Ids{});  // one that nobody waits for
    CHECK(receipts.open());
    receipts.mark();
    CHECK(receipts.answered() == Ids{3});
  }
  SUBCASE("but what the server refused") {
    CHECK(receipts.refused([](const std::string& place) { return place == "#ops"; }) == Ids{1, 3});
    CHECK_FALSE(receipts.open());
    CHECK(receipts.answered() == Ids{2});
  }
  SUBCASE("unless the connection was lost before") {
    CHECK(receipts.lost() == Ids{1, 2, 3});
    CHECK_FALSE(receipts.open());
    CHECK(receipts.answered() == Ids{});
  }
}

TEST_CASE("irc backoff: doubles with a little chance, and begins again") {
  std::minstd_rand random(1);
  Backoff backoff(1s, 300s);
  double expected = 1;
  for (int i = 0; i < 12; ++i) {
    const double delay = backoff.next(random).count();
    CHECK((delay >= expected * 0.79 && delay <= expected * 1.21));
    expected = std::min(expected * 2, 300.0);
  }
  backoff.reset();
  CHECK(backoff.next(random).count() < 1.21);
}

Lines heard(Registration& registration, const Lines& lines) {
  Lines say;
  for (const std::string& text : lines) registration.hear(line_of(text), say);
  return say;
}

TEST_CASE("irc registration: capabilities without a login") {
  Registration registration(std::nullopt);
  CHECK(heard(registration, {":s CAP * LS * :multi-prefix account-tag", ":s CAP * LS :sasl=PLAIN batch"}) ==
        Lines{"CAP REQ :account-tag batch"});
  CHECK_FALSE(registration.has("account-tag"));
  CHECK(heard(registration, {":s CAP * ACK :account-tag batch"}) == Lines{"CAP END"});
  CHECK(registration.has("account-tag"));
  CHECK(heard(registration, {":s CAP j DEL :account-tag"}).empty());
  CHECK_FALSE(registration.has("account-tag"));
  CHECK(heard(registration, {":s CAP j NEW :account-tag"}) == Lines{"CAP REQ :account-tag"});
  CHECK(heard(registration, {":s CAP j ACK :account-tag"}).empty());
  Registration plain(std::nullopt);
  CHECK(heard(plain, {":s CAP * LS :"}) == Lines{"CAP END"});
  Registration refused(std::nullopt);
  CHECK(heard(refused, {":s CAP * LS :batch", ":s CAP * NAK :batch"}) == Lines{"CAP REQ :batch", "CAP END"});
}

TEST_CASE("irc registration: SASL") {
  for (const char* go_on : {"AUTHENTICATE +", "AUTHENTICATE :+", ":s AUTHENTICATE :+"}) {
    Registration registration(Registration::Login{false, "jarvis", "secret"});
    CHECK(heard(registration, {":s CAP * LS :sasl=EXTERNAL,PLAIN", ":s CAP * ACK :sasl"}) ==
          Lines{"CAP REQ :sasl", "AUTHENTICATE PLAIN"});
    CHECK(heard(registration, {go_on}) == Lines{"AUTHENTICATE amFydmlzAGphcnZpcwBzZWNyZXQ="});
    CHECK_FALSE(registration.logged_in());
    CHECK(heard(registration, {":s 900 j j!j@h jarvis :in", ":s 903 j :done"}) == Lines{"CAP END"});
    CHECK(registration.logged_in());
  }
  Registration external(Registration::Login{true, "", ""});
  CHECK(heard(external, {":s CAP * LS :sasl", ":s CAP * ACK :sasl", "AUTHENTICATE +"}) ==
        Lines{"CAP REQ :sasl", "AUTHENTICATE EXTERNAL", "AUTHENTICATE +"});
  Registration lengthy(Registration::Login{false, "u", std::string(296, 'p')});  // 300 bytes: 400 in base64
  const Lines chunks = heard(lengthy, {":s CAP * LS :sasl", ":s CAP * ACK :sasl", "AUTHENTICATE +"});
  CHECK(chunks.size() == 4);
  CHECK(chunks[2].size() == 413);
  CHECK(chunks[3] == "AUTHENTICATE +");
}

TEST_CASE("irc registration: nothing goes on without the login that is wanted") {
  for (const Lines& lines : std::vector<Lines>{{":s CAP * LS :batch"},
                                               {":s CAP * LS :sasl=EXTERNAL"},
                                               {":s CAP * LS :sasl", ":s CAP * NAK :sasl"},
                                               {":s CAP * LS :sasl", ":s CAP * ACK :sasl", ":s 904 j :SASL failed"},
                                               {":s CAP * LS :sasl", ":s CAP * ACK :sasl", ":s 902 j :locked"},
                                               {":s 421 j CAP :Unknown command"},
                                               {":s 001 j :Welcome"}}) {
    Registration registration(Registration::Login{false, "jarvis", "secret"});
    const Lines said = heard(registration, lines);
    CAPTURE(lines.back());
    CHECK(registration.failure());
    CHECK(std::find(said.begin(), said.end(), "CAP END") == said.end());
  }
}

TEST_CASE("irc: base64") {
  for (const auto& [plain, coded] : std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe", "//4="}}) {
    CHECK(base64(plain) == coded);
  }
}

TEST_CASE("irc people: who is gone") {
  People people;
  people.begin(Casemapping::Rfc1459, true);
  using Gone = People::Gone;
  people.seen("thor", "t@h", "#ops");
  people.account("thor", "thor");
  people.seen("thor2", "t@h2", "#ops");
  people.proven("thor2", {"thor", "account"});
  people.seen("thor", "t@h", "#deep");
  CHECK(people.left("THOR", "#OPS").empty());
  CHECK(people.find("thor") != nullptr);
  CHECK(people.left("thor", "#deep").empty());  // thor2 still has the account
  CHECK(people.find("thor") == nullptr);
  CHECK(people.quit("thor2") == Gone{"thor"});
  CHECK(people.quit("nobody").empty());

  people.seen("a[", "a@h", "#ops");
  people.account("a[", "acc");
  CHECK(people.renamed("A{", "b").empty());
  CHECK(people.find("a[") == nullptr);
  CHECK_FALSE(people.find("b")->account);  // to be proven anew
  CHECK(people.logged_out("b") == Gone{"acc"});
  CHECK(people.quit("b").empty());

  people.seen("c", "c@h", "#ops");
  people.account("c", "cc");
  CHECK(people.find("c")->account == "cc");
  people.seen("c", "other@h", "#ops");
  CHECK_FALSE(people.find("c")->account);  // somebody else has the nick
  CHECK(people.we_left("#ops") == Gone{"cc"});
  CHECK(people.size() == 0);

  people.begin(Casemapping::Rfc1459, false);  // a server that tells half of it
  people.seen("d", "d@h", "#ops");
  people.account("d", "dd");
  CHECK_FALSE(people.find("d")->account);
}

TEST_CASE("irc inquiries: only the same user@host is proven") {
  const Time now{1000s};
  struct Case {
    const char* name;
    const char* user_at_host;
    bool only_certificate;
    Lines answer;
    std::optional<Proof> want;
  };
  const std::string fingerprint(64, 'a');
  const std::string end = ":s 318 j thor :End of WHOIS", who = ":s 311 j Thor t h * :Thor";
  const std::string account = ":s 330 j thor odin :is logged in as";
  const std::string certificate = ":s 276 j thor :has client certificate fingerprint " + fingerprint;
  const Proof by_account{"odin", "account"}, by_certificate{"cert:" + fingerprint, "certificate"};
  for (const Case& c : std::vector<Case>{
           {"account", "t@h", false, {who, account, end}, by_account},
           {"account goes first", "t@h", false, {who, certificate, account, end}, by_account},
           {"certificate", "t@h", false, {who, certificate, end}, by_certificate},
           {"no account, the server said", "t@h", true, {who, account, certificate, end}, by_certificate},
           {"whoever", "", false, {who, account, end}, by_account},
           {"another host", "t@other", false, {who, account, end}, std::nullopt},
           {"no user@host told", "t@h", false, {account, end}, std::nullopt},
           {"nobody", "t@h", false, {":s 401 j thor :No such nick", end}, std::nullopt},
           {"a weaker digest", "t@h", false, {who, ":s 276 j thor :fingerprint 0123456789abcdef", end}, std::nullopt},
       }) {
    CAPTURE(c.name);
    Inquiries inquiries;
    inquiries.begin(Casemapping::Rfc1459);
    int answers = 0;
    std::optional<Proof> got;
    Inquiries::Waiting waiting{c.user_at_host, c.only_certificate, now + 5s,
                               [&](const std::optional<Proof>& proof, bool) {
                                 ++answers;
                                 got = proof;
                               }};
    CHECK(inquiries.ask("THOR", waiting));
    CHECK_FALSE(inquiries.ask("thor", waiting));
    for (const std::string& text : c.answer) inquiries.hear(line_of(text));
    CHECK(answers == 2);
    CHECK(got == c.want);
    CHECK_FALSE(inquiries.is_asked("thor"));
  }
}

TEST_CASE("irc inquiries: spoiled, late, lost") {
  const Time now{1000s};
  Inquiries inquiries;
  inquiries.begin(Casemapping::Rfc1459);
  int nothing = 0, something = 0;
  const Inquiries::Waiting waiting{"t@h", false, now + 5s,
                                   [&](const std::optional<Proof>& proof, bool) { ++(proof ? something : nothing); }};
  inquiries.ask("thor", waiting);
  inquiries.spoiled("Thor");
  CHECK(nothing == 1);
  for (const char* text : {":s 311 j thor t h * :x", ":s 330 j thor odin :x", ":s 318 j thor :x"})
    inquiries.hear(line_of(text));
  CHECK(something == 0);
  inquiries.ask("thor", waiting);
  CHECK(inquiries.due() == now + 5s);
  inquiries.expire(now + 4s);
  CHECK(inquiries.waiting() == 1);
  inquiries.expire(now + 5s);
  CHECK(nothing == 2);
  CHECK_FALSE(inquiries.is_asked("thor"));
  inquiries.ask("thor", waiting);
  inquiries.lost();
  CHECK(nothing == 3);
}

TEST_CASE("irc channels: in, out, refused") {
  const Time now{1000s};
  Channels channels(2s);
  channels.begin({{"#ops", ""}, {"#deep", "key"}}, Casemapping::Rfc1459, now);
  CHECK(channels.to_join(now).size() == 2);
  CHECK(channels.to_join(now).empty());
  channels.joined("#OPS", now);
  CHECK(channels.is_in("#ops"));
  CHECK(channels.spelled("#OPS") == "#ops");
  CHECK(channels.refused("#deep", "wrong key", now));
  CHECK_FALSE(channels.refused("#deep", "wrong key", now));  // said once
  CHECK(channels.refused("#deep", "banned", now));
  CHECK(channels.due() > now + 6s);
  CHECK(channels.thrown_out("#ops", "kicked", now).find("#ops: kicked; back in 2 s") == 0);
  CHECK(channels.to_join(now + 1s).empty());
  CHECK(channels.to_join(now + 3s).size() == 1);
  channels.invited("#deep", now);
  CHECK(channels.to_join(now).front().key == "key");
}

TEST_CASE("irc history: times") {
  CHECK(server_time("1970-01-01T00:01:00.000Z") == History::Wall(60s));
  CHECK(server_time("2026-11-21T13:51:19Z"));
  for (const char* bad : {"", "now", "2026-11-21", "2026-11-21T13:51:19"}) CHECK_FALSE(server_time(bad));
  const History::Wall now(1'000'000'000s);
  History history;
  CHECK_FALSE(
      history.is_old(line_of("@time=1999-01-01T00:00:00.000Z :a!b@c PRIVMSG #a :x"), now));  // no clock known yet
  history.hear(line_of("@time=2001-09-09T01:46:40.000Z :s 001 j :x"), now);
  CHECK(history.is_old(line_of("@time=2001-09-09T01:40:00.000Z :a!b@c PRIVMSG #a :x"), now));
  CHECK_FALSE(history.is_old(line_of("@time=2001-09-09T01:46:00.000Z :a!b@c PRIVMSG #a :x"), now));
  history.hear(line_of(":s BATCH +1 netsplit a b"), now);
  history.hear(line_of(":s BATCH +2 chathistory #a"), now);
  history.hear(line_of("@batch=2 :s BATCH +3 other"), now);
  CHECK_FALSE(history.is_old(line_of("@batch=1 :a!b@c PRIVMSG #a :x"), now));
  CHECK(history.is_old(line_of("@batch=2 :a!b@c PRIVMSG #a :x"), now));
  CHECK(history.is_old(line_of("@batch=3 :a!b@c PRIVMSG #a :x"), now));
  history.hear(line_of(":s BATCH -2"), now);
  CHECK_FALSE(history.is_old(line_of("@batch=2 :a!b@c PRIVMSG #a :x"), now));
}

TEST_CASE("irc network: what the configuration may say") {
  const Network network = Network::from(nlohmann::json::parse(
      R"({"name": "freenet", "server": "irc.test", "channels": ["#a", {"name": "#b", "key_file": "/k"}], "prefix": null,
          "realname": "100% jarvis", "pace": {"burst": 2, "per_second": 0.5}, "unknown": 1})"));
  CHECK((network.port == 6697 && network.tls && network.nick == "jarvis"));
  CHECK(network.channels[1].key_file == "/k");
  CHECK(network.realname == "100  jarvis");  // the library would take it for a format
  CHECK(network.per_second == 0.5);
  for (const char* bad :
       {"{}", R"({"server": 1})", R"({"server": "a", "nick": "a b"})", R"({"server": "a", "nick": "a%n"})",
        R"({"server": "a", "channels": ["ops"]})", R"({"server": "a", "channels": ["#a,#b"]})",
        R"({"server": "a", "port": 70000})", R"({"server": "a", "sasl": {}})",
        R"({"server": "a", "sasl": {"external": true}})", R"({"server": "a", "user": ""})",
        R"({"server": "a", "realname": "a\nb"})", R"({"server": "a", "pace": {"burst": -1}})"}) {
    CAPTURE(bad);
    CHECK_THROWS(Network::from(nlohmann::json::parse(bad)));
  }
}

}  // namespace
}  // namespace jarvis::bot::links::irc
