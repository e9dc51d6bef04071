"""How a run goes and ends, as the people in the channel hear of it: said once, never lost, and not more than they want."""
import os
import signal

from lab import takes, until
from lab.channel import Channel, asks, demo, with_demo
from lab.processes import kill_now, named


def link_of(serve):
    (link,) = named("jarvis-irc", below=serve.pid)
    return link


def ready(lines):
    return [line for line in lines if "loki is ready" in line]


@takes(8)
def test_a_run_ends_while_the_server_hangs(place):
    """What went into a connection that hung is said again: in the channel, and by direct message to whoever asked."""
    with with_demo(place) as channel:
        channel.network |= {"ping_every": 1, "ping_timeout": 2}
        channel.configure()
        gate, spec = demo(place)
        other, other_spec = demo(place, "freya")
        urls = [channel.site.gist(str(number), **{"it.yaml": text}) for number, text in enumerate((spec, other_spec))]
        serve = channel.serve()
        thor = channel.person("thor")
        channel.until_there(thor)
        asks(thor, f"deploy {urls[0]}", "loki: deploy with demo")
        asks(thor, f"deploy {urls[1]}", "freya: deploy with demo", place="jarvis")
        gate.began()
        other.began()
        channel.server.hang()
        for one, host in ((gate, "loki"), (other, "freya")):
            one.open()
            place.until_state(host, "succeeded")
        until(lambda: "no sign of life" in serve.output(), "the link gives the connection up")
        # It comes back when somebody is there to see it, and its nick is nobody's when its account is made.
        os.kill(link_of(serve), signal.SIGSTOP)
        channel.server.kill()
        channel.server.start()
        for name in ("jarvis", "thor"):  # services had not written them down
            channel.server.account(name)
        again = channel.person("thor")
        os.kill(link_of(serve), signal.SIGCONT)
        again.next(r" PRIVMSG #ops :thor: loki is ready$", 60)
        again.next(r" PRIVMSG thor :freya is ready$", 60)
        gate.close()
        other.close()


@takes(6)
def test_a_link_is_killed_before_it_has_said_the_end(place):
    with with_demo(place) as channel:
        channel.network["pace"] = {"burst": 1, "per_second": 1}
        channel.configure()
        gate, spec = demo(place)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        serve = channel.serve()
        thor, odin = channel.persons(thor="thor", odin="odin")
        channel.until_there(thor)
        asks(thor, f"deploy {url}", "loki: deploy")
        gate.began()
        for command in ("whoami", "help", "whoami"):
            odin.say("#ops", f"jarvis: {command}")
        thor.next(r":odin: you are odin")
        gate.open()
        place.until_state("loki", "succeeded")
        kill_now(link_of(serve))
        thor.next(r":jarvis!\S+ QUIT")
        thor.next(r":jarvis!\S+ JOIN")
        thor.next(r" PRIVMSG #ops :thor: loki is ready$")
        # Told is told: not again by the next jarvis, nor by the next link.
        kill_now(link_of(serve))
        thor.next(r":jarvis!\S+ JOIN")
        serve.stop()
        channel.serve()
        thor.next(r":jarvis!\S+ JOIN")
        asks(thor, "whoami", "you are thor")
        assert len(ready(thor.lines)) == 1, thor.lines
        gate.close()


@takes(5)
def test_a_failure_names_what_resumes_and_its_retry_is_told_too(place):
    with with_demo(place) as channel:
        place.plan("demo", deploy=["demo:before", "demo:fail", "demo:full"])
        spec = demo(place)[1]
        url = channel.site.gist("1", **{"loki.yaml": spec})
        channel.serve()
        thor = channel.person("thor")
        channel.until_there(thor)
        asks(thor, f"deploy {url}", r"thor: loki failed at 2/3 fail: no such region: Atlantis; task demo:fail; .*`jarvis: retry loki` goes on there")
        asks(thor, "retry loki", "thor: loki failed at 2/3 fail: no such region: Atlantis")
        thor.say("#ops", "jarvis: retry loki --skip demo:fail because Atlantis is gone")
        thor.next(" PRIVMSG #ops :thor: loki is ready$")


SHAKY = """#!/bin/sh
# `shaky` fails while the file STOP is there, with a secret in its last words; `slow` waits at the gate and says how far it is.
clipboard=$(cat)
value() { printf '%s\\n' "$clipboard" | sed -n "s/^$1: //p"; }
case $1 in
  shaky) if [ -e "$(value stop)" ]; then echo "the API said no to $(value api_token)" >&2; exit 1; fi ;;
  slow) echo "progress: half of $(value api_token)" >&2; echo here > "$(value gate)/began"; read -r _ < "$(value gate)/go" ;;
esac
"""


def shaky(place, *tasks):
    """A channel whose provider `demo` does these; the gate; a spec with a secret."""
    place.write("shaky.sh", SHAKY, 0o755)
    place.plan("demo", deploy=[f"demo:{task}" for task in tasks])
    row = {"attempts": 3, "delay": "100ms", "max_delay": "200ms", "after_failure": True}
    channel = Channel(place, workers={"demo": {"run": str(place.path("shaky.sh")), "secrets": ["api_token"], "tasks": {
        "shaky": {"retry": row}, "slow": {}, "quick": {}}}})
    gate, spec = demo(place, stop=place.path("stop"), api_token=SECRET)
    return channel, gate, spec


SECRET = "tok-4711-hammer-of-thor"


@takes(5)
def test_retries_are_told_unless_somebody_is_quiet_and_no_secret_ever(place):
    channel, gate, spec = shaky(place, "shaky", "slow")
    with channel:
        url = channel.site.gist("1", **{"loki.yaml": spec})
        channel.serve()
        thor, odin = channel.persons(thor="thor", odin="odin")
        channel.until_there(thor)
        place.write("stop", "")
        asks(thor, f"deploy {url}", "loki: deploy with demo")
        thor.next(r" PRIVMSG #ops :thor: loki: 1/2 shaky .*; it is asked again$")
        thor.next(r" PRIVMSG #ops :thor: loki failed at 1/2 shaky: the API said no to \[secret\]; task demo:shaky")
        odin.say("jarvis", "logs loki")
        odin.next(r" PRIVMSG odin :.*the API said no to \[secret\]")
        asks(thor, "quiet loki", "loki")
        so_far = len(thor.sees("it is asked again"))
        asks(thor, "retry loki", "thor: loki failed at 1/2 shaky")
        assert len(thor.sees("it is asked again")) == so_far, thor.lines
        place.path("stop").unlink()
        asks(thor, "retry loki", "goes on")
        gate.began()
        asks(odin, "status loki", r"loki: 2/2 slow \(.*\): half of \[secret\]")
        gate.open()
        thor.next(r" PRIVMSG #ops :thor: loki is ready$")
        assert not thor.sees(SECRET) and not odin.sees(SECRET)
    gate.close()


@takes(20)
def test_a_stage_that_takes_longer_than_usual_is_told(place):
    channel, gate, spec = shaky(place, "quick", "slow")
    with channel:
        url = channel.site.gist("1", **{"loki.yaml": spec})
        channel.serve()
        thor = channel.person("thor")
        channel.until_there(thor)
        gate.open(3)
        for _ in range(3):  # so that there is a usual time
            asks(thor, f"deploy {url}", "thor: loki is ready")
        for _ in range(3):
            gate.began()
        asks(thor, f"deploy {url}", "loki: deploy with demo")
        gate.began()
        thor.next(r" PRIVMSG #ops :thor: loki: 2/2 slow \(1\d s, usually .*\): half of \[secret\], longer than usual$")
        gate.open()
        thor.next(r" PRIVMSG #ops :thor: loki is ready$")
        assert len(thor.sees("longer than usual")) == 1, thor.lines
    gate.close()
