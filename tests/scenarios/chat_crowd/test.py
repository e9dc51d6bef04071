"""Many people and many runs at once; and jarvis as a service: signs of life, a polite end."""
import re
import signal
import socket
import threading

from lab import takes, until
from lab.channel import OPERATOR, asks, demo, with_demo
from lab.processes import descendants, exe_of

CROWD = [f"p{number}" for number in range(20)]


@takes(10)
def test_twenty_people_ask_at_once(place):
    """Everybody gets his own answer, where he asked: in the channel by name, else by direct message."""
    with with_demo(place, people={"thor": ["operator"], **{name: ["operator"] for name in CROWD[:4]}}) as channel:
        gates = []
        urls = []
        for number in range(20):
            gate, spec = demo(place, f"h{number}")
            gates.append(gate)
            urls.append(channel.site.gist(str(number), **{"a.yaml": spec}))
        channel.serve()
        thor = channel.person("thor")
        channel.until_there(thor)
        thor.say("#ops", "jarvis: deploy " + " ".join(urls[:10]))
        thor.say("#ops", "jarvis: deploy " + " ".join(urls[10:]))
        for gate in gates:
            gate.began(60)
        people = channel.persons(**{name: name if name in CROWD[:4] else False for name in CROWD})
        start = threading.Barrier(len(people))

        def ask(person, number):
            start.wait()
            known = number < 4
            person.say("#ops", f"jarvis: {f'status h{number}' if known else 'whoami'}")
            person.say("jarvis", f"{f'status h{number + 10}' if known else f'status h{number}'}")
        crowd = [threading.Thread(target=ask, args=(person, number)) for number, person in enumerate(people)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
        for number, person in enumerate(people):
            known = number < 4
            here = f"h{number}: 2/3 gate" if known else rf"I see p{number} \(freenet nothing proves who it is\)"
            alone = f"h{number + 10}: 2/3 gate" if known else "refused: nobody here knows"
            person.next(rf":jarvis!\S+ PRIVMSG #ops :p{number}: {here}")
            directly = rf":jarvis!\S+ PRIVMSG p{number} :{alone}"
            until(lambda person=person, directly=directly: person.sees(directly), f"p{number} is answered directly")
            # Nothing of anybody else's came by direct message, and the channel names whoever is meant.
            direct = person.sees(rf":jarvis!\S+ PRIVMSG p{number} ")
            assert not [line for line in direct if re.search(r"\bh\d+:", line) and f" :h{number + 10}:" not in line], direct
        for gate in gates:
            gate.open()

        def told_of():
            """How many hosts thor heard the end of: those that are named, and "and N more"."""
            lines = thor.sees(r"PRIVMSG #ops :thor: .* (is|are) ready")
            return (sum(len(re.findall(r"\bh\d+\b", line)) for line in lines) +
                    sum(int(found) for line in lines for found in re.findall(r"and (\d+) more are", line)))
        until(lambda: told_of() == 20, "he is told of all")
        for gate in gates:
            gate.close()


@takes(8)
def test_thirty_runs_in_flight(place):
    """In the channel four of them, newest first, and a hint; twenty by direct message; the log comes by direct message alone."""
    far = {**OPERATOR, "hosts": ["*.example.org"]}
    with with_demo(place, roles={"far": far}, people={"thor": ["operator"], "odin": ["operator"], "hel": ["far"]}) as channel:
        gates = []
        for number in range(30):
            gate, spec = demo(place, f"h{number}")
            gates.append(gate)
            place.write(f"specs/h{number}.yaml", spec)
        channel.serve()
        thor, odin, hel = channel.persons(thor="thor", odin="odin", hel="hel")
        channel.until_there(thor)
        place.expect(0, "deploy", "--detach", *[str(place.path(f"specs/h{number}.yaml")) for number in range(30)])
        for gate in gates:
            gate.began(60)
        asks(thor, "status", r"thor: \.\.\. and 26 more; `jarvis: status HOST` tells of one$")
        assert len(thor.sees(r"PRIVMSG #ops :thor: h\d+: 2/3 gate")) == 4, thor.lines
        asks(odin, "status", r"\.\.\. and 10 more", place="jarvis")
        assert len(odin.sees(r":jarvis!\S+ PRIVMSG odin :h\d+: 2/3 gate")) == 20, odin.lines
        asks(hel, "status", "hel: nothing is in flight")
        asks(hel, "status h3", "refused: role far is not for h3.websages.com")
        asks(thor, "logs h3", "thor: by direct message")
        thor.next(r":jarvis!\S+ PRIVMSG thor :demo:before, attempt 1, .*succeeded")
        assert not odin.sees("demo:before"), odin.lines
        for gate in gates:
            gate.open()
        for number in range(30):
            place.until_state(f"h{number}", "succeeded")
        for gate in gates:
            gate.close()


@takes(8)
def test_signs_of_life_and_a_polite_end(place):
    """As systemd sees it: READY=1, WATCHDOG=1 again and again; on TERM the task ends and jarvis says goodbye."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, with_demo(place) as channel:
        systemd.bind(str(place.path("notify")))
        systemd.settimeout(30)
        gate, spec = demo(place)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        serve = channel.serve(environment=place.environment(NOTIFY_SOCKET=str(place.path("notify")), WATCHDOG_USEC="400000"))

        def told(what):
            while what not in systemd.recv(4096).decode():
                pass
        told("READY=1")
        for _ in range(4):
            told("WATCHDOG=1")
        thor = channel.person("thor")
        channel.until_there(thor)
        asks(thor, f"deploy {url}", "loki: deploy with demo")
        gate.began()
        processes = descendants(serve.pid)
        assert {"jarvis-irc", "jarvis-core"} <= {exe_of(pid) for pid in processes}, [exe_of(pid) for pid in processes]
        serve.signal(signal.SIGTERM)
        told("STOPPING=1")
        told("WATCHDOG=1")  # what lasts as long as a task must still show life
        gate.open()
        assert serve.wait() == 0
        thor.next(r":jarvis!\S+ QUIT")
        until(lambda: not set(processes) & set(descendants(1)), "nothing of it is left")
        assert place.json("logs", "loki")[0]["outcome"] == "succeeded", place.json("logs", "loki")
        channel.serve()
        thor.next(r":jarvis!\S+ PRIVMSG #ops :thor: loki is ready", 60)
        gate.close()
