"""A place: one jarvis with configuration, state, specs, plans and workers in a temporary directory of its own."""
import ipaddress
import json
import os
import pathlib
import re
import socket
import stat
import subprocess

from .processes import Process
from .waiting import until

SCENARIOS = pathlib.Path(__file__).resolve().parent.parent / "scenarios"
WORKERS = SCENARIOS / "workers"
LANGUAGES = {"sh": WORKERS / "subject.sh", "perl": WORKERS / "subject.pl", "python": WORKERS / "subject.py"}


class Result:
    """How a command ended: `status`, `out`, `err`, and `text`, both together."""

    def __init__(self, arguments, status, out, err):
        self.arguments, self.status, self.out, self.err = arguments, status, out, err
        self.text = out + err

    @property
    def code(self):
        """Of a command that asks first: what confirms it."""
        found = re.search(r"jarvis confirm (\S+)\s*$", self.text)
        assert found, f"it asks for no confirmation:\n{self!r}"
        return found[1]

    def __repr__(self):
        shown = " ".join(self.arguments[1:])
        return f"jarvis {shown}\n  exit status {self.status}\n  stdout: {self.out.strip()}\n  stderr: {self.err.strip()}"


class Place:
    def __init__(self, directory, addresses):
        self.directory = pathlib.Path(directory)
        self.addresses = addresses  # a loopback range that no other test uses
        self.host = str(ipaddress.ip_network(addresses)[1])  # one of it, for a server of the test
        self.state = self.directory / "state"
        self.binary = pathlib.Path(os.environ["JARVIS_BUILD"]) / "jarvis"
        self.sanitizer = self.directory / "sanitizer"
        self.serving = None  # the last `serve`
        self._background = []
        self.directory.mkdir(exist_ok=True)
        self.configure()

    def apart(self, name):
        """Another jarvis within this test, which is closed with it."""
        other = Place(self.path(name), self.addresses)
        other._background = self._background
        return other

    # Files

    def path(self, name):
        return self.directory / name

    def write(self, name, content, mode=0o644):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        path.chmod(mode)
        return path

    def configure(self, **sections):
        """Writes jarvis.yaml. JSON is YAML, so this needs no emitter."""
        settings = {"state": "state", "plans": ["plans/"], "providers": {"local": {"addresses": self.addresses}}}
        settings.update(sections)
        self.path("plans").mkdir(exist_ok=True)
        self.write("jarvis.yaml", json.dumps(settings, indent=1) + "\n")

    def plan(self, provider, **operations):
        """An action list file; entries are "module:task" or mappings."""
        self.write(f"plans/{provider}.yaml", json.dumps({"provider": provider, **operations}, indent=1) + "\n")

    def spec(self, hostname="loki", text=None, **keys):
        """A spec file under specs/, by default hostname and fqdn and the given keys; its path."""
        if text is None:
            keys = {"hostname": hostname, "fqdn": f"{hostname}.example.org", **keys}
            text = "instance:\n" + "".join(f"  {key}: {value}\n" for key, value in keys.items())
        return str(self.write(f"specs/{hostname}.yaml", text))

    # Commands

    def arguments(self, *arguments):
        return [str(self.binary), "-c", str(self.path("jarvis.yaml")), *map(str, arguments)]

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "USER") if name in os.environ}
        kept["HOME"] = str(self.directory)
        # Reports go to files, so that one in a process whose output nobody shows is found all the same.
        kept["ASAN_OPTIONS"] = f"exitcode=99:log_path={self.sanitizer}:detect_stack_use_after_return=1"
        kept["UBSAN_OPTIONS"] = f"print_stacktrace=1:log_path={self.sanitizer}"
        kept.update(more)
        return kept

    def run(self, *arguments, input=None, seconds=60, environment=None, directory=None):
        """Runs one command to its end, not on a terminal."""
        if isinstance(input, str):
            input = input.encode()
        arguments = self.arguments(*arguments)
        patience = seconds * float(os.environ.get("JARVIS_TEST_PATIENCE", "1"))
        done = subprocess.run(arguments, input=input if input is not None else b"", capture_output=True, timeout=patience,
                              check=False, cwd=directory or self.directory, env=environment or self.environment())
        return Result(arguments, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def expect(self, status, *arguments, **more):
        """run(), and the exit status must be this one."""
        result = self.run(*arguments, **more)
        assert result.status == status, f"expected exit status {status}:\n{result!r}"
        return result

    def confirmed(self, status, *arguments):
        """A command that asks first, confirmed; how that ended, which must be with this status. `asked`: the question."""
        asked = self.expect(6, *arguments)
        result = self.expect(status, "confirm", asked.code)
        result.asked = asked.text
        return result

    def local_task(self, task, board, directory, addresses):
        """A task of the local provider that no jarvis of the place knows of; its clipboard."""
        environment = self.environment(JARVIS_TASK=f"local:{task}", JARVIS_MODE="apply", LOCAL_DIR=str(directory), LOCAL_ADDRESSES=addresses,
                                       LOCAL_LAUNCHER=str(self.binary.with_name("jarvis-local")))
        done = subprocess.run([self.binary.with_name("jarvis-core"), "--task", f"local:{task}"], input=json.dumps(board).encode(),
                              capture_output=True, check=False, timeout=60, env=environment)
        assert done.returncode == 0, f"local:{task} in {directory}: {done.stderr.decode()}"
        return done.stdout

    def measured(self, *arguments, stdin=os.devnull):
        """run() with its peak memory in KiB: (Result, KiB). Counts the processes that it waited for too."""
        arguments = self.arguments(*arguments)
        out, err = self.path("measured.out"), self.path("measured.err")
        with open(stdin, "rb") as source, open(out, "wb") as to_out, open(err, "wb") as to_err:
            pid = os.posix_spawn(arguments[0], arguments, self.environment(), file_actions=[
                (os.POSIX_SPAWN_DUP2, source.fileno(), 0), (os.POSIX_SPAWN_DUP2, to_out.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, to_err.fileno(), 2)])
            _, status, usage = os.wait4(pid, 0)
        result = Result(arguments, os.waitstatus_to_exitcode(status), out.read_text(errors="replace"),
                        err.read_text(errors="replace"))
        return result, usage.ru_maxrss

    def start(self, *arguments, environment=None, stdin=subprocess.DEVNULL):
        """Starts one in the background; ended with the test."""
        log = self.path(f"logs/{len(self._background)}-{arguments[0]}.log")
        log.parent.mkdir(exist_ok=True)
        process = Process(self.arguments(*arguments), log, self.directory, environment or self.environment(), stdin)
        return self.background(process)

    def background(self, process):
        """Lets the test end this process, a server that the test needs; the process."""
        self._background.append(process)
        return process

    def serve(self, **more):
        """`jarvis serve`, ready: its socket answers."""
        process = self.serving = self.start("serve", **more)
        until(lambda: self.answers() or not process.running(), "serve answers on its socket")
        assert process.running(), f"serve ended:\n{process.output()}"
        return process

    def answers(self):
        """Is there a socket under the state directory that accepts a connection?"""
        for path in self.state.glob("*"):
            try:
                if not stat.S_ISSOCK(path.lstat().st_mode):
                    continue
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                    probe.connect(str(path))
                    return True
            except OSError:
                continue
        return False

    # What jarvis says

    def json(self, *arguments, **more):
        """The objects that a command with --json prints."""
        result = self.expect(0, *arguments, "--json", **more)
        return [json.loads(line) for line in result.out.splitlines()]

    def status(self, host):
        """The newest run of a host, or None."""
        result = self.run("status", host, "--json")
        lines = result.out.splitlines()
        return json.loads(lines[0]) if result.status == 0 and lines else None

    def until_state(self, host, *states, seconds=60):
        """Waits until the newest run of the host is in one of the states; its status."""
        seen = []

        def reached():
            seen[:] = [self.status(host)]
            return seen[0] and seen[0]["state"] in states
        try:
            until(reached, f"{host} is {' or '.join(states)}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {seen[0]}") from None
        return seen[0]

    def in_flight(self):
        """The short names of the hosts whose newest run has not ended."""
        ended = ("succeeded", "failed", "cancelled")
        return {run["host"].partition(".")[0] for run in self.json("status") if run["state"] not in ended}

    def never_ran(self, host):
        """No run of the host was ever made."""
        return self.run("status", host).status == 2 and not self.in_flight()

    def clipboard(self, host, *more):
        return self.expect(0, "clipboard", host, *more).out

    def facts(self, host="loki"):
        """The clipboard as a dictionary."""
        from .sealed_yaml import load  # the quickstart, which uses a Place too, has no YAML
        return load(self.clipboard(host))

    # The end

    def close(self):
        for process in self._background:
            if process.running():
                process.stop()

    def abandon(self):
        """After a failure: ends what runs without asking, and returns what the background processes said."""
        said = []
        for process in self._background:
            process.kill()
            said.append(f"--- {process.log.name}\n{process.output()[-4000:]}")
        return "\n".join(said)

    def sanitizer_reports(self):
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.directory.glob("sanitizer.*")))
