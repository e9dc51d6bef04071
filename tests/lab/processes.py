"""Processes as the kernel sees them (/proc), and a background process of a test."""
import ctypes
import os
import pathlib
import platform
import signal
import struct
import subprocess


def _stat(pid):
    """(state, parent) or None when there is no such process."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2:].split()
    return fields[0], int(fields[1])


def living():
    """Every process that is not a zombie: {pid: parent}."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            stat = _stat(int(entry))
            if stat and stat[0] not in "ZX":
                found[int(entry)] = stat[1]
    return found


def alive(pid):
    stat = _stat(pid)
    return bool(stat) and stat[0] not in "ZX"


def descendants(pid):
    """Living processes below `pid`, nearest first."""
    parents, found, front = living(), [], {pid}
    while front:
        front = {child for child, parent in parents.items() if parent in front}
        found += sorted(front)
    return found


def exe_of(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


def command_line_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def environment_of(pid):
    try:
        raw = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return {}
    return dict(item.decode(errors="replace").partition("=")[::2] for item in raw.split(b"\0") if b"=" in item)


def named(name, below):
    """The living descendants of `below` that run the executable `name`."""
    return [pid for pid in descendants(below) if exe_of(pid) == name]


def slice_of(pid):
    """Nanoseconds that the scheduler gives it at a time (sched_getattr(2)); 0 from a Linux before 6.12, which tells none."""
    number = {"x86_64": 315, "aarch64": 275}[platform.machine()]
    attributes = ctypes.create_string_buffer(48)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, pid, attributes, 48, 0) != 0:
        raise OSError(ctypes.get_errno(), "sched_getattr")
    return struct.unpack("IIQiIQQQ", attributes.raw)[5]


def kill_now(pid):
    """SIGKILL; well when it is gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Process:
    """A jarvis in the background. Output goes to a file, so that nobody has to read along."""

    def __init__(self, arguments, log, directory, environment, stdin=subprocess.DEVNULL):
        self.log = log
        self._arguments = arguments
        with open(log, "wb") as out:
            self._popen = subprocess.Popen(arguments, stdin=stdin, stdout=out, stderr=subprocess.STDOUT, cwd=directory,
                                           env=environment)
        self.pid = self._popen.pid

    def output(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def running(self):
        return self._popen.poll() is None

    def wait(self, seconds=60):
        """The exit status; negative: the signal that ended it."""
        patience = seconds * float(os.environ.get("JARVIS_TEST_PATIENCE", "1"))
        try:
            return self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{' '.join(self._arguments)} still runs after {seconds} s:\n{self.output()}") from None

    def signal(self, number):
        if self.running():
            self._popen.send_signal(number)

    def kill(self):
        """kill -9, and waits until it is dead."""
        self.signal(signal.SIGKILL)
        self._popen.wait()

    def stop(self, seconds=30):
        """Asks it to end (SIGTERM) and waits; SIGKILL when it does not."""
        self.signal(signal.SIGTERM)
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{' '.join(self._arguments)} did not end on SIGTERM within {seconds} s") from None
