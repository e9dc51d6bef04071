"""jarvis on Jabber: a prosody with a room, people with clients that are not ours, the same jarvis on IRC beside it."""
import os
import re
import subprocess

from lab import takes, until
from lab.channel import Channel, asks, demo, with_demo
from lab.processes import Process
from lab.xmpp_person import Person
from lab.xmpp_town import JARVIS, OPS, THOR

LOKI = """instance:
  hostname: loki
  fqdn: loki.websages.com
  provider: local
  guestid: Debian 12
"""


def hears(person, pattern, kind=None, after=0, seconds=30):
    """The body of the first message from jarvis that fits, of those after that many."""
    def heard():
        return next((m["body"] for m in list(person.messages)[after:] if kind in (None, m["type"]) and
                     "jarvis" in str(m["from"]) and re.search(pattern, m["body"])), None)
    try:
        return until(heard, f"{person.jid} hears /{pattern}/", seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}; it heard {[(str(m['from']), m['type'], m['body']) for m in person.messages]}") from None


def asks_in_room(person, text, answer):
    before = len(person.messages)
    person.say_in(OPS, f"jarvis: {text}")
    return hears(person, answer, "groupchat", before)


def asks_directly(person, text, answer, to=JARVIS):
    before = len(person.messages)
    person.say(to, text)
    return hears(person, answer, "chat", before)


@takes(8)
def test_the_conversation_of_the_mission_in_a_room(place):
    with Channel(place, jabber=True) as channel:
        url = channel.site.gist("912450", **{"loki.yaml": LOKI})
        channel.serve()
        with Person(channel.jabber, "thor") as thor:
            thor.join(OPS, "the-thunderer")
            thor.until_in(OPS, "jarvis")
            thor.say_in(OPS, f"jarvis: deploy {url}")
            hears(thor, rf"^the-thunderer: reading {re.escape(url)}$", "groupchat")
            hears(thor, r"^the-thunderer: loki: deploy with local, \d+ stages, run [a-z0-9]{6}$", "groupchat")
            hears(thor, r"^the-thunderer: loki is ready$", "groupchat")
            code = asks_in_room(thor, "destroy loki", r"jarvis: confirm \w+").split()[-1]
            asks_in_room(thor, f"confirm {code}", "^the-thunderer: loki is destroyed$")
            assert not [m for m in thor.messages if m["type"] == "chat"], thor.messages


@takes(16)
def test_direct_messages_and_somebody_else_in_another_place(place):
    """thor deploys by direct message; freya, on IRC, and odin, in the room, look at it; the presence shows it."""
    with with_demo(place, jabber=True) as channel:
        gate, spec = demo(place)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        channel.serve()
        freya = channel.person("freya")
        channel.until_there(freya)
        with Person(channel.jabber, "thor") as thor, Person(channel.jabber, "odin") as odin:
            odin.join(OPS, "odin")
            odin.until_in(OPS, "jarvis")
            thor.raw(f"<presence to='{JARVIS}' type='subscribe'/>")
            asks_directly(thor, f"deploy {url}", "^reading https://")
            hears(thor, "^loki: deploy with demo, 3 stages, run", "chat")
            gate.began()
            asks(freya, "status loki", "freya: loki: 2/3 gate")
            asks_in_room(odin, "status loki", "^odin: loki: 2/3 gate")
            thor.until_sees("what is in flight", lambda p: p["from"].bare == JARVIS and p["status"] == "1 in flight: loki 2/3")
            gate.open()
            hears(thor, "^loki is ready$", "chat")
            assert not [m for m in odin.messages if "ready" in m["body"]], "only who asked is told"
            thor.until_sees("that nothing is", lambda p: p["from"].bare == JARVIS and p["status"] == "ready")
        gate.close()


@takes(6)
def test_who_is_nobody_on_jabber(place):
    """Somebody whom the configuration does not know, under nicks that look like an operator, in the room and out of it; what the
    room replays, and what waited for jarvis, is not done."""
    with with_demo(place, jabber=True) as channel:
        gate, spec = demo(place)
        gate.open(workers=5)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        with Person(channel.jabber, "thor") as thor:
            thor.join(OPS, "thor")
            for to, kind in ((OPS, "groupchat"), (JARVIS, "chat")):
                thor.say(to, f"jarvis: deploy {url}", kind)
            thor.until_hears(f"jarvis: deploy {url}")
            until(lambda: (channel.jabber.directory / "data/xmpp%2etest/offline").exists(), "the message waits for jarvis")
            channel.serve()
            thor.until_in(OPS, "jarvis")
            asks_in_room(thor, "whoami", "you are thor")
            asks_directly(thor, "whoami", "you are thor")
                        # jarvis asks its rooms for no history; what one sends all the same bears a stamp, as this does.
            thor.raw(f"<message to='{OPS}' type='groupchat'><body>jarvis: deploy {url}</body>"
                     "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/></message>")
            asks_in_room(thor, "whoami", "you are thor")
            thor.leave(OPS, "thor")
            for nick in (THOR, f"{THOR}/desk", "thor"):
                with Person(channel.jabber, "mallory") as mallory:
                    mallory.join(OPS, nick)
                    asks_in_room(mallory, f"deploy {url}", f"^{nick}: refused: nobody here knows who you are")
                    asks_directly(mallory, f"deploy {url}", "refused: nobody here knows who you are", to=f"{OPS}/jarvis")
                    mallory.leave(OPS, nick)
            with Person(channel.jabber, "mallory") as mallory:
                asks_directly(mallory, f"deploy {url}", "refused: nobody here knows who you are")
            assert not [m for m in thor.messages if "reading" in m["body"]], "what was said before was done"
            assert place.never_ran("loki")
            records = place.json("audit")
            assert len([r for r in records if r["result"] == "ignored" and r["rule"] == "said before jarvis was there"]) == 2, records
            assert len([r for r in records if r["result"] == "refused" and "mallory@xmpp.test" in r["proof"]]) == 7, records
        gate.close()


@takes(6)
def test_a_packaged_client_asks_and_is_answered(place):
    """go-sendxmpp says the deploy line and leaves; another one, listening, prints that the host is ready."""
    with with_demo(place, jabber=True) as channel:
        gate, spec = demo(place)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        channel.serve()
        environment = {**os.environ, "SSL_CERT_FILE": channel.jabber.ca_file, "HOME": str(place.directory)}
        login = ["go-sendxmpp", "-u", THOR, "-p", "secret", "-j", channel.jabber.server]

        def send(text, *arguments):
            subprocess.run([*login, *arguments], input=text.encode(), env=environment, check=True, timeout=60)
        listener = place.background(Process([*login, "-l"], place.path("heard"), place.directory, environment))
        until(lambda: channel.jabber.log().count("Authenticated as thor@") == 1, "it is logged in")
        # What comes at once the sender still gets itself; what comes later, when it has left, the one that listens.
        # go-sendxmpp may leave before its line has: said again, a deploy that runs already is refused and does no harm.
        for _ in range(3):
            send(f"deploy {url}", JARVIS)
            try:
                gate.began(seconds=10)
                break
            except AssertionError:
                continue
        else:
            gate.began()
        with Person(channel.jabber, "odin") as odin:
            odin.join(OPS, "odin")
            send("jarvis: status loki", "-c", "-a", "sender", OPS)
            hears(odin, r"^sender: loki: 2/3 gate", "groupchat")
        gate.open()
        until(lambda: "loki is ready" in listener.output(), "it prints the end")
        gate.close()
