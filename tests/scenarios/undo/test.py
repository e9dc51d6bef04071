"""Undo: steps that are done are taken back in reverse order, journaled like any other, and a failing one is named and stops it."""
from lab import Gate
from lab.place import WORKERS

ROWS = {
    "one": {"undo": "ledger:un_one"}, "two": {"undo": "ledger:un_two"}, "three": {}, "four": {"undo": "ledger:fail_four"},
    "five": {"undo": "ledger:hold_five"}, "fail": {}, "hold": {}, "un_one": {}, "un_two": {}, "fail_four": {}, "hold_five": {},
}


def set_up(place, *tasks):
    place.configure(workers={"ledger": {"run": str(WORKERS / "ledger.sh"), "grace": "300ms", "tasks": ROWS}})
    place.plan("demo", deploy=[f"ledger:{task}" for task in tasks])
    return place.spec("loki", provider="demo", record=place.path("record"), gate=place.path("gate"))


def ran(place):
    """The tasks called since the last look."""
    record = place.path("record")
    lines = [line.split() for line in record.read_text().splitlines()] if record.exists() else []
    record.unlink(missing_ok=True)
    return [line[0] for line in lines]


def test_in_reverse_order(place):
    result = place.expect(1, "deploy", set_up(place, "one", "two", "three", "fail"))
    assert ran(place) == ["one", "two", "three", "fail", "un_two", "un_one"]
    assert "loki failed at 4/4 fail: fail does not work" in result.text, result
    told = [line for line in result.out.splitlines() if "undoing" in line]
    assert told == ["loki: undoing two with ledger:un_two", "loki: undoing one with ledger:un_one"], result
    status = place.status("loki")
    assert status["state"] == "failed" and status["task"] == "ledger:fail" and status["stage_number"] == 4, status
    assert {line["task"] for line in place.json("logs", "loki")} == {f"ledger:{task}" for task in (
        "one", "two", "three", "fail", "un_two", "un_one")}


def test_what_was_taken_back_is_done_again_by_retry(place):
    place.expect(1, "deploy", set_up(place, "one", "three", "two", "fail"))
    ran(place)
    place.expect(1, "retry", "loki")
    assert ran(place) == ["one", "two", "fail", "un_two", "un_one"], "three was not taken back, so it still stands"


def test_an_undo_that_fails_is_named_and_stops_it(place):
    result = place.expect(1, "deploy", set_up(place, "one", "four", "two", "fail"))
    assert ran(place) == ["one", "four", "two", "fail", "un_two", "fail_four"]
    assert "fail_four" in result.text and "fail does not work" in result.text, result
    assert "fail_four" in place.status("loki")["error"], place.status("loki")


def test_cancel_takes_back_too(place):
    gate = Gate(place.path("gate"))
    deploy = place.start("deploy", set_up(place, "one", "two", "hold", "three"))
    gate.began()
    place.expect(0, "cancel", "loki")
    assert deploy.wait() == 4, deploy.output()
    assert ran(place) == ["one", "two", "hold", "un_two", "un_one"]
    assert place.status("loki")["state"] == "cancelled"
    gate.close()


def test_nothing_is_undone_when_all_went_well(place):
    place.expect(0, "deploy", set_up(place, "one", "two", "three"))
    assert ran(place) == ["one", "two", "three"]


def test_killed_in_the_middle_it_goes_on(place):
    gate = Gate(place.path("gate"))
    spec = set_up(place, "one", "five", "two", "fail")
    serve = place.serve()
    place.expect(0, "deploy", spec, "--detach")
    gate.began()
    assert place.status("loki")["state"] == "undoing", place.status("loki")
    serve.kill()
    place.serve()
    gate.began()
    gate.open()
    status = place.until_state("loki", "failed", "succeeded")
    assert status["state"] == "failed" and "fail does not work" in status["error"], status
    assert ran(place) == ["one", "five", "two", "fail", "un_two", "hold_five", "hold_five", "un_one"]
    gate.close()
