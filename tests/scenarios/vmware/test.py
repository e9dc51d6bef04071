"""The provider `vmware` against govmomi's simulator: a vCenter and a single ESXi."""
import base64
import json
import re

import yaml

from lab import each, takes, until
from lab.certificates import Authority
from lab.clouds import cloud
from lab.dialects import Vsphere
from lab.fault_proxy import FaultProxy
from lab.vcsim import Vcsim
from lab.vmware_client import VmwareClient

FQDN = "loki.example.org"
GB = 1024 * 1024  # in KB
SCRATCH = {"guestid": "debian11_64Guest", "disksize": 1048576, "size": 512, "num_cpus": 2, "vmhost": "DC0_H0",
           "nic_network": "VM Network", "datastore": "LocalDS_0"}
ON_ESX = {**SCRATCH, "vmhost": "localhost.localdomain"}
CLONE = {"guestid": "debian-12", "vmhost": "DC0_H0"}


def vsphere(place, **more):
    server = Vcsim(place, Authority(place.path("ca")), **more).require_current()
    place.write("vmware.password", server.password + "\n", 0o600)
    settings(place, server)
    off = ["vmware:shutdown"]
    place.plan("vmware", deploy=["vmware:deploy"], redeploy=["vmware:can_deploy", *off, "vmware:delete_machine", "vmware:deploy"],
               destroy=[*off, "vmware:destroy"], adopt=["vmware:adopt"])
    return server


def settings(place, server, **more):
    place.configure(providers={"vmware": {"url": server.url, "user": server.user, "password_file": "vmware.password",
                                          "ca_file": str(server.ca), "rate": 500, "poll": "200ms", **more}})


def spec(place, keys, **more):
    return place.spec("loki", provider="vmware", **{**keys, **more})


def task(place, name, keys, status=0, **more):
    """One task by hand, confirmed where it wants that."""
    clipboard = json.dumps({"hostname": "loki", "fqdn": FQDN, "provider": "vmware", **keys, **more})
    result = place.run("task", f"vmware:{name}", input=clipboard)
    code = re.search(r"--confirm (\S+)", result.text)
    if result.status == 6 and code:
        result = place.run("task", f"vmware:{name}", "--confirm", code[1], input=clipboard)
    assert result.status == status, f"expected exit status {status}:\n{result!r}"
    return result


def owned(place):
    return sorted((one["kind"], one["name"]) for one in yaml.safe_load(task(place, "machines", {}).out)["machines"])


def the_only(server, name=FQDN):
    machine, = server.machines(name)
    return machine


@takes(6)
@each("vcenter", "esxi")
def test_from_scratch_again_and_gone(place, kind):
    esx = kind == "esxi"
    server = vsphere(place, esx=esx, addresses="10.9.8.")
    keys = ON_ESX if esx else SCRATCH
    plan = place.expect(5, "plan", spec(place, keys))
    assert "create vmware loki.example.org: 2 CPUs, 512 MB, disk 1.0 GB, in " in plan.text, plan
    assert not server.machines(FQDN)
    place.expect(0, "deploy", spec(place, keys))
    machine = the_only(server)
    assert (machine["power"], machine["cpus"], machine["memory"]) == ("poweredOn", 2, 512), machine
    assert [disk["kb"] for disk in machine["disks"]] == [1048576] and machine["disks"][0]["file"].startswith("[LocalDS_0] "), machine
    assert machine["networks"] == ["VM Network"], machine
    known, extra = place.facts(), machine["extra_config"]
    assert known["instance_id"] == machine["id"] and known["macaddrs"] == machine["macs"], (known, machine)
    assert extra["jarvis.fqdn"] == FQDN and extra["jarvis.run"] and extra["jarvis.step"] and known["created"] == extra["jarvis.created"]
    assert extra["guestinfo.userdata.encoding"] == extra["guestinfo.metadata.encoding"] == "base64", extra
    handed = yaml.safe_load(base64.b64decode(extra["guestinfo.userdata"]))
    assert handed["fqdn"] == FQDN and known["password"] not in str(handed), handed
    assert yaml.safe_load(base64.b64decode(extra["guestinfo.metadata"]))["local-hostname"] == FQDN
    # Again: the same machine, and nothing changes.
    place.expect(0, "plan", spec(place, keys))
    place.expect(0, "deploy", spec(place, keys))
    assert the_only(server)["id"] == machine["id"]
    task(place, "get_address", {"instance_id": machine["id"]})
    assert "10.9.8." in task(place, "get_address", {}).out
    assert "num_cpus 2, not 4" in place.expect(1, "deploy", spec(place, {**keys, "num_cpus": 4})).text
    place.confirmed(0, "destroy", "loki")
    assert not server.machines(FQDN)
    task(place, "destroy", {})
    task(place, "shutdown", {})


@takes(8)
@each("from scratch", "clone", "esxi")
def test_several_adapters(place, kind):
    """One for each network that the spec names, in that order; a template has one, which is moved, and gets the second."""
    esx = kind == "esxi"
    server = vsphere(place, esx=esx, templates=[] if esx else ["debian-12"])
    names = ["VM Network", "VM Network"] if esx else ["VM Network", "DC0_DVPG0"]
    keys = {**{"from scratch": SCRATCH, "clone": CLONE, "esxi": ON_ESX}[kind], "nic_network": json.dumps(names)}
    planned = place.expect(5, "plan", spec(place, keys)).text
    assert f", networks {', '.join(names)}" in planned, planned
    place.expect(0, "deploy", spec(place, keys))
    machine = the_only(server)
    assert len(machine["networks"]) == 2 and machine["networks"][0] == "VM Network", machine
    assert machine["networks"][1].startswith("VM Network" if esx else "dvportgroup-"), machine
    assert place.facts()["macaddrs"] == machine["macs"] and len(set(machine["macs"])) == 2, machine
    place.expect(0, "deploy", spec(place, keys))
    three = json.dumps([*names, "VM Network"])
    refused = place.expect(1, "deploy", spec(place, {**keys, "nic_network": three})).text
    assert "nic_network of adapter 3 is not there, not VM Network" in refused, refused
    wrong = json.dumps(["VM Network", "VM Netwrk"])
    assert "nic_network: VM Netwrk" in place.expect(2, "plan", place.spec("thor", provider="vmware", **{**keys, "nic_network": wrong})).text
    many = json.dumps(["VM Network"] * 11)
    assert "at most 10" in place.expect(2, "plan", place.spec("thor", provider="vmware", **{**keys, "nic_network": many})).text
    place.confirmed(0, "redeploy", spec(place, keys))
    again = the_only(server)
    assert again["id"] != machine["id"] and again["networks"] == machine["networks"]
    board = place.facts()
    if kind == "from scratch":  # what adopts it describes both
        for key in ("jarvis.fqdn", "jarvis.run", "jarvis.step"):
            server.tag_outside(again["id"], key, "")
        adopted = yaml.safe_load(task(place, "adopt", {"instance_id": board["instance_id"]}).out)
        assert adopted["nic_network"] == names, adopted
    place.confirmed(0, "destroy", "loki")
    assert not server.machines(FQDN)


@takes(5)
def test_clone(place):
    server = vsphere(place, templates=["debian-12"])
    place.expect(0, "deploy", spec(place, CLONE, num_cpus=3, size=768, disksize=12 * GB, nic_network="DC0_DVPG0", vmhost="DC0_H0"))
    machine = the_only(server)
    assert (machine["power"], machine["cpus"], machine["memory"]) == ("poweredOn", 3, 768), machine
    assert [disk["kb"] for disk in machine["disks"]] == [12 * GB], machine
    assert machine["networks"][0].startswith("dvportgroup-") and machine["extra_config"]["jarvis.fqdn"] == FQDN, machine
    assert len(server.templates()) == 1


@takes(5)
def test_every_name_must_be_there(place):
    server = vsphere(place, templates=["debian-12"])
    said = {
        "datastore": ("LocalDS_7", "datastore: LocalDS_7 is not in datacenter DC0; did you mean LocalDS_"),
        "nic_network": ("VM Netwrok", "nic_network: VM Netwrok is not in host DC0_H0; did you mean VM Network?"),
        "resource_pool": ("Resuorces", "resource_pool: Resuorces is not in DC0_H0; did you mean Resources?"),
        "folder": ("linux", "folder: linux is not in datacenter DC0; there are vm"),
        "vmhost": ("DC0_H9", "vmhost: DC0_H9 is not in datacenter DC0; did you mean DC0_H0?"),
        "datacenter": ("DC9", "datacenter: DC9 is not in "),
        "guestid": ("debian-13", "did you mean debian-12?"),
        "disksize": ("20GB", "disksize: 20GB must be a disk in KB"),
        "size": ("511", "size: 511 must be memory in MB, 4 to 25165824, a multiple of 4"),
        "nic_type": ("ne2000", "nic_type: ne2000 is none of vmxnet3, e1000e, e1000, pcnet32"),
    }
    for key, (value, sentence) in said.items():
        result = place.expect(2, "deploy", spec(place, SCRATCH, **{key: value}))
        assert sentence in result.text, result
    assert "vmhost: missing, and datacenter DC0 has several: DC0_C0, DC0_H0" in place.expect(
        2, "deploy", spec(place, {key: value for key, value in SCRATCH.items() if key != "vmhost"})).text
    # No template of that name: this is what is said, not what a machine from scratch would lack.
    assert "guestid: debian-13 is neither a template in datacenter DC0 nor a guest id" in place.expect(
        2, "deploy", spec(place, {"guestid": "debian-13", "datacenter": "DC0"})).text
    assert not server.machines(FQDN)


@takes(5)
def test_what_is_said_before_anything_is_touched(place):
    server = vsphere(place)
    place.expect(0, "deploy", spec(place, SCRATCH))
    before = the_only(server)
    server.free("LocalDS_0", 1 << 20)
    for command in ("plan", "redeploy"):
        result = place.expect(2, command, spec(place, SCRATCH)) if command == "redeploy" else None
        assert result is None or "datastore LocalDS_0 has 0.0 GB free, and 1.5 GB are needed" in result.text, result
    assert the_only(server) == before
    assert "LocalDS_0 has 0.0 GB free" in task(place, "can_deploy", SCRATCH, 1).text
    # The wrong password, without the password.
    place.write("vmware.password", "not-the-password\n", 0o600)
    result = task(place, "can_deploy", SCRATCH, 1)
    assert f"refuses the login of {server.user}: `user` or `password_file`" in result.text and "not-the" not in result.text, result


def test_esxi_does_not_clone(place):
    server = vsphere(place, esx=True, templates=["debian-12"])
    result = place.expect(2, "deploy", spec(place, {"guestid": "debian-12"}))
    assert "guestid: debian-12 is a template, and a host by itself" in result.text, result
    assert not server.machines(FQDN)


@takes(10)
def test_redeploy_keeps_volumes(place):
    server = vsphere(place)
    with_volumes = {**SCRATCH, "volumes": "{data: 2, log: 1}"}
    place.expect(0, "deploy", spec(place, with_volumes))
    first = the_only(server)
    data, log = f"[LocalDS_0] jarvis-volumes/{FQDN}_data.vmdk", f"[LocalDS_0] jarvis-volumes/{FQDN}_log.vmdk"
    files = {disk["file"]: disk["kb"] for disk in first["disks"]}
    assert files[data] == 2 * GB and files[log] == GB and len(files) == 3, first
    assert first["extra_config"]["disk.EnableUUID"] == "TRUE", first
    devices = place.facts()["devices"]
    person = VmwareClient(server.url, server.user, server.password, server.ca)
    disks = [one for one in person.find(f"DC0/vm/{FQDN}").config.hardware.device if isinstance(one, person.vim.vm.device.VirtualDisk)]
    for name, file in (("data", data), ("log", log)):
        disk, = [one for one in disks if one.backing.fileName == file]
        hex = disk.backing.uuid.replace("-", "").lower()
        assert devices[name] == [f"/dev/disk/by-id/wwn-0x{hex}", f"/dev/disk/by-id/scsi-3{hex}",
                                 f"/dev/disk/by-path/*-scsi-0:0:{disk.unitNumber}:0"], (devices, disk)
    place.confirmed(0, "redeploy", spec(place, with_volumes))
    second = the_only(server)
    assert second["id"] != first["id"] and {disk["file"] for disk in second["disks"]} >= {data, log}, second
    assert owned(place) == [("machine", FQDN), ("volume", f"{FQDN}_data"), ("volume", f"{FQDN}_log")]
    asked = place.confirmed(0, "redeploy", spec(place, SCRATCH, volumes="{data: 3}", wipe="[log]")).asked
    assert "also the disks that the spec wipes: log" in asked and f"{FQDN}_log" in asked, asked
    third = the_only(server)
    assert {disk["file"]: disk["kb"] for disk in third["disks"]}[data] == 3 * GB and len(third["disks"]) == 2, third
    assert owned(place) == [("machine", FQDN), ("volume", f"{FQDN}_data")]
    place.confirmed(0, "destroy", "loki")
    assert owned(place) == [] and not server.machines(FQDN)


@takes(5)
def test_foreign_and_adopted(place):
    server = vsphere(place)
    place.expect(0, "deploy", spec(place, SCRATCH))
    machine = the_only(server)
    for key in ("jarvis.fqdn", "jarvis.run", "jarvis.step"):
        server.tag_outside(machine["id"], key, "")
    for name in ("deploy", "shutdown", "destroy"):
        assert "is not jarvis's" in task(place, name, SCRATCH, 1).text
    out = yaml.safe_load(task(place, "adopt", {}).out)
    assert the_only(server)["extra_config"]["jarvis.fqdn"] == FQDN
    described = {key: out[key] for key in SCRATCH}
    assert described == SCRATCH and out["datacenter"] == "DC0" and "folder" not in out, out
    place.expect(0, "task", "vmware:can_deploy", input=json.dumps({**out, "provider": "vmware", "hostname": "loki"}))
    server.rename_outside(machine["id"], "odin.example.org")
    assert "has another name" in task(place, "shutdown", {}, 1).text


@takes(4)
def test_for_an_installation_over_the_network(place):
    server = vsphere(place)
    place.expect(5, "plan", spec(place, SCRATCH))
    out = yaml.safe_load(task(place, "create", {**SCRATCH, "volumes": {"data": 1}, "ipaddress": "10.7.7.7"}).out)
    machine = the_only(server)
    assert machine["power"] == "poweredOff" and len(machine["disks"]) == 2, machine
    out = {key: value for key, value in out.items() if key != "password"}
    assert yaml.safe_load(task(place, "get_macaddrs", out).out)["macaddrs"] == machine["macs"]
    task(place, "startup", out)
    server.address(machine["id"], "10.1.1.1")
    assert yaml.safe_load(task(place, "get_address", out).out)["ipaddress"] == ["10.7.7.7"]
    gone = yaml.safe_load(task(place, "delete_machine", out).out)
    assert gone["ipaddress"] == ["10.7.7.7"] and "instance_id" not in gone, gone


@takes(20)
def test_a_session_that_ends(place):
    """Before every third call of a task, from the first look through a view on: what belonged to the session is gone with it."""
    with cloud("vmware", place) as it:
        keys = {**it.keys, "volumes": {"data": 1}}
        ends = 0

        def ended_before(number):
            """Lets the session end before the call of that number from now; whether there was one."""
            calls = []

            def when(request):
                if request.operation not in ("RetrieveServiceContent", "Login", "Logout"):
                    calls.append(request)
                    if len(calls) == number:
                        it.vcsim.expire()
                        return True
                return False
            it.proxy.calm()
            it.proxy.fault("expired", when=when)
            return lambda: len(calls) >= number

        for number in range(2, 200, 3):
            happened = []
            for name in ("deploy", "destroy"):
                happened.append(ended_before(number))
                task(place, name, keys)
            assert not it.machines("loki")
            if not any(one() for one in happened):
                break
            ends += 1
        assert ends > 8, ends
        it.proxy.calm()
        assert owned(place) == []


def test_offers(place):
    vsphere(place, templates=["debian-12"])
    offers = yaml.safe_load(task(place, "offers", {}).out)["offers"]
    kinds = {(one["kind"], one["id"]) for one in offers}
    assert {("region", "DC0"), ("region", "DC0_H0"), ("image", "debian-12")} <= kinds, offers
    assert "LocalDS_0" in next(one for one in offers if one["id"] == "DC0")["shown"], offers


@takes(8)
def test_a_creation_taken_back_keeps_what_was_there(place):
    with cloud("vmware", place) as it:
        place.serve()
        place.expect(0, "deploy", it.spec(volumes={"data": 1}))
        it.proxy.refuse(500, "InsufficientMemoryResourcesFault", "No memory", when="PowerOnVM_Task", times=None)
        said = place.confirmed(1, "redeploy", it.spec(volumes={"data": 1, "log": 1}))
        assert "not enough memory in the resource pool (InsufficientMemoryResourcesFault: No memory)" in said.text, said
        assert "what this step created is removed" in said.text, said
        assert not it.machines("loki") and owned(place) == [("volume", f"{FQDN}_data")], owned(place)
        it.proxy.calm()
        place.expect(0, "deploy", it.spec(volumes={"data": 1, "log": 1}))
        assert len(it.vcsim.machines(FQDN)[0]["disks"]) == 3


@takes(5)
@each("vcenter", "esxi")
def test_a_guest_shuts_itself_down(place, kind):
    esx = kind == "esxi"
    server = vsphere(place, esx=esx, addresses="10.9.8.")
    place.expect(0, "deploy", spec(place, ON_ESX if esx else SCRATCH))
    for _ in range(2):
        said = place.run("task", "vmware:shutdown", input=json.dumps({"hostname": "loki", "fqdn": FQDN}))
        assert said.status == 75 and "the guest is shutting down" in said.text, said
        assert the_only(server)["power"] == "poweredOff"
        assert "is off: nothing to power off" in task(place, "wait_until_off", {}).text + task(place, "shutdown", {}).text
        task(place, "startup", {})


@takes(5)
def test_a_guest_that_does_not_shut_itself_down(place):
    """It has 90 seconds for that, which this does not wait for: it lets them have passed since it was asked."""
    with cloud("vmware", place) as it:
        place.serve()
        place.expect(0, "deploy", it.spec())
        it.vcsim.deafen(it.machine().id)
        place.write("saved.yaml", place.clipboard("loki"), 0o600)
        place.expect(0, "replay", "saved.yaml", "--operation", "off", "--detach")
        note = until(lambda: next(place.state.rglob(f"{FQDN}.shutdown"), None), "the guest was asked")
        lines = until(lambda: len(note.read_text().split()) == 3 and note.read_text().split(), "it is noted when")
        asked = len(it.proxy.asked("ShutdownGuest"))
        looks = len(it.proxy.requests)
        until(lambda: len(it.proxy.requests) > looks + 10, "it was looked at again")
        assert it.machine().on and not it.proxy.asked("PowerOffVM_Task")
        place.write(note.relative_to(place.directory), "\n".join([*lines[:2], str(int(lines[2]) - 91)]) + "\n", 0o600)
        assert place.until_state("loki", "succeeded", "failed")["state"] == "succeeded"
        assert not it.machine().on and len(it.proxy.asked("ShutdownGuest")) == asked == 1
        assert len(it.proxy.asked("PowerOffVM_Task")) == 1 and not note.exists()


def added_by_hand(it, name, kb):
    """Somebody adds a disk to a machine; its label in the client, and its file."""
    person = VmwareClient(it.vcsim.url, it.vcsim.user, it.vcsim.password, it.vcsim.ca)
    machine = person.find(f"DC0/vm/{name}")
    before = {device.key for device in machine.config.hardware.device}
    person.call(lambda: machine.ReconfigVM_Task(spec=person.vim.vm.ConfigSpec(deviceChange=person.disk(kb))))
    new, = [one for one in person.find(f"DC0/vm/{name}").config.hardware.device
            if one.key not in before and isinstance(one, person.vim.vm.device.VirtualDisk)]
    return new.deviceInfo.label, new.backing.fileName


def attached(it, name, file):
    """Somebody gives a machine a disk that is there."""
    person = VmwareClient(it.vcsim.url, it.vcsim.user, it.vcsim.password, it.vcsim.ca)
    scsi, disk = person.disk(0)
    disk.fileOperation, disk.device.backing.fileName = None, file
    reconfigured(person, name, [scsi, disk])


def detached(it, name, file):
    """Somebody takes a disk off and keeps its file."""
    person = VmwareClient(it.vcsim.url, it.vcsim.user, it.vcsim.password, it.vcsim.ca)
    devices = person.find(f"DC0/vm/{name}").config.hardware.device
    disk = next(one for one in devices if getattr(one.backing, "fileName", None) == file)
    reconfigured(person, name, [person.vim.vm.device.VirtualDeviceSpec(operation="remove", device=disk)])


def reconfigured(person, name, changes):
    spec = person.vim.vm.ConfigSpec(deviceChange=changes)
    person.call(lambda: person.find(f"DC0/vm/{name}").ReconfigVM_Task(spec=spec))


@takes(8)
@each("made", "adopted")
def test_a_disk_that_is_no_volume_goes_with_no_redeploy(place, kind):
    with cloud("vmware", place) as it:
        place.serve()
        if kind == "made":
            place.expect(0, "deploy", it.spec(volumes={"data": 1}))
        else:
            it.make_foreign("loki")
        label, file = added_by_hand(it, FQDN, 1 << 20)
        if kind == "adopted":
            place.confirmed(0, "adopt", FQDN)
        before, = it.vcsim.machines(FQDN)
        words = "would go along with the machine, for it is no volume"
        asked = len(it.proxy.requests)
        refused = place.run("redeploy", it.spec(volumes={"data": 1}))
        assert refused.status == 1 and words in refused.text and f"`wipe: [{label}]` gives it up" in refused.text, refused
        assert f"disk {label} of vmware {FQDN} ({file}, 1 GB)" in refused.text, refused
        for name in ("can_deploy", "delete_machine"):
            assert words in task(place, name, {**it.keys, "volumes": {"data": 1}}, 1).text
        assert not [one for one in it.proxy.requests[asked:] if it.is_change(one)]
        assert it.vcsim.machines(FQDN) == [before]
        asked = place.expect(6, "destroy", "loki").text
        assert f"delete disk {label}, {file}, 1 GB" in asked, asked
        place.expect(0, "deploy", it.spec(volumes={"data": 1})) if kind == "made" else None  # which keeps it
        asked = place.confirmed(0, "redeploy", it.spec(volumes={"data": 1}, wipe=[label])).asked
        assert f"delete disk {label}, {file}, 1 GB" in asked, asked
        assert file not in [disk["file"] for disk in it.vcsim.machines(FQDN)[0]["disks"]]


@takes(6)
def test_the_disks_of_a_template_go_with_its_clone(place):
    with cloud("vmware", place) as it:
        place.serve()
        person = VmwareClient(it.vcsim.url, it.vcsim.user, it.vcsim.password, it.vcsim.ca)
        template = person.find("DC0/vm/debian-12")
        pool = person.find("DC0/host/DC0_H0").resourcePool
        person.call(lambda: template.MarkAsVirtualMachine(pool=pool))
        added_by_hand(it, "debian-12", 3 << 20)
        person.call(lambda: template.MarkAsTemplate())
        place.expect(0, "deploy", it.spec())
        first, = it.vcsim.machines(FQDN)
        assert len(first["disks"]) == 2 and first["extra_config"]["jarvis.disks"] == str(3 << 20), first
        asked = place.confirmed(0, "redeploy", it.spec()).asked
        assert "3 GB" in asked, asked
        second, = it.vcsim.machines(FQDN)
        assert len(second["disks"]) == 2 and second["id"] != first["id"], second
        label, _ = added_by_hand(it, FQDN, 1 << 20)
        assert f"`wipe: [{label}]`" in place.expect(1, "redeploy", it.spec()).text


@takes(6)
@each("deleted by others", "a redeploy that failed")
def test_volumes_of_a_host_whose_machine_is_gone(place, how):
    with cloud("vmware", place) as it:
        place.serve()
        place.expect(0, "deploy", it.spec(volumes={"data": 1}))
        if how == "deleted by others":
            task(place, "delete_machine", {"instance_id": it.machine().id})
        else:
            it.proxy.refuse(500, "NoPermission", "no", when="CloneVM_Task", times=None)
            place.confirmed(1, "redeploy", it.spec(volumes={"data": 1}))
            it.proxy.calm()
        assert not it.machines("loki") and owned(place) == [("volume", f"{FQDN}_data")]
        asked = place.confirmed(0, "destroy", "loki").asked
        assert f"delete volume [LocalDS_1] jarvis-volumes/{FQDN}_data.vmdk, attached to nothing" in asked, asked
        assert owned(place) == []
        place.confirmed(0, "destroy", "loki")


@takes(8)
@each("a kept one", "of the machine that is there")
def test_a_volume_that_another_machine_has(place, which):
    with cloud("vmware", place) as it:
        place.serve()
        place.expect(0, "deploy", it.spec(volumes={"data": 1}))
        id, file = it.machine().id, f"[LocalDS_1] jarvis-volumes/{FQDN}_data.vmdk"
        if which == "a kept one":
            task(place, "delete_machine", {"instance_id": id})
        else:
            it.vcsim.power_outside(id, False)
            detached(it, FQDN, file)
        # Switched off, so that no lock is on it.
        other = next(one for one in it.vcsim.machines() if one["name"] not in (FQDN, "debian-12"))
        it.vcsim.power_outside(other["id"], False)
        attached(it, other["name"], file)
        words = f"volume {file} of this host is attached to vmware {other['name']} ({other['id']}); jarvis takes it from nobody"
        if which == "a kept one":
            assert words in place.expect(1, "deploy", it.spec(volumes={"data": 1})).text
            assert not it.machines("loki")
        else:
            assert words in place.expect(1, "redeploy", it.spec(volumes={"data": 1}, wipe=["data"])).text
            assert words in task(place, "delete_machine", {**it.keys, "wipe": ["data"]}, 1).text
            assert it.machine().id == id
        assert words in place.expect(1, "destroy", "loki").text
        assert words in task(place, "destroy", it.keys, 1).text
        detached(it, other["name"], file)
        place.confirmed(0, "destroy", "loki")
        assert owned(place) == []


@takes(5)
def test_a_machine_that_is_off_and_not_as_the_spec_says(place):
    server = vsphere(place, addresses="10.9.8.")
    place.expect(0, "deploy", spec(place, SCRATCH))
    machine = the_only(server)
    server.power_outside(machine["id"], False)
    changed = spec(place, {**SCRATCH, "num_cpus": 4, "size": 1024}, volumes="{data: 1}")
    said = place.expect(1, "deploy", changed)
    assert "is off and is not as the spec says: num_cpus 2, not 4; size 512, not 1024; no volume data: `redeploy`" in said.text, said
    assert the_only(server)["power"] == "poweredOff" and the_only(server)["cpus"] == 2
    place.expect(0, "deploy", spec(place, SCRATCH))
    assert the_only(server)["power"] == "poweredOn"


@takes(10)
def test_a_list_of_more_than_one_page(place):
    server = vsphere(place, machines=110)  # on the host and in the cluster each
    there = server.machines()
    assert len(there) > 200, len(there)
    for number, one in enumerate(there):
        if number % 10 == 9:
            for key, value in (("jarvis.fqdn", f"h{number}.example.org"), ("jarvis.run", "r"), ("jarvis.step", "s")):
                server.tag_outside(one["id"], key, value)
    with FaultProxy(place.host, server.url, Vsphere(), authority=Authority(place.path("between")), upstream_ca=server.ca) as proxy:
        settings(place, server, url=proxy.url, ca_file=str(proxy.ca))
        found = {name for kind, name in owned(place) if kind == "machine"}
        assert proxy.asked("ContinueRetrievePropertiesEx")
        assert found == {one["name"] for number, one in enumerate(there) if number % 10 == 9}, found
        # Whoever is on another page has its name all the same.
        server.rename_outside(there[-2]["id"], FQDN)
        assert "is not jarvis's" in task(place, "deploy", SCRATCH, 1).text
