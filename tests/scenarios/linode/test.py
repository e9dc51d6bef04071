"""Linode against a stateful fake of its API v4, judged by prism where the published description is there."""
import base64
import contextlib
import json
import math
import re
import subprocess

import yaml

from lab import takes, until
from lab.linode_fake import LinodeFake
from lab.prism import Judge

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFRZwOMgKj7yKSXy/JlBh7c3fVMeUk6IXSAM7RZNJyT4 thor@example.org"
HOST = "loki.example.org"
KEYS = {"password": "Correct-horse-6", "ssh_host_private_key": "not looked at by the provider", "ssh_host_keys": [KEY]}
DISKS = "{root: 4096, swap: 512, opt: rest}"
PLANS = {"deploy": ["keys:prepare", "linode:deploy", "linode:get_address", "linode:set_kernel", "linode:set_rdns"],
         "redeploy": ["linode:can_deploy", "keys:forget", "keys:prepare", "linode:rebuild", "linode:get_address"],
         "destroy": ["linode:shutdown", "linode:destroy"]}
POWER = {name: [f"linode:{name}"] for name in ("startup", "shutdown", "reboot", "delete_machine")}


@contextlib.contextmanager
def linode(place, judged=False, **settings):
    """A fake that the place's jarvis talks to, one poll away from done."""
    with contextlib.ExitStack() as stack:
        fake = stack.enter_context(LinodeFake())
        fake.polls = 1
        url = stack.enter_context(Judge(place, fake)).url if judged else fake.url
        place.linode = fake
        place.write("linode.token", fake.token + "\n", 0o600)
        place.configure(log={"level": "debug", "file": "jarvis.log"}, providers={
            "linode": {"api": url, "token_file": "linode.token", "poll": "30ms", "rate": 1000, **settings}})
        place.plan("linode", **PLANS, **POWER)
        yield fake


def spec(place, **keys):
    return place.spec("loki", **{"provider": "linode", "guestid": "Debian 12", "datacenter": "Atlanta", "size": 512,
                                 "sshpubkey": f"'{KEY}'", **keys})


def task(place, name, status=0, **clipboard):
    """One task by hand, confirmed if it asks for that; its result."""
    said = json.dumps({"hostname": "loki", "fqdn": HOST, **clipboard})
    result = place.run("task", f"linode:{name}", input=said)
    code = re.search(r"--confirm (\S+)\s*$", result.text)
    if result.status == 6 and code:
        result = place.run("task", f"linode:{name}", "--confirm", code[1], input=said)
    assert result.status == status, result
    return result


def attempt(place, name, clipboard, step, mode="apply"):
    """One attempt of a task as jarvis makes it."""
    return subprocess.run([place.binary.with_name("jarvis-http"), "--task", f"linode:{name}"], input=json.dumps(clipboard), text=True,
                          capture_output=True, check=False, env=place.environment(
                              JARVIS_MODE=mode, JARVIS_RUN="by-hand", JARVIS_STEP=step, LINODE_API=place.linode.url,
                              LINODE_TOKEN=place.linode.token, LINODE_DIR=str(place.path("by-hand")), LINODE_RATE="1000"))


def wishes(**keys):
    return {"hostname": "loki", "fqdn": HOST, "guestid": "Debian 12", "datacenter": "Atlanta", "size": "512", **keys}


def planned(place, name, **keys):
    """What a task says in plan mode."""
    done = attempt(place, name, wishes(**keys), "by hand", "plan")
    assert done.returncode == 0, done
    return done.stderr


def operation(place, name, status=0, **clipboard):
    """One task as a run of its own."""
    saved = place.write("saved.yaml", json.dumps({"hostname": "loki", "fqdn": HOST, "provider": "linode", **clipboard}))
    result = place.run("replay", saved, "--operation", name)
    code = re.search(r"jarvis confirm (\S+)\s*$", result.text)
    if result.status == 6 and code:
        result = place.run("confirm", code[1])
    assert result.status == status, result
    return result


def host_key_in(machine):
    config = yaml.safe_load(machine.user_data)
    return config["ssh_keys"]["ed25519_public"]


def changes(fake, since=0):
    """What was asked for besides looking."""
    return [asked.name for asked in fake.requests[since:] if asked.method != "GET"]


@takes(12)
def test_deploy_again_redeploy_destroy(place):
    with linode(place, judged=True) as fake:
        place.expect(0, "deploy", spec(place))
        machine = fake.machine(HOST)
        found = place.facts()
        assert machine.status == "running" and machine.boots == 1
        assert (machine.region, machine.type, machine.image) == ("us-southeast", "g6-nanode-1", "linode/debian12")
        assert [tag.split(":")[0] for tag in machine.tags] == ["fqdn", "run", "step"] and f"fqdn:{HOST}" in machine.tags
        assert found["ipaddress"] == [machine.ipv4[0], machine.ipv6] and found["instance_id"] == str(machine.id)
        assert KEY in machine.authorized_keys and found["ssh_login_pubkey"] in machine.authorized_keys
        assert host_key_in(machine) == found["ssh_host_keys"][0]
        assert "password" not in yaml.safe_load(machine.user_data) and machine.root_pass not in machine.user_data.decode()

        seen = len(fake.requests)
        place.expect(0, "deploy", spec(place))
        assert changes(fake, seen) == [] and list(fake.machines) == [machine.id]
        assert fake.machine(HOST).tags == machine.tags

        before, password, key = dict(machine.disks), machine.root_pass, host_key_in(machine)
        asked = place.confirmed(0, "redeploy", spec(place)).asked
        assert str(machine.id) in asked
        again = fake.machine(HOST)
        assert again.id == machine.id and place.facts()["ipaddress"][0] == again.ipv4[0]
        assert again.status == "running" and not set(before) & set(again.disks)
        assert again.root_pass != password and host_key_in(again) != key
        assert host_key_in(again) == place.facts()["ssh_host_keys"][0]
        assert len(fake.named("POST /linode/instances/[0-9]+/rebuild")) == 1

        place.confirmed(0, "destroy", "loki")
        assert not fake.machines
        assert "instance_id" not in place.facts()
        place.confirmed(0, "destroy", "loki")


@takes(10)
def test_disks(place):
    with linode(place, judged=True) as fake:
        place.expect(0, "deploy", spec(place, disks=DISKS, kernel="linode/direct-disk"))
        machine = fake.machine(HOST)
        assert [(disk["label"], disk["size"], disk["filesystem"]) for disk in machine.disks.values()] == [
            ("root", 4096, "ext4"), ("swap", 512, "swap"), ("opt", 20992, "ext4")]
        config, = machine.configs.values()
        names = {number: disk["label"] for number, disk in machine.disks.items()}
        assert [(slot, names[device["disk_id"]]) for slot, device in config["devices"].items()] == [
            ("sda", "root"), ("sdb", "swap"), ("sdc", "opt")]
        assert place.facts()["devices"] == {"opt": ["/dev/sdc"]}
        assert config["kernel"] == "linode/direct-disk" and machine.status == "running" and machine.boots == 1
        first_key = place.facts()["ssh_host_keys"]
        assert host_key_in(machine) == first_key[0]
        seen = len(fake.requests)
        place.expect(0, "deploy", spec(place, disks=DISKS, kernel="linode/direct-disk"))
        assert changes(fake, seen) == []

        # The data disk stays, and so does the key that the user data carry: they cannot be changed without it.
        disks = {disk["label"]: number for number, disk in machine.disks.items()}
        lines = planned(place, "rebuild", disks={"root": 4096, "swap": 512, "opt": "rest"})
        assert "delete disk root (4096 MB)" in lines and "delete disk swap" in lines and "opt" not in lines, lines
        place.confirmed(0, "redeploy", spec(place, disks=DISKS))
        after = {disk["label"]: number for number, disk in machine.disks.items()}
        assert after["opt"] == disks["opt"] and after["root"] != disks["root"] and set(after) == set(disks)
        config, = machine.configs.values()
        assert [device["disk_id"] for slot, device in sorted(config["devices"].items())] == [
            after["root"], after["swap"], after["opt"]]
        assert machine.status == "running" and place.facts()["devices"] == {"opt": ["/dev/sdc"]}
        assert place.facts()["ssh_host_keys"] == first_key and place.facts()["ssh_user_data_key"] == first_key[0]

        lines = planned(place, "rebuild", disks={"root": 4096, "swap": 512, "opt": "rest"}, wipe=["opt"])
        assert "delete disk opt (20992 MB)" in lines, lines
        asked = place.confirmed(0, "redeploy", spec(place, disks=DISKS, wipe="[opt]")).asked
        assert "also the disks that the spec wipes: opt" in asked and "delete disk opt (20992 MB)" in asked, asked
        wiped = {disk["label"]: number for number, disk in machine.disks.items()}
        assert wiped["opt"] != after["opt"] and machine.status == "running"

        # What would lose data is refused before anything is touched.
        seen = len(fake.requests)
        refused = place.run("redeploy", spec(place))
        assert refused.status == 1 and "write `disks:` to keep it, or `wipe: [opt]`" in refused.text, refused
        unknown = place.run("redeploy", spec(place, disks=DISKS, wipe="[opd]"))
        assert unknown.status == 2 and "no disk and no volume `opd`" in unknown.text, unknown
        assert changes(fake, seen) == []


@takes(10)
def test_volumes(place):
    with linode(place, judged=True) as fake:
        place.expect(0, "deploy", spec(place, volumes="{data: 20}"))
        machine = fake.machine(HOST)
        volume, = fake.volumes.values()
        assert volume["size"] == 20 and volume["linode_id"] == machine.id and f"fqdn:{HOST}" in volume["tags"]
        assert machine.status == "running" and machine.boots == 1

        def attached():
            config, = machine.configs.values()
            return [device["volume_id"] for device in config["devices"].values() if device.get("volume_id")]
        assert attached() == [volume["id"]]
        assert place.facts()["devices"] == {"data": [f"/dev/disk/by-id/scsi-0Linode_Volume_{volume['label']}"]}
        wrong = place.expect(2, "redeploy", spec(place, volumes="{data: 20}", mounts="{data: /etc}")).text
        assert "mounts: data: `/etc` is the system's own" in wrong and "nothing was changed" in wrong, wrong
        wrong = attempt(place, "rebuild", wishes(volumes={"data": 20}, mounts={"data": "/etc"}), "by hand", "plan")
        assert wrong.returncode == 1 and "mounts: data: `/etc` is the system's own" in wrong.stderr, wrong
        seen = len(fake.requests)
        place.expect(0, "deploy", spec(place, volumes="{data: 20}"))
        assert changes(fake, seen) == []

        place.confirmed(0, "redeploy", spec(place, volumes="{data: 20}"))
        assert fake.machine(HOST).id == machine.id and list(fake.volumes) == [volume["id"]] and attached() == [volume["id"]]

        assert f"delete volume {volume['label']} (20 GB)" in planned(place, "rebuild", volumes={"data": 20}, wipe=["data"])
        place.confirmed(0, "redeploy", spec(place, volumes="{data: 20}", wipe="[data]"))
        another, = fake.volumes.values()
        assert another["id"] != volume["id"] and attached() == [another["id"]]

        assert f"delete volume {another['label']}" in planned(place, "destroy")
        place.confirmed(0, "destroy", "loki")
        assert not fake.machines and not fake.volumes


@takes(10)
def test_a_new_machine_gets_the_volumes_that_were_kept(place):
    with linode(place) as fake:
        place.expect(0, "deploy", spec(place, volumes="{data: 20}"))
        before = fake.machine(HOST)
        kept, = fake.volumes.values()
        operation(place, "delete_machine", instance_id=str(before.id))
        assert not fake.machines and list(fake.volumes) == [kept["id"]] and kept["linode_id"] is None

        # What this step made is taken back when a later part is refused; what was there before stays.
        fake.volume_quota = 2
        refused = place.expect(1, "deploy", spec(place, volumes="{data: 20, more: 10, most: 10}"))
        assert "Account Limit reached" in refused.text and "what this step created is removed" in refused.text, refused
        assert not fake.machines and list(fake.volumes) == [kept["id"]]

        fake.volume_quota = math.inf
        place.expect(0, "deploy", spec(place, volumes="{data: 20}"))
        assert kept["linode_id"] == fake.machine(HOST).id and list(fake.volumes) == [kept["id"]]


@takes(8)
def test_what_is_refused_in_mid_creation_leaves_nothing(place):
    with linode(place) as fake:
        fake.quota = 0
        refused = place.expect(1, "deploy", spec(place))
        assert "Account Limit reached" in refused.text, refused
        fake.quota = math.inf
        for action in ("linode_create", "disk_create", "linode_boot"):
            for _ in range(2 if action == "linode_boot" else 1):  # the one of the creating call, and ours
                fake.fail_event(action, "no such luck")
            refused = place.expect(1, "deploy", spec(place, **({"disks": DISKS} if action == "disk_create" else {})))
            assert "what this step created is removed" in refused.text, (action, refused)
            until(lambda: fake.tick() or not fake.machines or fake.finish(), "nothing is left", 5)
            fake._failing.clear()


@takes(8)
def test_a_name_that_is_taken(place):
    with linode(place) as fake:
        foreign = fake.add_machine(HOST)
        seen = len(fake.requests)
        refused = place.expect(1, "deploy", spec(place))
        assert "is not jarvis's" in refused.text and f"adopt {HOST}" in refused.text, refused
        confirmed_destroy = place.run("destroy", HOST)
        assert confirmed_destroy.status != 0, confirmed_destroy
        for name in ("shutdown", "destroy", "delete_machine", "reboot", "set_kernel", "rebuild"):
            task(place, name, status=1, guestid="Debian 12", datacenter="Atlanta", size="512")
        assert changes(fake, seen) == [] and foreign.status == "running"

        # Taken over, it is ours like any other.
        adopted = yaml.safe_load(task(place, "adopt").out)
        assert adopted["instance_id"] == str(foreign.id) and adopted["datacenter"] == "us-southeast"
        assert adopted["guestid"] == "linode/debian12" and adopted["size"] == "g6-nanode-1"
        operation(place, "shutdown", instance_id=adopted["instance_id"])
        assert foreign.status == "offline"
        # Another id than the one that the run knows, and a second one of the name.
        task(place, "startup", status=1, instance_id="4711")
        double = fake.add_machine("loki2", tags=[f"fqdn:{HOST}", "run:r", "step:s"])
        task(place, "startup", status=1)
        assert foreign.status == "offline" and double.status == "running"


@takes(8)
def test_a_machine_that_is_not_listed_yet(place):
    with linode(place) as fake:
        fake.hide_new = True
        fake.fail_next("POST /linode/instances", drop=True, done=True)
        process = place.start("deploy", spec(place))
        until(lambda: len(fake.named("POST /linode/instances")) >= 3, "the label was looked at again")
        assert len(fake.machines) == 1
        fake.hidden.clear()
        assert process.wait() == 0, process.output()
        assert len(fake.machines) == 1 and fake.machine(HOST).status == "running"


def to_its_end(place, name, clipboard, step):
    """Attempts of one step until it is done, each with what the first one got, as after a crash."""
    for _ in range(60):
        done = attempt(place, name, clipboard, step)
        if done.returncode != 75:
            return done
    raise AssertionError(done)


@takes(15)
def test_a_rebuild_goes_on_wherever_it_was_cut_short(place):
    """Each call that changes something loses its reply once, and once the request itself."""
    with linode(place) as fake:
        fake.polls = 0
        for name, keys in (("plain", {"volumes": {"data": 20}, "wipe": ["data"]}),
                           ("in parts", {"disks": {"root": 4096, "swap": 512, "opt": 2000, "var": "rest"}, "wipe": ["var"]})):
            clipboard = wishes(password="Correct-horse-7", **keys)
            assert to_its_end(place, "deploy", wishes(**keys, **KEYS), f"{name} 0").returncode == 0
            machine = fake.machine(HOST)
            cut, number, at_all = 0, 0, None
            while at_all is None or cut < at_all:
                for done in (True, False):
                    number += 1
                    before = {disk["label"]: disk["id"] for disk in machine.disks.values()}
                    volumes, seen = set(fake.volumes), len(fake.requests)
                    fault = _Nth(fake, cut, done)
                    end = to_its_end(place, "rebuild", clipboard, f"{name} {number}")
                    assert end.returncode == 0 and (fault.struck or cut > 0), (name, cut, done, end)
                    at_all = max(at_all or 0, len(changes(fake, seen)))
                    after = {disk["label"]: disk["id"] for disk in machine.disks.values()}
                    assert list(fake.machines) == [machine.id] and machine.status == "running", (name, cut, done, machine.status)
                    assert after.keys() == before.keys() and len(machine.disks) == len(after) and len(machine.configs) == 1
                    kept = {label for label in after if after[label] == before[label]}
                    assert kept == ({"opt"} if "disks" in keys else set()), (name, cut, done, kept)
                    assert not volumes & set(fake.volumes) and len(fake.volumes) == ("volumes" in keys)
                    assert machine.root_pass == "Correct-horse-7"
                cut += 1
            assert to_its_end(place, "destroy", clipboard, f"{name} end").returncode == 0 and not fake.machines


class _Nth:
    """The call that changes something, so many of them from now on, is dropped: after it was done, or before. With a
    page: that is what comes back."""

    def __init__(self, fake, number, done, page=None):
        self.fake, self.left, self.done, self.page, self.struck = fake, number, done, page, False
        self.answer = type(fake).answer.__get__(fake)
        fake.answer = self

    def __call__(self, asked):
        if asked.method == "GET" or self.struck:
            return self.answer(asked)
        self.left -= 1
        if self.left >= 0:
            return self.answer(asked)
        self.struck = True
        if self.done:
            self.answer(asked)
        return (200, self.page, {"Content-Type": "text/html"}) if self.page else None


NEAREST = [
    ("a region", {"datacenter": "Atlnta"}, ["datacenter:", "Atlnta", "Atlanta, GA (us-southeast)"]),
    ("a region that may be two", {"datacenter": "us-east"}, []),
    ("an image", {"guestid": "Debian 13"}, ["guestid:", "Debian 13", "Debian 12 (linode/debian12)"]),
    ("a deprecated image", {"guestid": "Debian 9"}, ["deprecated", "Debian 12 (linode/debian12)"]),
    ("an image without cloud-init", {"guestid": "Alpine 3.19"}, ["no cloud-init", "Debian 12"]),
    ("a region without metadata", {"datacenter": "Tokyo"}, ["ap-northeast", "no metadata service", "us-southeast"]),
    ("a size", {"size": "999999"}, ["size:", "999999", "g6-standard-8"]),
    ("a type", {"size": "g6-nanode-2"}, ["size:", "g6-nanode-1"]),
    ("a disk too large", {"size": "g6-nanode-1", "disks": "{root: 99999, swap: 512}"}, ["disks:", "25600"]),
    ("a root too small", {"disks": "{root: 100, opt: rest}"}, ["disks: root:", "1650"]),
    ("no root", {"disks": "{opt: rest}"}, ["disks:", "root"]),
    ("a kernel", {"kernel": "linode/grub3"}, ["kernel:", "linode/grub2"]),
    ("a volume too small", {"volumes": "{data: 5}"}, ["volumes: data", "10 to 10240"]),
    ("rdns", {"rdns": "maybe"}, ["rdns", "yes or no"]),
]


@takes(8)
def test_the_nearest_offered_is_named(place):
    with linode(place) as fake:
        for name, keys, words in NEAREST:
            refused = place.run("plan", spec(place, **keys))
            assert refused.status == (2 if words else 5), (name, refused)
            assert all(word in refused.text for word in words), (name, words, refused)
        assert changes(fake) == []


@takes(4)
def test_plan_says_what_it_costs(place):
    with linode(place) as fake:
        said = place.expect(5, "plan", spec(place))
        assert "g6-nanode-1 (1 CPU, 1024 MB) in us-southeast from linode/debian12, 5.00 USD a month" in said.text, said
        said = place.expect(5, "plan", spec(place, datacenter="id-cgk", size=2000, volumes="{data: 20}"))
        assert "g6-standard-1" in said.text and "volume data of 20 GB" in said.text, said
        assert re.search(r"1[67]\.\d\d USD a month", said.text), said
        offered = yaml.safe_load(task(place, "offers").out)["offers"]
        assert {"region", "type", "image"} == {one["kind"] for one in offered}
        # The list that jarvis brings along.
        place.path("plans/linode.yaml").rename(place.path("linode.yaml"))
        said = place.expect(5, "plan", spec(place))
        assert all(task in said.text for task in ("monitoring:silence", "linode:deploy", "ssh:own_keys", "linode:set_kernel",
                                                  "linode:set_rdns", "monitoring:unsilence")), said
        place.path("linode.yaml").rename(place.path("plans/linode.yaml"))
        fake.unavailable.add(("g6-nanode-1", "us-southeast"))
        assert "has no g6-nanode-1 left in us-southeast" in place.expect(2, "plan", spec(place)).text
        place.expect(0, "deploy", spec(place, datacenter="us-east", volumes="{data: 20}"))
        owned = yaml.safe_load(task(place, "machines").out)["machines"]
        machine = fake.machine(HOST)
        assert [(one["kind"], one["fqdn"], one["monthly"]) for one in owned] == [
            ("machine", HOST, 5.0), ("volume", HOST, 2.0)] and owned[1]["machine"] == str(machine.id), owned


@takes(6)
def test_credentials(place):
    with linode(place) as fake:
        for name, token, words in (("unknown", "0" * 64, ["401"]), ("no right", fake.add_token("linodes:read_only images:read_only"), ["linodes:read_write"]),
                                   ("none for volumes", fake.add_token("linodes:read_write images:read_only events:read_only"), ["volumes"]),
                                   ("restricted", fake.add_token(restricted=True), ["restricted"])):
            place.write("linode.token", token + "\n", 0o600)
            said = place.run("plan", spec(place, volumes="{data: 20}"))
            assert said.status == 2 and "token_file" in said.text, (name, said)
            assert all(word in said.text for word in words) and token not in said.text, (name, said)
        assert changes(fake) == []
        place.path("linode.token").unlink()
        missing = place.expect(2, "plan", spec(place))
        assert "linode.token" in missing.text, missing


@takes(8)
def test_power_kernel_and_reverse_dns(place):
    with linode(place, judged=True) as fake:
        fake.polls = 3
        place.expect(0, "deploy", spec(place))
        machine = fake.machine(HOST)
        operation(place, "reboot")
        assert len(fake.named(".*/reboot")) == 1 and machine.boots == 2
        operation(place, "shutdown")
        operation(place, "shutdown")
        assert machine.status == "offline" and len(fake.named(".*/shutdown")) == 1
        fake.fail_event("linode_boot", "the host is on fire")
        failed = operation(place, "startup", status=1)
        assert "the host is on fire" in failed.text, failed
        operation(place, "startup")
        assert machine.status == "running"

        config, = machine.configs.values()
        task(place, "set_kernel", kernel="Latest 64 bit (6.9.3-x86_64-linode166)")
        assert config["kernel"] == "linode/latest-64bit"
        task(place, "set_kernel")
        assert config["kernel"] == "linode/grub2"

        fake.forward = {}
        refused = task(place, "set_rdns", status=1, rdns="yes")
        assert "forward DNS" in refused.text, refused
        fake.forward = {HOST: [machine.ipv4[0], machine.ipv6]}
        task(place, "set_rdns", rdns="yes")
        assert [machine.rdns[address] for address in (machine.ipv4[0], machine.ipv6)] == [HOST, HOST]
        seen = len(fake.requests)
        task(place, "set_rdns", rdns="yes")
        task(place, "set_rdns")
        assert changes(fake, seen) == []


@takes(6)
def test_a_redeploy_that_cannot_be_is_refused_before_it_touches(place):
    with linode(place) as fake:
        place.expect(0, "deploy", spec(place))
        seen, machine = len(fake.requests), fake.machine(HOST)
        for name, keys, word in (("another region", {"datacenter": "Newark"}, "datacenter: it is in us-southeast"),
                                 ("another size", {"size": 2048}, "size: it is a g6-nanode-1"),
                                 ("other disks", {"disks": DISKS}, "was not laid out by `disks:`")):
            refused = place.run("redeploy", spec(place, **keys))
            assert refused.status == 1 and word in refused.text, (name, refused)
        assert "make volume data (20 GB)" in planned(place, "deploy", volumes={"data": 20})
        running = place.run("deploy", spec(place, size=2048))
        assert running.status == 1 and "`redeploy` changes that" in running.text, running
        fake.images[:] = [image for image in fake.images if image["id"] != "linode/debian12"]
        gone = place.run("redeploy", spec(place))
        assert gone.status == 2 and "guestid" in gone.text, gone
        assert changes(fake, seen) == [] and machine.status == "running"


@takes(8)
def test_nothing_secret_is_anywhere(place):
    with linode(place) as fake:
        spoken = [place.expect(0, "deploy", spec(place)).text]
        machine = fake.machine(HOST)
        password = machine.root_pass
        fake.fail_next("POST .*/rebuild", status=400, reason="not today")
        failed = place.confirmed(1, "redeploy", spec(place))
        assert "not today" in failed.text, failed
        private = yaml.safe_load(machine.user_data)["ssh_keys"]["ed25519_private"].strip().splitlines()[2]
        spoken += [failed.text, place.expect(0, "logs", "loki").text]
        secrets = [fake.token, password, private, base64.b64encode(machine.user_data).decode()[200:260]]
        for path in place.directory.rglob("*"):
            if not path.is_file() or path in (place.path("linode.token"), place.path("specs/loki.yaml")):
                continue
            content = path.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in content], path
        assert not [secret for secret in secrets for text in spoken if secret in text], spoken


@takes(8)
def test_volumes_of_a_host_whose_machine_is_gone(place):
    with linode(place) as fake:
        place.expect(0, "deploy", spec(place, volumes="{data: 20}"))
        operation(place, "delete_machine", instance_id=str(fake.machine(HOST).id))
        volume, = fake.volumes.values()
        assert not fake.machines
        assert "volume" not in planned(place, "delete_machine")
        # Somebody else has it.
        other = fake.add_machine("thor")
        volume["linode_id"] = other.id
        refused = place.run("destroy", "loki")
        assert refused.status == 1 and f"is attached to linode {other.id}; jarvis takes it from nobody" in refused.text, refused
        volume["linode_id"] = None
        asked = place.confirmed(0, "destroy", "loki").asked
        assert f"delete volume {volume['label']} (20 GB)" in asked, asked
        assert not fake.volumes and list(fake.machines) == [other.id]
        place.confirmed(0, "destroy", "loki")


@takes(10)
def test_a_page_in_place_of_an_answer_is_none(place):
    """Of each call that changes something, once: nothing was done, and it is asked for again."""
    page = "<html><body>Welcome to the hotel's network</body></html>"
    board = wishes(**KEYS, volumes={"data": 20}, disks={"root": 4096, "swap": 512, "opt": "rest"})
    with linode(place) as fake:
        fake.polls = 0  # what is deleted is gone at once: nobody looks at its volumes again
        cut, struck = 0, True
        while struck:
            struck = False
            for name in ("deploy", "destroy"):
                fault = _Nth(fake, cut, False, page)
                end = to_its_end(place, name, board, f"{name} {cut}")
                assert end.returncode == 0, (name, cut, end)
                struck = struck or fault.struck
                if name == "deploy":
                    machine = fake.machine(HOST)
                    assert machine.status == "running" and len(fake.volumes) == 1 and len(machine.disks) == 3, (cut, machine.disks)
                else:
                    assert not fake.machines and not fake.volumes, (cut, fake.volumes)
            cut += 1
        assert cut > 6, cut


@takes(5)
def test_a_list_of_more_than_one_page(place):
    with linode(place) as fake:
        debian = next(one for one in fake.images if one["id"] == "linode/debian12")
        others = [{**debian, "id": f"private/{number}", "label": f"image {number}"} for number in range(1100)]
        fake.images[:] = [*others, *fake.images]
        offers = yaml.safe_load(task(place, "offers").out)["offers"]
        assert {one["id"] for one in offers if one["kind"] == "image"} == {one["id"] for one in fake.images}
        assert [one.query["page"] for one in fake.named("GET /images")] == [["1"], ["2"], ["3"]]
        place.expect(0, "deploy", spec(place))
        assert fake.machine(HOST).image == debian["id"]
        place.confirmed(0, "destroy", "loki")
        # More machines than one page has, of which the host's is the last.
        for number in range(510):
            fake.add_machine(f"other{number}", tags=[f"fqdn:h{number}.example.org", "run:r", "step:s"])
        place.expect(0, "deploy", spec(place))
        machines = yaml.safe_load(task(place, "machines").out)["machines"]
        assert len(machines) == 511 and machines[-1]["name"] == HOST, (len(machines), machines[-1])
