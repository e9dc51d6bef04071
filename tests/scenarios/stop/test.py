"""Stopping politely, and standing still while the journal cannot be written."""
import signal
import sqlite3

from lab import Gate, takes
from lab.place import LANGUAGES, WORKERS


def set_up(place, *tasks, **settings):
    place.configure(workers={"demo": {"run": str(LANGUAGES["perl"]), "grace": "300ms"}, "wait": str(WORKERS / "patience.sh")},
                    **settings)
    place.plan("demo", deploy=["demo:before", *tasks, "demo:full"])
    return place.spec("loki", provider="demo", record=place.path("record"), gate=place.path("gate"))


def begun(place, task):
    return [line.split()[0] for line in place.path("record").read_text().splitlines()].count(task)


def test_running_tasks_may_end(place):
    gate = Gate(place.path("gate"))
    spec = set_up(place, "demo:gate")
    serve = place.serve()
    place.expect(0, "deploy", spec, "--detach")
    gate.began()
    serve.signal(signal.SIGTERM)
    gate.open()
    assert serve.wait() == 0, serve.output()
    assert place.status("loki")["state"] == "interrupted", place.status("loki")
    assert begun(place, "full") == 0, "a task was begun after the stop"
    place.serve()
    assert place.until_state("loki", "succeeded", "failed")["state"] == "succeeded"
    assert begun(place, "gate") == 1, "a task that ended in time was run again"
    gate.close()


def test_they_are_ended_when_the_grace_period_is_over(place):
    gate = Gate(place.path("gate"))
    spec = set_up(place, "demo:gate", grace="500ms")
    serve = place.serve()
    place.expect(0, "deploy", spec, "--detach")
    gate.began()
    serve.signal(signal.SIGTERM)
    assert serve.wait() == 0, serve.output()
    assert place.status("loki")["state"] == "interrupted", place.status("loki")
    place.serve()
    gate.began()  # asked again
    gate.open()
    assert place.until_state("loki", "succeeded", "failed")["state"] == "succeeded"
    gate.close()


@takes(2)
def test_a_run_that_waits_still_waits_after_a_restart(place):
    spec = set_up(place, {"task": "wait:an_hour", "retry": {"deadline": "3h"}})
    for end in ("kill", "stop", "kill"):
        serve = place.serve()
        if place.run("status", "loki").status != 0:
            place.expect(0, "deploy", spec, "--detach")
        place.until_state("loki", "waiting")
        getattr(serve, end)()
    place.serve()
    assert place.until_state("loki", "waiting")["state"] == "waiting"
    assert begun(place, "an_hour") == 1, "it was asked before its hour was over"
    place.expect(0, "cancel", "loki")


@takes(8)
def test_a_locked_journal_stops_new_tasks(place):
    """Nothing is begun without a record; it says so, and goes on when the journal is free."""
    gate = Gate(place.path("gate"))
    spec = set_up(place, "demo:gate")
    serve = place.serve()
    place.expect(0, "deploy", spec, "--detach")
    gate.began()
    journal = sqlite3.connect(place.state / "journal.db", isolation_level=None)
    journal.execute("BEGIN IMMEDIATE")
    gate.open()
    status = place.until_state("loki", "paused")
    assert "journal" in status["text"], status
    assert begun(place, "full") == 0, "a task was begun without a record"
    journal.execute("ROLLBACK")
    journal.close()
    assert place.until_state("loki", "succeeded", "failed")["state"] == "succeeded"
    assert begun(place, "gate") == 1
    assert serve.stop() == 0
    gate.close()
