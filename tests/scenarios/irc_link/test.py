"""jarvis-irc alone, driven over its pipes, against real servers: connecting, the channel, what goes out."""
import os
import re
import signal
import time

from lab import takes, until
from lab.inspircd import Inspircd
from lab.irc_client import IrcClient
from lab.irc_people import beside, link, proof, says, secret
from lab.link_process import LinkProcess
from lab.ngircd import Ngircd
from lab.silent_names import world


@takes(6)
def test_the_whole_way(place):
    """TLS, SASL, a channel, a message with an identity by account-tag, an answer."""
    with Inspircd(place) as server:
        server.account("jarvis")
        server.account("thor")
        with link(place, server, sasl=("jarvis", "secret")) as jarvis:
            up = jarvis.next("up")
            assert up["nick"] == "jarvis" and 250 < up["limit"] < 480, up
            thor = beside(server, "thor", account=("thor", "secret"))
            said = says(thor, jarvis, "#ops", "jarvis: status")
            assert said == {"type": "message", "place": "#ops", "direct": False, "sender": "thor", "identity": "thor",
                            "proof": "account", "text": "jarvis: status", "addressed": True, "bot": False,
                            "history": False}, said
            thor.send("WHOIS jarvis")
            thor.next(r" 330 \S+ jarvis jarvis ")
            jarvis.say("#ops", "all is well", to="thor")
            thor.next(r":jarvis!\S+ PRIVMSG #ops :thor: all is well$")
            said = says(thor, jarvis, "jarvis", "help")
            assert said["direct"] and said["addressed"] and said["place"] == "thor" and said["identity"] == "thor", said
            begun = time.monotonic()
            assert jarvis.stop() == 0
            assert time.monotonic() - begun < 2.5
            thor.next(r":jarvis!\S+ QUIT ")


# Getting in, and not

@takes(3)
def test_another_authority(place):
    with Inspircd(place, services=False) as server, Ngircd(place) as other:
        with link(place, server, ca_file=other.ca_file) as jarvis:
            why = jarvis.next("down")["why"]
            assert "certificate" in why and "not accepted" in why, why
            jarvis.until_logged("next try in")
            assert not jarvis.events("up") and len(jarvis.events("down")) == 1


@takes(3)
def test_another_name_in_the_certificate(place):
    with Ngircd(place, names=("irc.test", "127.0.0.99")) as server:
        with link(place, server) as jarvis:
            why = jarvis.next("down")["why"]
            assert "certificate" in why and "IP address mismatch" in why, why
            assert not jarvis.events("up")


@takes(3)
def test_a_name_that_is_verified(place):
    """The name is looked up, and the certificate must carry it; the system's authorities know nothing of ours."""
    with Ngircd(place, address="127.0.0.1", names=("localhost",)) as server:
        with link(place, server, server="localhost") as jarvis:
            assert jarvis.next("up")["nick"] == "jarvis"
        with link(place, server, server="localhost", ca_file=None) as jarvis:
            assert "certificate" in jarvis.next("down")["why"]


@takes(6)
def test_wrong_password(place):
    with Inspircd(place) as server:
        server.account("jarvis")
        with link(place, server, sasl=("jarvis", "wrong")) as jarvis:
            why = jarvis.next("down")["why"]
            assert why.startswith("SASL PLAIN failed"), why
            place.write("sasl.password", "secret\n", 0o600)
            jarvis.next("up")
            assert len(jarvis.events("down")) == 1, jarvis.events()


@takes(3)
def test_no_sasl_on_offer(place):
    """Never in without the login that is configured."""
    with Inspircd(place, services=False) as server, Ngircd(place) as plain:
        with link(place, server, sasl=("jarvis", "secret")) as jarvis:
            assert "no SASL" in jarvis.next("down")["why"]
        with link(place, plain, sasl=("jarvis", "secret")) as jarvis:
            assert "no SASL" in jarvis.next("down")["why"]
            jarvis.until_logged("next try in")
            assert not jarvis.events("up")


@takes(6)
def test_external(place):
    """SASL EXTERNAL: our certificate is our password."""
    with Inspircd(place) as server:
        certificate, key = server.client_certificate("jarvis")
        key.chmod(0o600)
        server.account("jarvis", certificate=(certificate, key))
        with link(place, server, sasl={"external": True}, cert_file=str(certificate), key_file=str(key)) as jarvis:
            jarvis.next("up")
            thor = beside(server, "thor")
            thor.send("WHOIS jarvis")
            thor.next(r" 330 \S+ jarvis jarvis ")
        other, other_key = server.client_certificate("other")
        other_key.chmod(0o600)
        with link(place, server, sasl={"external": True}, cert_file=str(other), key_file=str(other_key)) as jarvis:
            assert jarvis.next("down")["why"].startswith("SASL EXTERNAL failed")


@takes(3)
def test_secrets_that_all_may_read(place):
    with Ngircd(place, password="letmein") as server:
        file = place.write("server.password", "letmein\n", 0o644)
        with link(place, server, password_file=str(file)) as jarvis:
            assert "readable by all" in jarvis.next("down")["why"]
            file.chmod(0o600)
            jarvis.next("up")
            assert "letmein" not in jarvis.log()
        with link(place, server, password_file=secret(place, "wrong", "wrong")) as jarvis:
            assert "assword" in jarvis.next("down")["why"]


def test_no_password_without_tls(place):
    with LinkProcess(place, "jarvis-irc", server="192.0.2.1", port=6667, tls=False, nick="jarvis",
                     password_file=secret(place, "password", "x")) as jarvis:
        assert "without TLS" in jarvis.next("down")["why"]


def test_a_configuration_that_is_wrong(place):
    with LinkProcess(place, "jarvis-irc", server="irc.test", nick="jar vis") as jarvis:
        assert "nick" in jarvis.next("down")["why"]
        until(lambda: not jarvis.running(), "the link ends")


@takes(3)
def test_ipv6(place):
    with Ngircd(place, address="::1") as server:
        with link(place, server) as jarvis:
            jarvis.next("up")
            thor = beside(server, "thor")
            assert says(thor, jarvis, "#ops", "jarvis, help")["addressed"]


# Losing and coming back

@takes(6)
def test_the_server_is_killed(place):
    with Inspircd(place, services=False) as server:
        with link(place, server) as jarvis:
            jarvis.next("up")
            server.kill()
            jarvis.next("down")
            jarvis.say("#ops", "the host is ready")  # kept until the channel is there again
            jarvis.say("thor", "not for whoever is thor by then")
            jarvis.until_logged("not said to thor")
            jarvis.until_logged("Connection refused")
            os.kill(jarvis.pid, signal.SIGSTOP)  # so that somebody is there to see it come back
            server.start()
            thor = IrcClient(server, "thor", "#ops")
            os.kill(jarvis.pid, signal.SIGCONT)
            jarvis.next("up")
            thor.next(r":jarvis!\S+ JOIN")
            thor.next(r"PRIVMSG #ops :the host is ready$")
            assert len(jarvis.events("down")) == 1, jarvis.events()
            assert not thor.sees("not for whoever")


@takes(6)
def test_the_server_hangs(place):
    """The connection stays open and nothing comes."""
    with Inspircd(place, services=False) as server:
        with link(place, server, ping_every=0.5, ping_timeout=1.5, register_timeout=3) as jarvis:
            jarvis.next("up")
            thor = beside(server, "thor")
            says(thor, jarvis, "#ops", "quiet for longer than the pings take")
            server.hang()
            assert "no sign of life" in jarvis.next("down")["why"]
            server.go_on()
            jarvis.next("up")
            assert says(thor, jarvis, "#ops", "jarvis: status")["addressed"]


def told(jarvis, *ends):
    """Each line was told to have ended so, in whatever order."""
    for number, how in ends:
        until(lambda number=number, how=how: jarvis.events(how, id=number), f"line {number} is {how}")


@takes(6)
def test_what_reached_the_server_and_what_did_not(place):
    """A line with an id is told `said` once the server has it, `unsaid` when nobody will say it any more."""
    with Inspircd(place, services=False) as server:
        with link(place, server, ping_every=0.5, ping_timeout=1.5, register_timeout=3) as jarvis:
            assert jarvis.next("up")["confirms"]
            thor = beside(server, "thor")
            jarvis.say("#ops", "one", id=1)
            jarvis.say("#ops", "long " * 200, id=2)
            jarvis.say("thor", "three", id=3)
            jarvis.say("no such place!", "four", id=4)
            told(jarvis, (1, "said"), (2, "said"), (3, "said"), (4, "unsaid"))
            thor.next(r" PRIVMSG thor :three$")
            server.hang()
            jarvis.say("#ops", "into the void", id=5)
            jarvis.say("thor", "nor this", id=6)
            told(jarvis, (5, "unsaid"), (6, "unsaid"))
            assert "no sign of life" in jarvis.next("down")["why"]
            jarvis.say("thor", "who is thor now?", id=7)
            jarvis.next("unsaid", id=7)
            jarvis.say("#ops", "kept", id=8)
            server.kill()
            server.start()
            jarvis.next("up")
            jarvis.next("said", id=8)
            assert not jarvis.events("unsaid", id=8) and not jarvis.events("said", id=5)


@takes(4)
def test_what_a_channel_missed_is_told_when_it_is_back(place):
    with Inspircd(place, services=False) as server:
        chief = IrcClient(server, "chief", "#ops")
        with link(place, server, rejoin_after=3) as jarvis:
            jarvis.next("up")
            chief.next(r":jarvis!\S+ JOIN")
            chief.send("MODE #ops +n", "KICK #ops jarvis :out")
            jarvis.until_logged("kicked by chief")
            jarvis.say("#ops", "loki is ready", id=1)
            jarvis.next("unsaid", id=1)
            chief.send("INVITE jarvis #ops")
            jarvis.next("up")
            jarvis.say("#ops", "loki is ready", id=2)
            chief.next(r" PRIVMSG #ops :loki is ready$")
            jarvis.next("said", id=2)
            assert not jarvis.events("down")


@takes(4)
def test_last_words_are_told_to_have_arrived(place):
    with Inspircd(place, services=False) as server:
        with link(place, server) as jarvis:
            jarvis.next("up")
            thor = beside(server, "thor")
            jarvis.say("#ops", "goodbye", id=1)
            assert jarvis.stop() == 0
            thor.next(r":goodbye$")
            jarvis.next("said", id=1)


@takes(4)
def test_banned_from_the_server(place):
    with Inspircd(place, services=False) as server:
        with link(place, server) as jarvis:
            jarvis.next("up")
            root = server.oper()
            root.send("KILL jarvis :not today")
            assert "not today" in jarvis.next("down")["why"]
            jarvis.next("up")


@takes(6)
def test_the_nick_is_taken(place):
    with Inspircd(place, services=False) as server, Ngircd(place) as other:
        for this in (server, other):
            squatter, second = IrcClient(this, "jarvis"), IrcClient(this, "jarvis_")
            with link(place, this) as jarvis:
                assert jarvis.next("up")["nick"] == "jarvis__"
                thor = beside(this, "thor", bot="jarvis__")
                assert not says(thor, jarvis, "#ops", "jarvis: you?")["addressed"]
                assert says(thor, jarvis, "#ops", "Jarvis__: you?")["addressed"]
                squatter.quit()
                assert jarvis.next("up")["nick"] == "jarvis"
                assert says(thor, jarvis, "#ops", "jarvis: now?")["addressed"]
                assert says(thor, jarvis, "jarvis", "directly")["direct"]
            second.quit()


@takes(4)
def test_renamed_by_force(place):
    with Inspircd(place, services=False) as server:
        with link(place, server) as jarvis:
            jarvis.next("up")
            root = server.oper()
            root.send("SANICK jarvis guest")
            assert jarvis.next("up")["nick"] == "guest"
            assert jarvis.next("up")["nick"] == "jarvis"


@takes(5)
def test_kicked_and_banned(place):
    with Inspircd(place, services=False) as server:
        chief = IrcClient(server, "chief", "#ops")
        with link(place, server, channels=[{"name": "#ops", "key_file": secret(place, "ops.key", "sesame")}]) as jarvis:
            jarvis.next("up")
            chief.next(r":jarvis!\S+ JOIN")
            chief.send("MODE #ops +k sesame", "KICK #ops jarvis :out")
            chief.next(r" KICK #ops jarvis ")
            jarvis.until_logged("#ops: kicked by chief (out); back in")
            chief.next(r":jarvis!\S+ JOIN")
            chief.send("MODE #ops +b jarvis!*@*", "KICK #ops jarvis :and stay out")
            jarvis.until_logged("cannot join #ops")
            chief.send("MODE #ops -b jarvis!*@*")
            chief.next(r":jarvis!\S+ JOIN")
            chief.send("MODE #ops +i", "KICK #ops jarvis :once more", "INVITE jarvis #ops")
            chief.next(r":jarvis!\S+ JOIN")
            assert jarvis.log().count("cannot join #ops: Cannot join channel (you're banned)") <= 1, jarvis.log()
            assert not jarvis.events("down")


@takes(4)
def test_forced_into_another_channel(place):
    with Inspircd(place, services=False) as server:
        with link(place, server) as jarvis:
            jarvis.next("up")
            root = server.oper()
            root.join("#elsewhere")
            root.send("SAJOIN jarvis #elsewhere")
            root.next(r":jarvis!\S+ JOIN")
            root.next(r":jarvis!\S+ PART")


# What goes out

@takes(4)
def test_nothing_is_injected(place):
    with Inspircd(place, services=False) as server:
        with link(place, server) as jarvis:
            jarvis.next("up")
            thor = beside(server, "thor")
            jarvis.say("#ops", "one\r\nQUIT :injected\0two\x01three")
            thor.next(r"PRIVMSG #ops :one  QUIT :injected two three$")
            for bad in ("#ops\r\nQUIT :x", "#ops,#other", "$*", "#a b", "", "thor\nQUIT", "*", "0 :x"):
                jarvis.say(bad, "text")
            jarvis.say("#ops", "mallory\r\nQUIT", to="x\r\nQUIT :y")
            thor.next(r"PRIVMSG #ops :mallory  QUIT$")
            jarvis.raw('{"type": "say", "place": 7, "text": null}')
            jarvis.raw('{"type": "dance"}')
            jarvis.raw('no json')
            jarvis.say("#ops", "%s%n %%")
            thor.next(r"PRIVMSG #ops :%s%n %%$")
            assert not jarvis.events("down") and not thor.sees("QUIT :injected$")


@takes(5)
def test_the_pace(place):
    """Some at once, then so many a second; the order stays; the server's PING does not wait behind them."""
    with Inspircd(place, services=False) as server:
        with link(place, server, pace={"burst": 3, "per_second": 4}) as jarvis:
            jarvis.next("up")
            thor = beside(server, "thor")
            thor.send("PING x")
            thor.next(" PONG ")
            for number in range(12):
                jarvis.say("#ops", f"line {number}")
            thor.next(r":line 0$")
            begun = time.monotonic()
            thor.send("PRIVMSG jarvis :\x01VERSION\x01")  # too many lines wait: not answered
            for number in range(1, 12):
                thor.next(rf":line {number}$")
            assert 1.9 < time.monotonic() - begun < 5, time.monotonic() - begun
            assert not thor.sees("VERSION")
    from scenarios.irc_identity.test import Scripted  # no real server says PING on request
    server = Scripted(place)
    with link(place, server, tls=False, pace={"burst": 3, "per_second": 1}) as jarvis:
        server.accept()
        server.welcome()
        jarvis.next("up")
        for number in range(12):
            jarvis.say("#ops", f"line {number}")
        server.until_heard(":line 0")
        server.say("PING :still there")
        server.until_heard("PONG :still there")
        assert not any(":line 11" in line for line in server.heard), server.heard  # for ten seconds yet
        server.close()


@takes(4)
def test_long_replies(place):
    with Inspircd(place, services=False) as server:
        with link(place, server) as jarvis:
            jarvis.next("up")
            thor = beside(server, "thor")
            words = [f"Wörter{number}" for number in range(200)]
            jarvis.say("#ops", " ".join(words))
            jarvis.say("#ops", "the end")
            thor.next(r":the end$")
            lines = [line for line in thor.sees(r"PRIVMSG #ops :W")]
            assert len(lines) > 4 and all(len(line.encode()) <= 510 for line in lines)
            assert " ".join(line.partition(" :")[2] for line in lines).split() == words


@takes(4)
def test_ctcp(place):
    with Inspircd(place, services=False) as server:
        with link(place, server) as jarvis:
            jarvis.next("up")
            thor = beside(server, "thor")
            thor.say("jarvis", "\x01VERSION\x01")
            thor.next(r"NOTICE thor :\x01VERSION jarvis [0-9.]+\x01$")
            thor.say("jarvis", "\x01PING 12345\x01")
            thor.next(r"NOTICE thor :\x01PING 12345\x01$")
            for ignored in ("\x01ACTION deploys\x01", "\x01DCC SEND x 1 2 3\x01", "\x01", "\x01\x01"):
                thor.say("jarvis", ignored)
            thor.send("NOTICE jarvis :jarvis: deploy", "NOTICE #ops :jarvis: deploy")
            assert says(thor, jarvis, "jarvis", "done")["text"] == "done"
            assert len(jarvis.events("message")) == 1, jarvis.events("message")


# What comes in

@takes(4)
def test_text_as_people_send_it(place):
    with Inspircd(place, services=False) as server:
        with link(place, server, prefix="!") as jarvis:
            jarvis.next("up")
            thor = beside(server, "thor")
            said = says(thor, jarvis, "#OPS", "JARVIS, status")
            assert said["place"] == "#ops" and said["addressed"], said
            assert says(thor, jarvis, "#ops", "!status")["addressed"]
            for text in ("jarvis is nice", "hello jarvis: you", "jarvisx: y", "jarvis"):
                assert not says(thor, jarvis, "#ops", text)["addressed"], text
            thor.say("#ops", "\x02jarvis\x02: \x0304,05status\x0f loki")
            assert jarvis.next("message")["text"] == "jarvis: status loki"
            thor.raw(b"PRIVMSG #ops :jarvis: \xff\xfe\x07bad\r\n")
            assert jarvis.next("message")["text"] == "jarvis: \ufffd\ufffd bad"
            for length in (600, 2000):
                thor.raw(b"PRIVMSG #ops :jarvis: " + b"x" * length + b"\r\n")
                assert jarvis.next("message")["addressed"]
            jarvis.say("#ops", "jarvis: status")  # our own words are no command
            assert says(thor, jarvis, "#ops", "the last")["text"] == "the last"
            assert not [event for event in jarvis.events("message") if event["sender"] != "thor"]


@takes(4)
def test_rfc1459_names(place):
    """`{}|^` are the small letters of `[]\\~` where the server says so, and only there."""
    for casemapping, same in (("rfc1459", True), ("ascii", False)):
        with Inspircd(place, services=False, casemapping=casemapping) as server:
            with link(place, server, nick="jarvis[x]") as jarvis:
                jarvis.next("up")
                thor = beside(server, "thor", bot="jarvis[x]")
                assert says(thor, jarvis, "#ops", "jarvis{x}: status")["addressed"] is same
                assert says(thor, jarvis, "#ops", "JARVIS[X]: status")["addressed"]


@takes(4)
def test_playback(place):
    """What was said before we came is marked, whether the server says so by a batch or by its time."""
    with Inspircd(place, services=False) as server:
        early = IrcClient(server, "early", "#ops")
        early.send("MODE #ops +H 20:1h")
        early.next(" MODE #ops ")
        early.say("#ops", "jarvis: destroy everything")
        with link(place, server) as jarvis:
            jarvis.next("up")
            said = jarvis.next("message")
            assert said["text"] == "jarvis: destroy everything" and said["history"] and not said["identity"], said
            assert not says(early, jarvis, "#ops", "jarvis: status")["history"]


@takes(4)
def test_two_bots(place):
    with Inspircd(place, services=False) as server:
        with link(place, server) as jarvis, link(place, server, nick="friday") as friday:
            jarvis.next("up")
            friday.next("up")
            thor = beside(server, "thor")
            thor.send("WHO #ops")
            until(lambda: "jarvis" in thor.next(" 352 "), "jarvis is in the channel")
            said = None
            while not said:
                friday.say("#ops", "jarvis: help")
                said = jarvis.next("message")
            assert said["sender"] == "friday" and said["bot"], said


# The network of servers, and of names

@takes(6)
def test_banned_at_connect(place):
    """A K-line: one clear line with the reason, tries that come less and less often, and back once it is lifted."""
    with Inspircd(place, services=False) as server:
        root = server.oper()
        root.send("KLINE jarvis@* 1h :bots are not welcome", "PING :done")
        root.next(r" PONG .*done")
        with link(place, server, reconnect_after=0.4) as jarvis:
            why = jarvis.next("down")["why"]
            assert "bots are not welcome" in why, why
            waits = until(lambda: len(delays(jarvis)) >= 2 and delays(jarvis), "it tries again and again")
            assert waits[1] > waits[0], waits  # 0.4 s, then 0.8 s, in whole seconds
            assert all("bots are not welcome" in line for line in jarvis.log().splitlines() if "next try in" in line), jarvis.log()
            assert len(jarvis.events("down")) == 1 and not jarvis.events("up"), jarvis.events()
            root.send("KLINE jarvis@*")
            jarvis.next("up")
            thor = beside(server, "thor")
            assert says(thor, jarvis, "#ops", "jarvis: help")["addressed"]
        root.quit()


def delays(jarvis):
    """The seconds of every "next try in" so far."""
    return [int(seconds) for seconds in re.findall(r"next try in (\d+) s", jarvis.log())]


@takes(8)
def test_a_netsplit(place):
    """Two linked servers part: who was on the other one is gone, and so is what was proven of him; the rest goes on; then all is as before."""
    with Inspircd(place) as hub:
        hub.account("thor")
        with Inspircd(place, hub=hub, address=hub.address) as leaf, link(place, hub) as jarvis:
            jarvis.next("up")
            thor, odin = beside(leaf, "thor", account=("thor", "secret")), beside(hub, "odin")
            assert proof(says(thor, jarvis, "#ops", "jarvis: status")) == ("thor", "account")
            leaf.wire.cut()
            odin.next(r":thor!\S+ QUIT :.*(irc\.test leaf\.test|\*\.net \*\.split)")
            assert jarvis.next("gone")["identity"] == "thor"
            assert says(odin, jarvis, "#ops", "jarvis: still there?")["addressed"]
            # In the meantime somebody has the nick, but is nobody.
            impostor = beside(hub, "thor", bot=None)
            assert proof(says(impostor, jarvis, "#ops", "jarvis: destroy it")) == (None, None)
            impostor.quit()
            odin.next(r":thor!\S+ QUIT")
            thor.next(r":jarvis!\S+ QUIT")  # the leaf knows, too
            leaf.join_hub()
            odin.next(r":thor!\S+ JOIN")
            jarvis.say("#ops", "all are here")
            thor.next(r":jarvis!\S+ PRIVMSG #ops :all are here$")
            assert proof(says(thor, jarvis, "#ops", "jarvis: and now?")) == ("thor", "account")
            assert not jarvis.events("down") and jarvis.events("gone") == [{"type": "gone", "identity": "thor"}], jarvis.events()


@takes(3)
def test_name_servers_that_hang(place):
    """Looking up the server's name ends after connect_timeout, and is tried again; stopping does not wait for it."""
    with LinkProcess(place, "jarvis-irc", before=world(place), server="irc.example.org", nick="jarvis", connect_timeout=0.7,
                     reconnect_after=0.2) as jarvis:
        assert jarvis.next("down")["why"] == "irc.example.org: no answer from the name servers within 1 s"
        until(lambda: len(delays(jarvis)) >= 2, "it tries again")
        assert len(jarvis.events("down")) == 1, jarvis.events()
        begun = time.monotonic()
        assert jarvis.stop() == 0
        assert time.monotonic() - begun < 5
