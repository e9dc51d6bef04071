"""What CONTRACTS §4 says of every provider: which machine is ours, which may be touched, and how many there are after a crash."""
import base64
import json
import time

import yaml

from lab import each, kill_now, living, takes, until
from lab.clouds import CLOUDS, WITH_API, cloud, fqdn_of
from lab.moto import preloaded
from lab.processes import command_line_of

SHARED = [preloaded]
ALL = tuple(CLOUDS)


@each(*ALL)
@takes(10)
def test_from_deploy_to_destroy_and_again(place, provider):
    with cloud(provider, place, judged=True) as it:
        place.serve()
        place.expect(5, "plan", it.spec())
        place.expect(0, "deploy", it.spec())
        first = it.machine()
        assert first.ours and first.on and first.name == fqdn_of("loki"), first
        facts = place.clipboard("loki")
        assert first.id in facts and "ipaddress:" in facts, facts

        place.expect(0, "deploy", it.spec())  # buys nothing, changes nothing
        assert it.machine().id == first.id
        place.expect(0, "plan", it.spec())

        place.write("saved.yaml", place.clipboard("loki"), 0o600)
        place.expect(0, "replay", "saved.yaml", "--operation", "off")
        assert not it.machine().on
        place.expect(0, "deploy", it.spec())
        assert it.machine().on
        place.expect(0, "replay", "saved.yaml", "--operation", "power")
        assert it.machine().on

        place.confirmed(0, "redeploy", it.spec())
        second = it.machine()
        assert second.ours and second.on and (second.id == first.id) == it.rebuilds, (first, second)

        place.confirmed(0, "destroy", "loki")
        assert not it.machines("loki")
        place.confirmed(0, "destroy", "loki")  # well when it is gone
        assert not it.machines("loki")
        place.expect(0, "deploy", it.spec())
        assert it.machine().id not in (first.id, second.id)
        place.confirmed(0, "destroy", "loki")


@each(*ALL)
@takes(5)
def test_a_machine_of_that_name_that_is_not_ours(place, provider):
    with cloud(provider, place, judged=True) as it:
        place.serve()
        id = it.make_foreign("loki")
        said = place.expect(1, "deploy", it.spec())
        assert id in said.text and "adopt" in said.text and "nothing was changed" in said.text, said
        place.expect(1, "redeploy", it.spec())
        assert [one.id for one in it.machines("loki")] == [id] and not it.machine().ours

        place.confirmed(0, "adopt", fqdn_of("loki"))
        assert it.machine().id == id and it.machine().ours
        assert id in place.clipboard("loki")
        place.confirmed(0, "destroy", "loki")
        assert not it.machines("loki")


@each(*WITH_API)
@takes(5)
def test_an_id_that_is_somebody_elses_by_now(place, provider):
    with cloud(provider, place, judged=True) as it:
        place.serve()
        place.expect(0, "deploy", it.spec())
        machine = it.machine()
        it.give_away(machine)
        before = it.machines()
        said = place.expect(1, "destroy", "loki")
        assert machine.id in said.text and "nothing" in said.text, said
        assert [one.id for one in it.machines()] == [one.id for one in before]
        # A new machine hurts nobody.
        place.expect(0, "deploy", it.spec())
        assert it.machine().id != machine.id


@each(*WITH_API)
@takes(5)
def test_two_machines_that_are_one_host(place, provider):
    with cloud(provider, place, judged=True) as it:
        place.serve()
        place.expect(0, "deploy", it.spec())
        it.make_second("loki")
        ids = sorted(one.id for one in it.machines("loki"))
        assert len(ids) == 2
        for command in (("destroy", "loki"), ("redeploy", it.spec()), ("deploy", it.spec())):
            said = place.expect(1, *command)
            assert all(id in said.text for id in ids), said
        assert sorted(one.id for one in it.machines("loki")) == ids


@each(*ALL)
@takes(5)
def test_a_machine_that_was_deleted_outside(place, provider):
    with cloud(provider, place, judged=True) as it:
        place.serve()
        place.expect(0, "deploy", it.spec())
        first = it.machine()
        it.end_outside(first)
        place.expect(0, "deploy", it.spec())
        assert it.machine().id != first.id
        it.end_outside(it.machine())
        place.confirmed(0, "destroy", "loki")


@each(*WITH_API)
@takes(10)
def test_asked_before_the_old_machine_is_touched(place, provider):
    with cloud(provider, place) as it:
        assert it.obstacles()
        for what, (_, why) in it.obstacles().items():
            with cloud(provider, place.apart(what.replace(" ", "-"))) as other:
                there = other.place
                there.expect(0, "deploy", other.spec())
                machine, changes = other.machine(), len(other.changes())
                spec = other.spec()
                other.obstacles()[what][0]()  # may write the spec anew
                said = there.expect(2, "redeploy", spec)
                assert "nothing was changed" in said.text and why in said.text, (what, said)
                assert other.changes()[changes:] == [], (what, other.changes()[changes:])
                assert other.machine().id == machine.id and other.machine().on, what


def inside_base64(text, offset):
    """What of a text is the same however the base64 of what surrounds it goes on, when it begins at this offset of three bytes."""
    return base64.b64encode(b"-" * offset + text.encode()).decode()[4:-4]


@each(*WITH_API)
@takes(5)
def test_secrets_stay_where_they_are(place, provider):
    """Token, password, keys and user data: in no log, journal, argument list or reply, whether it goes well or not."""
    with cloud(provider, place) as it:
        place.configure(**{**json.loads(place.path("jarvis.yaml").read_text()), "log": {"level": "debug", "file": "jarvis.log"}})
        serve = place.serve()
        held = it.proxy.fault("hold", when=it.creates)
        place.expect(0, "deploy", it.spec(), "--detach")
        held.reached()
        lists = "\n".join(command_line_of(pid) for pid in living())
        held.release()
        assert place.until_state("loki", "succeeded", "failed")["state"] == "succeeded"
        it.proxy.fault("401", times=None)
        failing = place.run("deploy", it.spec("other"))
        it.proxy.calm()
        shown = yaml.safe_load(place.expect(0, "clipboard", "loki", "--reveal").out)
        secrets = [*it.secrets(), shown["password"], *shown["ssh_host_private_key"].splitlines()[1:-1], *shown["ssh_login_key"].splitlines()[2:-1]]
        said = lists + failing.text + serve.output() + "".join(
            place.run(*command).text for command in (("logs", "loki"), ("status", "loki"), ("history", "loki"), ("clipboard", "loki"),
                                                     ("logs", "loki", "--json"), ("audit",), ("check",)))
        # User data travel in base64, where a text looks in one of three ways.
        secrets += [inside_base64(secret, offset) for secret in secrets for offset in range(3)]
        assert [one for one in it.proxy.requests if any(secret.encode() in one.body for secret in secrets)], "nothing secret was sent"
        for secret in secrets:
            assert secret not in said, f"{secret[:12]}... was said"
            for path in place.state.rglob("*"):
                if path.is_file():
                    assert secret.encode() not in path.read_bytes(), f"{secret[:12]}... is in {path}"
            assert secret not in place.path("jarvis.log").read_text()


@each(*[f"{provider} {kind}" for provider in WITH_API for kind in ("hold", "withhold")],
      sanitized=lambda both: both.endswith("withhold"))
@takes(40, timeout=300)
def test_killed_at_any_call(place, both):
    """The worker dies before a call is passed on, or after it was and before its reply: one machine, whatever the call was."""
    provider, kind = both.split()
    with cloud(provider, place) as it:
        serve = place.serve()
        counted, before = len(it.proxy.requests), len(it.machines())
        place.expect(5, "plan", it.spec("calm"))
        asked = len(it.proxy.requests) - counted
        place.expect(0, "deploy", it.spec("calm"))
        every = len(it.proxy.requests) - counted - asked
        assert every > asked
        killed = 0
        for call in range(asked + 1, every + 1):
            host = f"h{call}"
            fault = it.proxy.fault(kind, nth=call)
            place.expect(0, "deploy", it.spec(host), "--detach")
            # The last calls may be fewer this time: an answer that was awaited came sooner.
            until(lambda fault=fault, host=host: fault.requests or place.status(host)["state"] == "succeeded", f"call {call} of {host}")
            if fault.requests:
                kill_now(until(lambda: it.worker(serve), "there is a worker"))
                killed += 1
            fault.drop()
            it.proxy.calm()
            status = place.until_state(host, "succeeded", "failed")
            assert status["state"] == "succeeded", (call, fault.requests, status)
            it.lives(host)
        assert killed >= (every - asked) // 2, f"{killed} workers of {every - asked} calls were killed: this tests nothing"
        assert len(it.machines()) == before + every - asked + 1


@each(*WITH_API)
@takes(10)
def test_a_new_machine_that_is_not_listed_yet(place, provider):
    with cloud(provider, place) as it:
        serve = place.serve()
        place.expect(0, "deploy", it.spec("other"))
        known = it.known()
        lost = it.proxy.fault("withhold", when=it.creates)
        hidden = it.proxy.hide_new(known)
        place.expect(0, "deploy", it.spec(), "--detach")
        lost.reached()
        kill_now(until(lambda: it.worker(serve), "there is a worker"))
        lost.drop()
        it.proxy.calm()
        # It looks, finds nothing, and must not make a second one; how it knows is the provider's.
        until(lambda: len(it.proxy.asked(it.creates)) >= 3 or place.status("loki")["attempt"] > 3, "it was asked again")
        hidden.reveal()
        assert place.until_state("loki", "succeeded", "failed")["state"] == "succeeded"
        assert it.machine().id in place.clipboard("loki")


@each(*WITH_API)
@takes(45, waiting=True)
def test_a_new_machine_that_is_hidden_for_half_a_minute(place, provider):
    """With the retry of jarvis's own rows: the creation whose answer was lost is found again when it is listed."""
    with cloud(provider, place) as it:
        it.retry = None
        it.configure(poll="500ms")
        serve = place.serve()
        lost = it.proxy.fault("withhold", when=it.creates)
        hidden, begun = it.proxy.hide_new(it.known(), seconds=30), time.monotonic()
        place.expect(0, "deploy", it.spec(), "--detach")
        lost.reached()
        kill_now(until(lambda: it.worker(serve), "there is a worker"))
        lost.drop()
        assert place.until_state("loki", "succeeded", "failed", seconds=120)["state"] == "succeeded"
        assert time.monotonic() - begun >= 30 and hidden.count, "it was never looked for"
        it.lives()
