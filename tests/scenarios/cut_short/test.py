"""Killed anywhere: the worker of any command dies before a call that changes something is passed on, or after it was and before its
reply; of a host that wants all that its provider makes. Between two changes the API is the same, and what jarvis knows of them is in
the journal, so that these are all the moments there are. (`providers.killed_at_any_call` has every call of a deploy.) A call that
hangs is the same: its attempt is killed when its time is up."""
import fnmatch
import itertools

from lab import each, kill_now, takes, until
from lab.clouds import WITH_API, cloud, fqdn_of
from lab.moto import preloaded

SHARED = [preloaded]
before_and_after = each(*[f"{provider} {kind}" for provider in WITH_API for kind in ("hold", "withhold")],
                        sanitized=lambda both: both == "linode withhold")


def confirmed(place, *command):
    code = place.expect(6, *command).code
    return lambda: place.expect(0, "confirm", code, "--detach")


def cut(place, it, kind, prepare, check, state="succeeded", but=""):
    """Does it again and again, and kills the worker at the first change, at the second, and so on until there are no more.
    `prepare` brings the host to where the command begins and returns what begins it; `check` is told how the run ended. `but`: an
    operation that changes nothing here."""
    def changes(asked):
        return it.is_change(asked) and not fnmatch.fnmatchcase(asked.operation, but)

    for number in itertools.count(1):
        begin = prepare()
        fault = it.proxy.fault(kind, when=changes, nth=number)
        begin()
        until(lambda fault=fault: fault.requests or place.status("loki")["state"] in ("succeeded", "failed"), f"change {number} or the end")
        if fault.requests:
            kill_now(until(lambda: it.worker(place.serving), "there is a worker"))
        fault.drop()
        it.proxy.faults.remove(fault)
        status = place.until_state("loki", "succeeded", "failed", seconds=120)
        assert status["state"] == state, (number, fault.requests, status)
        try:
            check(status)
        except AssertionError as wrong:
            raise AssertionError(f"killed at change {number}, {fault.requests}: {wrong}") from wrong
        if not fault.requests:
            return number - 1


@before_and_after
@takes(40, timeout=400)
def test_a_deploy(place, both):
    provider, kind = both.split()
    with cloud(provider, place) as it:
        place.serve()
        empty = it.things()
        place.expect(0, "deploy", it.whole_spec())
        full = it.counted()

        def prepare():
            place.confirmed(0, "destroy", "loki")
            assert it.things() == empty, it.things()
            spec = it.whole_spec()
            return lambda: place.expect(0, "deploy", spec, "--detach")

        def check(_):
            it.lives()
            assert it.counted() == full, (it.things(), full)
        assert cut(place, it, kind, prepare, check) >= it.least["deploy"]


@before_and_after
@takes(50, timeout=500)
def test_a_redeploy(place, both):
    """Every second one wipes a volume."""
    provider, kind = both.split()
    with cloud(provider, place) as it:
        place.serve()
        empty = it.things()
        place.expect(0, "deploy", it.whole_spec())
        full, told, wipes = it.counted(), {}, itertools.cycle((None, it.wiped))

        def prepare():
            told.update(machine=it.machine().id, kept=it.kept(), wipe=next(wipes))
            return confirmed(place, "redeploy", it.whole_spec(**({"wipe": [told["wipe"]]} if told["wipe"] else {})))

        def check(_):
            assert (it.lives().id == told["machine"]) == it.rebuilds
            assert it.counted() == full, (it.things(), full)
            now = it.kept()
            assert now.keys() == told["kept"].keys(), now
            for name, id in now.items():
                assert (id == told["kept"][name]) == (name != told["wipe"]), (name, told, now)
        assert cut(place, it, kind, prepare, check) >= it.least["redeploy"]
        place.confirmed(0, "destroy", "loki")
        assert it.things() == empty, it.things()


@before_and_after
@takes(40, timeout=400)
def test_a_destroy(place, both):
    provider, kind = both.split()
    with cloud(provider, place) as it:
        place.serve()
        empty = it.things()

        def prepare():
            place.expect(0, "deploy", it.whole_spec())
            return confirmed(place, "destroy", "loki")

        def check(_):
            assert it.things() == empty, it.things()
            assert "instance_id" not in place.facts()
        assert cut(place, it, kind, prepare, check) >= it.least["destroy"]


@before_and_after
@takes(30, timeout=300)
def test_a_creation_that_is_taken_back(place, both):
    """Its last change is refused: of what it made before nothing stays, wherever it was killed."""
    provider, kind = both.split()
    with cloud(provider, place) as it:
        place.serve()
        empty = it.things()
        status, code, text, when = it.last_word

        def prepare():
            it.proxy.calm()
            assert it.things() == empty, it.things()
            spec = it.whole_spec()

            def begin():
                # After the fault that stops it, so that a request meets that one first.
                it.proxy.refuse(status, code, text, when=when, times=None)
                place.expect(0, "deploy", spec, "--detach")
            return begin

        def check(ended):
            assert "what this step created is removed" in ended["error"], ended
            assert it.things() == empty, it.things()
        assert cut(place, it, kind, prepare, check, "failed", when) >= it.least["taken back"]


@before_and_after
@takes(15, timeout=200)
def test_an_adoption(place, both):
    provider, kind = both.split()
    with cloud(provider, place) as it:
        place.serve()

        def prepare():
            foreign = it.make_foreign("loki")
            begin = confirmed(place, "adopt", fqdn_of("loki"))
            prepare.id = foreign
            return begin

        def check(_):
            assert it.lives().id == prepare.id
            place.confirmed(0, "destroy", "loki")
        assert cut(place, it, kind, prepare, check) >= 1


@before_and_after
@takes(15, timeout=200)
def test_power(place, both):
    """Off, on, and a reboot."""
    provider, kind = both.split()
    with cloud(provider, place) as it:
        place.serve()
        place.expect(0, "deploy", it.spec())
        id, there = it.machine().id, it.things()
        place.write("saved.yaml", place.clipboard("loki"), 0o600)

        def check(_):
            assert it.lives().id == id and it.things() == there
        assert cut(place, it, kind, lambda: lambda: place.expect(0, "replay", "saved.yaml", "--operation", "power", "--detach"), check) >= 3
