"""The control socket: people with a uid of their own, those who are nobody, and those who say or read nothing."""
import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import threading
import time

from lab import Gate, Process, takes, until
from lab.marks import Skip
from lab.other_uid import Connection, Stranger, uid_of
from lab.place import LANGUAGES

ROLE = {"commands": ["deploy", "status", "whoami"], "hosts": ["*.example.org"], "providers": ["demo"], "places": ["direct"]}


def configure(place, people=None, roles=None, **more):
    place.plan("demo", deploy=["demo:before", "demo:gate", "demo:full"], destroy=["demo:look", "demo:drop"])
    tasks = {name: {} for name in ("before", "gate", "full", "look", "fail")}
    tasks["drop"] = {"destroys": True}
    place.configure(workers={"demo": {"run": str(LANGUAGES["perl"]), "tasks": tasks}}, roles=roles or {"maker": ROLE}, people=people or {}, **more)


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


@takes(3)
def test_people_with_a_uid(place):
    """Who is in the configuration may do what the role says, at the real socket; nothing else in the state is open to them."""
    configure(place, people={"thor": {"roles": ["maker"], "unix": [uid_of(1)]}})
    gate = Gate(place.path("gate"))
    gate.open()
    thor, mallory = Stranger(place, 1), Stranger(place, 2)
    serve = place.serve()
    assert (mode(place.state), mode(place.state / "socket")) == (0o711, 0o666)
    spec = thor.directory / "loki.yaml"
    spec.write_text(f"hostname: loki\nfqdn: loki.example.org\nprovider: demo\ngate: {place.path('gate')}\nrecord: {place.path('record')}\n")
    assert "you are uid" in thor.expect(0, "whoami").out
    assert "loki is ready" in thor.expect(0, "deploy", spec).out
    assert "loki is ready" in thor.expect(0, "status", "loki").out
    assert place.status("loki")["by"] == f"uid {uid_of(1)}"
    assert "refused: role maker has no command cancel" in thor.expect(3, "cancel", "loki").err
    assert "refused: role maker has no command clipboard" in thor.expect(3, "clipboard", "loki").err
    spec.write_text("hostname: odin\nfqdn: odin.example.com\nprovider: demo\n")
    assert "refused: role maker is not for odin.example.com" in thor.expect(3, "deploy", spec).err
    # Nobody: help and whoami.
    assert "whom the configuration does not know" in mallory.expect(0, "whoami").out
    for command in (["status"], ["deploy", spec], ["audit"], ["freeze"]):
        assert "refused: nobody here knows who you are" in mallory.expect(3, *command).err
    records = place.json("audit")
    assert any(r["proof"] == f"uid {uid_of(2)}" and r["command"].endswith(" freeze") and r["result"] == "refused" for r in records), records
    assert any(r["who"] == "thor" and r.get("run") and r["result"] == "done" for r in records), records
    # Nothing but the socket is theirs.
    for path in place.state.iterdir():
        if path.name != "socket":
            assert mode(path) & 0o077 == 0, (path, oct(mode(path)))
    for name in ("journal.db", "journal.db-wal", "journal.db-shm", "key", "audit.log", "audit.head", "lock", "work", "."):
        assert (place.state / name).exists() or name.startswith("journal.db-"), name
        for who in (thor, mallory):
            reading = who.does("ls" if name in ("work", ".") else "cat", place.state / name)
            assert reading.status != 0 and "ermission denied" in reading.err, reading
    assert "refused" in thor.expect(3, "serve").err
    serve.stop()
    # Nobody serves: only root and the owner go on.
    assert "only root and its owner may use it" in thor.expect(3, "status").err
    gate.close()


@takes(2)
def test_the_door_follows_the_configuration(place):
    """Closed without such people, opened and closed again by a reload; what an older jarvis left open is closed first."""
    configure(place, people={"thor": {"roles": ["maker"], "unix": [0, os.getuid()][:1]}})
    thor = Stranger(place, 1)
    serve = place.serve()
    assert (mode(place.state), mode(place.state / "socket")) == (0o700, 0o600)
    assert "ermission denied" in thor.does("ls", place.state / "socket").err
    assert "only root and its owner may use it" in thor.expect(3, "whoami").err
    (place.state / "work").chmod(0o755)
    place.state.joinpath("left.txt").write_text("by somebody")
    configure(place, people={"thor": {"roles": ["maker"], "unix": [uid_of(1)]}})
    serve.signal(signal.SIGHUP)
    until(lambda: mode(place.state) == 0o711, "the door is open")
    assert mode(place.state / "work") == 0o700 and mode(place.state / "left.txt") & 0o077 == 0
    assert "you are uid" in thor.expect(0, "whoami").out
    configure(place)
    serve.signal(signal.SIGHUP)
    until(lambda: mode(place.state) == 0o700 and mode(place.state / "socket") == 0o600, "the door is closed")
    thor.expect(3, "whoami")
    serve.stop()


@takes(3)
def test_nobody_fills_the_log_or_the_descriptors(place):
    configure(place, people={"thor": {"roles": ["maker"], "unix": [uid_of(1)]}})
    mallory = Stranger(place, 2)
    serve = place.serve()
    program = place.write("flood.py", """
import json, socket, sys, time
begun = time.monotonic()
def say(arguments):
    one = socket.socket(socket.AF_UNIX); one.connect(sys.argv[1])
    try:
        one.sendall(json.dumps({"arguments": arguments}).encode() + b"\\n")
        return one.makefile().read()
    except OSError:
        return "gone"
told = [say(["status"]) for _ in range(60)]
print(sum("too many commands" in one for one in told), sum("nobody here knows" in one for one in told), 22 + 2 * (time.monotonic() - begun))
print("at most 4096" in say(["status", "x" * 5000]))
quiet = []
for _ in range(100):
    one = socket.socket(socket.AF_UNIX); one.connect(sys.argv[1]); quiet.append(one)
print(sum(one.recv(100) == b"" for one in quiet))
""")
    done = mallory.does("/usr/bin/python3", program, place.state / "socket")
    assert done.status == 0, done
    first, long, closed = done.out.splitlines()
    too_many, refused, most = map(float, first.split())
    assert too_many + refused == 60 and 20 <= refused <= most, done
    assert long == "True" and 68 <= int(closed) <= 70, done
    assert len([r for r in place.json("audit") if r.get("result") == "refused"]) == refused
    serve.stop()


@takes(3)
def test_who_says_nothing_does_not_keep_it_from_stopping(place):
    configure(place)
    serve = place.serve()
    silent, half, reads_nothing = (Connection(place) for _ in range(3))
    half.socket.sendall(b'{"arguments": ["deploy", "a.yaml"], "inputs": [{"name": "a.yaml", "size": 100}]}\nfqdn')
    reads_nothing.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    # An answer that does not fit into the socket: many records, of which not one is read.
    line = json.dumps({"arguments": ["audit", "--json"]}).encode() + b"\n"
    fill(place, 3000)
    reads_nothing.socket.sendall(line)
    until(lambda: place.expect(0, "whoami"), "it answers others meanwhile")
    begun = time.monotonic()
    serve.signal(signal.SIGTERM)
    assert serve.wait() == 0, serve.output()
    assert time.monotonic() - begun < 15, "somebody was waited for"
    assert silent.ends() == b'{"hello":1}\n' and b'"exit"' not in half.ends()


def fill(place, count):
    """So many commands that look at something, each with a record."""
    for _ in range(count // 10):
        asked = [Connection(place) for _ in range(10)]
        for one in asked:
            one.socket.sendall(b'{"arguments": ["status", "' + b"h" * 400 + b'"]}\n')
        for one in asked:
            one.ends()


@takes(2)
def test_a_second_one_is_refused(place):
    """Who would serve the same state is told so at once; the first goes on, run and all."""
    configure(place)
    gate = Gate(place.path("gate"))
    serve = place.serve()
    place.expect(0, "deploy", place.spec("loki", provider="demo", gate=place.path("gate")), "--detach")
    gate.began()
    second = place.expect(3, "serve")
    assert (second.out, second.err) == ("", f"jarvis: refused: another jarvis holds {place.state}\n"), second
    assert serve.running() and "loki: 2/3 gate" in place.expect(0, "status", "loki").out
    gate.open()
    place.until_state("loki", "succeeded")
    assert serve.stop() == 0 and "another" not in serve.output(), serve.output()
    # With nobody there it is free.
    assert place.serve().stop() == 0
    gate.close()


@takes(2)
def test_a_new_command_is_answered_while_it_stops(place):
    configure(place, grace="20s")
    gate = Gate(place.path("gate"))
    spec = place.spec("loki", provider="demo", gate=place.path("gate"))
    serve = place.serve()
    place.expect(0, "deploy", spec, "--detach")
    gate.began()
    serve.signal(signal.SIGTERM)
    until(lambda: "stopping" in serve.output(), "it stops")
    assert "loki: 2/3 gate" in place.expect(0, "status", "loki").out
    gate.open()
    assert serve.wait() == 0, serve.output()
    gate.close()


@takes(3)
def test_a_task_by_hand_is_in_the_audit_log(place):
    """Asked and ended, whoever holds the state directory; refused, not understood, unfinished; the chain stays whole."""
    configure(place, people={"thor": {"roles": ["maker", "hand"], "unix": [uid_of(1)]}, "freya": {"roles": ["maker"], "unix": [uid_of(3)]}},
              roles={"maker": ROLE, "hand": {**ROLE, "commands": ["task"]}})
    board = "hostname: loki\nfqdn: loki.example.org\nprovider: demo\n"
    place.expect(0, "task", "demo:before", input=board)

    def newest(count):
        assert "none was changed" in place.expect(0, "audit").out
        records = [r for r in place.json("audit") if r["command"].split()[0] == "task" or " task " in r["command"]]
        return records[:count]

    def seen(count):
        return [(r["command"].split("task ")[1].split()[0], r["result"]) for r in reversed(newest(count))]

    assert seen(2) == [("demo:before", "asked"), ("demo:before", "done")]
    record = newest(1)[0]
    assert record["hosts"] == ["loki.example.org"] and record["run"].startswith("hand-") and len(record["spec"]) == 64, record
    assert record["rule"].startswith("root and the owner"), record
    place.expect(1, "task", "demo:fail", input=board)
    assert place.run("task", "demo:nonsense", input=board).status == 2
    assert place.run("task", "demo:before", input="- no\n- clipboard\n").status == 2
    assert place.run("task", "demo:drop", input=board).status == 6
    assert seen(6) == [("demo:fail", "asked"), ("demo:fail", "failed"), ("demo:nonsense", "not understood"),
                       ("demo:before", "not understood"), ("demo:drop", "asked"), ("demo:drop", "unfinished")]
    # While somebody holds it: through him, in the one chain.
    serve = place.serve()
    place.expect(0, "task", "demo:before", input=board)
    place.expect(0, "whoami")
    place.expect(1, "task", "demo:fail", input=board)
    assert seen(4) == [("demo:before", "asked"), ("demo:before", "done"), ("demo:fail", "asked"), ("demo:fail", "failed")]
    thor, freya = Stranger(place, 1), Stranger(place, 3)
    worker = place.path("worker")
    worker.write_bytes(pathlib.Path(LANGUAGES["perl"]).read_bytes())
    worker.chmod(0o755)
    place.configure(workers={"demo": str(worker)}, roles={})
    assert thor.run("task", "demo:before", input=board.encode()).status == 0
    assert "refused: role maker has no command task" in freya.expect(3, "task", "demo:before", input=board.encode()).err
    assert seen(3) == [("demo:before", "asked"), ("demo:before", "done"), ("demo:before", "refused")]
    assert newest(2)[1]["who"] == "thor" and newest(1)[0]["who"] == "freya"
    # Who speaks to the socket himself writes nothing that he may not.
    for record in ({"result": "approved"}, {"result": "asked", "hosts": ["a b"]}, {"result": 7}):
        one = Connection(place)
        one.socket.sendall(json.dumps({"arguments": ["task", "demo:before"], "record": record}).encode() + b"\n")
        assert b'"exit":2' in one.ends()
    one = Connection(place)
    one.socket.sendall(json.dumps({"arguments": ["status"], "record": {"result": "asked"}}).encode() + b"\n")
    assert b"only `task` is run by hand" in one.ends()
    serve.stop()
    assert "none was changed" in place.expect(0, "audit").out


# A /dev of one's own in a mount namespace: the usual devices of the machine's, and as /dev/log a socket of the test's.
OWN_DEV = """
for device in null zero full random urandom; do mount --bind /dev/$device $0/$device; done
mount --rbind $0 /dev
exec "$@"
"""


@takes(2)
def test_the_audit_log_also_goes_to_syslog(place):
    """Whole records, as they stand in the file: of who serves, of who is alone, and of a task by hand."""
    configure(place)
    for device in ("null", "zero", "full", "random", "urandom"):
        place.write(f"dev/{device}", "")
    place.path("dev/fd").symlink_to("/proc/self/fd")
    world = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", OWN_DEV, str(place.path("dev"))]
    tried = subprocess.run([*world, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise Skip(f"no mount namespace for a /dev/log of the test's own: {tried.stderr.strip()}")
    heard = []

    def jarvis(status, *arguments, input=b""):
        done = subprocess.run([*world, *place.arguments(*arguments)], input=input, capture_output=True, check=False, timeout=60,
                              cwd=place.directory, env=place.environment())
        assert done.returncode == status, done

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(str(place.path("dev/log")))

        def listen():
            while (datagram := syslog.recv(65536)) != b"end":
                heard.append(datagram.decode())
        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        spec = place.spec("loki", provider="demo")
        jarvis(0, "plan", spec)
        jarvis(1, "task", "demo:fail", input=b"hostname: loki\nfqdn: loki.example.org\nprovider: demo\n")
        serve = place.background(Process([*world, *place.arguments("serve")], place.path("serve.log"), place.directory,
                                         place.environment()))
        until(place.answers, "it serves")
        place.expect(0, "freeze", "because", "100%n of it moves")
        place.expect(2, "deploy", place.path("nowhere.yaml"))
        assert serve.stop() == 0
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", str(place.path("dev/log")))
        listener.join(30)
    # 85: facility authpriv, severity notice.
    records = [re.fullmatch(r"<85>\w{3} [ \d]\d [\d:]{8} jarvis\[\d+\]: (.*)", line)[1] for line in heard]
    assert records == (place.state / "audit.log").read_text().splitlines(), heard
    told = [(one["who"], one["command"].split("jarvis.yaml ", 1)[1].split(f" {place.directory}")[0], one["result"])
            for one in map(json.loads, records)]
    assert told == [("uid 0", *words) for words in [
        ("plan", "done"), ("task demo:fail", "asked"), ("task demo:fail", "failed"), ("freeze because 100%n of it moves", "asked"),
        ("freeze because 100%n of it moves", "done"), ("deploy", "asked"), ("deploy", "not understood")]], told


@takes(3)
def test_runs_at_once(place):
    """`runs: 2`: deploy, replay, retry and confirm, counted by the person, in one command and over several."""
    role = {**ROLE, "commands": ["*"], "runs": 2}
    configure(place, people={"thor": {"roles": ["two"], "unix": [uid_of(1), uid_of(2)]}, "odin": {"roles": ["two"], "unix": [uid_of(3)]}},
              roles={"two": role})
    gate = Gate(place.path("gate"))
    thor, other, odin = Stranger(place, 1), Stranger(place, 2), Stranger(place, 3)
    serve = place.serve()

    def spec(who, name):
        path = who.directory / f"{name}.yaml"
        path.write_text(f"hostname: {name}\nfqdn: {name}.example.org\nprovider: demo\ngate: {place.path('gate')}\n")
        return path

    full = "refused: role two allows thor 2 runs at once, and so many are in flight"
    # One command: they count each other.
    result = thor.expect(3, "deploy", *(spec(thor, name) for name in "abcd"), "--detach")
    assert result.err.count(full) == 2 and len(result.out.split()) == 2, result
    assert place.in_flight() == {"a", "b"}, place.in_flight()
    # The same person with another uid; another person.
    assert full in other.expect(3, "deploy", spec(other, "e"), "--detach").err
    odin.expect(0, "deploy", spec(odin, "f"), "--detach")
    # Replay and retry.
    saved = thor.directory / "c.clipboard"
    saved.write_text(spec(thor, "c").read_text())
    assert full in thor.expect(3, "replay", saved, "--detach").err
    for _ in range(3):
        gate.began()
    thor.expect(0, "cancel", "a")
    place.until_state("a", "cancelled")
    thor.expect(0, "replay", saved, "--detach")
    gate.began()
    assert full in thor.expect(3, "retry", "a", "from", "demo:gate", "--detach").err
    # Whoever takes over another one's run has it among his own.
    odin.expect(0, "cancel", "f")
    place.until_state("f", "cancelled")
    odin.expect(0, "deploy", spec(odin, "h"), "--detach")
    gate.began()
    gate.open(3)
    for name in "bch":
        assert place.until_state(name, "succeeded")["by"].startswith("uid")
    # What was ordered within bounds is confirmed within bounds.
    asked = [odin.run("destroy", name, "--json") for name in ("b", "h")]
    codes = [json.loads(one.out)["confirm"] for one in asked]
    assert "so many are in flight" in odin.expect(3, "destroy", "c").err
    configure(place, people={"thor": {"roles": ["two"], "unix": [uid_of(1)]}, "odin": {"roles": ["two"], "unix": [uid_of(3)]}},
              roles={"two": {**role, "runs": 1}})
    serve.signal(signal.SIGHUP)
    until(lambda: "was read again" in serve.output(), "the configuration is read again")
    assert "role two allows odin 1 run at once" in odin.expect(3, "confirm", codes[0]).err
    odin.expect(0, "cancel", "h")
    odin.expect(0, "confirm", codes[0])
    serve.stop()
    gate.close()
