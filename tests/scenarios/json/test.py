"""The documented fields of `--json`, their types and their order."""
import re

from lab import Gate
from lab.place import LANGUAGES

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
STATES = {"pending", "confirming", "running", "waiting", "paused", "undoing", "interrupted", "succeeded", "failed", "cancelled"}
STATUS = ["run", "host", "operation", "provider", "state", "stage", "stage_number", "stages", "task", "attempt", "text", "started",
          "elapsed", "usual", "error"]


def set_up(place):
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:before", "demo:gate", "demo:full"])
    place.plan("bad", deploy=["demo:before", "demo:fail"])
    return Gate(place.path("gate"))


def check_status(line):
    for field in STATUS:
        assert field in line, f"no {field} in {line}"
    assert line["state"] in STATES, line
    assert TIME.fullmatch(line["started"]), line
    assert isinstance(line["elapsed"], (int, float)) and line["elapsed"] >= 0, line
    assert line["usual"] is None or isinstance(line["usual"], (int, float)), line
    assert isinstance(line["stages"], int) and isinstance(line["stage_number"], int), line
    assert isinstance(line["attempt"], (int, type(None))), line


def test_status_while_running_and_after(place):
    gate = set_up(place)
    deploy = place.start("deploy", place.spec("loki", provider="demo", gate=place.path("gate")))
    gate.began()
    (line,) = place.json("status", "loki")
    check_status(line)
    assert line["state"] == "running" and line["task"] == "demo:gate" and line["operation"] == "deploy", line
    assert (line["stage_number"], line["stages"], line["attempt"]) == (2, 3, 1), line
    assert line["host"] == "loki.example.org" and line["provider"] == "demo" and line["error"] is None, line
    gate.open()
    assert deploy.wait() == 0, deploy.output()
    (line,) = place.json("status", "loki")
    check_status(line)
    assert line["state"] == "succeeded" and line["stage_number"] == 3, line
    (by_run,) = place.json("status", line["run"])
    assert by_run["run"] == line["run"]
    gate.close()


def test_history_is_newest_first_and_status_shows_the_newest(place):
    gate = set_up(place)
    gate.open(workers=2)
    spec = place.spec("loki", provider="demo", gate=place.path("gate"))
    place.expect(0, "deploy", spec)
    place.expect(0, "deploy", spec)
    place.expect(1, "deploy", place.spec("thor", provider="bad"))
    runs = place.json("history", "loki")
    assert len(runs) == 2 and runs[0]["started"] > runs[1]["started"], runs
    for line in runs:
        check_status(line)
    assert [line["run"] for line in place.json("status", "loki")] == [runs[0]["run"]]
    (failed,) = place.json("status", "thor")
    check_status(failed)
    assert failed["state"] == "failed" and "no such region: Atlantis" in failed["error"], failed
    gate.close()


def test_logs(place):
    set_up(place).close()
    place.expect(1, "deploy", place.spec("thor", provider="bad"))
    lines = place.json("logs", "thor")
    assert [line["task"] for line in lines] == ["demo:fail", "demo:before"], lines
    failed = lines[0]
    for field in ("run", "task", "attempt", "outcome", "started", "elapsed", "exit_status", "log"):
        assert field in failed, f"no {field} in {failed}"
    assert failed["outcome"] == "failed" and failed["exit_status"] == 1 and "no such region: Atlantis" in failed["log"], failed
    assert [line["task"] for line in place.json("logs", "thor", "demo:before")] == ["demo:before"]


def test_options_before_and_after_the_command(place):
    set_up(place).close()
    before = place.run("--json", "status")
    after = place.run("status", "--json")
    assert before.status == after.status == 0 and before.out == after.out == ""
