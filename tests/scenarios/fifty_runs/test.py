"""One failing run never touches another: 50 at once, ten of them failing, each in a way of its own."""
from lab import Gate, takes, until
from lab.place import LANGUAGES

WAYS = ["fail", "die", "scalar", "list", "two", "invalid", "huge", "rename", "partial", "stubborn"]


@takes(30)
def test_fifty_at_once(place):
    place.configure(workers={"demo": {"run": str(LANGUAGES["sh"]), "grace": "200ms"}}, max_workers=64)
    place.plan("good", deploy=["demo:before", "demo:full", "demo:gate", "demo:drop"])
    for way in WAYS:
        place.plan(f"bad-{way}", deploy=["demo:before", "demo:gate", {"task": f"demo:{way}", "timeout": "2s", "retry": {"attempts": 2, "delay": "10ms"}}])
    gates = place.path("gates")
    gate = Gate(gates)
    place.serve()
    hosts = {}
    for number in range(50):
        way = WAYS[number // 5] if number % 5 == 0 else None
        host = f"h{number:02}"
        hosts[host] = way
        spec = place.spec(host, provider=f"bad-{way}" if way else "good", record=place.path(f"record-{host}"), gate=gates)
        place.expect(0, "deploy", spec, "--detach")
    # All fifty are under way at the same moment, before the first may go on.
    for _ in hosts:
        gate.began()
    gate.open(workers=len(hosts))
    until(lambda: not place.in_flight(), "all fifty runs have ended", 60)
    newest = {host: place.status(host) for host in hosts}
    for host, way in hosts.items():
        wanted = "failed" if way else "succeeded"
        assert newest[host]["state"] == wanted, (host, way, newest[host])
        clipboard = place.clipboard(host)
        assert f"hostname: {host}\n" in clipboard and "marker: before" in clipboard, clipboard
        if way:
            assert newest[host]["task"] == f"demo:{way}", newest[host]
        else:
            assert "passed: gate" in clipboard and "dropme" not in clipboard, clipboard
    gate.close()
