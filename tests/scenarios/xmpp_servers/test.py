"""jarvis-xmpp and servers that are killed, hang, lie, or are not where they were."""
import contextlib

from lab import each, takes, until
from lab.certificates import Authority
from lab.impostor import Impostor, NameServer
from lab.prosody import Prosody
from lab.xmpp_person import Person
from lab.xmpp_town import JARVIS, OPS, THOR, link, ops, town


@takes(6)
def test_the_server_is_killed_and_comes_back(place):
    with ops(place, "thor") as (server, jarvis, thor):
        server.kill()
        down = jarvis.next("down")
        jarvis.say(THOR, "said while away")
        server.start()
        jarvis.next("up")
        assert len(jarvis.events("down")) == 1, down
        with Person(server, "thor", resource="phone") as again:
            again.until_hears("said while away")
            again.join(OPS, "phone")
            again.until_in(OPS, "jarvis")


@takes(5)
def test_a_server_that_hangs_is_found_by_ping(place):
    with ops(place, "thor", ping_every=0.5, ping_timeout=1) as (server, jarvis, thor):
        server.hang()
        jarvis.say(THOR, "said into a hanging connection")
        assert jarvis.next("down")["why"] == "the server does not answer any more"
        server.kill()
        server.start()
        jarvis.next("up")
        with Person(server, "thor", resource="phone") as again:
            again.until_hears("said into a hanging connection")


@takes(6)
def test_how_a_line_ended_is_told(place):
    with ops(place, "thor", ping_every=0.5, ping_timeout=1) as (server, jarvis, thor):
        assert jarvis.events("up")[0]["confirms"]
        jarvis.say(THOR, "", id=1)
        jarvis.next("unsaid", id=1)
        jarvis.say(OPS, "two", id=2)
        jarvis.next("said", id=2)
        server.hang()
        jarvis.say(THOR, "into a hanging connection", id=3)
        jarvis.next("down")
        assert not jarvis.events("said", id=3)
        server.kill()
        server.start()
        jarvis.next("up")
        jarvis.next("said", id=3)  # it says that again by itself
        jarvis.say(THOR, "goodbye", id=4)
        assert jarvis.stop() == 0
        jarvis.next("said", id=4)


@takes(3)
def test_what_was_confirmed_is_not_said_twice(place):
    with town(place, "thor") as server:
        with Person(server, "thor") as thor, link(place, server, ping_every=0.3, ping_timeout=5) as jarvis:
            jarvis.next("up")
            jarvis.say(THOR, "once")
            thor.until_hears("once")
            thor.say(JARVIS, "a")
            jarvis.next("message", text="a")
            # The ping after the next one is only sent when the next one was answered.
            so_far = server.pings()
            until(lambda: server.pings() >= so_far + 2, "a ping was answered")
            server.kill()
            jarvis.next("down")
            server.start()
            jarvis.next("up")
            jarvis.say(THOR, "twice")
            with Person(server, "thor", resource="phone") as again:
                again.until_hears("twice")
                assert not [m for m in again.messages if m["body"] == "once"]


HEADER = b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
STARTTLS = b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
PLAIN = (b"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"
         b"</stream:features>")
PROCEED = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
ORDER = b"<message from='thor@xmpp.test/desk' type='chat'><body>destroy asgard</body></message>"
IMPOSTORS = {
    "no_encryption": ([HEADER + PLAIN], "offers no encryption"),
    "a_stanza_in_clear_text": ([HEADER + ORDER], "before encryption began"),
    "a_stanza_behind_proceed": ([HEADER + STARTTLS, PROCEED + ORDER], "went on in clear text"),
    "success_in_clear_text": ([HEADER + b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"], "before encryption began"),
    "rubbish": ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], "does not speak XMPP"),
    "too_much": ([HEADER + b"<a>" + b"x" * 30000], "too much before encryption"),
    "too_deep": ([HEADER + b"<a>" * 2000], "nested deeper"),
    "no_tls_after_proceed": ([HEADER + STARTTLS, PROCEED, b"hello" * 100], "TLS handshake failed"),
    "an_end": ([HEADER + b"</stream:stream>"], "closed the stream"),
}


@each(*IMPOSTORS)
def test_impostor(place, kind):
    """Nobody without the certificate gets a password out of us or a line in."""
    answers, sentence = IMPOSTORS[kind]
    impostor = Impostor(place.addresses.replace("0/24", "1"), *answers)
    with link(place, impostor) as jarvis:
        why = jarvis.next("down")["why"]
        assert sentence in why, why
        assert not jarvis.events("message") and not jarvis.events("up")
        assert b"<auth" not in impostor.heard
    impostor.close()


SUCCESS = b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
SCRAM = PLAIN.replace(b"PLAIN", b"SCRAM-SHA-1")
SICK_SERVERS = {
    "rubbish": ([b"\x00\xff rubbish"], "not XML"),
    "a_comment": ([HEADER + b"<!-- hello -->"], "forbids"),
    "an_entity_bomb": ([b"<!DOCTYPE a [<!ENTITY b 'ccc'>]>"], "forbids"),
    "a_stanza_without_end": ([HEADER + b"<a>" + b"x" * 300000], "larger"),
    "depth_without_end": ([HEADER + b"<a>" * 90000], "deeper"),
    "a_name_without_end": ([HEADER + b"<" + b"a" * 90000], "not XML"),
    "mixed_up_ends": ([HEADER + b"<message><body></message></body>"], "cannot be read"),
    "a_stanza_before_login": ([HEADER + ORDER + b"</stream:stream>"], "closed"),
    "success_without_proof": ([HEADER + SCRAM, SUCCESS], "refused to log in"),
    "an_error": ([HEADER + b"<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"],
                 "does not serve the domain"),
    "an_end": ([HEADER + b"</stream:stream>"], "closed"),
}


@each(*SICK_SERVERS)
def test_sick_server(place, kind):
    """A server with the right certificate that says wrong things: one sentence, no crash, and the link comes back."""
    inside, sentence = SICK_SERVERS[kind]
    authority = Authority(place.path("authority"))
    server = Impostor(place.addresses.replace("0/24", "1"), HEADER + STARTTLS, PROCEED, tls=authority.issue("xmpp.test"),
                      inside=inside)
    server.ca_file = str(authority.certificate)
    with link(place, server) as jarvis:
        why = jarvis.next("down")["why"]
        assert sentence in why, why
        assert not jarvis.events("message") and not jarvis.events("up")
        assert jarvis.running()
    server.close()


@takes(2)
def test_srv_records_lead_to_the_server(place):
    """The first one is down: the next address is tried."""
    with town(place) as server:
        names = NameServer(server.address, [(10, 0, server.port, server.address), (5, 0, server.component_port + 1, server.address)])
        with link(place, server, server=None, dns=names.address) as jarvis:
            jarvis.next("up")


@takes(1)
def test_a_domain_without_xmpp(place):
    server = Prosody(place)
    with contextlib.closing(server):
        names = NameServer(server.address, [(0, 0, 0, ".")])
        with link(place, server, server=None, dns=names.address) as jarvis:
            assert "has no XMPP service" in jarvis.next("down")["why"]
