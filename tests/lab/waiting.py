"""Waiting for events, never for time: every wait names what it waits for and has a deadline."""
import os
import select
import time


def pause(seconds):
    """The grain of a poll, and the length of a random moment; never a guess at how long something takes."""
    select.select([], [], [], seconds)


def until(condition, what, seconds=30):
    """The first true value of `condition()`; AssertionError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds * float(os.environ.get("JARVIS_TEST_PATIENCE", "1"))
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain until {what}")
        pause(0.01)


class Gate:
    """Two FIFOs between a test and a worker: the worker says that it has begun and goes on when the test lets it.

    The worker's side: write a line to DIR/began, then read a line from DIR/go.
    """

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        # Opened for both directions, so that neither side ever blocks in open() or sees an end of file.
        self._ends = {}
        for name in ("began", "go"):
            os.mkfifo(directory / name)
            self._ends[name] = os.open(directory / name, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)

    def began(self, seconds=30):
        """Waits until a worker is at the gate; its line (empty when it said nothing)."""
        patience = seconds * float(os.environ.get("JARVIS_TEST_PATIENCE", "1"))
        if not select.select([self._ends["began"]], [], [], patience)[0]:
            raise AssertionError(f"no worker came to {self.directory} within {seconds} s")
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(self._ends["began"], 1)
        return line.decode().strip()

    def open(self, workers=1):
        """Lets that many workers through."""
        os.write(self._ends["go"], b"\n" * workers)

    def close(self):
        for end in self._ends.values():
            os.close(end)
