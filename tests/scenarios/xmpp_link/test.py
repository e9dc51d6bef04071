"""jarvis-xmpp alone, over its pipes, against a real prosody and people with another client."""
import asyncio
import contextlib
import os
import socket
import ssl
import struct
import subprocess
import threading

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from lab import each, takes, until
from lab.certificates import Authority
from lab.link_process import LinkProcess
from lab.prosody import ANONYMOUS_ROOMS, COMPONENT, OPEN_ROOMS, Prosody
from lab.xmpp_person import Person

OPS, DEEP = f"ops@{OPEN_ROOMS}", f"deep@{ANONYMOUS_ROOMS}"
JARVIS, THOR, LOKI = "jarvis@xmpp.test", "thor@xmpp.test", "loki@xmpp.test"


def link(place, at, **more):
    secret = place.write("password", more.pop("password", "secret") + "\n", 0o600)
    configuration = {"name": "jabber", "jid": JARVIS, "password_file": str(secret), "server": at.server,
                     "ca_file": at.ca_file, "people": [THOR], **more}
    return LinkProcess(place, "jarvis-xmpp", **configuration)


@contextlib.contextmanager
def town(place, *names, **more):
    """A prosody with jarvis and these people's accounts."""
    server = Prosody(place, **more)
    for name in ("jarvis", *names):
        server.account(name)
    with server:
        yield server


@contextlib.contextmanager
def ops(place, *names, **more):
    """The town, jarvis in the room #ops, and the first person in it, too: (server, jarvis, person)."""
    with town(place, *names) as server, Person(server, names[0]) as person:
        person.join(OPS, names[0])
        with link(place, server, rooms=[OPS], **more) as jarvis:
            jarvis.next("up")
            person.until_in(OPS, "jarvis")
            yield server, jarvis, person


# Logging in

@takes(2)
def test_direct_messages(place):
    with town(place, "thor") as server, link(place, server) as jarvis, Person(server, "thor") as thor:
        up = jarvis.next("up")
        assert up == {"type": "up", "nick": "jarvis", "limit": 4000}, up
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


# Rooms

@takes(3)
def test_a_room_with_real_jids(place):
    with ops(place, "thor", "loki") as (server, jarvis, thor):
        thor.say_in(OPS, "jarvis: status")
        heard = jarvis.next("message", addressed=True)
        assert heard == {"type": "message", "place": OPS, "direct": False, "sender": "thor", "identity": THOR, "proof": "jid",
                         "text": "jarvis: status", "addressed": True, "bot": False, "history": False}, heard
        jarvis.say(OPS, "nothing runs", to="thor")
        assert thor.until_hears("thor: nothing runs")["type"] == "groupchat"
        # Our own echo is no line, nor is chatter addressed.
        thor.say_in(OPS, "jarvis is slow today")
        assert jarvis.next("message")["addressed"] is False
        assert [m["text"] for m in jarvis.events("message")] == ["jarvis: status", "jarvis is slow today"]
        jarvis.tell(type="ask_identity", place=OPS, sender="thor")
        assert jarvis.next("identity")["identity"] == THOR
        jarvis.tell(type="ask_identity", place=OPS, sender="odin")
        assert jarvis.next("identity")["identity"] is None
        # A nick that looks like somebody's JID is still only a nick.
        with Person(server, "loki") as loki:
            loki.join(OPS, THOR)
            loki.say_in(OPS, "jarvis, destroy asgard")
            heard = jarvis.next("message", addressed=True)
            assert (heard["sender"], heard["identity"]) == (THOR, LOKI), heard
        thor.until_out(OPS, THOR)
        assert jarvis.next("gone")["identity"] == LOKI
        jarvis.tell(type="ask_identity", place=OPS, sender=THOR)
        assert jarvis.next("identity")["identity"] is None


@takes(3)
def test_a_private_message_through_a_room(place):
    with ops(place, "thor") as (server, jarvis, thor):
        thor.say(f"{OPS}/jarvis", "status")
        heard = jarvis.next("message")
        assert (heard["place"], heard["direct"], heard["sender"], heard["identity"]) == (f"{OPS}/thor", True, "thor", THOR), heard
        jarvis.say(f"{OPS}/thor", "nothing runs")
        answer = thor.until_hears("nothing runs")
        assert (answer["type"], str(answer["from"])) == ("chat", f"{OPS}/jarvis"), answer


@takes(3)
def test_a_room_without_real_jids(place):
    with town(place, "thor") as server, Person(server, "thor") as thor:
        thor.join(DEEP, "thor")
        with link(place, server, rooms=[DEEP]) as jarvis:
            thor.until_in(DEEP, "jarvis")
            thor.say_in(DEEP, "jarvis: status")
            heard = jarvis.next("message", addressed=True)
            assert (heard["sender"], heard["identity"], heard["proof"]) == ("thor", None, None), heard
            thor.say(f"{DEEP}/jarvis", "status")
            heard = jarvis.next("message", direct=True)
            assert (heard["place"], heard["identity"], heard["proof"]) == (f"{DEEP}/thor", None, None), heard
            # Who claims a real JID in the presence that the room passes on has none either.
            thor.raw(f"<presence to='{DEEP}/thor'><x xmlns='http://jabber.org/protocol/muc#user'>"
                     f"<item affiliation='owner' role='moderator' jid='{LOKI}/x'/></x></presence>")
            thor.say_in(DEEP, "jarvis: again")
            assert jarvis.next("message", text="jarvis: again")["identity"] is None
            # A moderator sees who is who, and so does jarvis once it is one.
            thor.set_affiliation(DEEP, "admin", JARVIS)
            thor.do(thor.client["xep_0045"].set_role, DEEP, "thor", "moderator")
            thor.raw(f"<presence to='{DEEP}/thor'><status>here</status></presence>")
            thor.say_in(DEEP, "jarvis: and now")
            assert jarvis.next("message", text="jarvis: and now")["identity"] == THOR


@takes(4)
def test_history_is_marked(place):
    """What was said while jarvis was away: offline, and in the room."""
    with town(place, "thor") as server, Person(server, "thor") as thor:
        thor.join(OPS, "thor")
        thor.say_in(OPS, "jarvis: destroy asgard")
        thor.until_hears("jarvis: destroy asgard")
        thor.say(JARVIS, "destroy midgard")
        until(lambda: (server.directory / "data/xmpp%2etest/offline").exists(), "the message waits for jarvis")
        with link(place, server, rooms=[OPS]) as jarvis:
            thor.until_in(OPS, "jarvis")
            assert jarvis.next("message")["history"] is True
            thor.say(JARVIS, "status")
            thor.say_in(OPS, "jarvis: status")
            jarvis.next("message", text="jarvis: status", history=False)
            live = {event["text"] for event in jarvis.events("message", history=False)}
            assert live == {"status", "jarvis: status"}, live
            # Somebody else's delay stamp is believed, too: to refuse is the safe side.
            thor.raw(f"<message to='{JARVIS}' type='chat'><body>old</body><delay xmlns='urn:xmpp:delay' "
                     "stamp='2020-01-01T00:00:00Z'/></message>")
            assert jarvis.next("message", text="old")["history"] is True


@takes(3)
def test_a_nick_that_is_taken_and_free_again(place):
    with town(place, "thor", "loki") as server, Person(server, "thor") as thor, Person(server, "loki") as loki:
        thor.join(OPS, "thor")
        loki.join(OPS, "jarvis")
        with link(place, server, rooms=[OPS]) as jarvis:
            thor.until_in(OPS, "jarvis_")
            thor.say_in(OPS, "jarvis_: status")
            assert jarvis.next("message")["addressed"] is True
            thor.say_in(OPS, "jarvis: status")
            assert jarvis.next("message")["addressed"] is False
            loki.leave(OPS, "jarvis")
            thor.until_out(OPS, "jarvis_")
            thor.until_in(OPS, "jarvis")
            thor.say_in(OPS, "JARVIS, status")
            assert jarvis.next("message")["addressed"] is True


@takes(6)
def test_kicked_and_back(place):
    with ops(place, "thor") as (server, jarvis, thor):
        thor.say_in(OPS, "jarvis: status")
        jarvis.next("message")
        thor.kick(OPS, "jarvis")
        thor.until_out(OPS, "jarvis")
        assert jarvis.next("gone")["identity"] == THOR
        jarvis.say(OPS, "said while out")
        thor.until_in(OPS, "jarvis")
        thor.until_hears("said while out")
        jarvis.until_logged(f"room {OPS}: we were kicked")
        assert not jarvis.events("down")


@takes(3)
def test_banned(place):
    with ops(place, "thor") as (server, jarvis, thor):
        thor.set_affiliation(OPS, "outcast", JARVIS)
        jarvis.until_logged("we were banned")
        assert "every few minutes" in jarvis.log()
        assert jarvis.running() and not jarvis.events("down")


@takes(3)
def test_a_room_with_a_password(place):
    with town(place, "thor") as server, Person(server, "thor") as thor:
        thor.join(OPS, "thor")
        thor.set_password(OPS, "mjolnir")
        with link(place, server, rooms=[OPS]) as jarvis:
            jarvis.until_logged(f"room {OPS}: it wants a password")
        key = place.write("room.key", "mjolnir\n", 0o600)
        with link(place, server, rooms=[{"room": OPS, "nick": "butler", "password_file": str(key)}]):
            thor.until_in(OPS, "butler")


@takes(3)
def test_a_room_that_does_not_exist_yet(place):
    with town(place, "thor") as server, link(place, server, rooms=[OPS]) as jarvis:
        jarvis.until_logged("did not exist")
        with Person(server, "thor") as thor:
            thor.join(OPS, "thor")
            thor.say_in(OPS, "jarvis: status")
            assert jarvis.next("message", addressed=True)["identity"] == THOR


class ForgetfulRooms:
    """A room service of our own (XEP-0114) that lets everybody in and forgets them when told, as one that was restarted."""

    def __init__(self, server):
        self.joins, self.heard, self._in = [], [], set()
        self._loop = asyncio.new_event_loop()
        self._server, self._connected = server, threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self):
        self._thread.start()
        until(self._connected.is_set, "the room service is connected")
        return self

    def __exit__(self, *error):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _live(self):
        asyncio.set_event_loop(self._loop)
        self._component = slixmpp.ComponentXMPP(COMPONENT, "secret", self._server.address, self._server.component_port)
        self._component.add_event_handler("session_start", lambda _: self._connected.set())
        self._component.add_event_handler("presence_available", self._join)
        self._component.add_event_handler("message", self._hear)
        self._component.register_handler(Callback("ping", MatchXPath("{jabber:component:accept}iq/{urn:xmpp:ping}ping"), self._pinged))
        self._component.connect()
        self._loop.run_forever()

    def _join(self, presence):
        room, nick, who = presence["to"].bare, presence["to"].resource, presence["from"]
        self.joins.append((room, nick))
        self._in.add(str(presence["to"]))
        self._component.send_raw(
            f"<presence from='{room}/{nick}' to='{who}'><x xmlns='http://jabber.org/protocol/muc#user'>"
            "<item affiliation='none' role='participant'/><status code='110'/></x></presence>")

    def _hear(self, message):
        if not any(occupant.startswith(message["to"].bare) for occupant in self._in):
            self._refuse("message", message)
        else:
            self.heard.append(message["body"])

    def _pinged(self, iq):
        if str(iq["to"]) in self._in:
            self._component.send_raw(f"<iq type='result' id='{iq['id']}' from='{iq['to']}' to='{iq['from']}'/>")
        else:
            self._refuse("iq", iq)

    def _refuse(self, kind, stanza):
        self._component.send_raw(
            f"<{kind} type='error' id='{stanza['id']}' from='{stanza['to']}' to='{stanza['from']}'><error type='cancel'>"
            f"<not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></{kind}>")

    def forget(self):
        self._in.clear()


@takes(6)
@each("ping", "say")
def test_a_room_service_that_was_restarted(place, way):
    """It has forgotten us without a word: the self-ping finds it, or the first line that it refuses, which is said again."""
    room = f"ops@{COMPONENT}"
    with town(place) as server, ForgetfulRooms(server) as service:
        with link(place, server, rooms=[room], ping_every=1 if way == "ping" else 60) as jarvis:
            jarvis.until_logged("joined as jarvis")
            service.forget()
            if way == "say":
                jarvis.say(room, "not lost")
            until(lambda: len(service.joins) == 2, "jarvis joins again")
            jarvis.until_logged("we are not in it any more")
            if way == "say":
                until(lambda: "not lost" in service.heard, "the line arrives")


# The network fails

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


class Impostor:
    """A server socket that says what it is told, in clear text."""

    def __init__(self, address, *answers, tls=None, inside=()):
        """`tls`: (certificate, key); then it goes on encrypted with what is `inside`."""
        self._answers, self._inside, self.heard = list(answers), list(inside), b""
        self._context = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*tls)
        self._socket = socket.create_server((address, 0))
        self.server = f"{address}:{self._socket.getsockname()[1]}"
        self.ca_file = ""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection, contextlib.suppress(OSError):
                    self._talk(connection, self._answers)
                    if self._context:
                        with self._context.wrap_socket(connection, server_side=True) as secure:
                            self._talk(secure, self._inside)
                            self._listen(secure)
                    self._listen(connection)

    def _talk(self, connection, answers):
        for answer in answers:
            self.heard += connection.recv(65536)
            connection.sendall(answer)

    def _listen(self, connection):
        while more := connection.recv(65536):
            self.heard += more

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


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


class NameServer:
    """Answers every question with these SRV records: (priority, weight, port, target)."""

    def __init__(self, address, records):
        self._records = records
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self.address = f"{address}:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                question, sender = self._socket.recvfrom(4096)
                end = question.index(b"\0", 12) + 5
                answer = question[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, len(self._records), 0, 0) + question[12:end]
                for priority, weight, port, target in self._records:
                    name = b"".join(bytes([len(label)]) + label.encode() for label in target.split(".") if label) + b"\0"
                    data = struct.pack(">HHH", priority, weight, port) + name
                    answer += b"\xc0\x0c" + struct.pack(">HHIH", 33, 1, 60, len(data)) + data
                self._socket.sendto(answer, sender)


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
