"""Runs scenarios side by side: runner.py --build DIR [--jobs N] [--accept] [--list] [NAME]...

A scenario is a directory under tests/scenarios with a `commands` file (see transcript.py) or a test.py whose functions
test_*(place) are one test each. NAME is a directory, DIRECTORY.FUNCTION, or a pattern with `*`. A module may name under
SHARED what its tests use together: functions that start it and return a function that ends it.
"""
import argparse
import fnmatch
import importlib.util
import itertools
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.dont_write_bytecode = True

from lab import guard  # noqa: E402
from lab.place import SCENARIOS  # noqa: E402


WAITING = 4  # such cases side by side, besides the others


class Case:
    def __init__(self, name, directory, function=None, arguments=()):
        self.name, self.directory, self.function, self.arguments = name, directory, function, arguments
        self.seconds = getattr(function, "seconds", 1)
        self.timeout = getattr(function, "timeout", 120)
        self.waiting = getattr(function, "waiting", False)
        self.addresses = ""
        self.shared = function.__globals__.get("SHARED", ()) if function else ()


def discover(sanitized=False):
    for directory in sorted(SCENARIOS.iterdir()):
        if (directory / "commands").exists():
            yield Case(directory.name, directory)
        if (directory / "test.py").exists():
            spec = importlib.util.spec_from_file_location(f"scenario_{directory.name}", directory / "test.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            for name, function in vars(module).items():
                if not name.startswith("test_") or not callable(function):
                    continue
                short = f"{directory.name}.{name[len('test_'):]}"
                values = getattr(function, "values", None)
                if values is None:
                    yield Case(short, directory, function)
                else:
                    for value in values:
                        if sanitized and function.sanitized and not function.sanitized(value):
                            continue
                        yield Case(f"{short}[{value}]", directory, function, (value,))


def chosen(cases, names):
    def wanted(case):
        return not names or any(case.name == name or case.name.split(".")[0] == name or
                                fnmatch.fnmatchcase(case.name, name.replace("[", "[[]")) for name in names)
    return [case for case in cases if wanted(case)]


def next_of(queue, running, jobs):
    """Takes the next case that there is room for out of the queue; None: there is none."""
    waiting = sum(case.waiting for case in running)
    for case in queue:
        room = waiting < WAITING if case.waiting else len(running) - waiting < jobs
        if room:
            queue.remove(case)
            return case
    return None


def run(cases, jobs, accept):
    """Runs all; (the failed ones, the skipped ones)."""
    # Loopback ranges: one per test, from a block that depends on this runner, so that two runners rarely meet.
    ranges = itertools.cycle([f"127.{70 + os.getpid() % 150}.{number}.0/24" for number in range(256)])
    queue = sorted(cases, key=lambda case: -case.seconds)
    running, failed, skipped = {}, [], []
    outputs = pathlib.Path(os.environ["JARVIS_TEST_DIR"]) / "said"
    outputs.mkdir()
    try:
        while queue or running:
            while case := next_of(queue, [one for one, _, _ in running.values()], jobs):
                taken = [one.addresses for one, _, _ in running.values()]
                case.addresses = next(one for one in ranges if one not in taken)
                output = outputs / str(id(case))
                running[guard.start(case, output, accept)] = (case, output, time.monotonic())
            pid, status = os.wait()
            if pid not in running:
                continue
            case, output, begun = running.pop(pid)
            took = time.monotonic() - begun
            said = output.read_text(errors="replace") if output.exists() else ""
            if status == 0:
                print(f"ok    {case.name} ({took:.1f} s)", flush=True)
            elif os.waitstatus_to_exitcode(status) == guard.SKIPPED:
                skipped.append(case)
                print(f"skip  {case.name}: {said.strip()}", flush=True)
            else:
                failed.append(case)
                print(f"FAIL  {case.name} ({took:.1f} s)", flush=True)
                print("".join(f"      | {line}\n" for line in said.strip().splitlines()[-120:]), flush=True)
    except KeyboardInterrupt:
        for pid in running:
            os.kill(pid, signal.SIGTERM)
        for pid in running:
            os.waitpid(pid, 0)
        raise
    return failed, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release", help="directory of the jarvis to test")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--accept", action="store_true", help="rewrite what transcripts expect")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--sanitized", action="store_true", help="leave out what a build with sanitizers need not be shown again")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()

    cases = chosen(discover(options.sanitized), options.names)
    if options.list:
        print("\n".join(case.name for case in cases))
        return 0
    if not cases:
        print(f"no such scenario: {' '.join(options.names)}; see --list", file=sys.stderr)
        return 2
    build = pathlib.Path(options.build).resolve()
    if not os.access(build / "jarvis", os.X_OK):
        print(f"{build}/jarvis is not there; build it first", file=sys.stderr)
        return 2
    os.environ["JARVIS_BUILD"] = str(build)
    os.environ["JARVIS_TEST_DIR"] = tempfile.mkdtemp(prefix="jt.")
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    begun = time.monotonic()
    endings = []
    try:
        for start in dict.fromkeys(start for case in cases for start in case.shared):
            endings.append(start())
        failed, skipped = run(cases, options.jobs, options.accept)
    finally:
        for end in endings:
            end()
        shutil.rmtree(os.environ["JARVIS_TEST_DIR"], ignore_errors=True)
    if failed:
        print("failed: " + " ".join(case.name for case in failed))
    left_out = f", {len(skipped)} skipped" if skipped else ""
    passed = len(cases) - len(failed) - len(skipped)
    print(f"scenarios: {passed} passed, {len(failed)} failed{left_out} ({time.monotonic() - begun:.0f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
