"""How a run goes and ends, as the people in the channel hear of it: said once, never lost, and not more than they want."""
from lab import takes, until
from lab.channel import asks, demo, with_demo
from lab.processes import descendants, exe_of, kill_now


def link_of(serve):
    (link,) = [pid for pid in descendants(serve.pid) if exe_of(pid).endswith("jarvis-irc")]
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
        channel.server.kill()
        channel.server.start()
        channel.server.account("thor")  # services had not written it down
        again = channel.person("thor")
        channel.server.account("jarvis")
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
        asks(thor, f"deploy {url}", "thor: loki failed at 2/3 fail: no such region: Atlantis; jarvis: retry loki")
        asks(thor, "retry loki", "thor: loki failed at 2/3 fail: no such region: Atlantis")
        thor.say("#ops", "jarvis: retry loki --skip demo:fail because Atlantis is gone")
        thor.next(" PRIVMSG #ops :thor: loki is ready$")
