"""Volumes at the fake of Linode."""
import itertools
import math
import re

from .linode_disks import SLOTS
from .linode_events import now, refuse

VOLUME_LABEL = re.compile(r"[a-zA-Z](?:(?!--|__)[a-zA-Z0-9_-])*")


class Volumes:
    """A part of Account, which has the machines and the events."""

    def __init__(self):
        self.volumes, self.volume_quota = {}, math.inf
        self._volume_ids = itertools.count(415001)

    def create_volume(self, asked):
        label = asked.get("label")
        if not isinstance(label, str) or not 1 <= len(label) <= 32 or not VOLUME_LABEL.fullmatch(label):
            refuse("Must be 1-32 characters, letters, numbers, single hyphens and underscores, and begin with a letter", "label")
        if any(volume["label"] == label for volume in self.volumes.values()):
            refuse("Must be unique among your volumes", "label")
        size = asked.get("size", 20)
        if not 10 <= size <= 10240:
            refuse("Must be 10-10240", "size")
        machine = None
        if asked.get("linode_id") is not None:
            machine = self.machines.get(asked["linode_id"]) or refuse("linode_id is not valid", "linode_id")
        if machine is None and asked.get("region") is None:
            refuse("region or linode_id is required", "region")
        region = self._region(asked.get("region") or machine.region)
        if "Block Storage" not in region["capabilities"]:
            refuse("Block Storage is not available in this region", "region")
        if machine and machine.region != region["id"]:
            refuse("The Linode is in another region", "region")
        if len(self.volumes) >= self.volume_quota:
            refuse("Account Limit reached. Please open a support ticket.")
        tags = self._tags(asked.get("tags") or [])
        volume = {"id": next(self._volume_ids), "label": label, "status": "creating", "size": size, "region": region["id"],
                  "created": now(), "updated": now(), "linode_id": None, "linode_label": None, "tags": tags,
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
            refuse("Volume busy.")

    def update_volume(self, volume, asked):
        if asked.get("tags") is not None:
            volume["tags"] = self._tags(asked["tags"])
        if asked.get("label") and asked["label"] != volume["label"]:
            if not VOLUME_LABEL.fullmatch(asked["label"]) or len(asked["label"]) > 32:
                refuse("Must be 1-32 characters, letters, numbers, single hyphens and underscores, and begin with a letter", "label")
            volume["label"] = asked["label"]
        volume["updated"] = now()
        self.event("volume_update", volume, at_once=True)

    def attach(self, volume, asked):
        self.idle_volume(volume)
        machine = self.machines.get(asked.get("linode_id")) or refuse("linode_id is not valid", "linode_id")
        if volume["linode_id"] is not None:
            refuse(f"Volume {volume['id']} is already attached to a Linode")
        if machine.region != volume["region"]:
            refuse("Volume and Linode must be in the same region", "linode_id")
        config = None
        if asked.get("config_id") is not None:
            config = machine.configs.get(asked["config_id"]) or refuse("config_id is not valid", "config_id")
        elif len(machine.configs) == 1:
            config = next(iter(machine.configs.values()))
        if config and asked.get("persist_across_boots", True):
            slot = next((slot for slot in SLOTS if slot not in config["devices"]), None) or refuse("No device is free", "config_id")
            config["devices"][slot] = {"volume_id": volume["id"]}
        volume.update(linode_id=machine.id, linode_label=machine.label)
        self.event("volume_attach", volume)

    def detach(self, volume):
        self.idle_volume(volume)
        if volume["linode_id"] is None:
            refuse(f"Volume {volume['id']} is not attached")
        machine = self.machines.get(volume["linode_id"])

        def gone():
            volume.update(linode_id=None, linode_label=None)
            for config in machine.configs.values() if machine else ():
                config["devices"] = {slot: device for slot, device in config["devices"].items() if device.get("volume_id") != volume["id"]}
        self.event("volume_detach", volume, finish=gone)

    def resize_volume(self, volume, asked):
        self.idle_volume(volume)
        if not volume["size"] < asked.get("size", 0) <= 10240:
            refuse(f"Must be {volume['size'] + 1}-10240", "size")
        volume["status"] = "resizing"
        self.event("volume_resize", volume, finish=lambda: volume.update(status="active", size=asked["size"]))

    def delete_volume(self, volume):
        if volume["linode_id"] is not None:
            refuse("Volume must be detached before it can be deleted")
        self.idle_volume(volume)
        self.event("volume_delete", volume, at_once=True)
        self.volumes.pop(volume["id"])
