#!/usr/bin/python3
"""The worker contract's subject in Python: one task per way in which a worker can behave.

Files named on the clipboard: `record` gets a line "TASK STEP ATTEMPT" per attempt; `gate` is a directory with the FIFOs `began`
(written by the worker when it is there) and `go` (read by it before it goes on).
"""
import os
import signal
import subprocess
import sys

TASK = sys.argv[1]


def early():
    """Prints its clipboard and ends without ever reading the one it was given."""
    print("hostname: loki\nfqdn: loki.example.org\nadded: early")


def prelude():
    """250 KB of comments before the first byte of stdin is read."""
    print(("# " + "-" * 100 + "\n") * 2500, flush=True)


if TASK == "early":
    early()
    sys.exit(0)
if TASK == "both":
    prelude()

CLIPBOARD = sys.stdin.read()


def value(key):
    return next((line[len(key) + 2:] for line in CLIPBOARD.splitlines() if line.startswith(key + ": ")), "")


RECORD = value("record")
LINE = f"{TASK} {os.environ['JARVIS_STEP']} "
if RECORD:
    with open(RECORD, "a", encoding="utf-8") as record:
        record.write(f"{LINE}{os.environ['JARVIS_ATTEMPT']}\n")


def times():
    """How often this step was begun, this time included."""
    with open(RECORD, encoding="utf-8") as record_file:
        return sum(line.startswith(LINE) for line in record_file)


def give(added=""):
    """The whole clipboard, with this added."""
    sys.stdout.write(CLIPBOARD + added)
    sys.stdout.flush()


def words(text):
    print(text, file=sys.stderr, flush=True)


def at_the_gate():
    with open(value("gate") + "/began", "w", encoding="utf-8") as began:
        began.write(f"{os.environ['JARVIS_TASK']} {os.environ['JARVIS_ATTEMPT']} {os.getpid()}\n")
    with open(value("gate") + "/go", "rb", buffering=0) as go:
        go.read(1)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def again():
    if times() < 5:
        words("retry-after: 0.05")
        sys.exit(75)
    give("added: again\n")


def fail():
    give()
    words("no such region: Atlantis")
    sys.exit(1)


def die_once():
    if times() < 2:
        die()
    give("added: die_once\n")


def leave(own_session):
    give(f"added: leave_{'session' if own_session else 'child'}\n")
    subprocess.Popen(["sleep", "infinity"], start_new_session=own_session)


def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    give()
    while True:
        signal.pause()


def flood():
    sys.stderr.write("a line of the flood on standard error, of which there are very many\n" * 300_000)
    give("added: flood\n")


def gate():
    at_the_gate()
    give("passed: gate\n")


def progress():
    words("progress: 3 of 5 mounted")
    at_the_gate()


def without_dropme():
    sys.stdout.write("".join(line for line in CLIPBOARD.splitlines(True) if not line.startswith("dropme:")))


def surroundings():
    """What a worker finds around itself, for the test to read, in the file RECORD.found."""
    with open(RECORD + ".found", "w", encoding="utf-8") as out:
        descriptors = sorted(int(name) for name in os.listdir("/proc/self/fd"))
        with open("/proc/self/status", encoding="utf-8") as status:
            masks = [line.strip() for line in status if line.startswith(("SigBlk", "SigIgn", "NoNewPrivs"))]
        # The two highest are this file and the listing itself.
        print({"environment": dict(os.environ), "descriptors": descriptors[:-2], "umask": os.umask(0o77), "masks": masks,
               "directory": os.getcwd(), "group": os.getpgid(0) == os.getpid(), "arguments": sys.argv[1:]}, file=out)


TASKS = {
    "before": lambda: give("marker: before\ndropme: soon gone\n"),
    "empty": lambda: None,
    "comments": lambda: print("\n# nothing to say\n"),
    "full": lambda: give("added: full\n"),
    "drop": without_dropme,
    "look": lambda: words("keys: " + " ".join(line.partition(":")[0] for line in CLIPBOARD.splitlines() if line[:1].isalpha())),
    "partial": lambda: print("added: alone"),
    "scalar": lambda: print("all is well"),
    "list": lambda: print("- all\n- is\n- well"),
    "two": lambda: print(CLIPBOARD + "---\n" + CLIPBOARD),
    "invalid": lambda: give("added: 'unclosed\n"),
    "huge": lambda: give("added: |\n" + ("  " + "x" * 62 + "\n") * (9 * 1024 * 16)),
    "rename": lambda: print(CLIPBOARD.replace("hostname: loki", "hostname: thor")),
    "again": again,
    "fail": fail,
    "die": lambda: (give(), die()),
    "die_once": die_once,
    "leave_child": lambda: leave(False),
    "leave_session": lambda: leave(True),
    "stubborn": stubborn,
    "both": lambda: give("added: both\n"),
    "flood": flood,
    "gate": gate,
    "progress": progress,
    "surroundings": surroundings,
}
if TASK not in TASKS:
    words(f"subject.py: {TASK}: no such task")
    sys.exit(64)
TASKS[TASK]()
