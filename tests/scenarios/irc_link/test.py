"""jarvis-irc alone, driven over its pipes, against real servers."""
from lab import takes
from lab.inspircd import Inspircd
from lab.irc_client import IrcClient
from lab.link_process import LinkProcess


def secret(place, name, text):
    return str(place.write(name, text + "\n", 0o600))


def link(place, server, nick="jarvis", sasl=None, tls=True, **more):
    """A jarvis-irc for this server, its channel #ops, with short delays."""
    settings = {"name": "test", "server": server.address, "port": server.tls_port if tls else server.port, "tls": tls,
                "nick": nick, "channels": ["#ops"], "pace": {"burst": 10, "per_second": 50}, "ca_file": server.ca_file,
                "reconnect_after": 0.2, "rejoin_after": 0.2, "regain_every": 0.3}
    if sasl:
        settings["sasl"] = {"user": sasl[0], "password_file": secret(place, "sasl.password", sasl[1])}
    settings.update(more)
    return LinkProcess(place, "jarvis-irc", **settings)


@takes(6)
def test_the_whole_way(place):
    """TLS, SASL, a channel, a message with an identity by account-tag, an answer."""
    with Inspircd(place) as server:
        server.account("jarvis")
        server.account("thor")
        with link(place, server, sasl=("jarvis", "secret")) as jarvis:
            up = jarvis.next("up")
            assert up["nick"] == "jarvis" and 250 < up["limit"] < 480, up
            thor = IrcClient(server, "thor", "#ops", account=("thor", "secret"))
            if not thor.sees(r" 353 .*jarvis"):
                thor.next(r"jarvis\S* JOIN")
            thor.say("#ops", "jarvis: status")
            said = jarvis.next("message")
            assert said == {"type": "message", "place": "#ops", "direct": False, "sender": "thor", "identity": "thor",
                            "proof": "account", "text": "jarvis: status", "addressed": True, "bot": False,
                            "history": False}, said
            thor.send("WHOIS jarvis")
            thor.next(r" 330 \S+ jarvis jarvis ")
            jarvis.say("#ops", "all is well", to="thor")
            thor.next(r":jarvis!\S+ PRIVMSG #ops :thor: all is well$")
            thor.say("jarvis", "help")
            said = jarvis.next("message")
            assert said["direct"] and said["addressed"] and said["place"] == "thor" and said["identity"] == "thor", said
            assert jarvis.stop() == 0
            thor.next(r":jarvis!\S+ QUIT ")
