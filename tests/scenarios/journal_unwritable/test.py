"""A disk without room for what SQLite puts beside the journal: who looks still gets an answer, nothing is begun."""
import signal

from lab import Gate
from lab.place import LANGUAGES


def test_status_is_answered_and_nothing_begins(place):
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:before", "demo:gate"])
    gate = Gate(place.path("gate"))
    spec = place.spec("loki", provider="demo", gate=place.path("gate"))
    deploy = place.start("deploy", spec)
    gate.began()
    deploy.signal(signal.SIGKILL)
    deploy.wait()
    # What a full disk does, for root too: the index of the write-ahead log cannot be made.
    place.run("help")
    shared = place.state / "journal.db-shm"
    shared.unlink(missing_ok=True)
    shared.mkdir()
    status = place.expect(0, "status", "loki")
    assert "loki interrupted at 2/2 gate" in status.out, status
    assert "loki.example.org" in place.json("history", "loki")[0]["host"]
    assert "demo:before, attempt 1" in place.expect(0, "logs", "loki").out
    refused = place.expect(1, "deploy", spec)
    assert "journal.db" in refused.err and "see that its directory can be written" in refused.err, refused
    gate.close()
