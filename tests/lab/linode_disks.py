"""Disks and configuration profiles of the machines at the fake of Linode."""
import itertools
import re

from .linode_events import now, refuse

SLOTS = [f"sd{letter}" for letter in "abcdefgh"]
FILESYSTEMS = ("raw", "swap", "ext3", "ext4", "initrd")


class Disks:
    """A part of Account, which has the machines, the events and what an installation may ask for."""

    def __init__(self):
        self._config_ids = itertools.count(25001)

    def _disk(self, machine, label, size, filesystem, status):
        disk = {"id": next(self._ids), "label": label[:48], "size": size, "filesystem": filesystem, "status": status,
                "created": now(), "updated": now()}
        machine.disks[disk["id"]] = disk
        return disk

    def add_disk(self, machine, asked):
        self.idle(machine)
        size = asked.get("size")
        if not isinstance(size, int) or size < 1:
            refuse("Disk size must be at least 1 MB", "size")
        if size > machine.free():
            refuse(f"Insufficient space: this Linode has {machine.free()} MB of unallocated storage", "size")
        if len(machine.disks) >= 50:
            refuse("A Linode can have up to 50 disks")
        filesystem = asked.get("filesystem") or "ext4"
        if filesystem not in FILESYSTEMS:
            refuse(f"Must be one of {', '.join(FILESYSTEMS)}", "filesystem")
        label = asked.get("label")
        if asked.get("image"):
            image = self._installation(asked, None, size)
            label = label or f"{image['label']} Disk"
            machine.image, machine.root_pass = image["id"], asked["root_pass"]
            machine.authorized_keys = [key.strip() for key in asked.get("authorized_keys") or []]
        elif not label:
            refuse("label is required", "label")
        if len(label) > 48:
            refuse("Must be 1-48 characters", "label")
        disk = self._disk(machine, label, size, filesystem, "not ready")
        self._disk_event("disk_create", machine, disk, lambda: disk.update(status="ready"), lambda: machine.disks.pop(disk["id"], None))
        return disk

    def _disk_event(self, action, machine, disk, finish, undo=None):
        self.event(action, machine, finish=finish, undo=undo, secondary={
            "id": str(disk["id"]), "label": disk["label"], "type": "disk", "url": f"/v4/linode/instances/{machine.id}/disks/{disk['id']}"})

    def _disk_in_use(self, machine, disk):
        if machine.status != "offline" and any(device.get("disk_id") == disk["id"] for device in
                                               machine.configs.get(machine.booted_config, {}).get("devices", {}).values()):
            refuse(f"Disk {disk['id']} is in use; shut the Linode down first")

    def update_disk(self, machine, disk, asked):
        if asked.get("label"):
            disk["label"] = asked["label"]
        self.event("disk_update", machine, at_once=True)

    def resize_disk(self, machine, disk, asked):
        self.idle(machine)
        self._disk_in_use(machine, disk)
        if asked.get("size", 0) < 1:
            refuse("Disk size must be at least 1 MB", "size")
        if asked["size"] > machine.free() + disk["size"]:
            refuse(f"Insufficient space: this Linode has {machine.free()} MB of unallocated storage", "size")
        self._disk_event("disk_resize", machine, disk, lambda: disk.update(size=asked["size"]))

    def delete_disk(self, machine, disk):
        self.idle(machine)
        self._disk_in_use(machine, disk)
        disk["status"] = "deleting"

        def gone():
            machine.disks.pop(disk["id"], None)
            for config in machine.configs.values():
                config["devices"] = {slot: device for slot, device in config["devices"].items() if device.get("disk_id") != disk["id"]}
        self._disk_event("disk_delete", machine, disk, gone, lambda: disk.update(status="ready"))

    # Configuration profiles

    def _checked_config(self, machine, asked):
        if "label" in asked and not 1 <= len(asked["label"]) <= 48:
            refuse("Must be 1-48 characters", "label")
        if asked.get("kernel") is not None and not any(kernel["id"] == asked["kernel"] for kernel in self.kernels):
            refuse("kernel is not valid", "kernel")
        devices = {}
        for slot, device in (asked.get("devices") or {}).items():
            if slot not in SLOTS:
                refuse("is not a device", f"devices.{slot}")
            device = {name: number for name, number in (device or {}).items() if number is not None}
            if not device:
                continue
            if "disk_id" in device and device["disk_id"] not in machine.disks:
                refuse(f"Disk {device['disk_id']} is not a disk of this Linode", f"devices.{slot}.disk_id")
            if "volume_id" in device:
                volume = self.volumes.get(device["volume_id"])
                if not volume or volume["region"] != machine.region or volume["linode_id"] not in (None, machine.id):
                    refuse(f"Volume {device['volume_id']} cannot be attached to this Linode", f"devices.{slot}.volume_id")
            devices[slot] = device
        if asked.get("root_device") and not re.fullmatch(r"/dev/sd[a-h]", asked["root_device"]):
            refuse("root_device is not valid", "root_device")
        return devices

    def _config(self, machine, asked):
        config = {"id": next(self._config_ids), "label": asked["label"], "comments": asked.get("comments", ""),
                  "kernel": asked.get("kernel") or "linode/latest-64bit", "memory_limit": asked.get("memory_limit") or 0,
                  "run_level": asked.get("run_level") or "default", "virt_mode": asked.get("virt_mode") or "paravirt",
                  "root_device": asked.get("root_device") or "/dev/sda", "devices": asked.get("devices") or {},
                  "helpers": {"updatedb_disabled": True, "distro": True, "modules_dep": True, "network": True,
                              "devtmpfs_automount": True, **(asked.get("helpers") or {})}}
        machine.configs[config["id"]] = config
        return config

    def add_config(self, machine, asked):
        if not asked.get("label"):
            refuse("label is required", "label")
        if not asked.get("devices"):
            refuse("devices is required", "devices")
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
