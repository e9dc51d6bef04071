"""`plan`: what would run and what would change, asked from the workers themselves; and what is refused before the first step."""
import re

from lab.place import WORKERS

ROWS = {
    "calm": {"plan": True}, "change": {"plan": True}, "blind": {}, "make": {"gives": ["made"]}, "refuse": {"plan": True},
    "use": {"plan": True, "needs": ["made"]}, "soon": {"plan": True},
}


def set_up(place, *tasks, **worker):
    place.configure(workers={"ledger": {"run": str(WORKERS / "ledger.sh"), "tasks": ROWS, **worker}})
    place.plan("demo", deploy=[f"ledger:{task}" for task in tasks])
    return place.spec("loki", provider="demo", record=place.path("record"))


def calls(place):
    """(task, mode) of every call."""
    record = place.path("record")
    return [tuple(line.split()[:2]) for line in record.read_text().splitlines()] if record.exists() else []


def test_what_would_change(place):
    spec = set_up(place, "calm", "change", "blind", "make", "use")
    result = place.expect(5, "plan", spec)
    places = [result.out.index(f"ledger:{task}") for task in ("calm", "change", "blind", "make", "use")]
    assert places == sorted(places), result
    assert "change would be done" in result.out, result
    assert "use would be done" not in result.out, result
    assert set(calls(place)) == {("calm", "plan"), ("change", "plan")}, calls(place)
    # blind and make have no plan mode; what `use` needs is not there yet.
    assert result.out.count("not asked") == 3, result
    assert place.never_ran("loki")


def test_nothing_would_change(place):
    spec = set_up(place, "calm")
    place.expect(0, "plan", spec)


def test_a_temporary_answer_is_asked_again(place):
    spec = set_up(place, "soon")
    place.expect(5, "plan", spec)
    assert calls(place) == [("soon", "plan")] * 3, calls(place)


def test_a_refusal_stops_the_deploy_before_the_first_step(place):
    spec = set_up(place, "blind", "refuse")
    for command in ("plan", "deploy"):
        result = place.expect(2, command, spec)
        assert "no image of that name" in result.text and "ledger:refuse" in result.text, result
    assert ("blind", "apply") not in calls(place) and place.never_ran("loki")


def test_a_missing_input_is_refused(place):
    spec = set_up(place, "blind", "use")
    result = place.expect(2, "deploy", spec)
    assert "ledger:use" in result.text and re.search(r"\bmade\b", result.text), result
    assert calls(place) == [] and place.never_ran("loki")


def test_missing_credentials_are_refused(place):
    granted = place.write("ledger.env", "TOKEN=open-sesame-12345\n", 0o600)
    spec = set_up(place, "blind", env_file=str(granted))
    place.expect(0, "deploy", spec)
    granted.unlink()
    result = place.expect(2, "deploy", spec)
    assert str(granted) in result.text, result
    place.write("ledger.env", "TOKEN=open-sesame-12345\n", 0o644)
    result = place.expect(2, "deploy", spec)
    assert str(granted) in result.text and "open-sesame" not in result.text, result
    assert len(calls(place)) == 1, calls(place)


def test_a_plan_can_be_had_of_a_host(place):
    spec = set_up(place, "calm", "change")
    place.expect(0, "deploy", spec)
    result = place.expect(5, "plan", "loki")
    assert "change would be done" in result.out, result
