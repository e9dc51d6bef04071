"""What a network and a cloud can do to a call: it succeeds after retry, or the run fails with one sentence; no machine is leaked."""
import itertools
import json
import re

from lab import each, takes, until
from lab.certificates import Authority
from lab.clouds import WITH_API, cloud, fqdn_of
from lab.fault_proxy import FaultProxy
from lab.moto import preloaded

SHARED = [preloaded]
PASSING = ("429", "500", "503", "reset", "half")
LASTING = ("401", "expired", "html", "invalid")
SECRETS = ("Bearer", "root_pass", "user_data", "Signature=", "<password>")


def one_sentence(place, it, status):
    """The run's error says what went wrong in one line, and nothing that is nobody's business."""
    assert status["state"] == "failed" and status["error"], status
    assert "\n" not in status["error"] and len(status["error"]) < 600, status["error"]
    assert not [word for word in SECRETS if word in status["error"]], status["error"]
    return status["error"]


def accounted_for(place, it, host="loki"):
    """However it ended: with the API well again the same command makes exactly one machine, and destroy leaves none."""
    it.proxy.calm()
    place.expect(0, "deploy", it.spec(host))
    it.lives(host)
    place.confirmed(0, "destroy", host)
    assert not it.machines(host)


def operations(place, it):
    """What an undisturbed deploy asks, each once, in order; those of plan mode and those behind it."""
    counted = len(it.proxy.requests)
    place.expect(5, "plan", it.spec("calm"))
    asked = len(it.proxy.requests)
    place.expect(0, "deploy", it.spec("calm"))
    place.confirmed(0, "destroy", "calm")
    every = it.proxy.operations()
    return asked - counted, list(dict.fromkeys(every[asked:]))


def life(place, it, disturb=lambda: None):
    """A host that wants all that its provider makes, deployed, made anew without one of its volumes, and destroyed."""
    disturb()
    place.expect(0, "deploy", it.whole_spec(), seconds=150)
    kept, full = it.kept(), it.counted()
    disturb()
    place.confirmed(0, "redeploy", it.whole_spec(wipe=[it.wiped]))
    it.lives()
    assert it.counted() == full, (full, it.things())
    assert [name for name, id in it.kept().items() if id != kept[name]] == [it.wiped], (kept, it.kept())
    disturb()
    place.confirmed(0, "destroy", "loki")
    it.proxy.calm()


def plain(operation):
    """An operation of Linode without the number of what it is about."""
    return re.sub(r"/\d+(?=/|$)", "/N", operation)


def failing_once(it, kind, failed):
    """From now on every operation fails the first time that it is asked; their names go into `failed`."""
    it.proxy.calm()
    now = []

    def first(asked):
        now.append(plain(asked.operation))
        failed.add(now[-1])
        return now.count(now[-1]) == 1
    it.proxy.fault(kind, when=first, times=None, retry_after={"429": 1, "500": 0, "503": 0}.get(kind))


def lasting_from(it, kind, number):
    """From the n-th change on all are answered so; the fault that knows whether there were so many."""
    fault = it.proxy.fault(kind, when=it.is_change, nth=number)
    it.proxy.fault(kind, when=lambda _: bool(fault.requests), times=None)  # whatever is asked
    return fault


@each(*[f"{provider} {kind}" for provider in WITH_API for kind in PASSING], sanitized=lambda both: both == "linode half")
@takes(60, timeout=400, waiting=True)
def test_what_passes(place, both):
    """Every operation fails the first time that a command asks it."""
    provider, kind = both.split()
    with cloud(provider, place) as it:
        place.serve()
        empty = it.things()
        life(place, it)
        names, failed = {plain(name) for name in it.proxy.operations()} - {"DescribeInstanceTypes"}, set()  # the types are known for a day
        life(place, it, lambda: failing_once(it, kind, failed))
        assert names <= failed, f"these never failed: {names - failed}"
        assert it.things() == empty, it.things()


@each(*WITH_API)
@takes(20, waiting=True)
def test_what_passes_of_adoption_and_power(place, provider):
    with cloud(provider, place) as it:
        place.serve()
        id, failed = it.make_foreign("loki"), set()
        failing_once(it, "503", failed)
        place.confirmed(0, "adopt", fqdn_of("loki"))
        assert it.lives().id == id
        place.write("saved.yaml", place.clipboard("loki"), 0o600)
        failing_once(it, "503", failed)
        place.expect(0, "replay", "saved.yaml", "--operation", "power")
        assert it.lives().id == id
        assert len([name for name in failed if it.proxy.dialect.changes(name)]) >= 4, failed  # mark, off, on, reboot


@each(*WITH_API)
@takes(15, timeout=240)
def test_what_hangs(place, provider):
    """An attempt that hears nothing is given up, and the task asked again."""
    with cloud(provider, place) as it:
        it.patience = "6s"
        it.configure()
        place.serve()
        _, names = operations(place, it)
        faults = [it.proxy.fault("hang", when=name) for name in (it.creates, names[-1])]
        # Plan mode has no second attempt: it says so, and the next order goes on.
        until(lambda: place.run("deploy", it.spec()).status == 0, "a deploy gets through", 90)
        assert [fault for fault in faults if fault.requests], "nothing failed: this tests nothing"
        it.machine()
        accounted_for(place, it)


@each(*[f"{provider} {kind}" for provider in WITH_API for kind in LASTING], sanitized=lambda both: both.endswith(("expired", "html")))
@takes(15, timeout=240)
def test_what_lasts(place, both):
    """From the n-th call on all are answered so: the run fails with a sentence; nothing is left that the next deploy does not find."""
    provider, kind = both.split()
    with cloud(provider, place) as it:
        place.serve()
        asked, _ = operations(place, it)
        counted = len(it.proxy.requests)
        place.expect(0, "deploy", it.spec("calm"))
        every = len(it.proxy.requests) - counted - asked
        for call in (1, *range(asked + 1, every + 1)):
            host = f"h{call}"
            it.proxy.fault(kind, nth=call, times=None)
            said = place.run("deploy", it.spec(host), "--detach")
            if call == 1:
                assert said.status == 2 and "nothing was changed" in said.text, said
                assert len(said.text.splitlines()) <= 6, said
            elif said.status == 0:
                status = place.until_state(host, "succeeded", "failed", seconds=90)
                if status["state"] == "failed":
                    one_sentence(place, it, status)
            accounted_for(place, it, host)


@each("linode html", "ec2 expired", "vmware expired", sanitized=lambda _: False)
@takes(80, timeout=400)
def test_what_lasts_of_other_commands(place, both):
    """From the n-th change on all are answered so: a redeploy or destroy fails with a sentence, and the next one ends it."""
    provider, kind = both.split()
    with cloud(provider, place) as it:
        place.serve()
        empty = it.things()
        for command in ("redeploy", "destroy"):
            for number in itertools.count(1):
                place.expect(0, "deploy", it.whole_spec(), seconds=150)
                full, kept = it.counted(), it.kept()
                order = (command, it.whole_spec() if command == "redeploy" else "loki")
                code = place.expect(6, *order).code
                fault = lasting_from(it, kind, number)
                place.run("confirm", code)
                status = place.status("loki")
                if not fault.requests:
                    assert status["state"] == "succeeded", status
                    it.proxy.calm()
                    break
                one_sentence(place, it, status)
                it.proxy.calm()
                # A host whose machine is gone already is made anew by the same command.
                place.confirmed(0, *order)
                if command == "redeploy":
                    assert it.machine().on and it.counted() == full and it.kept() == kept, (number, it.things(), kept)
                else:
                    assert it.things() == empty, (number, it.things())
            assert number > it.least[command], number
            place.confirmed(0, "destroy", "loki")
        assert it.things() == empty, it.things()


@each(*WITH_API)
@takes(20)
def test_what_lasts_of_adoption_and_power(place, provider):
    """As with a redeploy; the machine is there all the time."""
    with cloud(provider, place) as it:
        place.serve()
        for number in itertools.count(1):
            id = it.make_foreign("loki")
            code = place.expect(6, "adopt", fqdn_of("loki")).code
            fault = lasting_from(it, "html", number)
            said = place.run("confirm", code)
            it.proxy.calm()
            if not fault.requests:
                assert said.status == 0 and number > 1, (number, said)
                break
            one_sentence(place, it, place.status("loki"))
            place.confirmed(0, "adopt", fqdn_of("loki"))
            assert it.lives().id == id
            place.confirmed(0, "destroy", "loki")
        place.write("saved.yaml", place.clipboard("loki"), 0o600)
        for number in itertools.count(1):
            fault = lasting_from(it, "html", number)
            said = place.run("replay", "saved.yaml", "--operation", "power")
            it.proxy.calm()
            if not fault.requests:
                assert said.status == 0 and number > 3, (number, said)
                break
            one_sentence(place, it, place.status("loki"))
            place.expect(0, "retry", "loki")
            assert it.lives().id == id


def listed(text):
    """What a list has, but for what changes by itself and what is not known to all: a price may be missing."""
    every = [json.loads(line) for line in text.splitlines()]
    return [{key: value for key, value in one.items() if key not in ("age", "monthly", "currency")} for one in every]


@each(*[f"{provider} {kind}" for provider in WITH_API for kind in ("429", "reset", "expired", "html")],
      sanitized=lambda both: both.endswith("html"))
@takes(20)
def test_lists(place, both):
    """Each call of `hosts` and `providers` fails once, and what lasts then for good: the whole list, or a sentence that says why not."""
    provider, kind = both.split()
    with cloud(provider, place) as it:
        place.serve()
        place.expect(0, "deploy", it.whole_spec())
        for command in (("hosts", "--json"), ("providers", provider, "--json")):
            counted = len(it.proxy.requests)
            whole = listed(place.expect(0, *command).out)
            assert len(whole) > (0 if command[0] == "hosts" else 3), whole
            for number in range(1, len(it.proxy.requests) - counted + 1):
                for times in (1, None) if kind in LASTING else (1,):
                    fault = it.proxy.fault(kind, nth=number, times=times)
                    said = place.run(*command)
                    it.proxy.calm()
                    assert fault.requests, (command, number)
                    if said.status == 0:
                        assert listed(said.out) == whole, (command, number, said)
                    else:
                        assert kind in LASTING and said.status == 1, (command, number, said)
                        assert re.search("answers|session has ended", said.err), (command, number, said)
                        assert provider in said.err or command[0] == "providers", said
                        assert len(said.err.splitlines()) <= 3 and not [word for word in SECRETS if word in said.text], said


@each(*WITH_API)
@takes(10)
def test_a_certificate_of_somebody_else(place, provider):
    with cloud(provider, place) as it:
        authority = Authority(place.path("strangers"))
        upstream_ca = getattr(it, "ca", None)
        with FaultProxy(it.proxy.address, it.upstream, it.dialect(), authority=authority, upstream_ca=upstream_ca) as proxy:
            it.proxy = proxy
            it.configure(ca_file=str(proxy.ca))
            place.serve()
            place.expect(0, "deploy", it.spec("calm"))
            proxy.fault("certificate", times=None)
            before = len(proxy.requests)
            said = place.expect(2, "deploy", it.spec())
            assert "certificate is not accepted" in said.text and "nothing was changed" in said.text, said
            assert len(proxy.requests) == before, "something was said to a stranger"
            assert not it.machines("loki")
