"""EC2: moto's server with signatures and policies checked, asked by jarvis and by Amazon's own client."""
import json
import re

import yaml

from lab import takes
from lab.moto import Moto, preloaded

SHARED = [preloaded]
FQDN = "loki.example.org"
# What moto's list of images has of Debian's account is old; the alias does what `Debian 12` does.
IMAGES = {"Some Linux": {"owner": "amazon", "name": "amzn2-ami-hvm-2.0.*"}}


def cloud(place, moto, key=None, **more):
    """jarvis.yaml for this moto, with the list that a machine needs and no more."""
    key = key or moto.key
    place.write("ec2.key", key.secret + "\n", 0o600)
    place.configure(providers={"ec2": {
        "region": moto.region, "endpoint": moto.url, "access_key_id": key.id, "secret_key_file": "ec2.key",
        "images": IMAGES, "rate": 1000, "poll": "50ms", **more}})
    place.plan("ec2", deploy=["ec2:deploy", "ec2:get_address"], destroy=["ec2:shutdown", "ec2:destroy"],
               redeploy=["ec2:can_deploy", "ec2:shutdown", "ec2:delete_machine", "ec2:deploy"], adopt=["ec2:adopt"])


def spec(place, hostname="loki", **keys):
    keys = {"provider": "EC2", "guestid": "Some Linux", "datacenter": "us-east-1a", "size": 1024, **keys}
    return place.spec(hostname, **{key: json.dumps(value) for key, value in keys.items()})


def confirm(place, *command):
    asked = place.expect(6, *command)
    return place.expect(0, "confirm", re.search(r"jarvis confirm (\S+)\s*$", asked.text)[1])


def facts(place, host="loki"):
    class Sealed(yaml.SafeLoader):
        pass
    Sealed.add_constructor("!sealed", lambda loader, node: node.value)
    return yaml.load(place.clipboard(host), Sealed)


@takes(6)
def test_deploy_again_destroy(place):
    with Moto("127.0.0.1") as moto:
        cloud(place, moto)
        place.expect(0, "deploy", spec(place))
        [machine] = moto.machines()
        print(machine)
