"""jarvis-xmpp alone, over its pipes, against a real prosody and people with another client: logging in, presence, texts."""
import contextlib
import os
import subprocess

from lab import each, takes, until
from lab.certificates import Authority
from lab.link_process import LinkProcess
from lab.prosody import Prosody
from lab.xmpp_person import Person
from lab.xmpp_town import JARVIS, LOKI, OPS, THOR, link, ops, town

# Logging in

@takes(2)
def test_direct_messages(place):
    with town(place, "thor") as server, link(place, server) as jarvis, Person(server, "thor") as thor:
        up = jarvis.next("up")
        assert up == {"type": "up", "nick": "jarvis", "limit": 4000, "confirms": True}, up
        assert "TLS1.3" in jarvis.log(), jarvis.log()
        thor.say(JARVIS, "status")
        heard = jarvis.next("message")
        assert heard == {"type": "message", "place": f"{THOR}/desk", "direct": True, "sender": THOR, "identity": THOR,
                         "proof": "jid", "text": "status", "addressed": True, "bot": False, "history": False}, heard
        jarvis.say(heard["place"], "nothing runs", to=THOR)
        answer = thor.until_hears("nothing runs")
        assert (answer["type"], str(answer["from"])) == ("chat", f"{JARVIS}/jarvis"), answer
        jarvis.tell(type="ask_identity", place=heard["place"], sender=THOR)
        assert jarvis.next("identity") == {"type": "identity", "sender": THOR, "identity": THOR, "proof": "jid"}
        # Typing notifications, errors and headlines are no lines; a message of type normal is.
        thor.raw(f"<message to='{JARVIS}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
        thor.raw(f"<message to='{JARVIS}' type='error'><body>not me</body><error type='cancel'/></message>")
        thor.raw(f"<message to='{JARVIS}' type='headline'><body>not me</body></message>")
        thor.raw(f"<message to='{JARVIS}'><body xml:lang='de'>me</body></message>")
        assert jarvis.next("message")["text"] == "me"
        assert len(jarvis.events("message")) == 2
        jarvis.say(THOR, "last words")
        assert jarvis.stop(2) == 0
        thor.until_hears("last words")


@takes(2)
def test_ipv6(place):
    with town(place, address="::1") as server, link(place, server) as jarvis:
        jarvis.next("up")
        assert f"at {server.server}" in jarvis.log()


@takes(2)
def test_tls_1_2_with_a_server_that_offers_channel_binding(place):
    with town(place, tls="tlsv1_2") as server, link(place, server) as jarvis:
        jarvis.next("up")
        assert "TLS1.2" in jarvis.log(), jarvis.log()


@takes(2)
def test_a_server_that_knows_only_plain(place):
    with town(place, disabled_mechanisms="SCRAM-SHA-1") as server, link(place, server) as jarvis:
        jarvis.next("up")


@takes(2)
def test_an_unknown_authority(place):
    with town(place) as server:
        other = Authority(place.path("other"), "somebody else")
        with link(place, server, ca_file=str(other.certificate)) as jarvis:
            why = jarvis.next("down")["why"]
            assert "authority that we do not trust" in why and "test authority" in why, why
            assert not jarvis.events("up")
            assert "Authenticated" not in server.log()


@takes(2)
def test_a_certificate_for_another_domain(place):
    with town(place, certified="other.test") as server, link(place, server) as jarvis:
        why = jarvis.next("down")["why"]
        assert "is for another name" in why and "other.test" in why, why
        assert not jarvis.events("up")


@takes(2)
def test_wrong_password(place):
    with town(place) as server, link(place, server, password="guess") as jarvis:
        assert jarvis.next("down")["why"] == f"wrong password, or no such account: {JARVIS}"
        assert len(jarvis.events("down")) == 1
        assert jarvis.stop(2) == 0


@takes(1)
def test_a_password_that_others_may_read(place):
    with town(place) as server:
        secret = place.write("open", "secret\n", 0o644)
        with link(place, server, password_file=str(secret)) as jarvis:
            assert "others may read it" in jarvis.next("down")["why"]


@takes(1)
def test_a_wrong_configuration(place):
    with LinkProcess(place, "jarvis-xmpp", jid="jarvis", password_file="/none") as jarvis:
        assert '"jarvis" is not a JID' in jarvis.next("down")["why"]
        until(lambda: not jarvis.running(), "the link ends")


@takes(1)
def test_nobody_listens(place):
    server = Prosody(place)
    with contextlib.closing(server):
        with link(place, server) as jarvis:
            assert "Connection refused" in jarvis.next("down")["why"]


@takes(3)
def test_another_client_takes_our_resource(place):
    with town(place) as server, link(place, server) as jarvis:
        jarvis.next("up")
        with Person(server, "jarvis", resource="jarvis"):
            assert "conflict" in jarvis.next("down")["why"]


# Presence

@takes(3)
def test_subscriptions_and_presence(place):
    with town(place, "thor", "loki") as server, Person(server, "thor") as thor, Person(server, "loki") as loki:
        with link(place, server) as jarvis:
            jarvis.next("up")
            thor.do(thor.client.send_presence_subscription, pto=JARVIS)
            loki.do(loki.client.send_presence_subscription, pto=JARVIS)
            thor.until_sees("jarvis online", lambda p: p["from"].bare == JARVIS and p["type"] == "available")
            jarvis.until_logged(f"refused the subscription request of {LOKI}")
            jarvis.until_logged(f"accepted the subscription request of {THOR}")
            loki.until_sees("a refusal", lambda p: p["from"].bare == JARVIS and p["type"] == "unsubscribed")
            jarvis.tell(type="presence", text="2 runs: loki 9/19")
            thor.until_sees("what runs", lambda p: p["status"] == "2 runs: loki 9/19")
            assert not [p for p in loki.presences if p["from"].bare == JARVIS and p["type"] == "available"]
            # A contact who has spoken goes offline.
            thor.say(JARVIS, "status")
            jarvis.next("message")
            thor.do(thor.client.send_presence, ptype="unavailable")
            assert jarvis.next("gone")["identity"] == THOR
            assert jarvis.stop(2) == 0


@takes(3)
def test_presence_in_rooms_and_after_a_reconnect(place):
    with ops(place, "thor", priority=7) as (server, jarvis, thor):
        jarvis.tell(type="presence", text="idle")
        shown = thor.until_sees("the status", lambda p: p["from"] == f"{OPS}/jarvis" and p["status"] == "idle")
        assert shown["priority"] == 7
        server.kill()
        jarvis.next("down")
        server.start()
        jarvis.next("up")
        with Person(server, "thor", resource="phone") as again:
            again.join(OPS, "thor")
            again.until_sees("the status", lambda p: p["from"] == f"{OPS}/jarvis" and p["status"] == "idle")


# Texts

@takes(3)
def test_what_is_said(place):
    with ops(place, "thor", pace={"burst": 100, "per_second": 100}) as (server, jarvis, thor):
        jarvis.say(OPS, "a\nb\r\nc\x00d\x1b[31m e\u200b <&>'\" \U0001f984 \ufdd0")
        thor.until_hears("a b  c d [31m e\u200b <&>'\" \U0001f984 \ufdd0")
        long = "x" * 3900 + " end"
        jarvis.say(THOR, long)
        thor.until_hears(long)
        jarvis.raw('{"type": "say", "place": "%s", "text": "\\ud800 lone"}' % OPS)
        jarvis.raw("rubbish")
        jarvis.raw('{"type": 5}')
        jarvis.say("no jid at all@@", "x")
        jarvis.say(OPS, "still here")
        thor.until_hears("still here")


@takes(3)
def test_what_is_heard(place):
    with ops(place, "thor") as (server, jarvis, thor):
        thor.say_in(OPS, "jarvis: a\nb\t\U0001f984 \u0085 <&>")
        assert jarvis.next("message")["text"] == "jarvis: a b \U0001f984   <&>"
        long = "jarvis: " + "\U0001f984" * 20000
        thor.say(JARVIS, long)
        assert jarvis.next("message")["text"] == long


@takes(4)
@each("large", "deep")
def test_a_stanza_beyond_all_bounds(place, kind):
    """It ends the stream, and the link comes back."""
    body = "<body>" + "x" * 400000 + "</body>" if kind == "large" else "<a>" * 100 + "</a>" * 100 + "<body>x</body>"
    with ops(place, "thor") as (server, jarvis, thor):
        thor.raw(f"<message to='{JARVIS}' type='chat'>{body}</message>")
        why = jarvis.next("down")["why"]
        assert ("larger" if kind == "large" else "deeper") in why, why
        jarvis.next("up")


@takes(3)
def test_two_bots(place):
    """A bot that says that it is one is known from its second line on."""
    with ops(place, "thor", "loki") as (server, jarvis, thor):
        with Person(server, "loki", bot=True) as bot:
            bot.join(OPS, "bot")
            bot.say_in(OPS, "jarvis: hello")
            jarvis.next("message", text="jarvis: hello")

            def known():
                bot.say_in(OPS, "jarvis: hello?")
                return jarvis.next("message", text="jarvis: hello?")["bot"]
            until(known, "jarvis knows the bot")
        thor.say_in(OPS, "jarvis: I am none")
        assert jarvis.next("message", text="jarvis: I am none")["bot"] is False


@takes(6)
def test_pacing(place):
    with ops(place, "thor", pace={"burst": 3, "per_second": 4}) as (server, jarvis, thor):
        for number in range(8):
            jarvis.say(OPS, f"line {number}")
        thor.until_hears("line 2")
        assert not [m for m in thor.messages if m["body"] == "line 7"]
        thor.until_hears("line 7")
        lines = [m["body"] for m in thor.messages if m["body"].startswith("line")]
        assert lines == [f"line {number}" for number in range(8)], lines


@takes(3)
def test_a_packaged_client(place):
    """go-sendxmpp, in the direct conversation and in the room."""
    with ops(place, "thor") as (server, jarvis, thor):
        environment = {**os.environ, "SSL_CERT_FILE": server.ca_file, "HOME": str(place.directory)}

        def send(*arguments, text):
            subprocess.run(["go-sendxmpp", "-u", THOR, "-p", "secret", "-j", server.server, *arguments], input=text.encode(),
                           env=environment, check=True, timeout=60)
        send(JARVIS, text="status")
        heard = jarvis.next("message")
        assert (heard["text"].strip(), heard["identity"]) == ("status", THOR), heard
        send("-c", OPS, text="jarvis: status")
        heard = jarvis.next("message", addressed=True)
        assert (heard["text"].strip(), heard["identity"], heard["place"]) == ("jarvis: status", THOR, OPS), heard
