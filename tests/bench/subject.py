"""jarvis itself: durable runs of trivial tasks, timed from inside, as its journal has it."""
import json
import os
import pathlib
import select
import socket
import sqlite3
import time

from floor import BOTH, IN
from measures import MANY, ONE, Failed, Measure, Missing

CLIPBOARD = 4096  # bytes, as jarvis writes the first one
BUILT_IN, EXTERNAL = "jarvis, built-in", "jarvis, external"


def spec(host, provider):
    """Keys such as people have, until the clipboard has its size."""
    keys = {"hostname": host.partition(".")[0], "fqdn": host, "provider": provider, "guestid": "Debian 12"}
    size = sum(len(f"{key}: {value}\n") for key, value in keys.items())
    for number in range(1000):
        key = f"note-{number:03}"
        value = "what somebody wants the next task to know about this host, in words and numbers 0123"
        room = CLIPBOARD - size - len(f"{key}: \n")
        if room <= 0:
            break
        keys[key] = value[:room].strip()
        size += len(f"{key}: {keys[key]}\n")
    return "instance:\n" + "".join(f"  {key}: {value}\n" for key, value in keys.items())


class Jarvis:
    """One jarvis with a fresh state; `tasks` maps a provider's name to its action list."""

    _count = 0

    def __init__(self, place, binary, tasks, max_workers):
        if not binary.exists():
            raise Missing(f"{binary} is not there: cmake --preset release && cmake --build --preset release")
        Jarvis._count += 1
        self.place, self.binary = place, binary
        self.directory = place.path / f"j{Jarvis._count}"
        self.state = self.directory / "state"
        (self.directory / "plans").mkdir(parents=True)
        for provider, entries in tasks.items():
            plan = {"provider": provider, "deploy": entries}
            (self.directory / "plans" / f"{provider}.yaml").write_text(json.dumps(plan), encoding="utf-8")
        settings = {"plans": ["plans/"], "workers": {"idle": str(place.path / "worker")}, "max_workers": max_workers,
                    "log": {"level": "warn"}, "grace": "1s"}
        (self.directory / "jarvis.yaml").write_text(json.dumps(settings), encoding="utf-8")
        self.server = None

    def words(self, *command):
        return [self.binary, "-c", self.directory / "jarvis.yaml", "--state", self.state, *command]

    def specs(self, provider, count):
        made = []
        for number in range(count):
            path = self.directory / f"{provider}.{number}.yaml"
            path.write_text(spec(f"h{number}.{provider}.example.org", provider), encoding="utf-8")
            made.append(path)
        return made

    def run(self, *command):
        return self.place.run(*self.words(*command))

    def serve(self):
        """Starts it and waits for its READY; the seconds from before the fork until then."""
        # An abstract name: no path that could be too long.
        name = f"\0jarvis-bench.{os.getpid()}.{Jarvis._count}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(name)
            began = time.monotonic()
            self.server = self.place.start(*self.words("serve"), NOTIFY_SOCKET="@" + name[1:])
            while time.monotonic() < began + 10:
                if select.select([ready], [], [], 0.1)[0] and b"READY=1" in ready.recv(4096).split(b"\n"):
                    return time.monotonic() - began
                if self.server.poll() is not None:
                    raise Failed(f"jarvis serve: exit status {self.server.returncode}")
        raise Failed("jarvis serve: no READY=1 on NOTIFY_SOCKET within 10 s")

    def query(self, sql, *values):
        """The journal, read beside its writer."""
        with sqlite3.connect(f"file:{self.journal()}?mode=ro", uri=True) as database:
            return database.execute(sql, values).fetchall()

    def journal(self) -> pathlib.Path:
        for path in sorted(self.state.iterdir()):
            if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3":
                return path
        raise Failed(f"no journal in {self.state}")

    def span(self, attempts):
        """Seconds from the first attempt's begin to the last one's end."""
        ((count, succeeded, microseconds),) = self.query(
            "SELECT count(*), sum(outcome = 'succeeded'), max(ended) - min(started) FROM attempt")
        if count != attempts or succeeded != attempts:
            raise Failed(f"{count} attempts, {succeeded} of them succeeded; {attempts} were to be measured")
        return microseconds / 1e6

    def close(self):
        if self.server:
            self.place.end(self.server)
            self.server = None


def add(measures, place, binary, sizes):
    def take(task, runs, steps):
        jarvis = Jarvis(place, binary, {"trivial": [task] * steps}, max_workers=256)
        try:
            if runs > 1:
                jarvis.serve()
            jarvis.run("deploy", "--quiet", *jarvis.specs("trivial", runs))
            return jarvis.span(runs * steps)
        finally:
            jarvis.close()

    for section, runs, steps in ((ONE, 1, sizes.one["jarvis"]), (MANY, 256, sizes.many["jarvis"])):
        for name, task, floor in ((f"{BUILT_IN}, prints nothing", "bench:nothing", IN),
                                  (f"{BUILT_IN}, prints 4 KB", "bench:echo", BOTH),
                                  (f"{EXTERNAL}, prints nothing", "idle:nothing", IN)):
            measures.add(Measure(section, name, runs * steps, lambda t=task, r=runs, s=steps: take(t, r, s),
                                 against=floor, note="durable; 4 KB in"))
