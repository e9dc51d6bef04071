"""kill -9 at any moment costs nothing: every run ends, nothing is done twice, no two attempts of a step overlap."""
import collections
import os
import random
import re
import socket

from lab import Gate, alive, descendants, each, exe_of, kill_now, named, pause, takes, until
from lab.place import LANGUAGES, WORKERS

STEPS = 20
LONG = (5, 12, 18)  # these go on for a second
RUNS = 4            # at a time
KILLS = 25          # per slice; there are four


def set_up(place, slice_name="x"):
    place.configure(workers={"demo": str(WORKERS / "step.pl")})
    place.plan("demo", deploy=[f"demo:{'long' if number in LONG else 'step'}{number}" for number in range(1, STEPS + 1)])
    return random.Random(f"kill9 {slice_name}")


def spec(place, host):
    return place.spec(host, provider="demo", trace=place.path(f"trace-{host}"), tricky="'0123'", mac="52:54:00:12:34:56")


def undisturbed(place):
    """The final clipboard of a run that nobody disturbs, with the host's name taken out."""
    place.expect(0, "deploy", spec(place, "calm"))
    return neutral(place, "calm")


def neutral(place, host):
    return place.clipboard(host).replace(host, "HOST")


def check_trace(place, host):
    """Reads the life of every step of a host's run from what its workers wrote."""
    order, begun = [], collections.Counter()
    for line in place.path(f"trace-{host}").read_text().splitlines():
        event, step, step_id, _attempt, _pid = line.split()
        number = int(re.sub(r"\D", "", step))
        assert event != "overlap", f"{host}: two attempts of {step} ({step_id}) overlapped"
        if event == "begin":
            begun[step] += 1
            if not order or order[-1] != number:
                order.append(number)
    # A step asked again after the next one had begun would stand in the order twice.
    assert order == list(range(1, STEPS + 1)), f"{host}: steps ran in the order {order}"
    return sum(begun.values()) - STEPS


@each(1, 2, 3, 4)
@takes(45, timeout=240)
def test_serve_is_killed_at_random_instants(place, slice_number):
    dice = set_up(place, f"serve {slice_number}")
    wanted = undisturbed(place)
    kills, batch, asked_again = 0, 0, 0
    serve = place.serve()
    while kills < KILLS:
        hosts = [f"b{batch}h{number}" for number in range(RUNS)]
        batch += 1
        for host in hosts:
            place.expect(0, "deploy", spec(place, host), "--detach")
        while kills < KILLS and not all_ended(place, hosts):
            # Sometimes before it has found its feet again, sometimes in the middle of the long steps.
            pause(dice.choice((0.0, 0.02, 0.1, 0.5, 1.2)) * dice.random())
            serve.kill()
            kills += 1
            if dice.random() < 0.2:
                hasty = place.start("serve")
                pause(0.05 * dice.random())
                hasty.kill()
            serve = place.serve()
        until(lambda hosts=hosts: all_ended(place, hosts), "the runs end after the last restart", 90)
        for host in hosts:
            status = place.status(host)
            assert status["state"] == "succeeded", status
            asked_again += check_trace(place, host)
            assert neutral(place, host) == wanted, f"{host} differs from an undisturbed run:\n{place.clipboard(host)}"
    assert asked_again, "no kill ever hit a running step: this test tests nothing"
    assert serve.stop() == 0, serve.output()


def all_ended(place, hosts):
    return not place.in_flight().intersection(hosts)


@takes(30, timeout=240)
def test_a_foreground_deploy_is_killed_and_retried(place):
    dice = set_up(place, "foreground")
    wanted = undisturbed(place)
    kills = 0
    while kills < 12:
        host = f"foreground{kills}"  # a short one may be found in the name of the test's directory
        process = place.start("deploy", spec(place, host))
        until(lambda host=host: place.path(f"trace-{host}").exists() or not process.running(), "the first step begins")
        for _ in range(4):  # then it may end: a step of one second never would if it were killed again and again
            pause(dice.random() * 1.2)
            if not process.running():
                break
            process.kill()
            kills += 1
            assert place.status(host)["state"] == "interrupted", place.status(host)
            process = place.start("retry", host)
        assert process.wait() == 0, process.output()
        check_trace(place, host)
        assert neutral(place, host) == wanted, f"{host} differs from an undisturbed run:\n{place.clipboard(host)}"


@takes(5)
def test_the_core_forkserver_is_killed(place):
    """The run goes on, and the attempt that was cut short does not count as one."""
    gate = Gate(place.path("gate"))
    place.configure(workers={"demo": str(LANGUAGES["perl"])})
    place.plan("demo", deploy=["demo:before", {"task": "demo:gate", "retry": {"attempts": 1, "delay": "10ms"}}, "keys:prepare"])
    serve = place.serve()
    for round_number in range(3):
        host = f"h{round_number}"
        place.expect(0, "deploy", place.spec(host, provider="demo", gate=place.path("gate"), record=place.path("record")), "--detach")
        worker = int(gate.began().split()[2])
        victim = named("jarvis-core", below=serve.pid)[0]
        kill_now(victim)
        again = int(gate.began().split()[2])
        assert again != worker
        assert not exe_of(worker), "the first attempt outlived its forkserver"
        gate.open()
        status = place.until_state(host, "succeeded", "failed")
        assert status["state"] == "succeeded", status
    gate.close()


@takes(5)
def test_the_ssh_forkserver_is_killed(place):
    """While a task of its family talks to a server that never answers."""
    server = socket.create_server((place.addresses.replace(".0/24", ".9"), 0))
    server.settimeout(30)
    place.plan("demo", deploy=["keys:prepare", "demo:address", {"task": "ssh:wait", "retry": {"attempts": 1}}])
    address, port = server.getsockname()
    place.write("address.sh", f"#!/bin/sh\ncat\necho 'ipaddress: [{address}]'\necho 'ssh_port: {port}'\n", 0o755)
    rows = {"address": {"gives": ["ipaddress", "ssh_port"]}}
    place.configure(workers={"demo": {"run": str(place.path("address.sh")), "tasks": rows}})
    serve = place.serve()
    place.expect(0, "deploy", place.spec("loki", provider="demo"), "--detach")
    connections = [server.accept()]
    for _ in range(2):
        victim = named("jarvis-ssh", below=serve.pid)[0]  # nearest first: its attempts run the same executable
        workers = descendants(victim)
        assert workers, "no attempt below the forkserver"
        kill_now(victim)
        connections.append(server.accept())  # asked again
        assert not any(map(alive, workers)), "an attempt outlived its forkserver"
    status = place.status("loki")
    assert (status["state"], status["task"], status["attempt"]) == ("running", "ssh:wait", 1), status
    place.expect(0, "cancel", "loki")
    assert not descendants(named("jarvis-ssh", below=serve.pid)[0])
    for connection, _ in connections:
        connection.close()
    server.close()


@takes(3)
def test_a_worker_is_killed(place):
    """That attempt crashed, and is asked again."""
    gate = Gate(place.path("gate"))
    place.configure(workers={"demo": str(LANGUAGES["perl"])})
    place.plan("demo", deploy=["demo:before", {"task": "demo:gate", "retry": {"attempts": 3, "delay": "10ms"}}])
    place.serve()
    place.expect(0, "deploy", place.spec("loki", provider="demo", gate=place.path("gate")), "--detach")
    kill_now(int(gate.began().split()[2]))
    assert gate.began().split()[1] == "2"
    gate.open()
    assert place.until_state("loki", "succeeded", "failed")["state"] == "succeeded"
    outcomes = sorted(line["outcome"] for line in place.json("logs", "loki", "demo:gate"))
    assert outcomes == ["crashed", "succeeded"], outcomes
    gate.close()


@takes(5)
def test_jarvis_and_its_forkservers_killed_at_once(place):
    """Nobody is left to end the worker: the next jarvis finds it by its environment, ends it, and asks again."""
    gate = Gate(place.path("gate"))
    place.configure(workers={"demo": str(LANGUAGES["perl"])})
    place.plan("demo", deploy=["demo:before", "demo:gate", "demo:full"])
    serve = place.serve()
    place.expect(0, "deploy", place.spec("loki", provider="demo", gate=place.path("gate")), "--detach")
    worker = int(gate.began().split()[2])
    helpers = [pid for pid in named("jarvis-core", below=serve.pid) + named("jarvis-ssh", below=serve.pid)]
    os.kill(serve.pid, 19)  # STOP, so that it cannot start them again in between
    for pid in helpers:
        kill_now(pid)
    serve.kill()
    place.serve()
    assert int(gate.began().split()[2]) != worker
    assert not exe_of(worker), "two attempts of one step at the same time"
    gate.open()
    assert place.until_state("loki", "succeeded", "failed")["state"] == "succeeded"
    gate.close()
