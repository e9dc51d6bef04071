"""One account at the fake of Linode: machines, disks, configuration profiles, volumes, addresses, and the events that move them.

Knows no HTTP. Its replies have the shapes of the published description (v4.189.0); the sentences of refusals are those of the
real API where they were known (`Label must be unique among your linodes`, `Linode busy.`, `Account Limit reached. ...`), so
a client may show them and must not depend on the others.
"""
import base64
import binascii
import datetime
import ipaddress
import itertools
import math
import re
import time
import uuid

from .linode_offers import offers

LABEL = re.compile(r"[a-zA-Z0-9](?:(?!--|__|\.\.)[a-zA-Z0-9._-])*[a-zA-Z0-9]")
VOLUME_LABEL = re.compile(r"[a-zA-Z](?:(?!--|__)[a-zA-Z0-9_-])*")
SLOTS = [f"sd{letter}" for letter in "abcdefgh"]
FILESYSTEMS = ("raw", "swap", "ext3", "ext4", "initrd")


class Refusal(Exception):
    """What the API answers when it does not do what was asked."""

    def __init__(self, status, reason, field=None, headers=None):
        super().__init__(reason)
        self.status, self.reason, self.field, self.headers = status, reason, field, headers or {}


def _refuse(reason, field=None):
    raise Refusal(400, reason, field)


def _now():
    return datetime.datetime.utcnow().isoformat(timespec="seconds")


class Machine:
    """A Linode. Tests read and change it as they like: `status`, `tags`, `label`, `root_pass`, `user_data` (decoded) ..."""

    def __init__(self, number, label, region, plan):
        self.id, self.label, self.region, self.type = number, label, region, plan["id"]
        self.plan = plan
        self.status, self.image, self.tags, self.group = "provisioning", None, [], ""
        self.created = self.updated = _now()
        self.ipv4, self.private, self.ipv6 = [], [], None
        self.rdns = {}
        self.disks, self.configs = {}, {}
        self.booted_config = None
        self.root_pass, self.authorized_keys, self.user_data = None, [], None
        self.watchdog = True
        self.host_uuid = uuid.uuid4()
        self.boots = 0  # how often it was booted, reboots included

    def free(self):
        """MB that no disk takes."""
        return self.plan["disk"] - sum(disk["size"] for disk in self.disks.values())

    def reply(self):
        plan = self.plan
        return {"id": self.id, "label": self.label, "group": self.group, "status": self.status, "created": self.created,
                "updated": self.updated, "type": self.type, "ipv4": self.ipv4 + self.private, "ipv6": f"{self.ipv6}/128",
                "image": self.image, "region": self.region, "tags": list(self.tags), "hypervisor": "kvm",
                "watchdog_enabled": self.watchdog, "host_uuid": str(self.host_uuid), "has_user_data": self.user_data is not None,
                "specs": {name: plan[name] for name in ("disk", "memory", "vcpus", "gpus", "transfer")},
                "alerts": {"cpu": 90 * plan["vcpus"], "io": 10000, "network_in": 10, "network_out": 10, "transfer_quota": 80},
                "backups": {"enabled": False, "available": False, "schedule": {"day": None, "window": None}},
                "capabilities": [], "lke_cluster_id": None, "placement_group": None}


class Event:
    def __init__(self, number, action, machine, entity, secondary, username):
        self.id, self.action, self.machine = number, action, machine
        self.entity, self.secondary, self.username = entity, secondary, username
        self.status, self.percent, self.message = "scheduled", 0, ""
        self.created, self.born, self.shown = _now(), time.monotonic(), 0
        self.begin = self.finish = None  # what happens when it starts and when it ends well
        self.after = None  # the event that may start only when this one has ended

    def open(self):
        return self.status in ("scheduled", "started")

    def reply(self):
        said = {"id": self.id, "action": self.action, "created": self.created, "entity": self.entity, "status": self.status,
                "percent_complete": self.percent, "username": self.username, "message": self.message, "read": False, "seen": False,
                "time_remaining": None, "duration": round(time.monotonic() - self.born, 3)}
        if self.secondary:
            said["secondary_entity"] = self.secondary
        return said


class Account:
    """Not thread-safe: the fake calls it under one lock, and so should a test that changes it while requests are answered.

    How time goes by, for what takes the real service seconds: `polls` is how many replies that show an event, or the machine
    or volume that it is about, it takes to end (0: it has ended before anybody can look; math.inf: it waits for finish());
    `seconds`, if set, is its real length instead.
    """

    def __init__(self, addresses="127.77.0.0/16"):
        self.regions, self.types, self.images, self.kernels = offers()
        self.machines, self.volumes, self.events = {}, {}, []
        self.polls, self.seconds = 0, None
        self.quota = self.volume_quota = math.inf
        self.volume_label_unique = True
        self.unavailable = set()  # (type id, region id) that is sold out
        self.hide_new = False  # machines made from now on are not listed, only found by id, until they leave `hidden`
        self.hidden = set()
        self.forward = None  # {name: [address]} that reverse DNS is checked against; None: every name is good
        self.username = "deployer"
        self._failing = []
        self._ids = itertools.count(62000001)
        self._small_ids = itertools.count(25001)
        pool = ipaddress.ip_network(addresses).hosts() if isinstance(addresses, str) else addresses
        self._pool = (str(address) for address in pool)
        self._released = []

    # Events and time

    def fail_event(self, action, message=None):
        """The next event of this action ends as `failed`: what it was to do is not done."""
        self._failing.append((action, message or f"{action} failed"))

    def event(self, action, subject, entity=None, secondary=None, begin=None, finish=None, after=None, at_once=False):
        """Adds one about a machine or volume; `at_once`: one that only says that something was done."""
        machine = subject if isinstance(subject, Machine) else None
        if entity is None:
            entity = {"id": subject.id, "label": subject.label, "type": "linode", "url": f"/v4/linode/instances/{subject.id}"} \
                if machine else {"id": subject["id"], "label": subject["label"], "type": "volume", "url": f"/v4/volumes/{subject['id']}"}
        event = Event(next(self._ids), action, machine, entity, secondary, self.username)
        event.begin, event.finish, event.after = begin, finish, after
        self.events.append(event)
        if at_once:
            event.status, event.percent = "notification", 100
        return event

    def open_events(self, machine=None, volume=None):
        return [event for event in self.events if event.open() and
                (machine is None or event.machine is machine) and
                (volume is None or (event.entity["type"] == "volume" and event.entity["id"] == volume["id"]))]

    def busy(self, machine):
        return any(event.open() for event in self.events if event.machine is machine)

    def tick(self):
        """Moves what time moves."""
        for event in [event for event in self.events if event.open()]:
            if event.after and event.after.open():
                event.born = time.monotonic()
            elif self.seconds is not None:
                self._move(event, (time.monotonic() - event.born) / self.seconds if self.seconds else 1)
            else:
                self._move(event, event.shown / self.polls if self.polls else 1)

    def shown(self, events):
        """These were in a reply, or what they are about was: one step on. The next one in a row does not step with it."""
        for event in events:
            if not (event.after and event.after.open()):
                event.shown += 1

    def finish(self, *actions):
        """Ends everything under way, or only these actions, whatever `polls` says."""
        while True:
            ready = [event for event in self.open_events() if (not actions or event.action in actions) and
                     not (event.after and event.after.open())]
            if not ready:
                return
            for event in ready:
                self._move(event, 1)

    def _move(self, event, part):
        if event.status == "scheduled" and part > 0:
            event.status = "started"
            if event.begin:
                event.begin()
        if event.status == "started":
            event.percent = min(99, int(100 * part))
        if part < 1:
            return
        doomed = next((entry for entry in self._failing if entry[0] == event.action), None)
        if doomed:
            self._failing.remove(doomed)
            event.status, event.message = "failed", doomed[1]
            for other in self.open_events():
                if other.after is event:
                    other.status, other.message = "failed", f"{event.action} failed"
            if event.machine and event.machine.status not in ("running", "deleting"):
                event.machine.status = "offline"
            return
        event.status, event.percent = "finished", 100
        if event.finish:
            event.finish()

    # Machines

    def label_taken(self, label, but=None):
        return any(machine.label == label and machine is not but for machine in self.machines.values())

    def _label(self, label, but=None):
        if not isinstance(label, str) or not 3 <= len(label) <= 64:
            _refuse("Must be 3-64 characters", "label")
        if not LABEL.fullmatch(label):
            _refuse("Must begin and end with an alphanumeric character and have only letters, numbers, hyphens, underscores and "
                    "periods, never two of these in a row", "label")
        if self.label_taken(label, but):
            _refuse("Label must be unique among your linodes", "label")
        return label

    @staticmethod
    def _tags(tags):
        for tag in tags:
            if not isinstance(tag, str) or not 3 <= len(tag) <= 50:
                _refuse("Tags must be 3-50 characters", "tags")
        return list(dict.fromkeys(tags))

    def _region(self, name):
        region = next((region for region in self.regions if region["id"] == name), None)
        return region or _refuse("region is not valid", "region")

    def _plan(self, name):
        plan = next((plan for plan in self.types if plan["id"] == name), None)
        return plan or _refuse("A valid plan type by that ID was not found", "type")

    def _image(self, name):
        found = next((image for image in self.images if image["id"] == name and image["status"] == "available"), None)
        return found or _refuse("image is not valid", "image")

    def _installation(self, asked, region, room):
        """Checks what a root disk is made with; the image."""
        image = self._image(asked.get("image"))
        if not asked.get("root_pass"):
            _refuse("root_pass is required", "root_pass")
        password = asked["root_pass"]
        if not 7 <= len(password) <= 128:
            _refuse("Must be 7-128 characters", "root_pass")
        if len(set(password)) < 6 or sum(bool(re.search(kind, password)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")) < 2:
            _refuse("Password does not meet strength requirement.", "root_pass")
        for key in asked.get("authorized_keys") or []:
            if not re.fullmatch(r"(ssh-(rsa|dss|ed25519)|ecdsa-sha2-nistp\d+|sk-\S+) [A-Za-z0-9+/]+=*( [^\n]*)?", key.strip()):
                _refuse("SSH Key is not valid", "authorized_keys")
        if image["size"] > room:
            _refuse(f"Image {image['id']} needs a disk of at least {image['size']} MB", "image")
        self._user_data(asked, region, image)
        return image

    @staticmethod
    def _user_data(asked, region, image):
        """The decoded one, or None."""
        coded = (asked.get("metadata") or {}).get("user_data")
        if coded is None:
            return None
        try:
            decoded = base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError):
            _refuse("user_data must be base64 encoded", "metadata.user_data")
        if len(decoded) > 65535:
            _refuse("decoded user_data must not exceed 65535 bytes", "metadata.user_data")
        if region and "Metadata" not in region["capabilities"]:
            _refuse("Metadata is not available in this region", "metadata.user_data")
        if image and "cloud-init" not in image["capabilities"]:
            _refuse("This image does not support cloud-init", "metadata.user_data")
        return decoded

    def add_machine(self, label, region="us-southeast", type="g6-nanode-1", **more):  # noqa: A002, the API's word
        """A machine that was there before: running and idle at once, not counted against the quota; for tests."""
        quota, self.quota = self.quota, math.inf
        try:
            asked = {"label": label, "region": region, "type": type, "root_pass": "Before-the-test-1", "image": "linode/debian12", **more}
            machine = self.create(asked)
        finally:
            self.quota = quota
        while self.busy(machine):
            for event in self.open_events(machine):
                if not (event.after and event.after.open()):
                    self._move(event, 1)
        return machine

    def create(self, asked):
        region = self._region(asked.get("region"))
        plan = self._plan(asked.get("type"))
        number = next(self._ids)
        label = self._label(asked["label"]) if asked.get("label") is not None else f"linode{number}"
        tags = self._tags(asked.get("tags") or [])
        swap = asked.get("swap_size", 512)
        image = None
        if asked.get("image"):
            image = self._installation(asked, region, plan["disk"] - swap)
        else:
            for name in ("root_pass", "authorized_keys"):
                if asked.get(name):
                    _refuse(f"{name} needs an image", name)
            self._user_data(asked, region, None)  # allowed: it is served to whatever is installed later
            if asked.get("booted"):
                _refuse("a Linode without an image cannot be booted", "booted")
        if region["status"] != "ok" or (plan["id"], region["id"]) in self.unavailable:
            _refuse("The selected type is not available in this region at the moment", "type")
        if len(self.machines) >= self.quota:
            _refuse("Account Limit reached. Please open a support ticket.")
        machine = Machine(number, label, region["id"], plan)
        machine.tags, machine.group = tags, asked.get("group", "")
        machine.user_data = self._user_data(asked, region, image)
        machine.ipv4.append(self._address(machine))
        machine.ipv6 = str(ipaddress.ip_address(f"2001:db8::f03c:91ff:{number >> 16 & 0xffff:x}:{number & 0xffff:x}"))
        if asked.get("private_ip"):
            machine.private.append(f"192.168.{number >> 8 & 127 | 128}.{number & 255}")
        self.machines[number] = machine
        if self.hide_new:
            self.hidden.add(number)

        def provisioned():
            machine.status = "offline"
        if image:
            self._install(machine, image, asked, swap)
            made = self.event("linode_create", machine, finish=provisioned, secondary=_image_entity(image))
            if asked.get("booted", True):
                self._boot_event(machine, "linode_boot", after=made)
        else:
            self.event("linode_create", machine, finish=provisioned)
        return machine

    def _install(self, machine, image, asked, swap):
        machine.image, machine.root_pass = image["id"], asked["root_pass"]
        machine.authorized_keys = [key.strip() for key in asked.get("authorized_keys") or []]
        root = self._disk(machine, f"{image['label']} Disk", machine.plan["disk"] - swap, "ext4", "ready")
        devices = {"sda": {"disk_id": root["id"]}}
        if swap:
            devices["sdb"] = {"disk_id": self._disk(machine, f"{swap} MB Swap Image", swap, "swap", "ready")["id"]}
        self._config(machine, {"label": f"My {image['label']} Disk Profile", "devices": devices, "kernel": "linode/grub2"})

    def _address(self, machine):
        address = self._released.pop() if self._released else next(self._pool, None)
        if address is None:
            _refuse("No addresses are left in this region", "region")
        machine.rdns[address] = f"{address.replace('.', '-')}.ip.linodeusercontent.com"
        return address

    def update(self, machine, asked):
        if asked.get("label") is not None:
            machine.label = self._label(asked["label"], but=machine)
        if asked.get("tags") is not None:
            machine.tags = self._tags(asked["tags"])
        machine.group = asked.get("group", machine.group)
        machine.watchdog = asked.get("watchdog_enabled", machine.watchdog)
        machine.updated = _now()
        self.event("linode_update", machine, at_once=True)

    def idle(self, machine):
        if self.busy(machine) or machine.status == "deleting":
            _refuse("Linode busy.")

    def boot(self, machine, asked):
        self.idle(machine)
        if machine.status == "running":
            _refuse(f"Linode {machine.id} is already booted.")
        self._boot_event(machine, "linode_boot", config=self._config_to_boot(machine, asked.get("config_id")))

    def reboot(self, machine, asked):
        self.idle(machine)
        if machine.status != "running":
            _refuse(f"Linode {machine.id} is not running.")
        self._boot_event(machine, "linode_reboot", config=self._config_to_boot(machine, asked.get("config_id")))

    def _config_to_boot(self, machine, number):
        if number is not None:
            return machine.configs.get(number) or _refuse("config_id is not valid", "config_id")
        if len(machine.configs) == 1:
            return next(iter(machine.configs.values()))
        return machine.configs.get(machine.booted_config) or _refuse(
            "A configuration profile must be named" if machine.configs else "This Linode has no configuration profile", "config_id")

    def _boot_event(self, machine, action, after=None, config=None):
        config = config or self._config_to_boot(machine, None)
        status = "booting" if action == "linode_boot" else "rebooting"

        def begin():
            machine.status = status

        def booted():
            machine.status, machine.booted_config = "running", config["id"]
            machine.boots += 1
        event = self.event(action, machine, begin=begin, finish=booted, after=after, secondary={
            "id": str(config["id"]), "label": config["label"], "type": "linode_config",
            "url": f"/v4/linode/instances/{machine.id}/configs/{config['id']}"})
        if not after:
            begin()
        return event

    def shutdown(self, machine):
        self.idle(machine)
        if machine.status == "offline":
            _refuse(f"Linode {machine.id} is already powered off.")
        machine.status = "shutting_down"

        def down():
            machine.status = "offline"
        self.event("linode_shutdown", machine, finish=down)

    def rebuild(self, machine, asked):
        self.idle(machine)
        region = self._region(machine.region)
        plan = self._plan(asked["type"]) if asked.get("type") else machine.plan
        image = self._installation(asked, region, plan["disk"] - 512)
        machine.status, machine.plan, machine.type = "rebuilding", plan, plan["id"]
        machine.disks, machine.configs, machine.booted_config = {}, {}, None
        if asked.get("metadata") is not None:
            machine.user_data = self._user_data(asked, region, image)
        machine.updated = _now()
        self._install(machine, image, asked, 512)

        def rebuilt():
            machine.status = "offline"
        made = self.event("linode_rebuild", machine, finish=rebuilt, secondary=_image_entity(image))
        if asked.get("booted", True):
            self._boot_event(machine, "linode_boot", after=made)

    def delete(self, machine):
        if machine.status == "deleting":
            _refuse("Linode busy.")
        for event in self.open_events(machine):
            event.status, event.message = "failed", "the Linode was deleted"
        machine.status = "deleting"

        def gone():
            for volume in self.volumes.values():
                if volume["linode_id"] == machine.id:
                    volume["linode_id"] = volume["linode_label"] = None
            self._released[:0] = machine.ipv4
            self.machines.pop(machine.id, None)
            self.hidden.discard(machine.id)
        self.event("linode_delete", machine, finish=gone)

    # Disks

    def _disk(self, machine, label, size, filesystem, status):
        disk = {"id": next(self._ids), "label": label[:48], "size": size, "filesystem": filesystem, "status": status,
                "created": _now(), "updated": _now()}
        machine.disks[disk["id"]] = disk
        return disk

    def add_disk(self, machine, asked):
        self.idle(machine)
        size = asked.get("size")
        if not isinstance(size, int) or size < 1:
            _refuse("Disk size must be at least 1 MB", "size")
        if size > machine.free():
            _refuse(f"Insufficient space: this Linode has {machine.free()} MB of unallocated storage", "size")
        if len(machine.disks) >= 50:
            _refuse("A Linode can have up to 50 disks")
        filesystem = asked.get("filesystem") or "ext4"
        if filesystem not in FILESYSTEMS:
            _refuse(f"Must be one of {', '.join(FILESYSTEMS)}", "filesystem")
        label = asked.get("label")
        if asked.get("image"):
            image = self._installation(asked, None, size)
            label = label or f"{image['label']} Disk"
            machine.image, machine.root_pass = image["id"], asked["root_pass"]
            machine.authorized_keys = [key.strip() for key in asked.get("authorized_keys") or []]
        elif not label:
            _refuse("label is required", "label")
        if len(label) > 48:
            _refuse("Must be 1-48 characters", "label")
        disk = self._disk(machine, label, size, filesystem, "not ready")
        self._disk_event("disk_create", machine, disk, lambda: disk.update(status="ready"))
        return disk

    def _disk_event(self, action, machine, disk, finish):
        self.event(action, machine, finish=finish, secondary={
            "id": str(disk["id"]), "label": disk["label"], "type": "disk", "url": f"/v4/linode/instances/{machine.id}/disks/{disk['id']}"})

    def _disk_in_use(self, machine, disk):
        if machine.status != "offline" and any(device.get("disk_id") == disk["id"] for device in
                                               machine.configs.get(machine.booted_config, {}).get("devices", {}).values()):
            _refuse(f"Disk {disk['id']} is in use; shut the Linode down first")

    def update_disk(self, machine, disk, asked):
        if asked.get("label"):
            disk["label"] = asked["label"]
        self.event("disk_update", machine, at_once=True)

    def resize_disk(self, machine, disk, asked):
        self.idle(machine)
        self._disk_in_use(machine, disk)
        if asked.get("size", 0) < 1:
            _refuse("Disk size must be at least 1 MB", "size")
        if asked["size"] > machine.free() + disk["size"]:
            _refuse(f"Insufficient space: this Linode has {machine.free()} MB of unallocated storage", "size")
        self._disk_event("disk_resize", machine, disk, lambda: disk.update(size=asked["size"]))

    def delete_disk(self, machine, disk):
        self.idle(machine)
        self._disk_in_use(machine, disk)
        disk["status"] = "deleting"

        def gone():
            machine.disks.pop(disk["id"], None)
            for config in machine.configs.values():
                config["devices"] = {slot: device for slot, device in config["devices"].items() if device.get("disk_id") != disk["id"]}
        self._disk_event("disk_delete", machine, disk, gone)

    # Configuration profiles

    def _checked_config(self, machine, asked):
        if "label" in asked and not 1 <= len(asked["label"]) <= 48:
            _refuse("Must be 1-48 characters", "label")
        if asked.get("kernel") is not None and not any(kernel["id"] == asked["kernel"] for kernel in self.kernels):
            _refuse("kernel is not valid", "kernel")
        devices = {}
        for slot, device in (asked.get("devices") or {}).items():
            if slot not in SLOTS:
                _refuse("is not a device", f"devices.{slot}")
            device = {name: number for name, number in (device or {}).items() if number is not None}
            if not device:
                continue
            if "disk_id" in device and device["disk_id"] not in machine.disks:
                _refuse(f"Disk {device['disk_id']} is not a disk of this Linode", f"devices.{slot}.disk_id")
            if "volume_id" in device:
                volume = self.volumes.get(device["volume_id"])
                if not volume or volume["region"] != machine.region or volume["linode_id"] not in (None, machine.id):
                    _refuse(f"Volume {device['volume_id']} cannot be attached to this Linode", f"devices.{slot}.volume_id")
            devices[slot] = device
        if asked.get("root_device") and not re.fullmatch(r"/dev/sd[a-h]", asked["root_device"]):
            _refuse("root_device is not valid", "root_device")
        return devices

    def _config(self, machine, asked):
        config = {"id": next(self._small_ids), "label": asked["label"], "comments": asked.get("comments", ""),
                  "kernel": asked.get("kernel") or "linode/latest-64bit", "memory_limit": asked.get("memory_limit") or 0,
                  "run_level": asked.get("run_level") or "default", "virt_mode": asked.get("virt_mode") or "paravirt",
                  "root_device": asked.get("root_device") or "/dev/sda", "devices": asked.get("devices") or {},
                  "helpers": {"updatedb_disabled": True, "distro": True, "modules_dep": True, "network": True,
                              "devtmpfs_automount": True, **(asked.get("helpers") or {})}}
        machine.configs[config["id"]] = config
        return config

    def add_config(self, machine, asked):
        if not asked.get("label"):
            _refuse("label is required", "label")
        if not asked.get("devices"):
            _refuse("devices is required", "devices")
        devices = self._checked_config(machine, asked)
        config = self._config(machine, {**asked, "devices": devices})
        self._attach_all(machine, devices)
        self.event("linode_config_create", machine, at_once=True)
        return config

    def update_config(self, machine, config, asked):
        devices = self._checked_config(machine, asked)
        for name in ("label", "comments", "kernel", "memory_limit", "run_level", "virt_mode", "root_device"):
            if asked.get(name) is not None:
                config[name] = asked[name]
        config["helpers"].update(asked.get("helpers") or {})
        if asked.get("devices") is not None:
            config["devices"] = devices
            self._attach_all(machine, devices)
        self.event("linode_config_update", machine, at_once=True)

    def _attach_all(self, machine, devices):
        for device in devices.values():
            if "volume_id" in device:
                self.volumes[device["volume_id"]].update(linode_id=machine.id, linode_label=machine.label)

    def delete_config(self, machine, config):
        machine.configs.pop(config["id"])
        self.event("linode_config_delete", machine, at_once=True)

    # Addresses

    def owner(self, address):
        """The machine that has it, or None."""
        address = str(address).lower()
        return next((machine for machine in self.machines.values()
                     if address in machine.ipv4 + machine.private or address == machine.ipv6), None)

    @staticmethod
    def address(machine, address):
        base = {"address": address, "linode_id": machine.id, "region": machine.region}
        if ":" in address:
            said = {**base, "type": "ipv6", "public": True, "prefix": 64, "gateway": "fe80::1", "subnet_mask": "ffff:ffff:ffff:ffff::"}
        elif address in machine.private:
            return {**base, "type": "ipv4", "public": False, "prefix": 17, "subnet_mask": "255.255.128.0"}
        else:
            said = {**base, "type": "ipv4", "public": True, "prefix": 24, "subnet_mask": "255.255.255.0",
                    "gateway": address.rsplit(".", 1)[0] + ".1"}
        if machine.rdns.get(address):
            said["rdns"] = machine.rdns[address]
        return said

    def addresses(self, machine):
        local = "fe80::" + machine.ipv6.split("::")[1]
        return {"ipv4": {"public": [self.address(machine, address) for address in machine.ipv4],
                         "private": [self.address(machine, address) for address in machine.private],
                         "shared": [], "reserved": [], "vpc": []},
                "ipv6": {"slaac": self.address(machine, machine.ipv6), "global": [],
                         "link_local": {**self.address(machine, local), "public": False}}}

    def add_address(self, machine, asked):
        if asked.get("type") != "ipv4":
            _refuse("Must be ipv4", "type")
        if asked.get("public", True):
            _refuse("Additional IPv4 addresses require technical justification. Please contact support describing your requirement.")
        if machine.private:
            _refuse("Linode already has a private IP")
        machine.private.append(f"192.168.{machine.id >> 8 & 127 | 128}.{machine.id & 255}")
        self.event("linode_addip", machine, at_once=True)
        return self.address(machine, machine.private[0])

    def set_rdns(self, machine, address, name):
        address = str(address).lower()
        if address in machine.private:
            _refuse("Unable to set reverse DNS for a private address", "rdns")
        if name is None:
            machine.rdns[address] = None if ":" in address else f"{address.replace('.', '-')}.ip.linodeusercontent.com"
        else:
            if self.forward is not None and address not in self.forward.get(name.rstrip("."), []):
                _refuse("Unable to perform a lookup for this name: forward DNS must have this address first", "rdns")
            machine.rdns[address] = name.rstrip(".")
        self.event("ipaddress_update", machine, at_once=True)
        return {"rdns": None, **self.address(machine, address)}

    # Volumes

    def create_volume(self, asked):
        label = asked.get("label")
        if not isinstance(label, str) or not 1 <= len(label) <= 32 or not VOLUME_LABEL.fullmatch(label):
            _refuse("Must be 1-32 characters, letters, numbers, single hyphens and underscores, and begin with a letter", "label")
        if self.volume_label_unique and any(volume["label"] == label for volume in self.volumes.values()):
            _refuse("Must be unique among your volumes", "label")
        size = asked.get("size", 20)
        if not 10 <= size <= 10240:
            _refuse("Must be 10-10240", "size")
        machine = None
        if asked.get("linode_id") is not None:
            machine = self.machines.get(asked["linode_id"]) or _refuse("linode_id is not valid", "linode_id")
        if machine is None and asked.get("region") is None:
            _refuse("region or linode_id is required", "region")
        region = self._region(asked.get("region") or machine.region)
        if "Block Storage" not in region["capabilities"]:
            _refuse("Block Storage is not available in this region", "region")
        if machine and machine.region != region["id"]:
            _refuse("The Linode is in another region", "region")
        if len(self.volumes) >= self.volume_quota:
            _refuse("Account Limit reached. Please open a support ticket.")
        tags = self._tags(asked.get("tags") or [])
        volume = {"id": next(self._small_ids), "label": label, "status": "creating", "size": size, "region": region["id"],
                  "created": _now(), "updated": _now(), "linode_id": None, "linode_label": None, "tags": tags,
                  "filesystem_path": f"/dev/disk/by-id/scsi-0Linode_Volume_{label}", "hardware_type": "nvme",
                  "encryption": asked.get("encryption", "disabled")}
        self.volumes[volume["id"]] = volume
        made = self.event("volume_create", volume, finish=lambda: volume.update(status="active"))
        if machine:
            volume.update(linode_id=machine.id, linode_label=machine.label)
            self.event("volume_attach", volume, after=made)
        return volume

    def idle_volume(self, volume):
        if volume["status"] != "active" or self.open_events(volume=volume):
            _refuse("Volume busy.")

    def update_volume(self, volume, asked):
        if asked.get("tags") is not None:
            volume["tags"] = self._tags(asked["tags"])
        if asked.get("label") and asked["label"] != volume["label"]:
            if not VOLUME_LABEL.fullmatch(asked["label"]) or len(asked["label"]) > 32:
                _refuse("Must be 1-32 characters, letters, numbers, single hyphens and underscores, and begin with a letter", "label")
            volume["label"] = asked["label"]
        volume["updated"] = _now()
        self.event("volume_update", volume, at_once=True)

    def attach(self, volume, asked):
        self.idle_volume(volume)
        machine = self.machines.get(asked.get("linode_id")) or _refuse("linode_id is not valid", "linode_id")
        if volume["linode_id"] is not None:
            _refuse(f"Volume {volume['id']} is already attached to a Linode")
        if machine.region != volume["region"]:
            _refuse("Volume and Linode must be in the same region", "linode_id")
        config = None
        if asked.get("config_id") is not None:
            config = machine.configs.get(asked["config_id"]) or _refuse("config_id is not valid", "config_id")
        elif len(machine.configs) == 1:
            config = next(iter(machine.configs.values()))
        if config and asked.get("persist_across_boots", True):
            slot = next((slot for slot in SLOTS if slot not in config["devices"]), None) or _refuse("No device is free", "config_id")
            config["devices"][slot] = {"volume_id": volume["id"]}
        volume.update(linode_id=machine.id, linode_label=machine.label)
        self.event("volume_attach", volume)

    def detach(self, volume):
        self.idle_volume(volume)
        if volume["linode_id"] is None:
            _refuse(f"Volume {volume['id']} is not attached")
        machine = self.machines.get(volume["linode_id"])

        def gone():
            volume.update(linode_id=None, linode_label=None)
            for config in machine.configs.values() if machine else ():
                config["devices"] = {slot: device for slot, device in config["devices"].items() if device.get("volume_id") != volume["id"]}
        self.event("volume_detach", volume, finish=gone)

    def resize_volume(self, volume, asked):
        self.idle_volume(volume)
        if not volume["size"] < asked.get("size", 0) <= 10240:
            _refuse(f"Must be {volume['size'] + 1}-10240", "size")
        volume["status"] = "resizing"
        self.event("volume_resize", volume, finish=lambda: volume.update(status="active", size=asked["size"]))

    def delete_volume(self, volume):
        if volume["linode_id"] is not None:
            _refuse("Volume must be detached before it can be deleted")
        self.idle_volume(volume)
        self.event("volume_delete", volume, at_once=True)
        self.volumes.pop(volume["id"])


def _image_entity(image):
    return {"id": image["id"], "label": image["label"], "type": "image", "url": f"/v4/images/{image['id']}"}
