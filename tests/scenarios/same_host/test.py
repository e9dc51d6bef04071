"""A host belongs to one run at a time: the second deploy is refused, with who holds it and since when."""
import re

from lab import Gate
from lab.place import LANGUAGES


def test_the_second_deploy_is_refused(place):
    gate = Gate(place.path("gate"))
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:before", "demo:gate"])
    spec = place.spec("loki", provider="demo", gate=place.path("gate"))
    first = place.start("deploy", spec)
    gate.began()
    second = place.expect(3, "deploy", spec)
    assert "refused: " in second.text and "loki" in second.text, second
    run = place.status("loki")["run"]
    assert run in second.text, f"does not say which run holds it: {second!r}"
    assert re.search(r"since|\d+ ?s|\d\d:\d\d", second.text), f"does not say since when: {second!r}"
    # Another host is nobody's business.
    other = place.start("deploy", place.spec("thor", provider="demo", gate=place.path("gate")))
    gate.began()
    gate.open(workers=2)
    assert first.wait() == 0, first.output()
    assert other.wait() == 0, other.output()
    assert len(place.json("history", "loki")) == 1
    # And now it is free again.
    third = place.start("deploy", spec)
    gate.began()
    gate.open()
    assert third.wait() == 0, third.output()
    gate.close()


def test_a_short_name_means_whoever_has_it_by_now(place):
    """Names are looked up once and remembered; a host that comes later counts at once all the same, and after a restart."""
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:before"])
    serve = place.serve()

    def deploy(domain):
        place.expect(0, "deploy", place.spec("loki", provider="demo", fqdn=f"loki.{domain}"))
    assert "no host loki is known here" in place.expect(2, "status", "loki").text
    deploy("example.org")
    assert place.expect(0, "status", "loki").text.startswith("loki is ready")
    deploy("example.com")
    for _ in range(2):
        several = place.expect(2, "status", "loki").text
        assert "loki fits several hosts: loki.example.com, loki.example.org; give the whole name" in several, several
        assert place.expect(0, "status", "loki.example.org").text.startswith("loki.example.org is ready")
        assert place.expect(0, "status", "loki.example.com").text.startswith("loki.example.com is ready")
        assert serve.stop() == 0
        serve = place.serve()
