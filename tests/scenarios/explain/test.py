"""`explain`: why a run is where it is, in every state a run can be in."""
import re
import signal

from lab import Gate, takes, until
from lab.place import LANGUAGES, WORKERS

ROWS = {"one": {"undo": "ledger:un_one"}, "un_one": {}, "three": {}, "fail": {}, "hold": {"undo": "ledger:un_one"}}


def set_up(place, *tasks, **settings):
    place.configure(workers={
        "ledger": {"run": str(WORKERS / "ledger.sh"), "grace": "300ms", "tasks": ROWS},
        "demo": {"run": str(LANGUAGES["perl"]), "tasks": {name: {} for name in ("gate", "die", "full", "progress", "look")} | {
            "drop": {"destroys": True}}},
        "wait": str(WORKERS / "patience.sh")}, **settings)
    place.plan("demo", deploy=list(tasks), destroy=["demo:look", "demo:drop"])
    return place.spec("loki", provider="demo", record=place.path("record"), gate=place.path("gate"))


def explained(place, *patterns, name="loki"):
    """Says all of it, each in a line of its own, in this order."""
    lines = place.expect(0, "explain", name).out.splitlines()
    rest = iter(lines)
    for pattern in patterns:
        assert any(re.search(pattern, line) for line in rest), f"no line (left) with {pattern!r}:\n" + "\n".join(lines)
    [told] = place.json("explain", name)
    return told


@takes(3)
def test_at_work_frozen_and_held(place):
    gate = Gate(place.path("gate"))
    spec = set_up(place, "ledger:one", {"task": "demo:gate", "timeout": "1h", "retry": {"deadline": "2h"}}, "demo:full")
    place.serve()
    place.expect(0, "deploy", spec, "--detach")
    gate.began()
    told = explained(place, r"^loki: 2/3 gate \(", r"^  deploy \w{6} by .*, started ",
                     r"^  demo:gate is at work, attempt 1, for [\d.]+ s; it is ended at 20.* \(in (59|60) min",
                     r"^  it is given up at 20.* \(in (1 h 59|2 h 0|119) min.* unless it is done",
                     r"^  1/3 one  ledger:one: done after", r"^  2/3 gate  demo:gate: begun", r"^      attempt 1 under way$",
                     r"^  3/3 full  demo:full: to do$", r"^  if it ends here: ledger:un_one takes back ledger:one$",
                     r"^  `jarvis cancel loki` ends it$")
    assert told["waits_for"] == "worker" and told["until"] < told["deadline"] and told["state"] == "running", told
    assert told["undo"] == [{"task": "ledger:un_one", "undoes": "ledger:one"}], told
    assert [task["state"] for task in told["tasks"]] == ["done", "under", "todo"], told
    assert told["tasks"][1]["attempts"][0]["outcome"] == "under way" and told["next"] == "`jarvis cancel loki` ends it", told
    place.expect(0, "hold", "loki", "because", "its", "disk", "is", "old")
    place.expect(0, "freeze", "because", "we", "move")
    gate.open()
    until(lambda: place.status("loki")["stage"] == "full", "the next task would begin")
    told = explained(place, "^loki: 3/3 full", "^  no task begins anywhere: frozen by .* because we move; `jarvis thaw` ends that",
                     "^  the host is held by .* because its disk is old: no other run of it begins until `jarvis release loki`")
    assert told["waits_for"] == "thaw" and told["held"]["reason"] == "its disk is old" and told["frozen"]["reason"] == "we move", told
    place.expect(0, "thaw")
    place.until_state("loki", "succeeded")
    told = explained(place, "^loki is ready", "^  it ended at 20.*, after ", "^  the host is held by", "^  3/3 full  demo:full: done after")
    assert told["waits_for"] is None and told["undo"] == [] and told["next"] is None, told
    gate.close()


@takes(3)
def test_asked_again(place):
    spec = set_up(place, "ledger:three", {"task": "wait:an_hour", "retry": {"deadline": "3h"}})
    serve = place.serve()
    place.expect(0, "deploy", spec, "--detach")
    place.until_state("loki", "waiting")
    again = r"^  wait:an_hour is asked again at 20.* \(in (59 min|60 min|1 h).*, because attempt 1 said not yet"
    told = explained(place, "^loki: 2/2 an_hour", again, r"^  it is given up at 20.* \(in (2 h 59|3 h 0) min",
                     "^  2/2 an_hour  wait:an_hour: begun", "^      attempt 1 not yet after")
    assert told["waits_for"] == "again" and told["deadline"] > told["until"] > told["started"], told
    # Killed: nobody carries it, and the command that only looks says since when.
    serve.kill()
    told = explained(place, "^loki interrupted at 2/2 an_hour", "^  nobody carries it: the jarvis that did has ended; the last sign of it is of 20",
                     "^  of the 180 min 0 s|^  of the 3 h 0 min that it has, .* are used up",
                     "^  `jarvis retry loki` goes on there, `jarvis cancel loki` gives it up")
    assert told["state"] == "interrupted" and told["waits_for"] is None, told
    place.serve()
    place.until_state("loki", "waiting")
    explained(place, again)
    place.expect(0, "cancel", "loki")
    explained(place, "^loki cancelled at 2/2", "^  cancelled by ", "^  it ended at")


@takes(2)
def test_a_retry_is_due(place):
    spec = set_up(place, {"task": "demo:die", "retry": {"attempts": 3, "delay": "1h", "max_delay": "1h", "deadline": "3h"}})
    place.serve()
    place.expect(0, "deploy", spec, "--detach")
    place.until_state("loki", "waiting")
    told = explained(place, r"^  demo:die is asked again at .*, because attempt 1 crashed: ", "^      attempt 1 crashed after")
    assert told["tasks"][0]["attempts"][0]["outcome"] == "crashed" and told["tasks"][0]["attempts"][0]["error"], told


@takes(2)
def test_failed_taken_back_and_passed_over(place):
    spec = set_up(place, "ledger:one", "ledger:three", "ledger:fail")
    place.expect(1, "deploy", spec)
    told = explained(place, "^loki failed at 3/3 fail: fail does not work", "^  fail does not work", "^  it ended at", "^  taken back: ledger:one",
                     "^  1/3 one  ledger:one: done, and taken back", "^  3/3 fail  ledger:fail: not done",
                     "^      attempt 1 failed after .*: fail does not work", "^  undo  ledger:un_one: done after",
                     "^  task ledger:fail; `jarvis logs loki ledger:fail` shows its log, `jarvis retry loki` goes on there")
    assert told["tasks"][3]["undoes"] == "ledger:one" and told["tasks"][0]["state"] == "undone", told
    place.expect(0, "retry", "loki", "--skip", "ledger:fail", "because", "nobody needs it")
    told = explained(place, "^loki is ready", "^  3/3 fail  ledger:fail: skipped because nobody needs it")
    assert told["tasks"][2]["skipped_because"] == "nobody needs it", told


@takes(3)
def test_to_be_confirmed_and_locked(place):
    spec = set_up(place, "ledger:three")
    place.serve()
    place.expect(0, "deploy", spec)
    first = place.status("loki")["run"]
    code = place.run("destroy", "loki").out.split()[-1]
    told = explained(place, "^loki: destroy waits for its confirmation until",
                     r"^  it deletes something and waits to be confirmed by somebody who may order it; given up at 20.* \(in (4 min|5 min|299 s|300 s)",
                     f"^  `jarvis confirm {code}` lets it go on, `jarvis cancel loki` gives it up")
    assert told["waits_for"] == "confirmation" and told["confirm"] == code and told["missing"] == 1 and told["approvers"] == [], told
    # An earlier run by its id: another one has the host now.
    told = explained(place, "^loki is ready", r"^  run \w{6} has the host now: destroy by .*, confirming", name=first)
    assert told["holder"] == place.status("loki")["run"], told
    assert place.run("explain", "nobody").status == 2


@takes(3)
def test_a_place_and_an_undo(place):
    gate = Gate(place.path("gate"))
    spec = set_up(place, "ledger:one", "demo:gate", max_workers=1)
    serve = place.serve()
    place.expect(0, "deploy", spec, "--detach")
    gate.began()
    other = place.spec("odin", provider="demo", record=place.path("record"), gate=place.path("gate"))
    place.expect(0, "deploy", other, "--detach")
    until(lambda: "free place" in place.status("odin")["text"], "odin waits for a place")
    told = explained(place, "^odin: 1/2 one", "^  waits for a free place, 1 workers are at work", name="odin")
    assert told["waits_for"] == "place", told
    serve.signal(signal.SIGKILL)
    told = explained(place, "^loki interrupted at 2/2 gate", "^  demo:gate was under way and will be asked again", "^      attempt 1 cut short",
                     "^  if it ends here: ledger:un_one takes back ledger:one")
    explained(place, "^odin interrupted at 1/2", "^  nobody carries it: .*, before anything was begun", name="odin")
    gate.close()
