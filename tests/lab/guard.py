"""Runs one test in a process of its own, under a guard that adopts whatever the test leaves behind.

The guard is the subreaper of everything the test starts: a daemon cannot slip away from it. What still lives when the test is
over is named, ended, and fails the test.
"""
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from . import processes, transcript
from .marks import Skip
from .place import WORKERS, Place
from .waiting import pause

PR_SET_CHILD_SUBREAPER = 36
LEFTOVER_GRACE = 5  # seconds that what was told to end has for ending
SKIPPED = 77  # exit status of a test that says it cannot be made here


def start(case, output, accept):
    """Forks the guard of a case; its pid. It exits 0 when the test passed, SKIPPED when it was not made here, and writes what
    the test said to `output`."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (descriptor, 1), (descriptor, 2)):
            os.dup2(source, target)
        os.setsid()
        status = _guard(case, accept)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _guard(case, accept):
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="t", dir=os.environ["JARVIS_TEST_DIR"]))
    # Ctrl-C and the end of the runner end this test too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    test = os.fork()
    if test == 0:
        _test(case, directory, accept)
    status = 1
    try:
        status = _wait_for(test, case.timeout)
    finally:
        if _end_leftovers(patient=status in (0, SKIPPED)):
            status = 1
        subprocess.run(["chmod", "-R", "u+rwX", str(directory)], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(directory, ignore_errors=True)
        if directory.exists():
            print(f"left behind: {directory}")
            status = 1
    return status


def _wait_for(test, timeout):
    def late(*_):
        raise TimeoutError(f"given up after {timeout} s")
    signal.signal(signal.SIGALRM, late)
    signal.alarm(int(timeout * float(os.environ.get("JARVIS_TEST_PATIENCE", "1"))))
    try:
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == test:
                return os.waitstatus_to_exitcode(status)
    except TimeoutError as error:
        print(error)
        return 1
    finally:
        signal.alarm(0)


def _end_leftovers(patient):
    """Ends every descendant; whether there was one that should not have been."""
    deadline = time.monotonic() + (LEFTOVER_GRACE if patient else 0)
    blamed = False
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return blamed
        left = processes.descendants(os.getpid())
        if left and time.monotonic() >= deadline:
            for pid in left:
                if patient and not blamed:
                    print(f"left behind: process {pid} {processes.command_line_of(pid) or processes.exe_of(pid)}")
                processes.kill_now(pid)
            blamed = patient
        pause(0.01)


def _test(case, directory, accept):
    """In the test's process; never returns."""
    status = 1
    place = None
    try:
        place = Place(directory, case.addresses)
        if case.function:
            status = _call(case, place)
            place.close()
        else:
            _copy_scenario(case, place)
            faults = transcript.play(case.directory / "commands", place, accept)
            place.close()
            print("\n".join(faults))
            status = 1 if faults else 0
        reports = place.sanitizer_reports()
        if reports:
            print(reports)
            status = 1
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        if place:
            print(place.abandon())
            print(place.sanitizer_reports())
    finally:
        sys.stdout.flush()
        os._exit(status)


def _call(case, place):
    try:
        case.function(place, *case.arguments)
        return 0
    except Skip as reason:
        print(reason)
        return SKIPPED


def _copy_scenario(case, place):
    """The scenario's files beside the transcript; @ADDRESSES@ and @WORKERS@ in its configuration are filled in."""
    for source in case.directory.iterdir():
        if source.name in ("commands", "__pycache__"):
            continue
        if source.is_dir():
            shutil.copytree(source, place.path(source.name), dirs_exist_ok=True)
        else:
            shutil.copy(source, place.path(source.name))
    configuration = place.path("jarvis.yaml")
    text = configuration.read_text(encoding="utf-8")
    configuration.write_text(text.replace("@ADDRESSES@", place.addresses).replace("@WORKERS@", str(WORKERS)), encoding="utf-8")
