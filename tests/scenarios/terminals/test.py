"""Foreground deploys from several terminals at once, without `serve`: one carries the others' runs, each sees its own."""
import re

from lab import Gate, takes
from lab.place import LANGUAGES


@takes(5)
def test_several_terminals(place):
    gate = Gate(place.path("gate"))
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:before", "demo:gate", "demo:full"])
    place.plan("bad", deploy=["demo:before", "demo:gate", "demo:fail"])
    terminals = {}
    for number in range(8):
        host = f"h{number}"
        spec = place.spec(host, provider="bad" if number == 3 else "demo", gate=place.path("gate"), record=place.path(host))
        terminals[host] = place.start("deploy", spec)
    for _ in terminals:
        gate.began()
    assert len([run for run in place.json("status") if run["state"] == "running"]) == 8
    gate.open(workers=8)
    for host, terminal in terminals.items():
        assert terminal.wait() == (1 if host == "h3" else 0), terminal.output()
        said = terminal.output()
        assert re.search(rf"^{host}\b.* (is ready|failed at)", said, re.M), said
        others = [other for other in terminals if other != host and re.search(rf"\b{other}\b.* is ready", said)]
        assert not others, f"{host}'s terminal reports {others}:\n{said}"
    gate.close()


@takes(5)
def test_the_one_that_carries_stays_until_all_have_ended(place):
    slow, quick = Gate(place.path("slow")), Gate(place.path("quick"))
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:before", "demo:gate"])
    first = place.start("deploy", place.spec("first", provider="demo", gate=place.path("quick")))
    quick.began()
    second = place.start("deploy", place.spec("second", provider="demo", gate=place.path("slow")))
    slow.began()
    quick.open()
    place.until_state("first", "succeeded")
    assert first.running(), "the holder left although another run was under way"
    assert place.status("second")["state"] == "running"
    slow.open()
    assert second.wait() == 0, second.output()
    assert first.wait() == 0, first.output()
    slow.close()
    quick.close()


@takes(5)
def test_a_guest_may_leave(place):
    """Ctrl-C in a terminal that does not carry the run detaches; the run goes on."""
    gate = Gate(place.path("gate"))
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:before", "demo:gate"])
    serve = place.serve()
    guest = place.start("deploy", place.spec("loki", provider="demo", gate=place.path("gate")))
    gate.began()
    guest.signal(2)
    guest.wait()
    assert place.status("loki")["state"] == "running"
    gate.open()
    assert place.until_state("loki", "succeeded", "interrupted")["state"] == "succeeded"
    assert serve.stop() == 0
    gate.close()


@takes(5)
def test_ctrl_c_interrupts_a_run_that_the_command_carries(place):
    gate = Gate(place.path("gate"))
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:before", "demo:gate", "demo:full"])
    deploy = place.start("deploy", place.spec("loki", provider="demo", gate=place.path("gate")))
    gate.began()
    deploy.signal(2)
    gate.open()
    assert deploy.wait() == 6, deploy.output()
    assert place.status("loki")["state"] == "interrupted", place.status("loki")
    assert "jarvis retry loki" in deploy.output(), deploy.output()
    retry = place.start("retry", "loki")
    if place.status("loki")["task"] == "demo:gate":
        gate.open()
    assert retry.wait() == 0, retry.output()
    gate.close()


@takes(6)
def test_who_only_looks_never_carries_a_run(place):
    """Whichever of them comes first: a status must not be kept until somebody else's deploy has ended."""
    gate = Gate(place.path("gate"))
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:before", "demo:gate"])
    spec = place.spec("loki", provider="demo", gate=place.path("gate"))
    place.expect(0, "plan", spec)
    for _ in range(15):
        looks = [place.start("status", "--json"), place.start("history", "loki")]
        deploy = place.start("deploy", spec)
        looks += [place.start("status", "--json"), place.start("plan", spec)]
        gate.began()
        for look in looks:
            look.wait(20)
        assert place.status("loki")["state"] == "running", deploy.output()
        gate.open()
        assert deploy.wait() == 0, deploy.output()
    gate.close()
