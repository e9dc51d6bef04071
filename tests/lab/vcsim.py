"""A vCenter or a single ESXi by govmomi's simulator, and a look behind its curtain (tests/simulators.d/vcsim, also for what the
simulator lacks and our main adds).

What it lacks still: guests do not run, so tools report an address only when the test gives one (address(), or `addresses` for
all that is powered on) and a guest's shutdown is at once (unless deafen()); customization sets nothing; there is no console.
"""
import contextlib
import json
import os
import urllib.error
import urllib.request

from .marks import Skip
from .ports import free_port
from .processes import Process
from .simulators import simulator
from .waiting import until

USER, PASSWORD = "jarvis@vsphere.local", "vcsim-password"


class Vcsim:
    """`url` (https://ADDRESS:PORT/sdk), `ca`, `user`, `password`. `esx`: a single ESXi, without clone; `templates`: names of some;
    `addresses`: a prefix such as 10.1.2. from which what is powered on gets an address. Of a vCenter the datacenter is DC0, with
    DC0_H0, the cluster DC0_C0, LocalDS_0 ...; of an ESXi ha-datacenter."""

    def __init__(self, place, authority, esx=False, templates=(), datastores=2, machines=1, addresses="", name="vcsim"):
        directory = simulator("vcsim")
        self.built_with = (directory / "built-with").read_text(encoding="utf-8").strip()
        self.user, self.password, self.ca = USER, PASSWORD, authority.certificate
        certificate, key = authority.issue(place.host, stem=name)
        files = self._directory = place.path(name)
        files.mkdir()
        arguments = [directory / "vcsim", "-model", "esx" if esx else "vpx", "-listen", f"{place.host}:{free_port(place.host)}",
                     "-control", f"{place.host}:{free_port(place.host)}", "-certificate", certificate, "-key", key, "-user", USER,
                     "-templates", ",".join(templates), "-datastores", datastores, "-machines", machines, "-addresses", addresses]
        environment = {"PATH": os.environ["PATH"], "HOME": str(files), "TMPDIR": str(files), "VCSIM_PASSWORD": PASSWORD}
        self.process = Process([str(word) for word in arguments], files / "log", files, environment)
        place.background(self.process)
        until(lambda: "\n" in self.process.output() or not self.process.running(), "the simulator is ready")
        assert self.process.running(), f"vcsim ended:\n{self.process.output()}"
        said = json.loads(self.process.output().splitlines()[0])
        self.url, self._control, self.version = said["url"], said["control"], said["version"]

    def require_current(self):
        """For what jarvis asks: Debian's simulator does not answer for one value of extraConfig by its key, as vSphere does."""
        if "Debian" in self.built_with:
            raise Skip(f"the vSphere simulator is {self.built_with}; the current module cannot be built here")
        return self

    def _ask(self, method, path, **said):
        body = json.dumps(said).encode() if said else None
        request = urllib.request.Request(self._control + path, data=body, method=method)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as reply:
                return json.loads(reply.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()}") from None

    # Behind the curtain

    def machines(self, name=None):
        """What there is, templates left out: id, name, uuid, power, cpus, memory, extra_config, disks, macs, networks, address."""
        return [one for one in self._ask("GET", "/machines") if not one["template"] and name in (None, one["name"])]

    def templates(self):
        return [one for one in self._ask("GET", "/machines") if one["template"]]

    def ids(self):
        """Of all machines, for hide_new()."""
        return [one["id"] for one in self._ask("GET", "/machines")]

    def files(self):
        """What lies on the datastores: path: which file that is."""
        found = {}
        for path in self._directory.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # gone this moment
                if path.is_file() and path.name != "log":
                    about = path.stat()  # the number of a file that is gone may be given again
                    found[str(path.relative_to(self._directory))] = about.st_ino, about.st_mtime_ns
        return found

    def address(self, machine, address):
        """The guest's tools report it."""
        self._ask("POST", f"/machines/{machine}", address=address)

    def deafen(self, machine):
        """The guest ignores from now on that it is to shut down."""
        self._ask("POST", f"/machines/{machine}", deaf=True)

    def rename_outside(self, machine, name):
        self._ask("POST", f"/machines/{machine}", name=name)

    def tag_outside(self, machine, key, value):
        """Somebody else sets a value of extraConfig; an empty one takes it away."""
        self._ask("POST", f"/machines/{machine}", extra_config={key: value})

    def power_outside(self, machine, on):
        self._ask("POST", f"/machines/{machine}", power="on" if on else "off")

    def destroy_outside(self, machine):
        self._ask("DELETE", f"/machines/{machine}")

    def datastores(self):
        """name: free bytes."""
        return {one["name"]: one["free"] for one in self._ask("GET", "/datastores")}

    def free(self, datastore, size):
        """Lets a datastore have so many bytes free."""
        self._ask("POST", f"/datastores/{datastore}", free=size)

    def expire(self):
        """Ends every session: the next call of each is not authenticated."""
        self._ask("POST", "/expire")
