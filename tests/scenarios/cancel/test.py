"""`cancel` at each kind of moment: while a task runs, while one waits (exit 75), while a retry is due."""
from lab import Gate, alive, takes, until
from lab.place import LANGUAGES, WORKERS


def begin(place, *entries, **spec):
    place.configure(workers={"demo": {"run": str(LANGUAGES["perl"]), "grace": "300ms"}, "wait": str(WORKERS / "patience.sh")})
    place.plan("demo", deploy=["demo:before", *entries, "demo:full"])
    return place.start("deploy", place.spec("loki", provider="demo", record=place.path("record"), gate=place.path("gate"), **spec))


def cancelled(place, deploy):
    result = place.expect(0, "cancel", "loki")
    assert deploy.wait(20) == 4, deploy.output()
    status = place.status("loki")
    assert status["state"] == "cancelled", status
    clipboard = place.clipboard("loki")
    assert "marker: before" in clipboard and "added:" not in clipboard, clipboard
    return result


def test_during_a_task(place):
    gate = Gate(place.path("gate"))
    deploy = begin(place, "demo:gate")
    worker = int(gate.began().split()[2])
    cancelled(place, deploy)
    assert not alive(worker), "the worker outlived its run"
    gate.close()


def test_during_a_task_that_ignores_term(place):
    gate = Gate(place.path("gate"))
    deploy = begin(place, {"task": "demo:stubborn"})
    until(lambda: place.path("record").exists() and "stubborn" in place.path("record").read_text(), "the task runs")
    cancelled(place, deploy)
    gate.close()


@takes(3)
def test_during_a_wait(place):
    """The task said exit 75, retry-after an hour: no process is there, only a timer."""
    gate = Gate(place.path("gate"))
    deploy = begin(place, {"task": "wait:an_hour", "retry": {"deadline": "3h"}})
    place.until_state("loki", "waiting")
    cancelled(place, deploy)
    assert place.path("record").read_text().count("an_hour") == 1
    gate.close()


@takes(3)
def test_during_a_retry_delay(place):
    gate = Gate(place.path("gate"))
    deploy = begin(place, {"task": "demo:die", "retry": {"attempts": 3, "delay": "1h", "max_delay": "1h", "deadline": "3h"}})
    place.until_state("loki", "waiting")
    cancelled(place, deploy)
    assert place.path("record").read_text().count("die") == 1
    gate.close()


def test_nothing_to_cancel(place):
    result = place.expect(2, "cancel", "loki")
    assert str(place.state) in result.text, f"does not say that nobody has worked there: {result!r}"
    place.configure(workers={"demo": str(LANGUAGES["perl"])})
    place.plan("demo", deploy=["demo:before"])
    place.expect(0, "deploy", place.spec("loki", provider="demo"))
    for host in ("loki", "thor"):
        result = place.expect(2, "cancel", host)
        assert host in result.text, result


def test_cancelled_run_can_be_deployed_again(place):
    gate = Gate(place.path("gate"))
    deploy = begin(place, "demo:gate")
    gate.began()
    cancelled(place, deploy)
    deploy = place.start("deploy", place.path("specs/loki.yaml"))
    gate.began()
    gate.open()
    assert deploy.wait() == 0, deploy.output()
    gate.close()
