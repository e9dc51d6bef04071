"""A channel with jarvis in it: an IRC server with services, a gist site, a configuration with people and roles, `serve`."""
import concurrent.futures
import contextlib

from .gist_site import GistSite
from .inspircd import Inspircd
from .irc_client import IrcClient
from .place import LANGUAGES
from .prosody import OPEN_ROOMS, Prosody
from .certificates import Authority
from .waiting import Gate, until

OPERATOR = {"commands": ["*"], "hosts": ["*.websages.com", "*.example.org"], "providers": ["*"],
            "places": ["freenet/#ops", f"jabber/ops@{OPEN_ROOMS}", "direct"]}


class Channel:
    """`freenet` is the network, #ops the channel; thor and odin are operators, freya only looks. `server`: another IRC server,
    one without accounts; `jabber`: a prosody beside it, on which everybody (and mallory, whom nobody knows) has an account."""

    def __init__(self, place, roles=None, people=None, server=None, jabber=False, **more):
        self.place, self.server = place, server or Inspircd(place)
        self.site, self.jabber = None, Prosody(place, address=place.addresses.replace(".0/24", ".8")) if jabber else None
        self._roles = {"operator": OPERATOR, "watcher": {**OPERATOR, "commands": ["status", "whoami"]}, **(roles or {})}
        self._people = people or {"thor": ["operator"], "odin": ["operator"], "freya": ["watcher"]}
        self._more, self._open = more, contextlib.ExitStack()

    def __enter__(self):
        self._open.enter_context(self.server)
        address = self.place.addresses.replace(".0/24", ".5")
        authority = Authority(self.place.path("tls"))
        self.site = self._open.enter_context(GistSite(address, authority.issue(address, stem="site")))
        accounts = hasattr(self.server, "account")
        for name in ("jarvis", *self._people) if accounts else ():
            self.server.account(name)
        self.place.write("irc.password", "secret\n", 0o600)
        self.network = {
            "name": "freenet", "server": self.server.address, "port": self.server.tls_port, "ca_file": self.server.ca_file,
            "nick": "jarvis", "channels": ["#ops"], "pace": {"burst": 50, "per_second": 50}}
        if accounts:
            self.network["sasl"] = {"user": "jarvis", "password_file": "irc.password"}
        if self.jabber:
            self._begin_jabber()
        self.fetch = {"allow": [f"{self.site.url}/*", f"{self.site.raw_url}/*"], "private": [self.place.addresses],
                      "ca_file": str(authority.certificate), "timeout": "5s"}
        self.configure()
        return self

    def __exit__(self, *error):
        self._open.close()

    def _begin_jabber(self):
        for name in ("jarvis", "mallory", *self._people):
            self.jabber.account(name)
        self._open.enter_context(self.jabber)
        self._more["xmpp"] = [{"name": "jabber", "jid": "jarvis@xmpp.test", "password_file": "irc.password",
                               "server": self.jabber.server, "ca_file": self.jabber.ca_file, "rooms": [f"ops@{OPEN_ROOMS}"],
                               "pace": {"burst": 50, "per_second": 50}}]

    def configure(self, **more):
        people = {name: {"roles": roles, "irc": {"freenet": [name]}} for name, roles in self._people.items()}
        for name, person in people.items():
            if self.jabber:
                person["xmpp"] = [f"{name}@xmpp.test"]
            person["links"] = {link: [name] for link in self._more.get("links", {})}
        self.place.configure(**{"irc": [self.network], "fetch": self.fetch, "roles": self._roles, "people": people,
                                "domain": "websages.com", **self._more, **more})

    def serve(self, **more):
        return self.place.serve(**more)

    def person(self, nick, account=None, channel="#ops"):
        """Somebody in the channel; with an account of that name unless `account` says otherwise (False: none)."""
        name = nick if account is None else account
        return IrcClient(self.server, nick, channel=channel, account=(name, "secret") if name else None)

    def persons(self, **accounts):
        """Several at once, by nick: the server takes its second to let somebody in."""
        with concurrent.futures.ThreadPoolExecutor(len(accounts)) as threads:
            return list(threads.map(lambda nick: self.person(nick, accounts[nick]), accounts))

    def until_there(self, person):
        """jarvis is in the channel."""
        def there():
            person.send("NAMES #ops")
            return "jarvis" in person.next(r" 353 .*#ops").replace("@", "").split(":")[-1].split()
        until(there, "jarvis is in #ops")


def demo(place, name="loki", **keys):
    """A spec of external workers, and the gate that its second task waits at."""
    gate = Gate(place.path(f"gate-{name}"))
    keys = {"hostname": name, "fqdn": f"{name}.websages.com", "provider": "demo", "gate": gate.directory, **keys}
    return gate, "instance:\n" + "".join(f"  {key}: {value}\n" for key, value in keys.items())


def with_demo(place, **more):
    """A channel whose provider `demo` is made of external workers: before, gate, full; to destroy: look, drop."""
    place.plan("demo", deploy=["demo:before", "demo:gate", "demo:full"], destroy=["demo:look", "demo:drop"])
    tasks = {name: {} for name in ("before", "gate", "full", "look", "fail")}
    tasks["drop"] = {"destroys": True}
    return Channel(place, workers={"demo": {"run": str(LANGUAGES["sh"]), "tasks": tasks}}, **more)


def asks(person, text, answer, place="#ops", seconds=30):
    """Says it to jarvis and returns the line that answers."""
    person.say(place, text if place != "#ops" else f"jarvis: {text}")
    return person.next(rf":jarvis!\S+ PRIVMSG \S+ :.*{answer}", seconds)
