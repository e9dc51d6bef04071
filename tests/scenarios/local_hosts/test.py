"""Real hosts on this machine, from a spec to a login, and nothing left afterwards."""
import itertools
import os
import pathlib
import re
import shlex
import shutil
import subprocess

from lab import each, kill_now, takes, until
from lab.clouds import cloud
from lab.marks import Skip
from lab.processes import alive, command_line_of, living
from lab.ssh_person import login, public_key

EXAMPLE = pathlib.Path(__file__).resolve().parents[3] / "config/examples/loki.yaml"


def example(place, hostname="loki"):
    """The example spec with a login key of the test's own."""
    text = re.sub(r"sshpubkey: .*", f"sshpubkey: {public_key(place)}", EXAMPLE.read_text()).replace("loki", hostname)
    return place.spec(hostname, text=text)


def of_this_test(place):
    """Supervisors and daemons whose directory or arguments lie in this test's place."""
    found = []
    for pid in living():
        try:
            directory = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue
        if directory.startswith(str(place.state)) or str(place.state) in command_line_of(pid):
            found.append((pid, command_line_of(pid)))
    return found


def nothing_left(place, host, clipboard):
    until(lambda: not of_this_test(place), f"the processes of {host} are gone", 10)
    assert str(place.directory) not in pathlib.Path("/proc/mounts").read_text()
    assert not [path for path in place.state.rglob("*") if host in path.name], "files of the host are left"
    probe = subprocess.run(["ssh-keyscan", "-T", "2", "-p", str(clipboard["ssh_port"]), clipboard["ipaddress"][0]],
                           capture_output=True, text=True, check=False)
    assert not probe.stdout.strip(), probe


@takes(10)
def test_deploy_login_again_destroy(place):
    spec = example(place)
    said = place.expect(0, "deploy", spec)
    assert re.search(r"^loki(\.websages\.com)? is ready$", said.text, re.M), said
    clipboard = place.facts("loki")
    assert clipboard["gitosis-admin"] == "git@git.websages.com:gitosis-admin.git"
    assert login(place, clipboard, "hostname") == "loki\n"
    assert login(place, clipboard, "id", "-u") == "0\n"
    assert any(line.startswith("4 2 ") for line in clipboard["sshfp"]), clipboard["sshfp"]
    assert clipboard["remote_ssh_pubkey"].startswith("ssh-ed25519 "), clipboard
    assert login(place, clipboard, "cat", "/root/.ssh/id_ed25519.pub").startswith(clipboard["remote_ssh_pubkey"])

    # The second deploy finds it and makes no second machine.
    login(place, clipboard, "touch", "/root/still-here")
    place.expect(0, "deploy", spec)
    second = place.facts("loki")
    for key in ("instance_id", "ipaddress", "ssh_port", "created", "ssh_host_keys", "remote_ssh_pubkey"):
        assert second[key] == clipboard[key], key
    assert "still-here" in login(place, second, "ls", "/root")

    place.confirmed(0, "destroy", "loki")
    nothing_left(place, "loki", clipboard)
    after = place.facts("loki")
    assert "instance_id" not in after and "ipaddress" not in after, after


@takes(10)
def test_hosts_outlive_jarvis(place):
    serve = place.serve()
    place.expect(0, "deploy", example(place))
    clipboard = place.facts("loki")
    serve.kill()
    assert login(place, clipboard, "hostname") == "loki\n"
    serve = place.serve()
    place.confirmed(0, "destroy", "loki")
    assert serve.stop() == 0
    nothing_left(place, "loki", clipboard)


@takes(12)
def test_redeploy_makes_another_machine(place):
    spec = example(place)
    place.expect(0, "deploy", spec)
    first = place.facts("loki")
    place.confirmed(0, "redeploy", spec)
    second = place.facts("loki")
    assert second["instance_id"] != first["instance_id"]
    assert second["ssh_host_keys"] != first["ssh_host_keys"]
    assert login(place, second, "hostname") == "loki\n"
    # The spec's own port, then also of the machine after that.
    spec = place.spec("loki", text=pathlib.Path(spec).read_text() + "  ssh_port: 2345\n")
    for _ in range(2):
        place.confirmed(0, "redeploy", spec)
        third = place.facts("loki")
        assert third["ssh_port"] == 2345 and login(place, third, "hostname") == "loki\n"
    place.confirmed(0, "destroy", "loki")
    nothing_left(place, "loki", third)


@takes(15)
def test_twelve_at_once(place):
    place.serve()
    hosts = [f"h{number}" for number in range(12)]
    for host in hosts:
        place.expect(0, "deploy", example(place, host), "--detach")
    for host in hosts:
        status = place.until_state(host, "succeeded", "failed", seconds=120)
        assert status["state"] == "succeeded", status
    places = {(place.facts(host)["ipaddress"][0], place.facts(host)["ssh_port"]) for host in hosts}
    assert len(places) == len(hosts), places
    for host in hosts:
        assert login(place, place.facts(host), "hostname") == f"{host}\n"
    for host in hosts:
        place.confirmed(0, "destroy", host)
    until(lambda: not [line for _, line in of_this_test(place) if "sshd" in line or "jarvis-local" in line], "all are gone", 20)


@takes(8)
def test_a_wrong_host_key_stops_everything(place):
    """Somebody else answers at the address: no login is tried, the run fails and says so."""
    spec = example(place)
    place.expect(0, "deploy", spec)
    saved = place.clipboard("loki")
    other = place.path("other")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    wrong = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    right = place.facts("loki")["ssh_host_keys"][0]
    place.write("saved.yaml", saved.replace(right, wrong))
    result = place.expect(1, "replay", place.path("saved.yaml"), "--from", "ssh:wait")
    assert re.search("SHA256:", result.text) and "ssh" in result.text, result
    place.confirmed(0, "destroy", "loki")
    until(lambda: not of_this_test(place), "loki is gone", 10)


@takes(6)
def test_plan_changes_nothing(place):
    spec = example(place)
    result = place.expect(5, "plan", spec)
    for task in ("keys:prepare", "local:deploy", "ssh:wait", "ssh:make_keypair"):
        assert task in result.text, result
    assert "not asked" in result.text, result
    assert place.never_ran("loki")
    assert not of_this_test(place)


def apart(place, *steps):
    """From here on the place's jarvis runs behind these, in namespaces of its own: words before a command, or lines of a shell. Skips
    where this machine grants none."""
    prefix = []
    for step in steps:
        prefix += step if isinstance(step, list) else ["sh", "-ec", step + '\nexec "$@"', "sh"]
    tried = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise Skip(f"this machine grants no namespaces to this test: {tried.stderr.strip()}")
    command = " ".join(shlex.quote(word) for word in [*prefix, str(place.binary)])
    place.binary = place.write("jarvis-apart", f'#!/bin/sh\nexec {command} "$@"\n', 0o755)


def refused_here(place, sentence):
    """Before anything begins a deploy, a plan and a check say it, each in one line."""
    spec = example(place)
    for command in (["deploy", spec], ["plan", spec], ["check"]):
        said = place.expect(2, *command)
        assert [sentence in line for line in said.text.splitlines()].count(True) == 1, said
    assert place.never_ran("loki") and not list(place.state.glob("local/*"))


@each("user", "mnt", "pid", "uts", "ipc")
def test_a_limit_of_namespaces_is_named(place, kind):
    """In a user namespace, whose root lowers the limit for himself and nobody else."""
    apart(place, ["unshare", "--user", "--map-root-user"], f"echo 0 >/proc/sys/user/max_{kind}_namespaces")
    refused_here(place, f": this machine refuses new namespaces: user.max_{kind}_namespaces is 0; raise it with sysctl")


WHO_FORBIDS = {
    "unprivileged_userns_clone": "kernel.unprivileged_userns_clone is 0; set it to 1 with sysctl, or run as root",
    "apparmor_restrict_unprivileged_userns": "kernel.apparmor_restrict_unprivileged_userns is 1; set it to 0 with sysctl, or run as root",
    "somebody": "Operation not permitted (a container's seccomp filter, or a missing capability of it)"}


@each(*WHO_FORBIDS)
def test_who_forbids_namespaces_is_named(place, who):
    """The kernel refuses user namespaces to whoever has another root directory; what /proc says of the reason is the test's."""
    root = place.path("root")
    root.mkdir()
    setting = re.search(rf"{who} is (\d)", WHO_FORBIDS[who])
    apart(place, ["unshare", "--user", "--map-root-user", "--mount"],
          f"mount --rbind / {root}\nmount -t tmpfs tmpfs {root}/proc/sys/kernel\n" +
          (f"echo {setting[1]} >{root}/proc/sys/kernel/{who}" if setting else ""), ["chroot", str(root)])
    refused_here(place, f": this machine refuses new namespaces: {WHO_FORBIDS[who]}")


def own_launcher(place, script):
    """From here on the place's jarvis has programs of its own, with this shell script for a launcher, whose $REAL is the real one; what
    brings that back."""
    real, programs = place.binary.parent / "jarvis-local", place.path("programs")
    programs.mkdir()
    for program in place.binary.parent.glob("jarvis*"):
        shutil.copy(program, programs)
    place.binary = programs / "jarvis"
    place.write("programs/jarvis-local", f"#!/bin/sh\nREAL={real}\n{script}", 0o755)
    return lambda: shutil.copy(real, programs)


def no_host(place, leftovers=()):
    left = [path.name for path in place.state.glob("local/*")]
    assert len(left) == len(leftovers) and all(map(re.fullmatch, leftovers, left)), left
    until(lambda: not of_this_test(place), "no process of a host is left", 10)
    assert str(place.directory) not in pathlib.Path("/proc/mounts").read_text()


@takes(3)
@each("at once", "later")
def test_a_half_made_host_is_removed(place, when):
    """It is up, and its launcher fails all the same: processes, mounts, files go. If those cannot, the next attempt removes them."""
    was = place.path("was")
    refuses = 'if [ "$1" = --remove ]; then echo "the shredder is full"; exit 4; fi' if when == "later" else ""
    mend = own_launcher(place, f"""{refuses}
if [ "$1" = --start ]; then
  "$REAL" "$@" && cat "$2/state" >{was} && echo "the power is out"
  exit 4
fi
exec "$REAL" "$@"
""")
    spec = example(place)
    said = place.expect(1, "deploy", spec)
    removed = "is removed" if when == "at once" else "could not be removed: the shredder is full"
    assert f"starting loki.websages.com: the power is out; what this attempt made {removed}\n" in said.text, said
    assert "state: ready" in was.read_text() and not alive(int(re.search(r"^init: (\d+)", was.read_text(), re.M)[1])), was.read_text()
    no_host(place, [] if when == "at once" else [r"\.loki\.websages\.com\.gone-[0-9a-f]{8}"])
    assert "instance_id" not in place.facts()
    mend()
    place.expect(0, "retry", "loki")
    assert [path.name for path in place.state.glob("local/*")] == ["loki.websages.com"]
    facts = place.facts()
    assert login(place, facts, "hostname") == "loki\n"
    place.confirmed(0, "destroy", "loki")
    nothing_left(place, "loki", facts)
    no_host(place)


@takes(20)
@each("before", "after")
def test_killed_at_any_call_of_the_launcher(place, when):
    """The worker of a deploy, a redeploy or a destroy dies before its launcher does a thing, or when that is done and before it hears so:
    all that a local host is made of is done by one call or another of it."""
    calls = place.path("calls")
    calls.mkdir()
    os.mkfifo(calls / "never")
    own_launcher(place, f"""[ "$1" != --probe ] || exec "$REAL" "$@" # asks only, in plan mode too
cd {calls}
number=$(($(cat count) + 1))
echo $number >count
at() {{ if [ $number.$1 = "$(cat stop)" ]; then echo $$ >met; read -r nobody <never; fi; }}
at before
"$REAL" "$@"
status=$?
at after
exit $status
""")
    (calls / "count").write_text("0")
    with cloud("local", place) as it:
        place.serve()
        for command in ("deploy", "redeploy", "destroy"):
            for number in itertools.count(1):
                if not killed_at(place, it, command, f"{number}.{when}"):
                    break
            assert number > 1, f"{command} calls no launcher"


def killed_at(place, it, command, stop):
    """Does the launcher get as far as this in that command? Then its worker is killed there, and the run ends well all the same."""
    calls = place.path("calls")
    (calls / "stop").write_text("none")
    (calls / "met").unlink(missing_ok=True)
    old = None
    if command == "deploy":
        if it.machines():
            place.confirmed(0, "destroy", "loki")
        assert list(place.state.glob("local/*")) == []
        order = ("deploy", it.spec())
    else:
        place.expect(0, "deploy", it.spec())
        old = it.machine()
        order = ("confirm", place.expect(6, command, it.spec() if command == "redeploy" else "loki").code)
    (calls / "count").write_text("0")
    (calls / "stop").write_text(stop)
    place.expect(0, *order, "--detach")
    until(lambda: (calls / "met").exists() or place.status("loki")["state"] in ("succeeded", "failed"), f"{stop} of the calls, or the end")
    met = (calls / "met").exists()
    if met:
        kill_now(it.worker(place.serving))
    status = place.until_state("loki", "succeeded", "failed")
    assert status["state"] == "succeeded", (command, stop, status)
    if command == "destroy":
        no_host(place)
    else:
        now = it.lives()
        assert not old or now.id != old.id, (now, old)
        assert [path.name for path in place.state.glob("local/*") if not path.name.endswith(".lock")] == [now.name]
    return met


@each("none", "another")
def test_a_host_with_a_wrong_key_is_removed(place, kind):
    """What is no key is found while the files are written, another key than the one that is announced when they all are."""
    key = place.path("host_key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
    private = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n" if kind == "none" else key.read_text(encoding="ascii")
    lines = "".join(f"  {line}\n" for line in private.splitlines())
    board = f"hostname: loki\nfqdn: loki.example.org\nssh_host_keys: [PUBLIC]\nssh_host_private_key: |\n{lines}"
    said = place.expect(1, "task", "local:deploy", input=board.replace("PUBLIC", public_key(place)))
    why = "ssh_host_keys: has another key than ssh_host_private_key; what this attempt made is removed"
    none = "what the spec has as ssh_host_private_key is no ed25519 key without a passphrase"
    assert (why if kind == "another" else none) in said.err, said
    no_host(place)
    if kind == "none":
        return
    public = key.with_suffix(".pub").read_text(encoding="ascii").strip()
    good = place.expect(0, "task", "local:deploy", input=board.replace("PUBLIC", public))
    assert [path.name for path in place.state.glob("local/*")] == ["loki.example.org"]
    asked = place.expect(6, "task", "local:destroy", input=good.out)
    place.expect(0, "task", "local:destroy", "--confirm", re.search(r"--confirm (\S+)", asked.err)[1], input=good.out)
    no_host(place)


SYSTEMD = "/run/systemd/system"  # who has this directory runs systemd
MAKE_SYSTEMD = f"mount -t tmpfs tmpfs /run\nmkdir -p {SYSTEMD}"


def with_systemd_run(place, script):
    """An environment where `systemd-run` is this script; what it was called with stands in the file `asked`, and its runtime directory."""
    asked = place.path("asked")
    place.write("stubs/systemd-run", f'#!/bin/sh\nprintf "%s\\n" "$@" >>{asked}\necho "$XDG_RUNTIME_DIR" >>{asked}\n{script}', 0o755)
    return place.environment(PATH=f"{place.path('stubs')}:{os.environ['PATH']}")


THROUGH = 'while [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'


def asked_for_one_scope(place, launcher, user):
    *asked, runtime = place.path("asked").read_text().splitlines()
    options, command = asked[:asked.index("--")], asked[asked.index("--") + 1:]
    assert {"--scope", "--quiet", "--collect", "--description=jarvis local host loki.websages.com"} < set(options), asked
    units = [word for word in options if re.fullmatch(r"--unit=jarvis-local-loki\.websages\.com-[0-9a-f]{8}", word)]
    assert len(units) == 1 and command == [str(launcher), "--start", f"{place.state}/local/loki.websages.com"], asked
    assert ("--user" in options, runtime) == ((True, f"/run/user/{user}") if user else (False, "")), asked


@takes(3)
@each("gives one", "gives none")
def test_a_host_with_or_without_a_scope(place, systemd):
    """Where systemd runs it is asked for a scope. The host is up either way: if there is none to be had, as an ordinary process."""
    launcher = place.binary.parent / "jarvis-local"
    environment = with_systemd_run(place, THROUGH if systemd == "gives one" else "echo 'Failed to connect to bus'\nexit 1\n")
    if not os.path.isdir(SYSTEMD):
        if os.geteuid() != 0:
            raise Skip(f"there is no {SYSTEMD} here, and only root can mount one and make real hosts all the same")
        apart(place, ["unshare", "--mount"], MAKE_SYSTEMD)
    place.expect(0, "deploy", example(place), environment=environment)
    asked_for_one_scope(place, launcher, os.geteuid())
    facts = place.facts()
    assert login(place, facts, "hostname") == "loki\n"
    place.confirmed(0, "destroy", "loki")
    nothing_left(place, "loki", facts)


def test_a_scope_of_the_user(place):
    """Who is not root asks his own systemd. No host is made, which this user of a user namespace could not: its launcher only says that
    it was called."""
    own_launcher(place, f'echo "$@" >>{place.path("launched")}\n')
    apart(place, ["unshare", "--user", "--map-root-user", "--mount"], MAKE_SYSTEMD, ["unshare", "--user", "--map-user=1"])
    place.plan("local", deploy=["local:deploy"])
    place.expect(0, "deploy", example(place), environment=with_systemd_run(place, THROUGH))
    assert [line for line in place.path("launched").read_text().splitlines() if line != "--probe"] == [
        f"--start {place.state}/local/loki.websages.com"]
    asked_for_one_scope(place, place.path("programs/jarvis-local"), 1)
