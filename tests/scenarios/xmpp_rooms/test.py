"""jarvis-xmpp in rooms: who is who, what is history, and coming back."""
from lab import each, takes, until
from lab.forgetful_rooms import ForgetfulRooms
from lab.prosody import COMPONENT
from lab.xmpp_person import Person
from lab.xmpp_town import DEEP, JARVIS, LOKI, OPS, THOR, link, ops, town


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
