"""Is the vSphere that scenarios are tested against what they think it is? Asked by pyVmomi."""
from lab import each, until
from lab.certificates import Authority
from lab.dialects import Vsphere
from lab.fault_proxy import FaultProxy
from lab.vcsim import Vcsim
from lab.vmware_client import Refused, VmwareClient

GIB = 1 << 30


def started(place, **more):
    """(simulator, its authority)."""
    authority = Authority(place.path("ca"))
    return Vcsim(place, authority, **more), authority


def client(vsphere, url=None, password=None):
    return VmwareClient(url or vsphere.url, vsphere.user, password or vsphere.password, vsphere.ca)


def refusal(call):
    try:
        call()
    except Refused as refused:
        return refused.kind
    return None


def pool_and_folder(person, esx=False):
    """(resource pool, folder of machines)."""
    if esx:
        return person.find("ha-datacenter/host/localhost.localdomain/Resources"), person.find("ha-datacenter/vm")
    return person.find("DC0/host/DC0_C0/Resources"), person.find("DC0/vm")


@each("vcenter", "esxi")
def test_create_power_and_destroy(place, kind):
    esx = kind == "esxi"
    vsphere, _ = started(place, esx=esx, addresses="10.9.8.")
    assert refusal(lambda: client(vsphere, password="wrong")) == "InvalidLogin"
    person = client(vsphere)
    pool, folder = pool_and_folder(person, esx)
    spec = person.config("loki.example.org", kb=1 << 20, extraConfig=person.options(jarvis_fqdn="loki.example.org"))
    made = person.call(lambda: folder.CreateVM_Task(config=spec, pool=pool))
    seen, = vsphere.machines("loki.example.org")
    assert seen["extra_config"].get("jarvis.fqdn") == "loki.example.org" and seen["power"] == "poweredOff", seen
    assert (seen["cpus"], seen["memory"], [disk["kb"] for disk in seen["disks"]]) == (2, 512, [1 << 20]), seen
    assert refusal(lambda: person.call(lambda: folder.CreateVM_Task(config=spec, pool=pool))) == "DuplicateName"
    person.call(made.PowerOn)
    assert made.guest.ipAddress == "10.9.8.10"
    vsphere.address(made._moId, "10.1.2.3")
    assert made.guest.ipAddress == "10.1.2.3" == vsphere.machines("loki.example.org")[0]["address"]
    assert refusal(lambda: person.call(made.Destroy)) == "InvalidPowerState"
    for value in ("one", "two"):
        person.call(lambda: made.Reconfigure(person.vim.vm.ConfigSpec(extraConfig=person.options(jarvis_run=value))))  # noqa: B023
    assert [one.value for one in made.config.extraConfig if one.key == "jarvis.run"] == ["two"]
    person.call(lambda: made.Reconfigure(person.vim.vm.ConfigSpec(extraConfig=person.options(jarvis_run=""))))
    assert "jarvis.run" not in vsphere.machines("loki.example.org")[0]["extra_config"]
    vsphere.deafen(made._moId)
    person.call(made.ShutdownGuest)
    assert vsphere.machines("loki.example.org")[0]["power"] == "poweredOn"
    person.call(made.PowerOff)
    assert not made.guest.ipAddress and made.guest.toolsRunningStatus == "guestToolsNotRunning"
    person.call(made.Destroy)
    assert not vsphere.machines("loki.example.org")


def test_a_guest_is_shut_down_by_its_tools(place):
    vsphere, _ = started(place)
    person = client(vsphere)
    seen = vsphere.machines()[0]
    machine = person.find(f"DC0/vm/{seen['name']}")
    assert seen["power"] == "poweredOn" and refusal(lambda: person.call(machine.ShutdownGuest)) == "ToolsUnavailable"
    vsphere.address(seen["id"], "10.1.2.3")
    person.call(machine.ShutdownGuest)
    until(lambda: vsphere.machines(seen["name"])[0]["power"] == "poweredOff", "the guest has shut down")
    assert refusal(lambda: person.call(machine.ShutdownGuest)) == "InvalidPowerState"


def test_a_clone_is_as_asked(place):
    vsphere, _ = started(place, templates=["debian-12"])
    person = client(vsphere)
    pool, folder = pool_and_folder(person)
    vim, template = person.vim, person.find("DC0/vm/debian-12")

    def clone(name="loki.example.org", **where):
        config = vim.vm.ConfigSpec(numCPUs=3, memoryMB=768, annotation="ours", extraConfig=person.options(
            jarvis_fqdn=name, guestinfo_userdata="I2Nsb3VkLWNvbmZpZwo="))
        spec = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(pool=pool, **where), powerOn=True, template=False, config=config)
        return person.call(lambda: template.Clone(folder=folder, name=name, spec=spec))
    made = clone()
    seen, = vsphere.machines("loki.example.org")
    assert (seen["cpus"], seen["memory"], seen["annotation"], seen["power"]) == (3, 768, "ours", "poweredOn"), seen
    assert seen["extra_config"].get("jarvis.fqdn") == "loki.example.org" and "guestinfo.userdata" in seen["extra_config"], seen
    assert seen["id"] == made._moId and seen["macs"] and seen["disks"], seen
    assert refusal(clone) == "DuplicateName"
    assert len(vsphere.machines("loki.example.org")) == 1 and [one["name"] for one in vsphere.templates()] == ["debian-12"]


def test_an_esxi_does_not_clone(place):
    vsphere, _ = started(place, esx=True)
    person = client(vsphere)
    pool, folder = pool_and_folder(person, esx=True)
    source = person.find("ha-datacenter/vm/" + vsphere.machines()[0]["name"])
    spec = person.vim.vm.CloneSpec(location=person.vim.vm.RelocateSpec(pool=pool), powerOn=False, template=False)
    assert refusal(lambda: person.call(lambda: source.Clone(folder=folder, name="x", spec=spec))) == "NotSupported"


def test_a_full_datastore_and_what_happens_outside(place):
    vsphere, _ = started(place)
    person = client(vsphere)
    pool, folder = pool_and_folder(person)
    vsphere.free("LocalDS_1", GIB)
    assert vsphere.datastores()["LocalDS_1"] == GIB
    assert person.find("DC0/datastore/LocalDS_1").summary.freeSpace == GIB

    def create(name, kb):
        return refusal(lambda: person.call(lambda: folder.CreateVM_Task(config=person.config(name, "LocalDS_1", kb), pool=pool)))
    assert create("large", 2 << 20) == "NoDiskSpace" and not vsphere.machines("large")
    assert create("small", 1 << 19) is None and vsphere.datastores()["LocalDS_1"] == GIB // 2
    small, = vsphere.machines("small")
    vsphere.rename_outside(small["id"], "other")
    vsphere.tag_outside(small["id"], "jarvis.fqdn", "other")
    vsphere.power_outside(small["id"], True)
    seen, = vsphere.machines("other")
    assert seen["uuid"] == small["uuid"] and seen["power"] == "poweredOn" and seen["extra_config"].get("jarvis.fqdn") == "other"
    vsphere.destroy_outside(small["id"])
    assert not vsphere.machines("other") and person.find("DC0/vm/other") is None
    vsphere.expire()
    assert refusal(lambda: person.call(lambda: person.content.searchIndex.FindByInventoryPath("DC0"))) == "NotAuthenticated"
    assert client(vsphere).find("DC0")


def test_through_the_proxy(place):
    vsphere, authority = started(place)
    with FaultProxy(place.host, vsphere.url, Vsphere(), authority=authority, upstream_ca=authority.certificate) as proxy:
        person = client(vsphere, url=proxy.url)
        pool, folder = pool_and_folder(person)
        hiding = proxy.hide_new(vsphere.ids())
        made = person.call(lambda: folder.CreateVM_Task(config=person.config("loki"), pool=pool))
        assert made.name == "loki", "what is asked for by its reference is not hidden"
        assert person.updates([made]) == ["loki"], "nor what is watched by its reference"

        def names():
            view = person.content.viewManager.CreateContainerView(person.content.rootFolder, [person.vim.VirtualMachine], True)
            listed = sorted(one.name for one in view.view)
            view.Destroy()
            return listed
        assert "loki" not in names() and hiding.count
        assert person.find("DC0/vm/loki") is None
        again = person.config("loki")
        assert refusal(lambda: person.call(lambda: folder.CreateVM_Task(config=again, pool=pool))) == "DuplicateName"
        hiding.reveal()
        assert "loki" in names() and person.find("DC0/vm/loki")
        proxy.fault("expired", when="FindByInventoryPath")
        assert refusal(lambda: person.call(lambda: person.find("DC0"))) == "NotAuthenticated"
        proxy.refuse(500, "NoPermission", "Permission to perform this operation was denied.", when="PowerOnVM_Task")
        assert refusal(lambda: person.call(made.PowerOn)) == "NoPermission"
        assert proxy.asked("CreateVM_Task") and proxy.asked("Login") and len(proxy.asked("PowerOnVM_Task")) == 1
