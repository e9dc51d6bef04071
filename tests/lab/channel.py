"""A channel with jarvis in it: an IRC server with services, a gist site, a configuration with people and roles, `serve`."""
import contextlib

from .gist_site import GistSite
from .inspircd import Inspircd
from .irc_client import IrcClient
from .tls import Authority
from .waiting import until

OPERATOR = {"commands": ["*"], "hosts": ["*.websages.com", "*.example.org"], "providers": ["*"], "places": ["freenet/#ops", "direct"]}


class Channel:
    """`freenet` is the network, #ops the channel; thor and odin are operators, loki has no role."""

    def __init__(self, place, roles=None, people=None, **more):
        self.place, self.server = place, Inspircd(place)
        self.site = None
        self._roles = {"operator": OPERATOR, "watcher": {**OPERATOR, "commands": ["status", "whoami"]}, **(roles or {})}
        self._people = people or {"thor": ["operator"], "odin": ["operator"], "freya": ["watcher"]}
        self._more, self._open = more, contextlib.ExitStack()

    def __enter__(self):
        self._open.enter_context(self.server)
        address = self.place.addresses.replace(".0/24", ".5")
        authority = Authority(self.place.path("tls"))
        self.site = self._open.enter_context(GistSite(address, authority.sign("site", address)))
        for name in ("jarvis", *self._people):
            self.server.account(name)
        self.place.write("irc.password", "secret\n", 0o600)
        self.network = {
            "name": "freenet", "server": self.server.address, "port": self.server.tls_port, "ca_file": self.server.ca_file,
            "nick": "jarvis", "sasl": {"user": "jarvis", "password_file": "irc.password"}, "channels": ["#ops"],
            "pace": {"burst": 50, "per_second": 50}}
        self.fetch = {"allow": [f"{self.site.url}/*", f"{self.site.raw_url}/*"], "private": [self.place.addresses],
                      "ca_file": str(authority.ca), "timeout": "5s"}
        self.configure()
        return self

    def __exit__(self, *error):
        self._open.close()

    def configure(self, **more):
        people = {name: {"roles": roles, "irc": {"freenet": [name]}} for name, roles in self._people.items()}
        self.place.configure(**{"irc": [self.network], "fetch": self.fetch, "roles": self._roles, "people": people,
                                "domain": "websages.com", **self._more, **more})

    def serve(self):
        process = self.place.serve()
        return process

    def person(self, nick, account=None, channel="#ops"):
        """Somebody in the channel; with an account of that name unless `account` says otherwise (False: none)."""
        name = nick if account is None else account
        return IrcClient(self.server, nick, channel=channel, account=(name, "secret") if name else None)

    def until_there(self, person):
        """jarvis is in the channel."""
        def there():
            person.send("NAMES #ops")
            return "jarvis" in person.next(r" 353 .*#ops").replace("@", "").split(":")[-1].split()
        until(there, "jarvis is in #ops")


def asks(person, text, answer, place="#ops", seconds=30):
    """Says it to jarvis and returns the line that answers."""
    person.say(place, text if place != "#ops" else f"jarvis: {text}")
    return person.next(rf":jarvis!\S+ PRIVMSG \S+ :.*{answer}", seconds)
