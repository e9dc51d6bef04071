"""What destroys asks first: destroy and redeploy, exit status 6, `jarvis confirm CODE`."""
import os
import pty
import re
import subprocess

from lab import takes
from lab.place import LANGUAGES


def set_up(place):
    tasks = {name: {} for name in ("before", "full", "look", "gate", "fail")}
    tasks["drop"] = {"destroys": True}
    place.configure(workers={"demo": {"run": str(LANGUAGES["sh"]), "tasks": tasks}})
    place.plan("demo", deploy=["demo:before", "demo:full"], destroy=["demo:look", "demo:drop"],
               redeploy=["demo:look", "demo:drop", "demo:full"])
    spec = place.spec("loki", provider="demo", record=place.path("record"))
    place.expect(0, "deploy", spec)
    place.path("record").unlink()
    return spec


def ran(place):
    return [line.split()[0] for line in place.path("record").read_text().splitlines()] if place.path("record").exists() else []


def asked(place, *command):
    """Runs what needs a confirmation; the code."""
    result = place.expect(6, *command)
    last = result.text.strip().splitlines()[-1]
    found = re.fullmatch(r"jarvis confirm ([a-z0-9]+)", last)
    assert found, result
    assert "loki" in result.text and ", deployed by root (uid 0), asked for by root (uid 0)" in result.text, result
    assert ran(place) == [], "something ran before it was confirmed"
    assert place.status("loki")["state"] == "confirming", place.status("loki")
    return found[1]


def test_destroy(place):
    set_up(place)
    code = asked(place, "destroy", "loki")
    assert place.status("loki")["confirm"], place.status("loki")
    wrong = place.run("confirm", "zzzzzz")
    assert wrong.status in (2, 3) and ran(place) == [], wrong
    place.expect(0, "confirm", code)
    assert ran(place) == ["look", "drop"]
    assert place.status("loki")["state"] == "succeeded"
    again = place.run("confirm", code)
    assert again.status in (2, 3), f"the code works twice: {again!r}"
    assert ran(place) == ["look", "drop"]


def test_redeploy(place):
    spec = set_up(place)
    code = asked(place, "redeploy", spec)
    place.expect(0, "confirm", code)
    assert ran(place) == ["look", "drop", "full"]


def test_replay_that_destroys_asks_too(place):
    set_up(place)
    saved = place.write("saved.yaml", place.clipboard("loki"))
    asked(place, "replay", saved, "--operation", "destroy")


def test_cancel_instead(place):
    set_up(place)
    code = asked(place, "destroy", "loki")
    place.expect(0, "cancel", "loki")
    assert place.status("loki")["state"] == "cancelled"
    assert place.run("confirm", code).status in (2, 3)
    assert ran(place) == []


def test_still_asks_after_a_restart(place):
    set_up(place)
    serve = place.serve()
    code = asked(place, "destroy", "loki")
    serve.kill()
    assert place.status("loki")["state"] == "confirming"
    place.serve()
    place.expect(0, "confirm", code)
    assert ran(place) == ["look", "drop"]


@takes(3)
def test_on_a_terminal(place):
    """There it asks, and `no` is an answer."""
    set_up(place)
    for answer, status, tasks in (("no", 4, []), ("yes", 0, ["look", "drop"])):
        leader, follower = pty.openpty()
        process = subprocess.Popen(place.arguments("destroy", "loki"), stdin=follower, stdout=follower, stderr=follower,
                                   cwd=place.directory, env=place.environment(TERM="xterm"), start_new_session=True)
        os.close(follower)
        said = b""
        while b"loki" not in said or not said.rstrip().endswith((b"?", b":", b"]", b")")):
            said += os.read(leader, 4096)
        os.write(leader, answer.encode() + b"\n")
        try:
            while os.read(leader, 4096):
                pass
        except OSError:
            pass  # the terminal is closed
        assert process.wait(30) == status, (answer, said)
        os.close(leader)
        assert ran(place) == tasks, answer
