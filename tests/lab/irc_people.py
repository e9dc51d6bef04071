"""What the tests of the IRC link share: a link with short delays, and persons beside it."""
import re

from .irc_client import IrcClient
from .link_process import LinkProcess


def secret(place, name, text):
    return str(place.write(name, text + "\n", 0o600))


def link(place, at, nick="jarvis", sasl=None, tls=True, **more):
    """A jarvis-irc for this server, its channel #ops, with short delays. `sasl`: (account, password), or the section."""
    settings = {"name": "test", "server": at.address, "port": at.tls_port if tls else at.port, "tls": tls,
                "nick": nick, "channels": ["#ops"], "pace": {"burst": 10, "per_second": 50}, "ca_file": at.ca_file,
                "reconnect_after": 0.2, "rejoin_after": 0.2, "regain_every": 0.3}
    if isinstance(sasl, dict):
        settings["sasl"] = sasl
    elif sasl:
        settings["sasl"] = {"user": sasl[0], "password_file": secret(place, "sasl.password", sasl[1])}
    settings.update(more)
    return LinkProcess(place, "jarvis-irc", **settings)


def beside(server, nick, channel="#ops", bot="jarvis", **more):
    """A person in the channel, who sees the bot there."""
    person = IrcClient(server, nick, channel, **more)
    if bot and not person.sees(rf" 353 .*[ :@]{re.escape(bot)}( |$)"):
        person.next(rf":{re.escape(bot)}!\S+ JOIN")
    return person


def says(person, jarvis, place, text):
    """What jarvis gets of it."""
    person.say(place, text)
    return jarvis.next("message", text=text)


def proof(message):
    return message["identity"], message["proof"]
