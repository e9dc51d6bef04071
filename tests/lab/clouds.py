"""Every provider behind one face, for the tests that hold for all of them: jarvis configured for it, its simulator, and between
the two (but for `local`) a proxy that fails when a test says so.

    with cloud("linode", place) as it:
        place.expect(0, "deploy", it.spec("loki"))
        assert [one.id for one in it.machines("loki")] == [...]
"""
import base64
import contextlib
import ipaddress
import json
import re
import socket
import subprocess

from . import descendants, exe_of
from .certificates import Authority
from .dialects import Ec2, Linode, Vsphere
from .fault_proxy import FaultProxy
from .marks import Skip
from .moto import Key

DOMAIN = "example.org"
# What crashed or is refused a moment is asked again at once.
SOON = {"attempts": 9, "delay": "10ms", "max_delay": "50ms", "after_timeout": True}


def answers(address, port):
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def fqdn_of(host):
    return f"{host}.{DOMAIN}"


class Machine:
    """`id` as text, `name`, `ours`: it carries jarvis's marks, `on`: it runs."""

    def __init__(self, id, name, ours, on):
        self.id, self.name, self.ours, self.on = str(id), name, ours, on

    def __repr__(self):
        return f"{self.name} ({self.id}{'' if self.ours else ', foreign'})"


class Cloud:
    """What a provider's tests need to know about it. Owned by one test."""

    name = ""
    keys = {}       # of a spec
    proxy = None    # none: no API
    creates = None  # the operation that makes the machine
    rebuilds = False
    dialect = None     # of the proxy
    upstream = None    # what is behind the proxy
    patience = "1m"    # of one attempt
    whole = {}         # keys of a spec that wants all that the provider makes besides a machine
    wiped = None       # a volume or disk of it
    last_word = None   # (status, code, text, operation) by which the last change of its creation is refused
    least = {}         # how many changes each command makes of it, at least

    def __init__(self, place, judged=False):
        self.place, self.judged = place, judged
        self.retry = SOON
        self._open = contextlib.ExitStack()

    def __enter__(self):
        with self._open:
            self.begin(self._open.enter_context)
            self.configure()
            self._open = self._open.pop_all()
        return self

    def __exit__(self, *problem):
        return self._open.__exit__(*problem)

    def begin(self, enter):
        """Starts what it needs."""

    def section(self):
        """Its keys in `providers:`."""
        return {}

    def configure(self, **keys):
        """jarvis.yaml and action lists with nothing but the provider's own tasks."""
        self.place.configure(providers={self.name: self._settings(keys)})
        how = {"timeout": self.patience, **({"retry": self.retry} if self.retry else {})}
        own = {operation: [{"task": self.full(task), **how} for task in tasks] for operation, tasks in self.lists().items()}
        self.place.plan(self.name, **own)

    def _settings(self, keys):
        return {**self.section(), **({} if self.name == "local" else {"poll": "20ms", "rate": 1000}), **keys}

    def built_in(self, plan=None, **sections):
        """jarvis.yaml with the action lists that jarvis brings along, or with this file of them."""
        self.place.path(f"plans/{self.name}.yaml").unlink(missing_ok=True)
        if plan:
            self.place.write(f"plans/{plan.name}", plan.read_bytes())
        self.place.configure(providers={self.name: self._settings({})}, **sections)

    def at(self, address):
        """Of the machine that is on at this address: a name for it and its root disk, and its user data; None when there is none."""
        raise NotImplementedError

    def full(self, task):
        return task if ":" in task else f"{self.name}:{task}"

    def lists(self):
        make = ["keys:prepare", "deploy", "get_address"]
        anew = ["rebuild"] if self.rebuilds else ["delete_machine", "deploy"]
        prepare = ["keys:forget", "keys:prepare"] if self.rebuilds else ["keys:prepare"]
        redeploy = ["can_deploy", "shutdown", *(prepare + anew if self.rebuilds else [anew[0], *prepare, anew[1]]), "get_address"]
        return {"deploy": make, "redeploy": redeploy, "destroy": ["shutdown", "destroy"], "adopt": ["adopt"],
                "power": ["shutdown", "startup", "reboot", "get_address"], "off": ["shutdown"]}

    def spec(self, host="loki", **more):
        keys = {"hostname": host, "fqdn": fqdn_of(host), "provider": self.name, **self.keys, **more}
        return self.place.spec(host, text="instance:\n" + "".join(f"  {key}: {json.dumps(value)}\n" for key, value in keys.items()))

    def whole_spec(self, **more):
        """Of a host that wants all that the provider makes besides a machine."""
        return self.spec(**self.whole, **more)

    def machines(self, host=None):
        """What is there, of this host: by name, or by its marks."""
        raise NotImplementedError

    def machine(self, host="loki"):
        found = self.machines(host)
        assert len(found) == 1, f"{self.name} has {len(found)} machines that are {host}: {found}"
        return found[0]

    def lives(self, host="loki"):
        """The host's machine, which must be one, ours, and on, and the one that its clipboard knows."""
        machine = self.machine(host)
        assert machine.ours and machine.on and machine.id in self.place.clipboard(host), machine
        return machine

    def known(self):
        """The ids of all that is there, for the proxy's hide_new()."""
        return [one.id for one in self.machines()]

    def things(self):
        """{kind: what is there of it}, jarvis's or not: to see what is left."""
        raise NotImplementedError

    def counted(self):
        return {kind: len(them) for kind, them in self.things().items()}

    def kept(self):
        """{name: id} of what outlives a machine in a redeploy."""
        raise NotImplementedError

    def make_foreign(self, host):
        """Somebody else's machine of that name; its id."""
        raise NotImplementedError

    def give_away(self, machine):
        """The id is somebody else's machine from now on: another name, none of our marks."""
        raise NotImplementedError

    def make_second(self, host):
        """One more that carries the host's marks."""
        raise NotImplementedError

    def end_outside(self, machine):
        """Somebody deletes it behind jarvis's back."""
        raise NotImplementedError

    def is_change(self, asked):
        """Does this request of the proxy change something?"""
        return self.proxy.dialect.changes(asked.operation)

    def changes(self):
        """The operations that changed something, in order, as the proxy saw them."""
        return [one for one in self.proxy.operations() if self.dialect().changes(one)]

    def obstacles(self):
        """{what can say no at a redeploy: (a function that makes it so, what is said then)}; each is tried on its own."""
        return {}

    def secrets(self):
        """What must be read nowhere: credentials."""
        return []

    # jarvis

    def worker(self, serve):
        """The process of the attempt that is under way (there must be just one); None when there is none."""
        family = "jarvis-core" if self.name == "local" else "jarvis-http"
        found = [pid for pid in descendants(serve.pid) if exe_of(pid) == family]
        return found[1] if len(found) > 1 else None


class Local(Cloud):
    name = "local"

    def lists(self):
        return {**super().lists(), "redeploy": ["can_deploy", "shutdown", "destroy", "keys:prepare", "deploy", "get_address"]}

    def begin(self, enter):
        self.directory = self.place.path("state/local")

    def section(self):
        return {"addresses": self.place.addresses}

    def machines(self, host=None):
        found = []
        for record in self.directory.glob("*/machine"):
            lines = dict(line.partition(": ")[::2] for line in record.read_text().splitlines())
            if host is None or lines["fqdn"] == fqdn_of(host):
                found.append(Machine(lines["id"], lines["fqdn"], bool(lines["run"]), answers(lines["address"], int(lines["port"]))))
        return found

    def make_foreign(self, host):
        """As one that somebody copied here: its record names no run."""
        self.place.local_task("deploy", {"hostname": host, "fqdn": fqdn_of(host)}, self.directory, self.place.addresses)
        record = self.directory / fqdn_of(host) / "machine"
        record.write_text(re.sub(r"^(run|step): .*$", r"\1: ", record.read_text(), flags=re.M))
        return self.machine(host).id

    def end_outside(self, machine):
        for order in ("--stop", "--remove"):
            subprocess.run([self.place.binary.with_name("jarvis-local"), order, self.directory / machine.name], check=True)


class LinodeCloud(Cloud):
    name = "linode"
    keys = {"guestid": "Debian 12", "datacenter": "Atlanta", "size": 1024}
    creates = "POST /v4/linode/instances"
    dialect = Linode
    rebuilds = True
    whole = {"disks": {"root": 4096, "swap": 512, "opt": "rest"}, "volumes": {"data": 20, "logs": 10}, "size": 2048}
    wiped = "logs"
    last_word = (400, "", "No such luck.", "POST /v4/linode/instances/*/boot")
    least = {"deploy": 6, "redeploy": 6, "destroy": 4, "taken back": 6}

    def begin(self, enter):
        from .linode_fake import LinodeFake
        from .prism import Judge
        host = self.place.host
        # Those behind the servers of the test; two hundred machines are to have one each.
        self.fake = enter(LinodeFake(host, addresses=list(ipaddress.ip_network(self.place.addresses).hosts())[9:]))
        self.upstream = self.fake.url
        if self.judged:
            with contextlib.suppress(Skip):  # no description, no judge: the test holds all the same
                self.upstream = enter(Judge(self.place, self.fake, host)).url
        self.proxy = enter(FaultProxy(host, self.upstream, self.dialect()))
        self.place.write("linode.token", self.fake.token + "\n", 0o600)

    def section(self):
        return {"api": self.proxy.url, "token_file": "linode.token"}

    def machines(self, host=None):
        with self.fake.lock:
            found = [Machine(one.id, one.label, any(tag.startswith("fqdn:") for tag in one.tags), one.status == "running")
                     for one in self.fake.machines.values() if one.status != "deleting" and
                     (host is None or one.label == fqdn_of(host) or f"fqdn:{fqdn_of(host)}" in one.tags)]
        return found

    def things(self):
        with self.fake.lock:
            return {"machines": [one.id for one in self.fake.machines.values() if one.status != "deleting"],
                    "disks": [number for one in self.fake.machines.values() for number in one.disks],
                    "profiles": [number for one in self.fake.machines.values() for number in one.configs],
                    "volumes": list(self.fake.volumes)}

    def kept(self):
        with self.fake.lock:
            machine, = self.fake.machines.values()
            return {**{disk["label"]: number for number, disk in machine.disks.items() if disk["label"] == "opt"},
                    **{name: one["id"] for one in self.fake.volumes.values() for name in self.whole["volumes"]
                       if f"-{name}-" in one["label"]}}

    def make_foreign(self, host):
        with self.fake.lock:
            return str(self.fake.add_machine(fqdn_of(host)).id)

    def give_away(self, machine):
        with self.fake.lock:
            one = self.fake.machines[int(machine.id)]
            one.label, one.tags = "somebody-elses", ["theirs"]

    def make_second(self, host):
        with self.fake.lock:
            self.fake.add_machine("second", tags=list(self.fake.machines[int(self.machine(host).id)].tags))

    def end_outside(self, machine):
        with self.fake.lock:
            del self.fake.machines[int(machine.id)]

    def at(self, address):
        with self.fake.lock:
            one = self.fake.owner(address)
            if one is None or one.status != "running":
                return None
            return f"{one.id}-{min(one.disks)}", one.user_data.decode()

    def obstacles(self):
        def without(things, fits):
            with self.fake.lock:
                things[:] = [one for one in things if not fits(one)]

        def no_right():
            self.place.write("linode.token", self.fake.add_token("linodes:read_only images:read_only events:read_only") + "\n", 0o600)
        return {"image gone": (lambda: without(self.fake.images, lambda one: one["label"] == "Debian 12"), "no `Debian 12`"),
                "type gone": (lambda: without(self.fake.types, lambda one: one["memory"] >= 1024), "no type with 1024 MB"),
                "region gone": (lambda: without(self.fake.regions, lambda one: one["id"] == "us-southeast"), "no `Atlanta`"),
                "no space": (lambda: self.spec(disks={"root": 1 << 20}), "and 1048576 MB of disk"),
                "a token without the right": (no_right, "lacks the scope linodes:read_write"),
                "a token of nobody": (lambda: self.place.write("linode.token", "nobody's\n", 0o600), "401 Unauthorized")}

    def secrets(self):
        return [self.fake.token]


class Ec2Cloud(Cloud):
    name = "ec2"
    keys = {"guestid": "Some Linux", "size": 1024}
    creates = "RunInstances"
    dialect = Ec2
    whole = {"volumes": {"data": 20, "logs": 10}, "elastic": True}
    wiped = "logs"
    last_word = (400, "InvalidParameterValue", "No such luck.", "AttachVolume")
    least = {"deploy": 6, "redeploy": 6, "destroy": 6, "taken back": 6}

    def begin(self, enter):
        from .moto import Moto
        host = self.place.host
        self.moto = enter(Moto(host))
        self.upstream = self.moto.url
        self.proxy = enter(FaultProxy(host, self.upstream, self.dialect()))
        self._near = {}  # by the address that moto gave
        self.place.write("ec2.key", self.moto.key.secret + "\n", 0o600)

    def built_in(self, plan=None, **sections):
        self.proxy.rewrite = self._nearer
        super().built_in(plan, **sections)

    def _nearer(self, body):
        """moto's machines have addresses of the internet; jarvis sees one of this machine's in place of each."""
        def near(found):
            address = self._near.setdefault(found[2].decode(), self.place.addresses.replace(".0/24", f".{128 + len(self._near)}"))
            return found[1] + address.encode()
        return re.sub(rb"(<(?:ipAddress|privateIpAddress|publicIp)>)([0-9.]+)", near, body)

    def at(self, address):
        far = next((one for one, near in self._near.items() if near == address), None)
        found = [one for one in self.moto.machines() if far and far in (one.get("ipAddress"), one.get("privateIpAddress"))]
        if not found or found[0]["state"] != "running":
            return None
        said = self.moto.call("DescribeInstanceAttribute", InstanceId=found[0]["id"], Attribute="userData")
        return found[0]["id"], base64.b64decode(said["userData"]["value"]).decode()

    def section(self):
        return {"region": self.moto.region, "endpoint": self.proxy.url, "access_key_id": self.moto.key.id,
                "secret_key_file": "ec2.key", "images": {"Some Linux": {"owner": "amazon", "name": "amzn2-ami-hvm-2.0.*"}}}

    def machines(self, host=None):
        return [Machine(one["id"], one["name"], "jarvis:fqdn" in one["tags"], one["state"] == "running")
                for one in self.moto.machines()
                if host is None or fqdn_of(host) in (one["name"], one["tags"].get("jarvis:fqdn"))]

    def things(self):
        return {"machines": [one["id"] for one in self.moto.machines()], "volumes": [one["id"] for one in self.moto.volumes()],
                "addresses": [one["id"] for one in self.moto.addresses()],
                "key pairs": [one["keyName"] for one in self.moto.call("DescribeKeyPairs")["keySet"] or []]}

    def kept(self):
        return {**{one["tags"]["jarvis:volume"]: one["id"] for one in self.moto.volumes() if "jarvis:volume" in one["tags"]},
                **{"address": one["id"] for one in self.moto.addresses()}}

    def make_foreign(self, host):
        return self.moto.run_outside(fqdn_of(host))

    def give_away(self, machine):
        for key in ("jarvis:fqdn", "jarvis:run", "jarvis:step"):
            self.moto.tag_outside(machine.id, key, None)
        self.moto.tag_outside(machine.id, "Name", "somebody-elses")

    def make_second(self, host):
        tags = next(one["tags"] for one in self.moto.machines() if one["id"] == self.machine(host).id)
        self.moto.run_outside(tags.pop("Name"), **tags)

    def end_outside(self, machine):
        self.moto.terminate_outside(machine.id)

    def obstacles(self):
        def key(one):
            def use():
                self.place.write("ec2.key", one.secret + "\n", 0o600)
                self.configure(access_key_id=one.id)
            return use

        def no_address_more():
            self.spec(elastic=True)
            for _ in range(5):  # that is what moto says of every account
                self.moto.call("AllocateAddress", Domain="vpc")

        def no_room_for_volumes():
            self.spec(volumes={"data": 20})
            self.proxy.refuse(400, "VolumeLimitExceeded", "You have exceeded your maximum gp3 storage limit.", when="CreateVolume DryRun",
                              times=None)
        return {"image gone": (lambda: self.configure(images={"Some Linux": {"owner": "amazon", "name": "amzn2-gone-*"}}), "no such image"),
                "type gone": (lambda: self.spec(size="t99.huge"), "t99.huge is no instance type"),
                "no quota": (lambda: self.proxy.refuse(400, "InstanceLimitExceeded", "You have requested more instances (1) than your "
                                                       "current instance limit of 0 allows.", when="RunInstances DryRun", times=None),
                             "[InstanceLimitExceeded]"),
                "no room for volumes": (no_room_for_volumes, "[VolumeLimitExceeded]"),
                "no address more": (no_address_more, "5 of the 5 elastic addresses"),
                "a key without the right": (key(self.moto.poor_key), "not authorized to perform: ec2:RunInstances"),
                "a wrong key": (key(Key(self.moto.key.id, "wrong")), "[AuthFailure]")}

    def secrets(self):
        return [self.moto.key.secret]


class VmwareCloud(Cloud):
    name = "vmware"
    keys = {"guestid": "debian-12", "datacenter": "DC0", "size": 1024}
    creates = "CloneVM_Task"
    dialect = Vsphere
    whole = {"volumes": {"data": 2, "logs": 1}}
    wiped = "logs"
    last_word = (500, "NoPermission", "no such luck", "PowerOnVM_Task")
    least = {"deploy": 4, "redeploy": 6, "destroy": 3, "taken back": 5}
    with_tools = True  # what is powered on says an address of the place's

    def begin(self, enter):
        from .vcsim import Vcsim
        self.authority = Authority(self.place.path("authority"))
        prefix = self.place.addresses.replace("0/24", "") if self.with_tools else ""
        self.vcsim = Vcsim(self.place, self.authority, templates=["debian-12"], addresses=prefix).require_current()
        self.upstream, self.ca = self.vcsim.url, self.authority.certificate
        self.proxy = enter(FaultProxy(self.place.host, self.upstream, self.dialect(), authority=self.authority, upstream_ca=self.ca))
        self.place.write("vmware.password", self.vcsim.password + "\n", 0o600)

    def section(self):
        return {"url": self.proxy.url, "user": self.vcsim.user, "password_file": "vmware.password", "datacenter": "DC0",
                "ca_file": str(self.ca)}

    def machines(self, host=None):
        return [Machine(one["id"], one["name"], "jarvis.fqdn" in one["extra_config"], one["power"] == "poweredOn")
                for one in self.vcsim.machines()
                if host is None or fqdn_of(host) in (one["name"], one["extra_config"].get("jarvis.fqdn"))]

    def known(self):
        return self.vcsim.ids()  # templates too

    def things(self):
        files = self.vcsim.files()
        return {"machines": self.known(), "disks": [name for name in files if name.endswith(".vmdk")],
                "directories": sorted({name.rpartition("/")[0] for name in files if not name.endswith(".vmdk")})}

    def kept(self):
        """A volume is its file, which a wipe makes anew: by the time that it was made."""
        return {name.rpartition("_")[2].removesuffix(".vmdk"): made for name, made in self.vcsim.files().items()
                if "jarvis-volumes/" in name and "-flat" not in name}

    def make_foreign(self, host):
        """One of those that were there before jarvis came."""
        other = self.vcsim.machines()[0]["id"]
        self.vcsim.rename_outside(other, fqdn_of(host))
        return other

    def give_away(self, machine):
        for key in ("jarvis.fqdn", "jarvis.run", "jarvis.step"):
            self.vcsim.tag_outside(machine.id, key, "")
        self.vcsim.rename_outside(machine.id, "somebody-elses")

    def make_second(self, host):
        marks = self.vcsim.machines(fqdn_of(host))[0]["extra_config"]
        other = next(one["id"] for one in self.vcsim.machines() if one["name"] != fqdn_of(host))
        for key in ("jarvis.fqdn", "jarvis.run", "jarvis.step"):
            self.vcsim.tag_outside(other, key, marks[key])

    def end_outside(self, machine):
        self.vcsim.power_outside(machine.id, False)
        self.vcsim.destroy_outside(machine.id)

    def at(self, address):
        found = [one for one in self.vcsim.machines() if one["address"] == address and one["power"] == "poweredOn"]
        if not found:
            return None
        return found[0]["id"], base64.b64decode(found[0]["extra_config"]["guestinfo.userdata"]).decode()

    def obstacles(self):
        def no_space():
            for name in self.vcsim.datastores():
                self.vcsim.free(name, 1 << 20)

        def no_right():
            self.proxy.rewrite = lambda body: body.replace(b"<isGranted>true</isGranted>", b"<isGranted>false</isGranted>")
        def no_template():
            for one in self.vcsim.templates():
                self.vcsim.destroy_outside(one["id"])
        return {"template gone": (no_template, "debian-12 is neither a template in datacenter DC0 nor"),
                "no space": (no_space, "0.0 GB free"),
                "a right missing": (no_right, "lacks privileges"),
                "a wrong password": (lambda: self.place.write("vmware.password", "wrong\n", 0o600), "refuses the login"),
                "datastore gone": (lambda: self.spec(datastore="LocalDS_77"), "LocalDS_77 is not in datacenter DC0")}

    def secrets(self):
        return [self.vcsim.password]


CLOUDS = {one.name: one for one in (Local, LinodeCloud, Ec2Cloud, VmwareCloud)}
WITH_API = ("linode", "ec2", "vmware")


def cloud(name, place, judged=False):
    """`judged`: where an API is described by its maker, every request and reply is held against that."""
    return CLOUDS[name](place, judged)
