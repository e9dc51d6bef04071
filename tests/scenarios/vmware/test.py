"""The provider `vmware` against govmomi's simulator: a vCenter and a single ESXi."""
import base64
import json
import re

import yaml

from lab import takes
from lab.certificates import Authority
from lab.vcsim import Vcsim

FQDN = "loki.example.org"
MAKES = ["vmware:deploy"]
DROPS = [{"task": "vmware:shutdown"}, {"task": "vmware:delete_machine"}]
SCRATCH = {"guestid": "debian11_64Guest", "disksize": 1048576, "size": 512, "num_cpus": 2, "vmhost": "DC0_H0",
           "nic_network": "VM Network", "datastore": "LocalDS_0"}
CLONE = {"guestid": "debian-12", "vmhost": "DC0_H0"}


class Sealed(yaml.SafeLoader):
    """Sealed values as they stand."""


Sealed.add_constructor("!sealed", lambda loader, node: node.value)


def vsphere(place, **more):
    server = Vcsim(place, Authority(place.path("ca")), **more)
    place.write("vmware.password", server.password + "\n", 0o600)
    place.configure(providers={"vmware": {"url": server.url, "user": server.user, "password_file": "vmware.password",
                                          "ca_file": str(server.ca), "rate": 500, "poll": "200ms"}})
    place.plan("vmware", deploy=MAKES, redeploy=["vmware:can_deploy", *DROPS, "vmware:deploy"],
               destroy=[{"task": "vmware:shutdown"}, {"task": "vmware:destroy"}], adopt=["vmware:adopt"])
    return server


def spec(place, keys, hostname="loki", **more):
    return place.spec(hostname, provider="vmware", **{**keys, **more})


def facts(place):
    return yaml.load(place.clipboard("loki"), Sealed)


def task(place, name, keys, status=0, **more):
    """One task by hand; what it prints and says."""
    clipboard = {"hostname": "loki", "fqdn": FQDN, "provider": "vmware", **keys, **more}
    return place.expect(status, "task", f"vmware:{name}", input=json.dumps(clipboard))


def confirm(place, *command):
    asked = place.expect(6, *command)
    return asked, place.expect(0, "confirm", re.search(r"jarvis confirm (\S+)\s*$", asked.text)[1])


@takes(5)
def test_from_scratch_again_destroy(place):
    server = vsphere(place)
    place.expect(0, "deploy", spec(place, SCRATCH))
    machine, = server.machines(FQDN)
    print(json.dumps(machine, indent=1))
    assert machine["power"] == "poweredOn" and machine["cpus"] == 2 and machine["memory"] == 512, machine
