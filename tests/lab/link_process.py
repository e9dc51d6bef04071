"""A link (jarvis-irc, jarvis-xmpp) driven over its pipes, as jarvis drives it: JSON lines in and out, log lines on stderr."""
import json
import os
import pathlib
import subprocess
import threading

from .waiting import until


class LinkProcess:
    def __init__(self, place, program, before=(), **configuration):
        """`before`: a command that runs it."""
        self._log = place.path(f"{program}.log")
        self._all, self._read = [], 0  # every event, and how many next() has looked past
        binary = pathlib.Path(os.environ["JARVIS_BUILD"]) / program
        with open(self._log, "ab") as log:
            self._popen = subprocess.Popen([*before, str(binary)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                           env=place.environment())
        self.pid = self._popen.pid
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()
        self.tell(**configuration)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if error[0]:
            print(f"--- events\n{self._all}\n--- log of the link\n{self.log()}")
            self._popen.kill()
        elif self.running():
            self.stop()
        self._popen.wait()
        self._reader.join()
        self._popen.stdout.close()
        self._popen.stdin.close()

    def _collect(self):
        for line in self._popen.stdout:
            self._all.append(json.loads(line))

    # To the link

    def tell(self, **line):
        self.raw(json.dumps(line))

    def raw(self, text):
        self._popen.stdin.write(text.encode() + b"\n")
        self._popen.stdin.flush()

    def say(self, place, text, to=None, **more):
        """`id`: then the link tells how it ended."""
        self.tell(type="say", place=place, to=to, text=text, **more)

    def stop(self, seconds=10):
        """Says stop and ends its input, as jarvis does; the exit status."""
        self.tell(type="stop")
        return self._popen.wait(seconds)

    # From the link

    def events(self, kind=None, **fields):
        """What came so far."""
        return [event for event in list(self._all) if _fits(event, kind, fields)]

    def next(self, kind, seconds=30, **fields):
        """The next event of this kind with these fields after the one that next() gave last; skips others."""
        def found():
            for index in range(self._read, len(self._all)):
                if _fits(self._all[index], kind, fields):
                    self._read = index + 1
                    return self._all[index]
            return None
        return until(found, f"the link sends {kind} {fields}", seconds)

    def log(self):
        return self._log.read_text(encoding="utf-8", errors="replace")

    def until_logged(self, text, seconds=30):
        until(lambda: text in self.log(), f"the link logs {text!r}", seconds)

    def running(self):
        return self._popen.poll() is None


def _fits(event, kind, fields):
    return (kind is None or event.get("type") == kind) and all(event.get(key) == value for key, value in fields.items())
