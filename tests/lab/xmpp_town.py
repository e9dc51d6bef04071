"""jarvis-xmpp over its pipes, in a town: a prosody with accounts, and people with another client."""
import contextlib

from .link_process import LinkProcess
from .prosody import ANONYMOUS_ROOMS, OPEN_ROOMS, Prosody
from .xmpp_person import Person

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
