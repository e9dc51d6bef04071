"""Real hosts on this machine, from a spec to a login, and nothing left afterwards."""
import os
import pathlib
import re
import shlex
import subprocess

from lab import each, takes, until
from lab.marks import Skip
from lab.processes import command_line_of, living
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
    """From here on the place's jarvis runs after these steps: words before a command, or lines of a shell, in namespaces of their own.
    Skips where this machine grants none."""
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


@each("kernel.unprivileged_userns_clone is 0; set it to 1 with sysctl, or run as root",
      "kernel.apparmor_restrict_unprivileged_userns is 1; set it to 0 with sysctl, or run as root",
      "Operation not permitted (a container's seccomp filter, or a missing capability of it)")
def test_who_forbids_namespaces_is_named(place, sentence):
    """The kernel refuses namespaces to whoever has another root directory; what /proc says of the reason is the test's."""
    root = place.path("root")
    root.mkdir()
    setting = re.match(r"kernel\.(\w+) is (\d)", sentence)
    apart(place, ["unshare", "--user", "--map-root-user", "--mount"],
          f"mount --rbind / {root}\nmount -t tmpfs tmpfs {root}/proc/sys/kernel\n" +
          (f"echo {setting[2]} >{root}/proc/sys/kernel/{setting[1]}" if setting else ""), ["chroot", str(root)])
    refused_here(place, f": this machine refuses new namespaces: {sentence}")


REAL_LAUNCHER = "jarvis-local"


@takes(5)
@each("start", "start, stays", "another key", "no key")
def test_a_half_made_host_is_removed(place, fault):
    """The launcher starts the host and fails all the same, and then cannot remove it either; the host's key is another one, or none."""
    launcher = place.binary.parent / "jarvis-local"
    faulty = place.write("launcher", f"""#!/bin/sh
if [ "$1" = --start ]; then
  {launcher} "$@" && cat "$2/state" >{place.path("was")} && echo "the power is out" && exit 4
fi
[ "$1" = --remove ] && [ "{fault}" = "start, stays" ] && echo "the shredder is full" && exit 4
exec {launcher} "$@"
""", 0o755)
    key = place.path("host_key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
    private, public = key.read_text(encoding="ascii"), key.with_suffix(".pub").read_text(encoding="ascii").strip()
    local = {"addresses": place.addresses}
    text = f"provider: local\nhostname: loki\nfqdn: loki.example.org\nsshpubkey: {public_key(place)}\n"
    good = place.spec("good", text=text)
    if fault == "another key":
        text += f"ssh_host_keys: [{public_key(place)}]\n"
    if fault == "no key":
        private = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
    if "key" in fault:
        text += "ssh_host_private_key: |\n" + "".join(f"  {line}\n" for line in private.splitlines())
    else:
        place.configure(providers={"local": {**local, "launcher": str(faulty)}})
    place.plan("local", deploy=["local:deploy"], destroy=["local:destroy"])
    said = place.expect(1, "deploy", place.spec("bad", text=text))
    print(said, list(place.state.glob("local/*")), place.path("was").exists() and place.path("was").read_text())
    place.configure()
    said = place.expect(0, "deploy", good)
    print(said, list(place.state.glob("local/*")))
    facts = place.facts()
    print(login(place, facts, "hostname"))
    place.confirmed(0, "destroy", "loki")
    nothing_left(place, "loki", facts)
    assert not list(place.state.glob("local/*"))
    raise Exception("x")
