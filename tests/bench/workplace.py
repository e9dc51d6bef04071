"""A directory on a real disk for everything the bench makes, the programs it compiles, and the processes it runs."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from measures import Failed

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
PROGRAMS = {"forkserver": [], "worker": [], "commits": ["-lsqlite3", "-lm", "-ldl", "-lpthread"]}
IN_MEMORY = ("tmpfs", "ramfs")
PATIENCE = 120


def file_system(path):
    """The type of the file system that holds `path`."""
    best, found = -1, "unknown"
    for line in pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, where, kind, *_ = line.split(" ")
        where = where.encode().decode("unicode_escape")
        if os.path.commonpath([where, path]) == where and len(where) >= best:
            best, found = len(where), kind
    return found


class Workplace:
    def __init__(self, below):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="jarvis-bench.", dir=below))
        self.file_system = file_system(str(self.path))
        self._started = []

    def compile(self):
        """The bench's own programs: static, so that what is measured is the fork and not the dynamic linker."""
        for name, libraries in PROGRAMS.items():
            source = HERE / "programs" / f"{name}.cc"
            self.run("g++", "-std=c++20", "-O2", "-static", source, "-o", self.path / name, *libraries)

    def environment(self, **more):
        """Nobody's start-up files and settings: each program gets these variables and no others."""
        return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(self.path), "TMPDIR": str(self.path),
                "LANG": "C.UTF-8", "SHELL": "/bin/sh", **more}

    def run(self, *command, stdin="", seconds=PATIENCE, **environment):
        """Runs a program to its good end; its stdout. Failed with what it said otherwise."""
        command = [str(word) for word in command]
        process = self.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **environment)
        try:
            out, err = process.communicate(stdin.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Failed(f"{' '.join(command[:6])}: not over after {seconds} s") from None
        finally:
            self._started.remove(process)
        if process.returncode != 0:
            last = (err or out).decode(errors="replace").strip().splitlines()[-3:]
            raise Failed(f"{' '.join(command[:6])}: exit status {process.returncode}: {' / '.join(last)}")
        return out.decode(errors="replace")

    def timed(self, *command, **more):
        """The wall-clock seconds of a whole program."""
        began = time.monotonic()
        self.run(*command, **more)
        return time.monotonic() - began

    def start(self, *command, stdin=subprocess.DEVNULL, stdout=None, stderr=None, **environment):
        process = subprocess.Popen([str(word) for word in command], cwd=self.path, env=self.environment(**environment),
                                   stdin=stdin, stdout=stdout, stderr=stderr)
        self._started.append(process)
        return process

    def end(self, process, seconds=10):
        """Asks politely, then not; the exit status."""
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
        finally:
            if process in self._started:
                self._started.remove(process)

    def close(self):
        for process in list(self._started):
            self.end(process)
        shutil.rmtree(self.path)
