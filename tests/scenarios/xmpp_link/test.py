"""jarvis-xmpp alone, over its pipes, against a real prosody and people with another client."""
import contextlib

from lab import takes, until
from lab.link_process import LinkProcess
from lab.prosody import ANONYMOUS_ROOMS, OPEN_ROOMS, Prosody
from lab.xmpp_person import Person

OPS = f"ops@{OPEN_ROOMS}"
JARVIS = "jarvis@xmpp.test"


def link(place, server, **more):
    secret = place.write("password", more.pop("password", "secret") + "\n", 0o600)
    configuration = {"name": "jabber", "jid": JARVIS, "password_file": str(secret), "server": server.server,
                     "ca_file": server.ca_file, "people": ["thor@xmpp.test"], **more}
    return LinkProcess(place, "jarvis-xmpp", **configuration)


@contextlib.contextmanager
def town(place, *names):
    """A prosody with jarvis and these people's accounts."""
    server = Prosody(place)
    for name in ("jarvis", *names):
        server.account(name)
    with server:
        yield server


@takes(5)
def test_direct_messages(place):
    with town(place, "thor") as server, link(place, server) as jarvis, Person(server, "thor") as thor:
        up = jarvis.next("up")
        assert up == {"type": "up", "nick": "jarvis", "limit": 4000}, up
        assert "TLS1.3" in jarvis.log(), jarvis.log()
        thor.say(JARVIS, "status")
        heard = jarvis.next("message")
        assert heard == {"type": "message", "place": "thor@xmpp.test/desk", "direct": True, "sender": "thor@xmpp.test",
                         "identity": "thor@xmpp.test", "proof": "jid", "text": "status", "addressed": True, "bot": False,
                         "history": False}, heard
        jarvis.say(heard["place"], "nothing runs")
        answer = thor.until_hears("nothing runs")
        assert (answer["type"], str(answer["from"])) == ("chat", "jarvis@xmpp.test/jarvis"), answer
        assert jarvis.stop() == 0
