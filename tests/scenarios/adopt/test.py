"""`adopt`: a machine that jarvis did not make becomes a host of its own, after somebody confirmed it."""
import os
import pty
import re
import subprocess

from lab import takes
from lab.cloud import clouds


def test_a_foreign_machine(place):
    rack, shed = clouds(place, "rack", "shed")
    thing = rack.lay("loki.example.org")
    spec = place.spec("loki", provider="rack")
    refused = place.expect(1, "deploy", spec)
    assert "is not jarvis's: `adopt loki.example.org` takes it over" in refused.err, refused
    asked = place.expect(6, "adopt", "loki.example.org")
    assert "adopt loki.example.org (rack" in asked.out and f"take over loki.example.org ({thing['id']}), small in the cellar" in asked.out, asked
    assert not rack.things()[0]["run"], "something was touched before it was confirmed"
    done = place.expect(0, "confirm", asked.code)
    assert "loki is jarvis's now" in done.out, done
    run = place.status("loki")["run"]
    assert rack.things()[0]["run"] == run and place.json("hosts")[0]["orphan"] is False
    board = place.clipboard("loki")
    for line in ("hostname: loki", "fqdn: loki.example.org", "provider: rack", f"instance_id: {thing['id']}", "size: 512"):
        assert line in board.replace('"', "").replace(",", "\n").replace("{", "\n "), board
    # From then on a host like any other.
    place.expect(0, "plan", "loki")
    place.expect(0, "deploy", spec)
    asked = place.expect(6, "redeploy", spec)
    assert f"delete loki.example.org ({thing['id']})" in asked.out and "create loki.example.org, 5.00 USD a month" in asked.out, asked
    place.expect(0, "confirm", asked.code)
    assert [one["id"] for one in rack.things()] != [thing["id"]]
    place.confirmed(0, "destroy", "loki")
    assert not rack.things()


def test_none_several_and_one_that_cannot_be_asked(place):
    rack, shed = clouds(place, "rack", "shed", domain="example.org")
    said = place.expect(2, "adopt", "loki")  # completed by `domain`
    assert "there is no machine loki.example.org at local, rack, shed; nothing was changed" in said.err, said
    rack.lay("loki.example.org")
    shed.lay("loki.example.org")
    said = place.expect(2, "adopt", "loki.example.org")
    assert "loki.example.org is at rack and shed: say which, as in `jarvis adopt loki.example.org rack`" in said.err, said
    shed.down()
    said = place.expect(1, "adopt", "loki.example.org")
    assert "shed: cannot be reached" in said.err and "`jarvis adopt loki.example.org rack`" in said.err, said
    assert "cannot be reached" in place.expect(1, "adopt", "loki.example.org", "shed").err
    assert "did you mean rack?" in place.expect(2, "adopt", "loki.example.org", "rakc").err
    assert place.never_ran("loki")
    place.confirmed(0, "adopt", "loki.example.org", "rack")
    assert "is no host name" in place.expect(2, "adopt", "../etc").err


def test_no_is_an_answer(place):
    rack, = clouds(place, "rack")
    rack.lay("loki.example.org")
    leader, follower = pty.openpty()
    process = subprocess.Popen(place.arguments("adopt", "loki.example.org"), stdin=follower, stdout=follower, stderr=follower,
                               cwd=place.directory, env=place.environment(TERM="xterm"), start_new_session=True)
    os.close(follower)
    said = b""
    while b"really? (yes/no)" not in said:
        said += os.read(leader, 4096)
    assert b"  take over loki.example.org (x-loki-machine), small in the cellar\r\n" in said, said
    os.write(leader, b"no\n")
    try:
        while os.read(leader, 4096):
            pass
    except OSError:
        pass  # the terminal is closed
    assert process.wait(30) == 4
    os.close(leader)
    assert not rack.things()[0]["run"]


@takes(5)
def test_a_local_host(place):
    """Foreign is a local host whose record names no run, as one that somebody copied here."""
    spec = place.spec("loki", provider="local")
    place.expect(0, "deploy", spec)
    record = place.state / "local/loki.example.org/machine"
    record.write_text(re.sub(r"^(run|step): .*$", r"\1: ", record.read_text(), flags=re.M))
    assert place.json("hosts") == [], "what carries no mark is nobody's to list"
    for command in (("deploy", spec), ("redeploy", spec), ("destroy", "loki")):
        said = place.expect(1, *command)
        assert "not jarvis's: `adopt loki.example.org` takes it over" in said.err, said
    asked = place.expect(6, "adopt", "loki")
    assert re.search(r"take over local host loki\.example\.org \(local-\w+\) at 127\.\S+:2222, thin, on, made ", asked.out), asked
    place.expect(0, "confirm", asked.code)
    assert "ssh_host_keys" in place.clipboard("loki")
    place.expect(0, "deploy", spec)
    before = place.json("hosts")[0]["id"]
    place.confirmed(0, "redeploy", spec)
    after = place.json("hosts")[0]
    assert after["id"] != before and not after["orphan"], after
    # A directory without a record is no host at all.
    place.confirmed(0, "destroy", "loki")
    (place.state / "local/loki.example.org").mkdir()
    said = place.expect(1, "adopt", "loki.example.org")
    assert "is not a host of ours: move it away" in said.err, said


@takes(3)
def test_a_redeploy_asks_before_it_touches(place):
    """What creating needs is asked first: as long as one thing says no, the host that is there goes on."""
    spec = place.spec("loki", provider="local")
    place.expect(0, "deploy", spec)
    worse = place.spec("loki2", text="instance:\n  hostname: loki\n  fqdn: loki.example.org\n  provider: Local\n  flavour: thick\n")
    said = place.expect(2, "redeploy", worse)
    assert "local:can_deploy: flavour: 'thick' is not offered here" in said.err and "nothing was changed" in said.err, said
    code = place.expect(6, "redeploy", spec).code
    place.expect(0, "cancel", "loki")
    assert place.run("confirm", code).status in (2, 3)
    assert place.json("hosts")[0]["orphan"] is False
    place.confirmed(0, "redeploy", spec)
    tasks = [attempt["task"] for attempt in reversed(place.json("logs", "loki"))]
    assert tasks.index("local:can_deploy") == 0, tasks
    place.confirmed(0, "destroy", "loki")
