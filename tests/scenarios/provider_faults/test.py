"""What a network and a cloud can do to a call: it succeeds after retry, or the run fails with one sentence; no machine is leaked."""
from lab import each, takes, until
from lab.certificates import Authority
from lab.clouds import WITH_API, cloud
from lab.fault_proxy import FaultProxy
from lab.moto import preloaded

SHARED = [preloaded]
PASSING = ("429", "500", "503", "reset", "half", "hang")
LASTING = ("401", "expired", "html", "invalid")
SECRETS = ("Bearer", "root_pass", "user_data", "Signature=", "<password>")


def one_sentence(place, it, status):
    """The run's error says what went wrong in one line, and nothing that is nobody's business."""
    assert status["state"] == "failed" and status["error"], status
    assert "\n" not in status["error"] and len(status["error"]) < 600, status["error"]
    assert not [word for word in SECRETS if word in status["error"]], status["error"]
    return status["error"]


def ended(place, host):
    return until(lambda: place.status(host) and place.status(host)["state"] in ("succeeded", "failed") and place.status(host),
                 f"the run of {host} ends", 90)


def accounted_for(place, it, host="loki"):
    """However it ended: with the API well again the same command makes exactly one machine, and destroy leaves none."""
    it.proxy.calm()
    place.expect(0, "deploy", it.spec(host))
    machine = it.machine(host)
    assert machine.ours and machine.on and machine.id in place.clipboard(host)
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


@each(*[f"{provider} {kind}" for provider in WITH_API for kind in PASSING])
@takes(15, timeout=240)
def test_what_passes(place, both):
    """Every operation fails the first time that it is asked."""
    provider, kind = both.split()
    with cloud(provider, place) as it:
        if kind == "hang":  # an attempt that hears nothing is given up, and the task asked again
            it.patience = "6s"
            it.configure()
        place.serve()
        asked, names = operations(place, it)
        if kind == "hang":
            names = [it.creates, names[-1]]
        faults = [it.proxy.fault(kind, when=name, retry_after=1 if kind == "429" else None) for name in names]
        if kind != "hang":
            place.expect(0, "deploy", it.spec())
        else:  # plan mode has no second attempt: it says so, and the next order goes on
            until(lambda: place.run("deploy", it.spec()).status == 0, "a deploy gets through", 90)
        assert [fault for fault in faults if fault.requests], "nothing failed: this tests nothing"
        it.machine()
        accounted_for(place, it)


@each(*[f"{provider} {kind}" for provider in WITH_API for kind in LASTING])
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
                status = ended(place, host)
                if status["state"] == "failed":
                    one_sentence(place, it, status)
            accounted_for(place, it, host)


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
