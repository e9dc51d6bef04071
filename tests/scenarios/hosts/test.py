"""`hosts`: what carries jarvis's marks and what no run accounts for; `providers`: what is offered. Without a cloud: the local
provider, and providers made of an external worker."""
import json
import re

from lab import takes
from lab.channel import Channel, asks
from lab.cloud import Cloud, clouds
from lab.place import LANGUAGES


def orphans(place):
    return {thing["id"]: thing["why"] for thing in place.json("hosts", "--orphans")}


def test_everything_that_is_ours(place):
    rack, shed = clouds(place, "rack", "shed")
    spec = place.spec("loki", provider="rack")
    place.expect(0, "deploy", spec)
    run = place.status("loki")["run"]
    rack.lay("loki.example.org", run, kind="volume", machine=f"m-{run}", monthly=1)
    rack.lay("foreign.example.org")
    shed.lay("odin.example.org", "zzzzzz")
    said = place.expect(0, "hosts").out.splitlines()
    assert re.fullmatch(rf"loki\.example\.org: rack machine m-{run}, small in the cellar, run {run}, made .* ago, 5\.00 USD a month", said[0])
    assert said[1].startswith("loki.example.org: rack volume x-loki-volume") and f"of machine m-{run}" in said[1], said
    assert said[2].startswith("odin.example.org: shed machine") and said[2].endswith("orphan: run zzzzzz is not known here"), said
    assert "2 machines, 1 volume, 8.50 USD a month; no run accounts for 1 of them" in said[3] and len(said) == 4, said
    things = place.json("hosts")
    assert [thing["host"] for thing in things] == ["loki.example.org", "loki.example.org", "odin.example.org"], things
    assert things[0]["kind"] == "machine" and things[0]["run"] == run and things[0]["monthly"] == 5 and not things[0]["orphan"]
    assert things[0]["created"] == "2026-11-20T10:00:00.000Z" and things[0]["age"] > 0, things
    assert orphans(place) == {"x-odin-machine": "run zzzzzz is not known here"}
    # Gone with its host.
    place.confirmed(0, "destroy", "loki")
    assert "was destroyed by run" in orphans(place)["x-loki-volume"]


def test_a_failed_run_accounts_for_nothing_and_one_that_goes_on_does(place):
    rack, = clouds(place, "rack")
    spec = place.spec("loki", provider="rack", fails="yes")
    place.expect(1, "deploy", spec)
    run = place.status("loki")["run"]
    assert orphans(place) == {f"m-{run}": f"run {run} (deploy) did not end well"}
    place.expect(6, "destroy", "loki")  # it waits for its confirmation: somebody is at it
    assert orphans(place) == {}
    place.expect(0, "cancel", "loki")
    assert list(orphans(place)) == [f"m-{run}"]
    place.confirmed(0, "destroy", "loki")
    assert not rack.things() and orphans(place) == {}


def test_one_that_does_not_answer_is_named_and_the_rest_shown(place):
    rack, shed = clouds(place, "rack", "shed")
    place.expect(0, "providers")  # makes the state, without which nobody looks
    rack.lay("loki.example.org", "zzzzzz")
    shed.down()
    said = place.expect(1, "hosts")
    assert "loki.example.org: rack machine" in said.out and "shed: cannot be reached" in said.err, said
    assert "orphan: run zzzzzz is not known here" in place.expect(1, "hosts", "--orphans").out
    shed.up()
    (rack.directory / "odd.json").write_text('{"kind": "machine", "id": "x", "fqdn": null, "run": "r", "monthly": "much"}')
    said = place.expect(1, "hosts")
    assert "rack: machines: item 1 has no `fqdn`" in said.err, said


def test_a_workers_text_stays_one_line(place):
    rack, = clouds(place, "rack")
    place.expect(0, "providers")
    rack.lay("loki.example.org", "zzzzzz", shown="small\x1b[2J\nloki.example.org: forged")
    said = place.expect(0, "hosts").out
    assert "\x1b" not in said and len(said.splitlines()) == 2, said


@takes(3)
def test_local_hosts(place):
    spec = place.spec("loki", provider="local")
    place.expect(0, "deploy", spec)
    run = place.status("loki")["run"]
    said = place.expect(0, "hosts").out
    assert re.search(rf"^loki\.example\.org: local machine local-\w+, thin at 127\.\S+:2222, run {run}, made ", said), said
    assert orphans(place) == {}
    for path in place.state.glob("journal.db*"):
        path.unlink()
    (place.state / "audit.log").unlink()
    assert list(orphans(place).values()) == [f"run {run} is not known here"]
    # The way back: adopt knows it again, and then it can be deleted.
    place.confirmed(0, "adopt", "loki.example.org")
    assert orphans(place) == {}
    place.confirmed(0, "destroy", "loki")
    assert place.json("hosts") == []


def test_what_is_offered(place):
    rack, shed = clouds(place, "rack", "shed")
    said = place.expect(0, "providers").out.splitlines()
    assert said[0].startswith("local: adopt, deploy, destroy, redeploy") and said[1].startswith("rack: "), said
    assert len(said) == 3, f"what is not configured is not listed: {said}"
    types = place.expect(0, "providers", "rack", "type").out.splitlines()
    assert types == ["type small, Small, 1 CPU, 1024 MB, 5.00 USD a month", "type large, Large, 4 CPU, 2048 MB, 20.50 USD a month"]
    assert place.expect(0, "providers", "shed", "types", "2048").out == types[1] + "\n"
    assert [one["id"] for one in place.json("providers", "rack", "debian", "12")] == ["img-12"]
    assert place.json("providers", "rack", "region")[0] == {
        "provider": "rack", "kind": "region", "id": "cellar", "label": "The cellar", "shown": "below the stairs", "monthly": None,
        "currency": None}
    assert "none of the 15 things that rack offers fits `frob`" in place.expect(0, "providers", "rack", "frob").out
    assert "did you mean rack?" in place.expect(2, "providers", "rakc").err
    assert "linode is not configured" in place.expect(2, "providers", "linode").err
    rack.down()
    assert "cannot be reached" in place.expect(1, "providers", "rack").err
    checked = place.expect(2, "check").out
    assert "provider rack: cannot be reached" in checked and "provider shed: ok" in checked and "provider local: ok" in checked


def test_a_module_without_rows_is_not_asked(place):
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:full"])
    assert "demo: deploy" in place.expect(0, "providers").out
    assert "demo has no task demo:offers" in place.expect(2, "providers", "demo").err
    assert place.json("hosts") == []


def test_what_a_plan_costs(place):
    clouds(place, "rack")
    place.plan("rack", deploy=["rack:can_deploy", "rack:deploy"])
    spec = place.spec("loki", provider="rack", price="7.25")
    steps = [json.loads(line)["monthly"] for line in place.expect(5, "plan", spec, "--json").out.splitlines()]
    assert steps == [7.25, 7.25], steps


@takes(6)
def test_in_a_channel(place):
    """A role sees its hosts only, may not spend more than it says, and orphans are told where the configuration says so."""
    everything = {"commands": ["*"], "hosts": ["*"], "providers": ["*"], "places": ["*"]}
    rack = Cloud(place, "rack")
    with Channel(place, workers={"rack": rack.worker}, people={"thor": ["all"], "freya": ["narrow"]},
                 roles={"all": everything, "narrow": {**everything, "hosts": ["*.websages.com"], "monthly": 4}},
                 orphans={"tell": ["freenet/#ops"], "every": "1s"}) as channel:
        url = channel.site.gist("1", **{"loki.yaml": "instance:\n  fqdn: loki.websages.com\n  provider: rack\n"})
        channel.serve()
        thor, freya = channel.persons(thor=None, freya=None)
        channel.until_there(thor)
        asks(freya, f"deploy {url}", r"refused: role narrow may spend 4 a month at once, and this would cost 5\.00")
        assert place.never_ran("loki")
        asks(thor, f"deploy {url}", "loki is ready")
        # Quiet while there are none; then one line, by itself.
        rack.lay("odin.example.org", "zzzzzz")
        thor.next(r"PRIVMSG #ops :no run accounts for 1 thing with jarvis's marks, 2\.50 USD a month: odin\.example\.org \(rack machine x-odin-machine\);"
                  r" `jarvis: hosts --orphans` says why")
        asks(freya, "hosts", r"freya: loki\.websages\.com: rack machine m-")
        freya.next(r"freya: 1 machine, 5\.00 USD a month$")
        asks(thor, "hosts --orphans", r"thor: odin\.example\.org: rack machine x-odin-machine.*orphan: run zzzzzz is not known here")
        asks(thor, "providers rack", r"thor: \.\.\. and 12 more; say more words, as in `jarvis: providers rack type 2048`")
        asks(thor, "providers rack type 2048", r"thor: type large, Large")
        asks(freya, "adopt odin.example.org", "refused: role narrow is not for odin.example.org")
        asks(thor, "destroy loki", r"made .*: delete loki\.websages\.com \(m-\w+\)$|gone: delete loki\.websages\.com \(m-\w+\)$")
        thor.next(r"jarvis: confirm \w+$")
