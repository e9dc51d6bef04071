"""What `jarvis serve` costs when it stands there: start to ready, memory when idle, memory of a run in flight."""
import os
import pathlib
import select
import time

from measures import Failed
from report import figure
from subject import Jarvis


def children_of():
    """pid -> pids of its children, of everything that runs here."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue  # it has just ended
        children.setdefault(parent, []).append(int(entry.name))
    return children


def tree(pid):
    children, found = children_of(), [pid]
    for one in found:
        found += children.get(one, [])
    return found


def kib(path, field):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise Failed(f"{path} has no {field}")


def pss(pids):
    return sum(kib(pathlib.Path(f"/proc/{pid}/smaps_rollup"), "Pss") for pid in pids)


def start_to_ready(place, binary, starts):
    """Both ways: READY=1 on NOTIFY_SOCKET, and a whole `status` command answered right after."""
    ready, answered = [], []
    for _ in range(starts):
        jarvis = Jarvis(place, binary, {}, max_workers=256)
        try:
            began = time.monotonic()
            ready.append(jarvis.serve() * 1000)
            jarvis.run("status", "--json")
            answered.append((time.monotonic() - began) * 1000)
        finally:
            jarvis.close()
    return [figure("start to READY=1", ready, "ms", "fork and exec included"),
            figure("start to a `status` answered", answered, "ms", "with the command's own start")]


def idle_memory(place, binary):
    jarvis = Jarvis(place, binary, {}, max_workers=256)
    try:
        jarvis.serve()
        jarvis.run("status", "--json")
        pids = tree(jarvis.server.pid)
        return [figure("idle memory, PSS of all processes", [pss(pids) / 1024], "MiB", f"{len(pids)} processes")]
    finally:
        jarvis.close()


class Gate:
    """The FIFOs of programs/worker.cc: `began` counts workers, `gate` holds those that block."""

    def __init__(self, place):
        self._ends = []
        for name in ("began", "gate"):
            if not (place.path / name).exists():
                os.mkfifo(place.path / name)
            # For both directions, so that nobody blocks in open().
            self._ends.append(os.open(place.path / name, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))

    def count(self, workers, seconds):
        deadline = time.monotonic() + seconds
        seen = 0
        while seen < workers:
            if not select.select([self._ends[0]], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise Failed(f"{seen} of {workers} workers began within {seconds} s")
            seen += len(os.read(self._ends[0], 65536))

    def open(self):
        for end in self._ends:
            os.close(end)


def memory_in_flight(place, binary, runs, task, what):
    """Loop's RSS with `runs` runs in flight, less the RSS before, for each run."""
    jarvis = Jarvis(place, binary, {"waiting": [task]}, max_workers=runs)
    gate = Gate(place)
    try:
        jarvis.serve()
        jarvis.run("status", "--json")
        status = pathlib.Path(f"/proc/{jarvis.server.pid}/status")
        before = kib(status, "VmRSS")
        jarvis.run("deploy", "--quiet", "--detach", *jarvis.specs("waiting", runs))
        gate.count(runs, 60)
        wait_for_all(jarvis, runs, waiting=task.endswith(":later"))
        after = kib(status, "VmRSS")
        made = [figure(f"memory of the loop for a run {what}", [(after - before) / runs], "KiB",
                       f"RSS {before / 1024:.1f} to {after / 1024:.1f} MiB with {runs} runs, clipboards of 4 KB")]
        workers = [pid for pid in tree(jarvis.server.pid) if os.path.exists(f"/proc/{pid}/exe")
                   and os.readlink(f"/proc/{pid}/exe") == str(place.path / "worker")]
        if workers:
            made.append(figure("memory of such a worker, PSS", [pss(workers) / len(workers)], "KiB"))
        return made
    finally:
        gate.open()
        jarvis.close()


def wait_for_all(jarvis, runs, waiting):
    """Until the journal has every attempt where it should be: ended with "not yet", or under way."""
    deadline = time.monotonic() + 60
    condition = "not_yet = 1 AND ended IS NOT NULL" if waiting else "ended IS NULL"
    while True:
        ((there,),) = jarvis.query(f"SELECT count(*) FROM attempt WHERE {condition}")
        if there == runs:
            return
        if time.monotonic() > deadline or jarvis.server.poll() is not None:
            raise Failed(f"{there} of {runs} runs are in flight")
        select.select([], [], [], 0.02)


def take(place, binary, sizes, say):
    for what, function in (
            ("start to ready", lambda: start_to_ready(place, binary, sizes.starts)),
            ("idle memory", lambda: idle_memory(place, binary)),
            ("memory, waiting", lambda: memory_in_flight(place, binary, sizes.waiting, "idle:later", "that waits")),
            ("memory, under way", lambda: memory_in_flight(place, binary, sizes.waiting, "idle:block", "with a task under way"))):
        say(what)
        yield what, function
