"""What the fake of Linode answers at which path: ROUTES. Scopes as the description has them."""
import re
import urllib.parse

from .linode_events import Refusal

NUMBERS = re.compile(r"\{(\w+)\}")
ROUTES = []  # (method, pattern, scope or None, function)
PUBLIC = None


def route(method, path, scope):
    """Registers what answers; {names} are numbers, but {name} and {address} are any text."""
    pattern = re.compile(NUMBERS.sub(lambda found: f"(?P<{found[1]}>{'[^?]+' if found[1] in ('name', 'address') else '[0-9]+'})", path))

    def mark(function):
        ROUTES.append((method, pattern, scope, function))
        return function
    return mark


def find(method, path):
    """(function, its arguments, scope); Refusal for what is not there."""
    methods = set()
    for known, pattern, scope, function in ROUTES:
        found = pattern.fullmatch(path)
        if found and known == method:
            return function, {name: urllib.parse.unquote(text) if name in ("name", "address") else int(text)
                              for name, text in found.groupdict().items()}, scope
        if found:
            methods.add(known)
    if methods:
        raise Refusal(405, "Method Not Allowed", headers={"Allow": ", ".join(sorted(methods))})
    raise Refusal(404, "Not found")


READ, WRITE = "linodes:read_only", "linodes:read_write"
MACHINE_FILTERS = {"group", "id", "ipv4", "label", "region", "tags"}
EVENT_FILTERS = {"action", "created", "entity.id", "entity.type", "id", "read"}
VOLUME_FILTERS = {"label", "tags"}
ONE = "/linode/instances/{machine}"


def _machine(fake, number):
    return fake.machines.get(number) or _missing()


def _missing():
    raise Refusal(404, "Not found")


def _offer(path, attribute, scope, filterable):
    @route("GET", path, scope)
    def collection(fake, asked):
        return fake.page(asked, list(getattr(fake, attribute)), filterable)

    @route("GET", path + "/{name}", scope)
    def single(fake, asked, name):
        return next((row for row in getattr(fake, attribute) if row["id"] == name), None) or _missing()
    return collection, single


@route("GET", "/regions/availability", PUBLIC)
def region_availability(fake, asked):
    rows = [{"region": region["id"], "plan": plan["id"], "available": (plan["id"], region["id"]) not in fake.unavailable}
            for region in fake.regions for plan in fake.types]
    return fake.page(asked, rows, {"available", "plan", "region"})


@route("GET", "/regions/{name}/availability", PUBLIC)
def one_region_availability(fake, asked, name):
    region = next((region for region in fake.regions if region["id"] == name), None) or _missing()
    return [{"region": region["id"], "plan": plan["id"], "available": (plan["id"], region["id"]) not in fake.unavailable}
            for plan in fake.types]


_offer("/regions", "regions", PUBLIC, {"country", "site-type"})
_offer("/linode/types", "types", PUBLIC,
       {"class", "disk", "gpus", "label", "memory", "network_out", "transfer", "vcpus"})
_offer("/linode/kernels", "kernels", PUBLIC, {"architecture", "deprecated", "kvm", "label", "pvops", "version"})
_offer("/images", "images", "images:read_only", {"deprecated", "is_public", "label", "size", "status", "tags", "type", "vendor"})


@route("GET", "/profile", "")
def profile(fake, asked):
    token = fake.tokens[asked.token]
    return {"uid": 1234, "username": fake.username, "email": f"{fake.username}@example.org", "timezone": "UTC", "restricted": token.restricted,
            "email_notifications": False, "ip_whitelist_enabled": False, "two_factor_auth": False, "lish_auth_method": "keys_only",
            "authentication_type": "password", "authorized_keys": [], "verified_phone_number": None,
            "referrals": {"code": "0", "url": "https://www.example.org/", "total": 0, "completed": 0, "pending": 0, "credit": 0}}


@route("GET", "/profile/grants", "")
def grants(fake, asked):
    """None, which is said by 204 without a body, for a user who may do everything; the other may look at all that there is."""
    if not fake.tokens[asked.token].restricted:
        return None
    rooms = ("linodes", "volumes", "images", "domains", "nodebalancers", "stackscripts", "longview", "databases", "firewalls", "vpcs")

    def seen(rows):
        return [{"id": number, "label": label, "permissions": "read_only"} for number, label in rows]
    return {"global": {"account_access": "read_only", "cancel_account": False, **{f"add_{room}": False for room in rooms}},
            "linode": seen((machine.id, machine.label) for machine in fake.machines.values()),
            "volume": seen((volume["id"], volume["label"]) for volume in fake.volumes.values()),
            **{kind: [] for kind in ("domain", "firewall", "image", "longview", "nodebalancer", "stackscript", "database", "vpc")}}


@route("GET", "/account/availability/{name}", "account:read_only")
def account_availability(fake, asked, name):
    region = next((region for region in fake.regions if region["id"] == name), None) or _missing()
    return {"region": name, "available": region["capabilities"], "unavailable": []}


# Machines

@route("GET", "/linode/instances", READ)
def list_machines(fake, asked):
    there = [machine for machine in fake.machines.values() if machine.id not in fake.hidden]
    page = fake.page(asked, [machine.reply() for machine in there], MACHINE_FILTERS)
    told = {row["id"] for row in page["data"]}
    fake.show(machines=[machine for machine in there if machine.id in told])
    return page


@route("POST", "/linode/instances", WRITE)
def create_machine(fake, asked):
    return fake.create(asked.body).reply()


@route("GET", ONE, READ)
def get_machine(fake, asked, machine):
    machine = _machine(fake, machine)
    reply = machine.reply()
    fake.show(machines=[machine])
    return reply


@route("PUT", ONE, WRITE)
def update_machine(fake, asked, machine):
    machine = _machine(fake, machine)
    fake.update(machine, asked.body)
    return machine.reply()


@route("DELETE", ONE, WRITE)
def delete_machine(fake, asked, machine):
    fake.delete(_machine(fake, machine))
    return {}


@route("POST", ONE + "/boot", WRITE)
def boot(fake, asked, machine):
    fake.boot(_machine(fake, machine), asked.body)
    return {}


@route("POST", ONE + "/reboot", WRITE)
def reboot(fake, asked, machine):
    fake.reboot(_machine(fake, machine), asked.body)
    return {}


@route("POST", ONE + "/shutdown", WRITE)
def shutdown(fake, asked, machine):
    fake.shutdown(_machine(fake, machine))
    return {}


@route("POST", ONE + "/rebuild", WRITE)
def rebuild(fake, asked, machine):
    machine = _machine(fake, machine)
    fake.rebuild(machine, asked.body)
    return machine.reply()


# Disks and configuration profiles

@route("GET", ONE + "/disks", READ)
def list_disks(fake, asked, machine):
    machine = _machine(fake, machine)
    page = fake.page(asked, [dict(disk) for disk in machine.disks.values()], {"label", "size"})
    fake.show(machines=[machine])
    return page


@route("POST", ONE + "/disks", WRITE)
def add_disk(fake, asked, machine):
    return dict(fake.add_disk(_machine(fake, machine), asked.body))


def _disk(fake, machine, disk):
    machine = _machine(fake, machine)
    return machine, machine.disks.get(disk) or _missing()


@route("GET", ONE + "/disks/{disk}", READ)
def get_disk(fake, asked, machine, disk):
    machine, disk = _disk(fake, machine, disk)
    reply = dict(disk)
    fake.show(machines=[machine])
    return reply


@route("PUT", ONE + "/disks/{disk}", WRITE)
def update_disk(fake, asked, machine, disk):
    machine, disk = _disk(fake, machine, disk)
    fake.update_disk(machine, disk, asked.body)
    return disk


@route("DELETE", ONE + "/disks/{disk}", WRITE)
def delete_disk(fake, asked, machine, disk):
    fake.delete_disk(*_disk(fake, machine, disk))
    return {}


@route("POST", ONE + "/disks/{disk}/resize", WRITE)
def resize_disk(fake, asked, machine, disk):
    fake.resize_disk(*_disk(fake, machine, disk), asked.body)
    return {}


def _config(fake, machine, config):
    machine = _machine(fake, machine)
    return machine, machine.configs.get(config) or _missing()


@route("GET", ONE + "/configs", READ)
def list_configs(fake, asked, machine):
    return fake.page(asked, list(_machine(fake, machine).configs.values()), {"label"})


@route("POST", ONE + "/configs", WRITE)
def add_config(fake, asked, machine):
    return fake.add_config(_machine(fake, machine), asked.body)


@route("GET", ONE + "/configs/{config}", READ)
def get_config(fake, asked, machine, config):
    return _config(fake, machine, config)[1]


@route("PUT", ONE + "/configs/{config}", WRITE)
def update_config(fake, asked, machine, config):
    machine, config = _config(fake, machine, config)
    fake.update_config(machine, config, asked.body)
    return config


@route("DELETE", ONE + "/configs/{config}", WRITE)
def delete_config(fake, asked, machine, config):
    fake.delete_config(*_config(fake, machine, config))
    return {}


@route("GET", ONE + "/volumes", READ)
def machine_volumes(fake, asked, machine):
    machine = _machine(fake, machine)
    return _volume_page(fake, asked, [volume for volume in fake.volumes.values() if volume["linode_id"] == machine.id])


# Addresses

@route("GET", ONE + "/ips", READ)
def machine_addresses(fake, asked, machine):
    return fake.addresses(_machine(fake, machine))


@route("POST", ONE + "/ips", WRITE)
def add_address(fake, asked, machine):
    return fake.add_address(_machine(fake, machine), asked.body)


@route("GET", "/networking/ips", "ips:read_only")
def list_addresses(fake, asked):
    rows = [fake.address(machine, address) for machine in fake.machines.values()
            for address in [*machine.ipv4, *machine.private, machine.ipv6]]
    return fake.page(asked, rows, {"address", "prefix", "rdns", "region", "type"})


@route("GET", "/networking/ips/{address}", "ips:read_only")
def get_address(fake, asked, address):
    machine = fake.owner(address) or _missing()
    return {"rdns": None, **fake.address(machine, address.lower())}


@route("PUT", "/networking/ips/{address}", "ips:read_write")
def set_rdns(fake, asked, address):
    machine = fake.owner(address) or _missing()
    if "rdns" not in asked.body:
        raise Refusal(400, "rdns is required", "rdns")
    return fake.set_rdns(machine, address, asked.body["rdns"])


# Volumes

def _volume_page(fake, asked, volumes):
    page = fake.page(asked, [dict(volume) for volume in volumes], VOLUME_FILTERS)
    fake.show(volumes=page["data"])
    return page


def _volume(fake, number):
    return fake.volumes.get(number) or _missing()


@route("GET", "/volumes", "volumes:read_only")
def list_volumes(fake, asked):
    return _volume_page(fake, asked, fake.volumes.values())


@route("GET", "/volumes/types", PUBLIC)
def volume_types(fake, asked):
    return fake.page(asked, [{"id": "volume", "label": "Storage Volume", "price": {"hourly": 0.00015, "monthly": 0.1},
                              "region_prices": [], "transfer": 0}], set())


@route("POST", "/volumes", "volumes:read_write")
def create_volume(fake, asked):
    return dict(fake.create_volume(asked.body))


@route("GET", "/volumes/{volume}", "volumes:read_only")
def get_volume(fake, asked, volume):
    volume = _volume(fake, volume)
    reply = dict(volume)
    fake.show(volumes=[volume])
    return reply


@route("PUT", "/volumes/{volume}", "volumes:read_write")
def update_volume(fake, asked, volume):
    volume = _volume(fake, volume)
    fake.update_volume(volume, asked.body)
    return volume


@route("POST", "/volumes/{volume}/attach", "volumes:read_write linodes:read_write")
def attach(fake, asked, volume):
    volume = _volume(fake, volume)
    fake.attach(volume, asked.body)
    return dict(volume)


@route("POST", "/volumes/{volume}/detach", "volumes:read_write linodes:read_write")
def detach(fake, asked, volume):
    fake.detach(_volume(fake, volume))
    return {}


@route("POST", "/volumes/{volume}/resize", "volumes:read_write")
def resize_volume(fake, asked, volume):
    volume = _volume(fake, volume)
    fake.resize_volume(volume, asked.body)
    return dict(volume)


@route("DELETE", "/volumes/{volume}", "volumes:read_write")
def delete_volume(fake, asked, volume):
    fake.delete_volume(_volume(fake, volume))
    return {}


# Events and tags

@route("GET", "/account/events", "events:read_only")
def list_events(fake, asked):
    page = fake.page(asked, [event.reply() for event in reversed(fake.events)], EVENT_FILTERS)
    told = {row["id"] for row in page["data"]}
    fake.show(events=[event for event in fake.events if event.id in told])
    return page


@route("GET", "/account/events/{event}", "events:read_only")
def get_event(fake, asked, event):
    event = next((one for one in fake.events if one.id == event), None) or _missing()
    reply = event.reply()
    fake.show(events=[event])
    return reply


def _tagged(fake):
    """{tag: what carries it}"""
    tagged = {}
    for kind, rows in (("linode", [machine.reply() for machine in fake.machines.values()]),
                       ("volume", list(fake.volumes.values()))):
        for row in rows:
            for tag in row["tags"]:
                tagged.setdefault(tag, []).append({"type": kind, "data": row})
    return tagged


@route("GET", "/tags", "account:read_only")
def list_tags(fake, asked):
    return fake.page(asked, [{"label": tag} for tag in sorted(_tagged(fake))], {"label"})


@route("GET", "/tags/{name}", "account:read_only")
def tagged(fake, asked, name):
    return fake.page(asked, _tagged(fake).get(name) or _missing(), set())
