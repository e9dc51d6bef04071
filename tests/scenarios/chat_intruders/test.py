"""Nobody gets in: what somebody may try on IRC who is not, or not any more, who he says. And networks that prove nothing."""
import re
import signal
import sqlite3
import threading

from lab import pause, takes, until
from lab.channel import Channel, asks, demo, with_demo
from lab.inspircd import Inspircd
from lab.irc_client import IrcClient
from lab.ngircd import Ngircd
from lab.processes import Process

NOBODY = "refused: nobody here knows who you are"


@takes(10)
def test_nicks_that_look_like_somebody(place):
    """Letters in another case, and those that are the same to RFC 1459; a nick that changes hands before the WHOIS answer."""
    with with_demo(place) as channel:
        gate, spec = demo(place)
        gate.open(workers=9)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        serve = channel.serve()
        thor, brackets, witness = channel.persons(**{"thor": "thor", "th[o]r": "odin", "witness": False})
        channel.until_there(thor)
        asks(thor, "whoami", "you are thor")
        asks(brackets, "whoami", "you are odin")
        # Who has the nick next, in any spelling, is nobody; so is who talks directly, and who has an account of another name.
        thor.quit()
        brackets.quit()
        for person in (thor, brackets):
            witness.next(rf":{re.escape(person.nick)}!\S+ QUIT")
        for impostor in channel.persons(**{"THOR": False, "Th{o}R": False}):
            asks(impostor, f"deploy {url}", NOBODY)
            asks(impostor, f"deploy {url}", NOBODY, place="jarvis")
        channel.server.account("th0r")
        asks(channel.person("th0r"), f"deploy {url}", "refused: nobody here knows who you are.*: th0r is nobody's in the configuration")
        assert place.never_ran("loki")
        rules = [record["rule"] for record in place.json("audit") if record["command"].startswith("deploy")]
        assert len(rules) == 5 and all(rule.startswith("nobody here knows") for rule in rules), rules
        assert "error" not in serve.output(), serve.output()
        gate.close()


@takes(16)
def test_message_then_nick_change_then_the_whois_answer(place):
    """On a server that tells no accounts with the messages, so that jarvis has to ask; loki speaks as `thor` and is gone when it does."""
    server = Inspircd(place, without=("ircv3", "ircv3_accounttag"))
    with with_demo(place, server=server) as channel:
        channel.network["pace"] = {"burst": 1, "per_second": 2}  # so that what is asked waits in jarvis' own queue
        channel.configure()
        gate, spec = demo(place)
        gate.open(workers=9)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        channel.serve()
        real, witness = channel.persons(real="thor", witness=False)
        channel.until_there(witness)
        for where in ("#ops", "jarvis"):
            loki = channel.person("loki", account=False)
            loki.rename("thor")
            witness.say("#ops", "jarvis: help")
            witness.next(r":jarvis!\S+ PRIVMSG #ops :witness: ")
            loki.say(where, f"jarvis: deploy {url}")
            loki.rename("nobody")
            real.rename("thor")
            judged_in = "direct" if where == "jarvis" else "freenet/#ops"
            until(lambda judged_in=judged_in: any(record["command"] == f"deploy {url}" and record["where"] == judged_in
                                                  for record in place.json("audit")), "it is judged")
            real.rename("real")
            loki.quit()
            witness.next(r":nobody!\S+ QUIT")
        judged = [record for record in place.json("audit") if record["command"] == f"deploy {url}"]
        assert [record["result"] for record in judged] == ["refused", "refused"], judged
        assert place.never_ran("loki")
        asks(real, "whoami", "you are thor")
        gate.close()


@takes(10)
def test_codes_of_others_and_old_ones(place):
    """A code is good for its own plan, once, for five minutes, from people who may."""
    with with_demo(place) as channel:
        gates, urls = [], []
        for number, host in enumerate(("loki", "fenrir")):
            gate, spec = demo(place, host)
            gate.open(workers=3)
            gates.append(gate)
            urls.append(channel.site.gist(str(number), **{"a.yaml": spec}))
        serve = channel.serve()
        thor, freya, odin, stranger = channel.persons(thor="thor", freya="freya", odin="odin", stranger=False)
        channel.until_there(thor)
        asks(thor, "deploy " + " ".join(urls), "reading")
        for host in ("loki", "fenrir"):
            place.until_state(host, "succeeded")
        code = {host: asks(thor, f"destroy {host}", r"jarvis: confirm \w+").split()[-1] for host in ("loki", "fenrir")}
        asks(freya, f"confirm {code['loki']}", "refused: role watcher has no command")
        asks(stranger, f"confirm {code['loki']}", NOBODY)
        asks(stranger, f"confirm {code['loki']}", NOBODY, place="jarvis")
        asks(thor, f"confirm {code['loki']}", "loki is destroyed")
        assert place.status("fenrir")["state"] == "confirming", place.status("fenrir")
        # Used up; and a newer question takes the place of the older one.
        asks(odin, f"confirm {code['loki']}", "refused: no run waits for this code")
        newer = asks(thor, "destroy fenrir", r"jarvis: confirm \w+").split()[-1]
        asks(odin, f"confirm {code['fenrir']}", "refused: no run waits for this code")
        assert place.status("fenrir")["state"] == "confirming", place.status("fenrir")
        # Five minutes go by while jarvis is away.
        serve.signal(signal.SIGKILL)
        serve.wait()
        with sqlite3.connect(place.state / "journal.db") as journal:
            aged = journal.execute("UPDATE run SET confirm_until = started - 1 WHERE state = 'confirming'").rowcount
            assert aged == 1, aged
        channel.serve()
        thor.next(r":jarvis!\S+ JOIN")
        thor.next(r":jarvis!\S+ PRIVMSG #ops :thor: fenrir.*not confirmed within five minutes", 60)
        asks(odin, f"confirm {newer}", "refused: no run waits for this code")
        assert place.status("fenrir")["state"] == "cancelled", place.status("fenrir")
        for gate in gates:
            gate.close()


@takes(12)
def test_two_jarvis_in_one_channel(place):
    """The other one talks at ours, as itself, as somebody with a role, and without the flag of a bot: it does not go on for ever."""
    with with_demo(place) as channel:
        channel.server.account("other")
        channel.network["prefix"] = "!"
        channel.configure()
        channel.serve()
        witness = channel.person("witness", account=False)
        channel.until_there(witness)
        text = place.path("jarvis.yaml").read_text()
        for old, new in (('"nick": "jarvis"', '"nick": "other"'), ('"user": "jarvis"', '"user": "other"'), ('"state": "state"', '"state": "other"')):
            assert old in text, text
            text = text.replace(old, new)
        place.write("other.yaml", text)
        arguments = [str(place.binary), "-c", str(place.path("other.yaml")), "serve"]
        second = place.background(Process(arguments, place.path("other.log"), place.directory, place.environment()))
        witness.next(r":other!\S+ JOIN")
        # Both hear it by their prefix; what they answer to names witness, then each other.
        thor = channel.person("thor")
        thor.say("#ops", "!status")
        thor.next(r":(jarvis|other)!\S+ PRIVMSG #ops :thor: nothing is in flight")
        thor.next(r":(jarvis|other)!\S+ PRIVMSG #ops :thor: nothing is in flight")
        # A third, which answers everything that is said to it with a command, has thor's account and no flag.
        robot = channel.person("robot", account="thor")
        robot.say("#ops", "jarvis: statsu")
        answered = 0

        def quiet_at_last():
            nonlocal answered
            lines = robot.sees(r":jarvis!\S+ PRIVMSG #ops :robot: ")
            for line in lines[answered:]:
                robot.say("#ops", "jarvis: other: " + line.partition("robot: ")[2][:100])
            answered = len(lines)
            return any("too many commands at once" in line for line in lines)
        until(quiet_at_last, "it is told that it asks too much")
        asks(thor, "whoami", "you are thor")
        assert len(witness.sees(r":jarvis!\S+ PRIVMSG #ops :robot: ")) <= 30, witness.lines
        assert not witness.sees(r":jarvis!\S+ PRIVMSG #ops :other: "), "it answered a bot"
        assert not witness.sees(r":other!\S+ PRIVMSG #ops :(jarvis|robot): "), "it answered a bot"
        second.stop()


@takes(11)
def test_a_late_direct_message(place):
    """What thor asked for by direct message is not told to whoever has his nick by then: neither how the run
    ends, nor what is wrong with a spec that was long in coming."""
    with with_demo(place) as channel:
        gate, spec = demo(place)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        serve = channel.serve()
        thor, witness = channel.person("thor", channel=None), channel.person("witness", account=False)
        channel.until_there(witness)
        asks(thor, f"deploy {url}", "loki: deploy with demo, 3 stages", place="jarvis")
        gate.began()
        thor.rename("away")
        false_thor = channel.person("thor", account=False, channel=None)
        gate.open()
        until(lambda: "a late answer was not sent" in serve.output(), "it is held back")
        asks(false_thor, "whoami", "nothing proves who it is", place="jarvis")
        asks(thor, "status loki", "loki is ready", place="jarvis")
        false_thor.rename("nobody")
        thor.rename("thor")
        # The fault is found when the site has answered, which takes until the nick is his no more.
        asked, go_on = threading.Event(), threading.Event()

        def slow(request):
            asked.set()
            go_on.wait(30)
            request.say(200, "instance:\n  fqdn: planted.websages.com\n  provider: none\n")
        channel.site.answers["/slow"] = slow
        thor.say("jarvis", f"deploy {channel.site.url}/slow")
        assert asked.wait(30)
        thor.rename("away")
        false_thor.rename("thor")
        pause(1.2)  # what comes within a second is not late
        go_on.set()
        until(lambda: serve.output().count("a late answer was not sent") == 2, "it is held back, too")
        asks(false_thor, "whoami", "nothing proves who it is", place="jarvis")
        assert not [line for line in false_thor.lines if "loki" in line or "planted" in line], false_thor.lines
        gate.close()


@takes(5)
def test_a_network_without_accounts(place):
    """ngircd proves nothing of anybody, and jarvis says what is missing."""
    with Channel(place, server=Ngircd(place)) as channel:
        channel.serve()
        thor = IrcClient(channel.server, "thor", channel="#ops")
        channel.until_there(thor)
        for where in ("#ops", "jarvis"):
            asks(thor, "status", "refused: nobody here knows who you are, so you may ask for `help` and `whoami` only: "
                                 "freenet shows neither a services account nor a certificate of yours$", place=where)
        asks(thor, f"deploy {channel.site.url}/1", NOBODY)
        asks(thor, "whoami", r"I see thor \(freenet nothing proves who it is\), whom the configuration does not know")
        asks(thor, "help", "HOST is a host's name")
        assert not channel.site.requests, channel.site.requests
        assert (place.state / "audit.log").read_text().count('"result":"refused"') == 3
