"""A saved clipboard is a way back: `clipboard > f`, `replay f` from any task, `task` by hand."""
import re
import shutil

from lab import Gate, takes
from lab.place import LANGUAGES, WORKERS

TASKS = ["demo:before", "demo:empty", "demo:full", "demo:look"]


def deployed(place):
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=TASKS)
    place.expect(0, "deploy", place.spec("loki", provider="demo", record=place.path("record")))
    return place.write("saved.yaml", place.clipboard("loki"))


def ran(place):
    record = place.path("record")
    lines = [line.split()[0] for line in record.read_text().splitlines()]
    record.unlink()
    return lines


def test_from_any_task(place):
    saved = deployed(place)
    ran(place)
    names = [task.partition(":")[2] for task in TASKS]
    for number, task in enumerate(TASKS):
        place.write("loose.yaml", re.sub(r"^(marker|dropme|added): .*\n", "", saved.read_text(), flags=re.M))
        place.expect(0, "replay", place.path("loose.yaml"), "--from", task)
        assert ran(place) == names[number:], task
    place.expect(0, "replay", place.path("loose.yaml"), "--only", "demo:look")
    assert ran(place) == ["look"]
    runs = place.json("history", "loki")
    assert len(runs) == 2 + len(TASKS) and len({run["run"] for run in runs}) == len(runs), runs


def test_unknown_task(place):
    saved = deployed(place)
    result = place.expect(2, "replay", saved, "--from", "demo:lok")
    assert "demo:lok" in result.text and "demo:look" in result.text, result


def test_retry_goes_on_where_it_stands(place):
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:before", "demo:fail", "demo:look"])
    place.expect(1, "deploy", place.spec("loki", provider="demo", record=place.path("record")))
    first = place.status("loki")
    ran(place)
    place.expect(1, "retry", "loki")
    second = place.status("loki")
    assert ran(place) == ["fail"], "a finished task ran again"
    assert second["run"] == first["run"], "retry made a new run"
    result = place.expect(0, "retry", "loki", "--skip", "demo:fail", "because", "it never works")
    assert ran(place) == ["look"], result
    assert place.status("loki")["state"] == "succeeded"
    place.expect(0, "retry", "loki", "from", "demo:look")
    assert ran(place) == ["look"]
    assert place.status("loki")["run"] != first["run"]


@takes(6)
def test_with_a_real_host(place):
    spec = place.spec("loki", provider="local")
    place.expect(0, "deploy", spec)
    try:
        saved = place.write("saved.yaml", place.clipboard("loki"))
        assert re.search(r"^password: !sealed ", saved.read_text(), re.M), saved.read_text()
        for task in ("ssh:fingerprints", "ssh:wait", "local:deploy", "ssh:make_keypair"):
            place.expect(0, "replay", saved, "--from", task)
        result = place.expect(0, "task", "ssh:fingerprints", input=saved.read_text())
        assert re.search(r"^sshfp:", result.out, re.M), result
        assert "hostname: loki" in result.out
    finally:
        place.confirmed(0, "destroy", "loki")


def interrupted(place, *command):
    """A run that stands at its second of three tasks when jarvis is killed."""
    gate = Gate(place.path("gate"))
    serve = place.serve()
    place.expect(0, *command, "--detach")
    gate.began()
    serve.kill()
    gate.close()
    shutil.rmtree(gate.directory)
    return place.status("loki")["run"]


def gated(place, **keys):
    place.configure(workers={"ledger": {"run": str(WORKERS / "ledger.sh"), "grace": "300ms",
                                        "tasks": {"one": {}, "hold": {}, "three": {}}}})
    place.plan("demo", deploy=["ledger:one", "ledger:hold", "ledger:three"])
    return place.spec("loki", provider="demo", record=place.path("record"), gate=place.path("gate"), **keys)


@takes(3)
def test_the_same_spec_goes_on_with_what_was_interrupted_and_another_does_not(place):
    run = interrupted(place, "deploy", gated(place, wipe="[data]"))
    for keys in ({}, {"wipe": "[data]", "size": 512}, {"wipe": "[log]"}):
        said = place.expect(3, "deploy", gated(place, **keys))
        assert f"held by run {run}" in said.err and "jarvis cancel" in said.err, said
    assert ran(place) == ["one", "hold"]
    gate = Gate(place.path("gate"))
    gate.open()
    said = place.expect(0, "deploy", gated(place, wipe="[data]"))
    assert f"loki: goes on with run {run}, which was interrupted" in said.out, said
    assert ran(place) == ["hold", "three"]
    gate.close()


@takes(3)
def test_a_part_of_a_deploy_is_not_taken_for_the_whole(place):
    gate = Gate(place.path("gate"))
    gate.open()
    spec = gated(place)
    place.expect(0, "deploy", spec)
    gate.close()
    shutil.rmtree(gate.directory)
    saved = place.write("saved.yaml", place.clipboard("loki"))
    ran(place)
    run = interrupted(place, "replay", saved, "--from", "ledger:hold")
    said = place.expect(3, "deploy", spec)
    assert f"held by run {run}" in said.err, said
    assert ran(place) == ["hold"]
