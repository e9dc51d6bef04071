"""One account at the fake of Linode: machines, disks, configuration profiles, volumes, addresses, and the events that move them.

Knows no HTTP. Its replies have the shapes of the published description (v4.189.0); the sentences of refusals are those of the
real API where they were known (`Label must be unique among your linodes`, `Linode busy.`, `Account Limit reached. ...`), so
a client may show them and must not depend on the others.
"""
import base64
import binascii
import ipaddress
import math
import re
import uuid

from .linode_addresses import Addresses
from .linode_disks import Disks
from .linode_events import Events, now, refuse
from .linode_offers import offers
from .linode_volumes import Volumes

LABEL = re.compile(r"[a-zA-Z0-9](?:(?!--|__|\.\.)[a-zA-Z0-9._-])*[a-zA-Z0-9]")


class Machine:
    """A Linode. Tests read and change it as they like: `status`, `tags`, `label`, `root_pass`, `user_data` (decoded) ..."""

    def __init__(self, number, label, region, plan):
        self.id, self.label, self.region, self.type = number, label, region, plan["id"]
        self.plan = plan
        self.status, self.image, self.tags, self.group = "provisioning", None, [], ""
        self.created = self.updated = now()
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


class Account(Events, Disks, Addresses, Volumes):
    """Not thread-safe: the fake calls it under one lock, and so should a test that changes it while requests are answered."""

    def __init__(self, addresses="127.77.0.0/16"):
        Events.__init__(self)
        Disks.__init__(self)
        Addresses.__init__(self, addresses)
        Volumes.__init__(self)
        self.regions, self.types, self.images, self.kernels = offers()
        self.machines, self.quota = {}, math.inf
        self.unavailable = set()  # (type id, region id) that is sold out
        self.hide_new = False  # machines made from now on are not listed, only found by id, until they leave `hidden`
        self.hidden = set()

    def label_taken(self, label, but=None):
        return any(machine.label == label and machine is not but for machine in self.machines.values())

    def _label(self, label, but=None):
        if not isinstance(label, str) or not 3 <= len(label) <= 64:
            refuse("Must be 3-64 characters", "label")
        if not LABEL.fullmatch(label):
            refuse("Must begin and end with an alphanumeric character and have only letters, numbers, hyphens, underscores and "
                    "periods, never two of these in a row", "label")
        if self.label_taken(label, but):
            refuse("Label must be unique among your linodes", "label")
        return label

    @staticmethod
    def _tags(tags):
        for tag in tags:
            if not isinstance(tag, str) or not 3 <= len(tag) <= 50:
                refuse("Tags must be 3-50 characters", "tags")
        return list(dict.fromkeys(tags))

    def _region(self, name):
        region = next((region for region in self.regions if region["id"] == name), None)
        return region or refuse("region is not valid", "region")

    def _plan(self, name):
        plan = next((plan for plan in self.types if plan["id"] == name), None)
        return plan or refuse("A valid plan type by that ID was not found", "type")

    def _image(self, name):
        found = next((image for image in self.images if image["id"] == name and image["status"] == "available"), None)
        return found or refuse("image is not valid", "image")

    def _installation(self, asked, region, room):
        """Checks what a root disk is made with; the image."""
        image = self._image(asked.get("image"))
        if not asked.get("root_pass"):
            refuse("root_pass is required", "root_pass")
        password = asked["root_pass"]
        if not 7 <= len(password) <= 128:
            refuse("Must be 7-128 characters", "root_pass")
        if len(set(password)) < 6 or sum(bool(re.search(kind, password)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")) < 2:
            refuse("Password does not meet strength requirement.", "root_pass")
        for key in asked.get("authorized_keys") or []:
            if not re.fullmatch(r"(ssh-(rsa|dss|ed25519)|ecdsa-sha2-nistp\d+|sk-\S+) [A-Za-z0-9+/]+=*( [^\n]*)?", key.strip()):
                refuse("SSH Key is not valid", "authorized_keys")
        if image["size"] > room:
            refuse(f"Image {image['id']} needs a disk of at least {image['size']} MB", "image")
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
            refuse("user_data must be base64 encoded", "metadata.user_data")
        if len(decoded) > 65535:
            refuse("decoded user_data must not exceed 65535 bytes", "metadata.user_data")
        if region and "Metadata" not in region["capabilities"]:
            refuse("Metadata is not available in this region", "metadata.user_data")
        if image and "cloud-init" not in image["capabilities"]:
            refuse("This image does not support cloud-init", "metadata.user_data")
        return decoded

    def add_machine(self, label, region="us-southeast", type="g6-nanode-1", id=None, **more):  # noqa: A002, the API's words
        """A machine that was there before: running and idle at once, not counted against the quota; for tests."""
        asked = {"label": label, "region": region, "type": type, "root_pass": "Before-the-test-1", "image": "linode/debian12", **more}
        quota, self.quota = self.quota, math.inf
        try:
            machine = self.create(asked, id)
        finally:
            self.quota = quota
        self.hidden.discard(machine.id)
        self.finish(machine=machine)
        return machine

    def create(self, asked, number=None):
        region = self._region(asked.get("region"))
        plan = self._plan(asked.get("type"))
        number = number or next(self._ids)
        label = self._label(asked["label"]) if asked.get("label") is not None else f"linode{number}"
        tags = self._tags(asked.get("tags") or [])
        swap = asked.get("swap_size", 512)
        image = None
        if asked.get("image"):
            image = self._installation(asked, region, plan["disk"] - swap)
        else:
            for name in ("root_pass", "authorized_keys"):
                if asked.get(name):
                    refuse(f"{name} needs an image", name)
            self._user_data(asked, region, None)  # allowed: it is served to whatever is installed later
            if asked.get("booted"):
                refuse("a Linode without an image cannot be booted", "booted")
        if region["status"] != "ok" or (plan["id"], region["id"]) in self.unavailable:
            refuse("The selected type is not available in this region at the moment", "type")
        if len(self.machines) >= self.quota:
            refuse("Account Limit reached. Please open a support ticket.")
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
            made = self.event("linode_create", machine, finish=provisioned, undo=provisioned, secondary=_image_entity(image))
            if asked.get("booted", True):
                self._boot_event(machine, "linode_boot", after=made)
        else:
            self.event("linode_create", machine, finish=provisioned, undo=provisioned)
        return machine

    def _install(self, machine, image, asked, swap):
        machine.image, machine.root_pass = image["id"], asked["root_pass"]
        machine.authorized_keys = [key.strip() for key in asked.get("authorized_keys") or []]
        root = self._disk(machine, f"{image['label']} Disk", machine.plan["disk"] - swap, "ext4", "ready")
        devices = {"sda": {"disk_id": root["id"]}}
        if swap:
            devices["sdb"] = {"disk_id": self._disk(machine, f"{swap} MB Swap Image", swap, "swap", "ready")["id"]}
        self._config(machine, {"label": f"My {image['label']} Disk Profile", "devices": devices, "kernel": "linode/grub2"})

    def update(self, machine, asked):
        if asked.get("label") is not None:
            machine.label = self._label(asked["label"], but=machine)
        if asked.get("tags") is not None:
            machine.tags = self._tags(asked["tags"])
        machine.group = asked.get("group", machine.group)
        machine.watchdog = asked.get("watchdog_enabled", machine.watchdog)
        machine.updated = now()
        self.event("linode_update", machine, at_once=True)

    def idle(self, machine):
        if self.busy(machine) or machine.status == "deleting":
            refuse("Linode busy.")

    def boot(self, machine, asked):
        self.idle(machine)
        if machine.status == "running":
            refuse(f"Linode {machine.id} is already booted.")
        self._boot_event(machine, "linode_boot", config=self._config_to_boot(machine, asked.get("config_id")))

    def reboot(self, machine, asked):
        self.idle(machine)
        if machine.status != "running":
            refuse(f"Linode {machine.id} is not running.")
        self._boot_event(machine, "linode_reboot", config=self._config_to_boot(machine, asked.get("config_id")))

    def _config_to_boot(self, machine, number):
        if number is not None:
            return machine.configs.get(number) or refuse("config_id is not valid", "config_id")
        if len(machine.configs) == 1:
            return next(iter(machine.configs.values()))
        return machine.configs.get(machine.booted_config) or refuse(
            "A configuration profile must be named" if machine.configs else "This Linode has no configuration profile", "config_id")

    def _boot_event(self, machine, action, after=None, config=None):
        config = config or self._config_to_boot(machine, None)
        status = "booting" if action == "linode_boot" else "rebooting"

        def begin():
            machine.status = status

        def booted():
            machine.status, machine.booted_config = "running", config["id"]
            machine.boots += 1

        def failed():
            machine.status = "offline"
        event = self.event(action, machine, begin=begin, finish=booted, undo=failed, after=after, secondary={
            "id": str(config["id"]), "label": config["label"], "type": "linode_config",
            "url": f"/v4/linode/instances/{machine.id}/configs/{config['id']}"})
        if not after:
            begin()
        return event

    def shutdown(self, machine):
        self.idle(machine)
        if machine.status == "offline":
            refuse(f"Linode {machine.id} is already powered off.")
        before, machine.status = machine.status, "shutting_down"

        def down():
            machine.status = "offline"

        def up():
            machine.status = before
        self.event("linode_shutdown", machine, finish=down, undo=up)

    def rebuild(self, machine, asked):
        self.idle(machine)
        region = self._region(machine.region)
        plan = self._plan(asked["type"]) if asked.get("type") else machine.plan
        image = self._installation(asked, region, plan["disk"] - 512)
        machine.status, machine.plan, machine.type = "rebuilding", plan, plan["id"]
        machine.disks, machine.configs, machine.booted_config = {}, {}, None
        if asked.get("metadata") is not None:
            machine.user_data = self._user_data(asked, region, image)
        machine.updated = now()
        self._install(machine, image, asked, 512)

        def rebuilt():
            machine.status = "offline"
        made = self.event("linode_rebuild", machine, finish=rebuilt, undo=rebuilt, secondary=_image_entity(image))
        if asked.get("booted", True):
            self._boot_event(machine, "linode_boot", after=made)

    def delete(self, machine):
        if machine.status == "deleting":
            refuse("Linode busy.")
        for event in self.open_events(machine):
            event.status, event.message = "failed", "the Linode was deleted"
        before, machine.status = machine.status, "deleting"

        def stays():
            machine.status = before

        def gone():
            for volume in self.volumes.values():
                if volume["linode_id"] == machine.id:
                    volume["linode_id"] = volume["linode_label"] = None
            self._released[:0] = machine.ipv4
            self.machines.pop(machine.id, None)
            self.hidden.discard(machine.id)
        self.event("linode_delete", machine, finish=gone, undo=stays)


def _image_entity(image):
    return {"id": image["id"], "label": image["label"], "type": "image", "url": f"/v4/images/{image['id']}"}
