"""ssh:mount against a real sshd with real block devices: loop devices of this machine, in a mount namespace with an /etc and a /srv of
its own."""
import contextlib
import hashlib
import json
import os
import socket
import subprocess
import zlib

import yaml

from lab import alive, descendants, each, takes, until
from lab.marks import Skip
from lab.ports import free_port
from lab.processes import Process

FSTAB = "# this host's own\nproc /proc proc defaults 0 0"  # no newline at its end, on purpose
SET_UP = """set -e
for folder in etc root srv usr/local/sbin; do mount --bind "$1/$folder" "/$folder"; done
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir /run/sshd
exec /usr/sbin/sshd -D -e -f /etc/ssh/sshd_config
"""
MAKING = "jarvis-making"


class Host:
    """A host to log in to, and its disks. `files`: its /etc, /root, /srv and /usr/local/sbin as the test sees them, without what is
    mounted there."""

    def __init__(self, place):
        if os.geteuid() != 0:
            raise Skip("mounting disks takes root")
        self.place, self.port, self.files, self._open = place, free_port(place.host), place.path("host"), contextlib.ExitStack()
        for folder in ("etc/ssh", "root/.ssh", "srv", "usr/local/sbin", "images"):
            (self.files / folder).mkdir(parents=True)
        for name, at in (("host", "etc/ssh/key"), ("login", "login")):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.files / at], check=True)
        for name, text in {
                "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n",
                "etc/group": "root:x:0:\nnogroup:x:65534:\n", "etc/shadow": "root:*:19000:0:99999:7:::\n", "etc/fstab": FSTAB,
                "etc/nsswitch.conf": "passwd: files\ngroup: files\n", "root/.ssh/authorized_keys": self._text("login.pub"),
                "etc/ssh/sshd_config": f"ListenAddress {place.host}\nPort {self.port}\nHostKey /etc/ssh/key\nPidFile none\nUsePAM no\n"
                                       "StrictModes no\nPermitRootLogin prohibit-password\n"}.items():
            (self.files / name).write_text(text)

    def _text(self, name):
        return (self.files / name).read_text()

    def __enter__(self):
        with self._open:
            self._process = Process(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", SET_UP, "sh", str(self.files)],
                                    self.place.path("host.log"), self.place.directory, {"PATH": os.environ["PATH"]})
            self._open.callback(self._end)
            until(lambda: self._answers() or not self._process.running(), "the host answers")
            if not self._process.running():
                raise Skip(f"no host with mounts of its own can be made here: {self._process.output().strip()}")
            self._first = descendants(self._process.pid)[0]
            self._open = self._open.pop_all()
        return self

    def __exit__(self, *problem):
        return self._open.__exit__(*problem)

    def _answers(self):
        with socket.socket() as probe:
            return probe.connect_ex((self.place.host, self.port)) == 0

    def _end(self):
        below = descendants(self._process.pid)
        self._process.kill()
        until(lambda: not any(alive(pid) for pid in below), "the host and its mounts are gone")

    # Disks

    def disk(self, name, megabytes=24):
        """A blank one; its path. Detached with the last that has it open, however this test ends."""
        image = self.files / f"images/{name}"
        with open(image, "wb") as file:
            file.truncate(megabytes << 20)
        made = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=False)
        if made.returncode:
            raise Skip(f"no loop device can be had here: {made.stderr.strip()}")
        device = made.stdout.strip()
        self._open.callback(os.close, os.open(device, os.O_RDONLY))
        subprocess.run(["losetup", "--detach", device], check=True)
        return device

    def digest(self, name):
        return hashlib.sha256((self.files / f"images/{name}").read_bytes()).hexdigest()

    def write(self, name, at, data):
        with open(self.files / f"images/{name}", "r+b") as file:
            file.seek(at)
            file.write(data)

    # What somebody on it sees

    def run(self, *words, check=True):
        done = subprocess.run(["nsenter", "-t", str(self._first), "-m", "-p", *words], capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done
        return done.stdout

    def fstab(self):
        return self._text("etc/fstab")

    def label(self, device):
        return self.run("blkid", "-p", "-o", "value", "-s", "LABEL", device, check=False).strip()

    def uuid(self, device):
        return self.run("blkid", "-p", "-o", "value", "-s", "UUID", device, check=False).strip()

    def mounted(self, path):
        return self.run("findmnt", "-rnv", "-o", "SOURCE,FSTYPE,OPTIONS", "--mountpoint", path, check=False).strip()

    def state(self, *devices):
        """All that a second time may not change."""
        about = os.stat(self.files / "etc/fstab")
        mounts = [line for line in self.run("cat", "/proc/mounts").splitlines() if "loop" in line]
        return self.fstab(), about.st_mtime_ns, about.st_ino, mounts, [self.uuid(one) for one in devices]

    # jarvis

    def board(self, devices, **keys):
        """As a provider and the tasks before left it."""
        return {"hostname": "loki", "fqdn": "loki.example.org", "provider": "demo", "ipaddress": [self.place.host], "ssh_port": self.port,
                "ssh_host_keys": [self._text("etc/ssh/key.pub").strip()], "ssh_login_key": self._text("login"),
                "volumes": {name: 20 for name in devices}, "mounts": {name: f"/srv/{name}" for name in devices},
                "devices": {name: [path] if isinstance(path, str) else path for name, path in devices.items()}, **keys}

    def mount(self, devices, status=0, **keys):
        return self.place.expect(status, "task", "ssh:mount", input=json.dumps(self.board(devices, **keys)))

    def refuses(self, devices, words, **keys):
        result = self.mount(devices, 1, **keys)
        assert words in result.err, result

    def replace(self, program, script):
        """Puts a script in front of a program of the host; the original is $REAL. Without a script it is as it was."""
        path = self.files / f"usr/local/sbin/{program}"
        if script is None:
            return path.unlink()
        path.write_text(f"#!/bin/sh\nREAL=/usr/sbin/{program}\n{script}\n")
        path.chmod(0o755)
        return path


def line_of(host, device, path, kind="ext4"):
    return f"UUID={host.uuid(device)} {path} {kind} noatime,errors=remount-ro,nofail 0 2"


@takes(8)
def test_blank_disks_once(place):
    with Host(place) as host:
        data, log = host.disk("data"), host.disk("a-name-longer-than-a-label")
        devices = {"data": ["/dev/disk/by-id/nobody", data], "a-name-longer-than-a-label": log}
        mounts = {"data": "/srv/data", "a-name-longer-than-a-label": "/srv/data/log"}  # the one within the other
        done = yaml.safe_load(host.mount(devices, mounts=mounts).out)
        assert done["mounted"] == mounts, done
        assert (host.label(data), host.label(log)) == ("data", "a-name-longer-th")
        assert host.mounted("/srv/data").startswith(f"{data} ext4 rw,noatime"), host.mounted("/srv/data")
        assert host.mounted("/srv/data/log").startswith(f"{log} ext4 rw,noatime")
        assert host.fstab() == "\n".join([FSTAB, line_of(host, data, "/srv/data"), line_of(host, log, "/srv/data/log"), ""])
        assert (host.files / "srv/data").stat().st_mode & 0o777 == 0o755

        before = host.state(data, log)
        said = host.mount(devices, mounts=mounts, mounted=mounts)
        assert host.state(data, log) == before and "making" not in said.err, said
        host.run("touch", "/srv/data/file")
        host.run("umount", "/srv/data/log")  # as after a boot that went on without it
        host.mount(devices, mounts=mounts)
        assert host.state(data, log) == before


@each("ext3", "a file system without a mount", "a line of its label")
@takes(5)
def test_what_is_there_stays(place, which):
    with Host(place) as host:
        data = host.disk("data")
        kind = "ext3" if which == "ext3" else "ext4"
        theirs = f"theirs-{os.getpid()}"  # tests beside this one have disks of the same machine
        host.run(f"mkfs.{kind}", "-q", "-L", theirs, data)
        (host.files / "srv/before").mkdir()
        host.run("sh", "-c", f"mount {data} /srv/before && echo precious > /srv/before/file && umount /srv/before")
        uuid = host.uuid(data)
        own = f"LABEL={theirs}\t/srv/data\t{kind}\tdefaults 0 0\n" if "label" in which else ""
        (host.files / "etc/fstab").write_text(FSTAB + "\n" + own)
        host.mount({"data": data})
        assert host.run("cat", "/srv/data/file") == "precious\n"
        assert host.uuid(data) == uuid and host.label(data) == theirs
        assert host.fstab() == FSTAB + "\n" + (own or line_of(host, data, "/srv/data", kind) + "\n")


def lvm_checksum(data):
    """The usual CRC with a beginning of LVM's own, and not inverted."""
    return (~zlib.crc32(data, ~0xf597a6cf & 0xffffffff) & 0xffffffff).to_bytes(4, "little")


PARTITIONS = b"\0\x02\x03\0\x83\x04\x05\0" + (2048).to_bytes(4, "little") + (4096).to_bytes(4, "little") + bytes(48) + b"\x55\xaa"
PHYSICAL_VOLUME = (32).to_bytes(4, "little") + b"LVM2 001" + b"p" * 32 + bytes(448)  # of LVM's label: what its checksum is of
RAID_MEMBER = 0xa92b4efc.to_bytes(4, "little") + b"\x01" + bytes(139) + (8).to_bytes(8, "little")  # its version, its own place in sectors
SIGNATURES = {"a partition table (dos)": (446, PARTITIONS), "swap": (4086, b"SWAPSPACE2"), "crypto_LUKS": (0, b"LUKS\xba\xbe\0\x01"),
              "LVM2_member": (512, b"LABELONE" + (1).to_bytes(8, "little") + lvm_checksum(PHYSICAL_VOLUME) + PHYSICAL_VOLUME),
              "linux_raid_member": (4096, RAID_MEMBER)}


@each(*SIGNATURES)
@takes(3)
def test_what_is_no_file_system_is_not_touched(place, which):
    with Host(place) as host:
        data = host.disk("data")
        if which == "swap":
            host.run("mkswap", "-q", data)
        else:
            host.write("data", *SIGNATURES[which])
        before = host.digest("data")
        host.refuses({"data": data}, f"data ({data}): it carries {which} and no file system; jarvis writes nothing on it")
        assert host.digest("data") == before and host.fstab() == FSTAB and not (host.files / "srv/data").exists()


@takes(5)
def test_what_is_in_the_way(place):
    with Host(place) as host:
        data, other = host.disk("data"), host.disk("other")
        blank, point, fstab = host.digest("data"), host.files / "srv/data", host.files / "etc/fstab"
        point.mkdir()
        (point / "file").write_text("theirs")
        host.refuses({"data": data}, "/srv/data is not empty")
        (point / "file").unlink()
        point.rmdir()
        point.write_text("a file")
        host.refuses({"data": data}, "/srv/data is no directory")
        point.unlink()
        point.symlink_to("/etc")
        host.refuses({"data": data}, "/srv/data is, or is behind, a link to /etc")
        point.unlink()
        fstab.write_text(FSTAB + "\nUUID=0000-0000 /srv/data vfat defaults 0 0\n")
        host.refuses({"data": data}, "/etc/fstab has UUID=0000-0000 on /srv/data")
        fstab.write_text(FSTAB)
        assert host.digest("data") == blank

        host.mount({"other": other})
        host.refuses({"data": data}, f"something else is mounted on /srv/other: {other}", mounts={"data": "/srv/other"})
        host.refuses({"other": other}, "it is mounted on /srv/other, not on /srv/elsewhere", mounts={"other": "/srv/elsewhere"})
        host.run("umount", "/srv/other")
        host.refuses({"other": other}, "/etc/fstab has it on /srv/other, not on /srv/elsewhere", mounts={"other": "/srv/elsewhere"})
        assert host.digest("data") == blank and not (host.files / "srv/elsewhere").exists()


@each("before the label", "before a byte", "after all")
@takes(5)
def test_making_it_is_cut_short(place, when):
    with Host(place) as host:
        data = host.disk("data")
        if when == "after all":
            host.replace("e2label", '"$REAL" "$@"; kill -9 $PPID')
        else:
            host.replace("mkfs.ext4", ('"$REAL" "$@"; ' if "label" in when else "") + "kill -9 $PPID")
        host.mount({"data": data}, 1)
        assert host.label(data) == {"before the label": MAKING, "before a byte": "", "after all": "data"}[when]
        assert host.fstab() == FSTAB
        before = host.uuid(data)
        host.replace("e2label" if when == "after all" else "mkfs.ext4", None)
        host.mount({"data": data})
        assert host.label(data) == "data" and host.mounted("/srv/data").startswith(data)
        assert (host.uuid(data) == before) == (when == "after all")


@takes(4)
def test_a_label_of_ours_on_what_somebody_used(place):
    with Host(place) as host:
        data = host.disk("data")
        host.run("mkfs.ext4", "-q", "-L", MAKING, data)
        (host.files / "srv/before").mkdir()
        host.run("sh", "-c", f"mount {data} /srv/before && echo precious > /srv/before/file && umount /srv/before")
        host.mount({"data": data})
        assert host.run("cat", "/srv/data/file") == "precious\n" and host.label(data) == MAKING


@takes(6)
def test_an_attempt_that_is_still_at_work_is_waited_for(place):
    with Host(place) as host:
        data = host.disk("data")
        os.mkfifo(host.files / "root/go")
        host.replace("mkfs.ext4", 'touch /root/began; read -r word < /root/go; "$REAL" "$@"')
        board = place.write("board", json.dumps(host.board({"data": data})))
        with open(board, "rb") as stdin:
            first = place.start("task", "ssh:mount", stdin=stdin)
        until((host.files / "root/began").exists, "mkfs begins")
        first.kill()
        said = host.mount({"data": data}, 75)
        assert "is being written by another program" in said.err, said
        host.replace("mkfs.ext4", None)
        (host.files / "root/go").write_text("go\n")
        until(lambda: place.run("task", "ssh:mount", input=board.read_text()).status == 0, "it is mounted")
        assert host.label(data) == "data" and host.mounted("/srv/data").startswith(data)


@takes(4)
def test_a_disk_that_is_not_there_yet(place):
    with Host(place) as host:
        data = host.disk("data")
        result = host.mount({"data": "/dev/disk/by-id/nobody"}, 75)
        assert "retry-after: 2" in result.err and "the host has no /dev/disk/by-id/nobody yet" in result.err, result
        # A pattern that fits two says nothing; one that fits one does.
        host.run("mount", "-t", "tmpfs", "tmpfs", "/dev/shm")
        host.run("sh", "-c", f"mkdir /dev/shm/by-path; ln -s {data} /dev/shm/by-path/pci-1-scsi-0:0:1:0; "
                             f"ln -s {data} /dev/shm/by-path/pci-2-scsi-0:0:1:0")
        host.mount({"data": "/dev/shm/by-path/*-scsi-0:0:1:0"}, 75)
        host.run("rm", "/dev/shm/by-path/pci-2-scsi-0:0:1:0")
        host.mount({"data": "/dev/shm/by-path/*-scsi-0:0:1:0"})
        assert host.mounted("/srv/data").startswith(data)


@takes(4)
def test_mount_says_yes_and_mounts_nothing(place):
    """As mount(8) does of a line with `nofail` whose disk it does not find."""
    with Host(place) as host:
        data = host.disk("data")
        path = host.replace("mount", "exit 0")
        result = host.mount({"data": data}, 75)
        assert "nothing is mounted on /srv/data yet" in result.err, result
        path.unlink()
        host.mount({"data": data})
        assert host.fstab().count("/srv/data") == 1 and host.mounted("/srv/data").startswith(data)


@takes(4)
def test_a_plan_says_what_is_not_known_to_be_mounted(place):
    with Host(place) as host:
        data = host.disk("data")
        place.plan("demo", deploy=["ssh:mount"])
        board = {**host.board({"data": data}), "ipaddress": ["127.0.0.1"], "ssh_port": 1}  # nobody is asked
        planned = place.environment(JARVIS_MODE="plan")

        def would(status=0, **keys):
            return place.expect(status, "task", "ssh:mount", input=json.dumps({**board, **keys}), environment=planned).err
        assert "change: mount data on /srv/data\n" in would()
        assert "change:" not in would(mounted={"data": "/srv/data"})
        assert "change: mount data on /srv/data\n" in would(mounted={"data": "/srv/elsewhere"})
        assert "change: mount opt on /opt\n" in would(volumes={"opt": 20}, mounts=None)
        assert "mounts: data: `/etc` is the system's own" in would(1, mounts={"data": "/etc"})
        assert "nothing" not in place.expect(0, "task", "ssh:mount", input=json.dumps({**board, "mounts": {}})).out

        saved = place.write("saved.yaml", json.dumps(host.board({"data": data})))
        place.expect(0, "replay", saved, "--operation", "deploy")
        assert place.facts()["mounted"] == {"data": "/srv/data"}
        place.expect(0, "plan", "loki")
