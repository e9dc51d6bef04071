"""The fake of Linode itself: prism finds nothing against the published description in what it answers, and it keeps state as
Linode does. Providers are tested against it elsewhere."""
import base64
import contextlib
import http.client
import json
import math
import os
import subprocess
import threading
import urllib.error
import urllib.request

from lab import each, takes, until
from lab.certificates import Authority
from lab.linode_fake import LinodeFake
from lab.linode_routes import ROUTES
from lab.prism import Judge
from lab.simulators import simulator

PASSWORD = "Correct-horse-7"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFRZwOMgKj7yKSXy/JlBh7c3fVMeUk6IXSAM7RZNJyT4 thor@example.org"
LOKI = {"label": "loki.example.org", "region": "us-southeast", "type": "g6-nanode-1", "image": "linode/debian12",
        "root_pass": PASSWORD, "authorized_keys": [KEY], "tags": ["fqdn:loki.example.org"]}


class Client:
    def __init__(self, fake, url=None):
        self.url, self.token = url or fake.url, fake.token
        self.headers = {}  # of the last reply

    def ask(self, method, path, body=None, want=200, search=None):
        """The reply, whose status must be this one."""
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode())
        for name, value in (("Authorization", f"Bearer {self.token}" if self.token else None), ("X-Filter", search and json.dumps(search)),
                            ("Content-Type", "application/json" if body is not None else None)):
            if value:
                request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                status, text, self.headers = reply.status, reply.read(), reply.headers
        except urllib.error.HTTPError as error:
            with error:
                status, text, self.headers = error.code, error.read(), error.headers
        assert status == want, f"{method} {path}: {status} {text[:500]!r}"
        return json.loads(text) if text else None

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def refused(self, method, path, body=None, status=400):
        """The reason and the field of the only error."""
        error, = self.ask(method, path, body, status)["errors"]
        return error["reason"], error.get("field")


def one(number):
    return f"/linode/instances/{number}"


def statuses(client, number, end):
    """Polls the machine until it is `end`; what it was, each once in a row."""
    seen = []
    while not seen or seen[-1] != end:
        status = client.get(one(number))["status"]
        assert len(seen) < 20, f"it never was {end}: {seen}"
        if not seen or seen[-1] != status:
            seen.append(status)
    return seen


@takes(6)
def test_every_endpoint_is_as_published(place):
    with LinodeFake() as fake, Judge(place, fake) as judge:
        client = Client(fake, judge.url)
        ask, get = client.ask, client.get
        for path in ("/regions", "/regions/us-east", "/regions/availability", "/regions/us-east/availability", "/linode/types",
                     "/linode/types/g6-nanode-1", "/images", "/images/linode%2Fdebian12", "/linode/kernels",
                     "/linode/kernels/linode%2Fgrub2", "/profile", "/account/availability/us-east", "/volumes/types",
                     "/account/events", "/linode/instances", "/volumes", "/tags", "/networking/ips"):
            get(path)

        # Made from an image.
        data = base64.b64encode(b"#cloud-config\n{}\n").decode()
        loki = one(ask("POST", "/linode/instances", {**LOKI, "metadata": {"user_data": data}, "private_ip": True, "swap_size": 256})["id"])
        assert get(loki)["has_user_data"]
        get("/linode/instances", search={"label": "loki.example.org"})
        get("/account/events", search={"action": "linode_boot", "+order_by": "created", "+order": "desc"})
        get(f"/account/events/{fake.events[-1].id}")
        get(f"{loki}/disks"), get(f"{loki}/configs"), get(f"{loki}/volumes")
        address = get(f"{loki}/ips")["ipv4"]["public"][0]["address"]
        for known in (address, get(loki)["ipv6"].partition("/")[0]):
            ask("PUT", f"/networking/ips/{known}", {"rdns": "loki.example.org"})
            assert get(f"/networking/ips/{known}")["rdns"] == "loki.example.org"
            ask("PUT", f"/networking/ips/{known}", {"rdns": None})
        get(f"{loki}/ips"), get("/networking/ips"), get("/tags"), get("/tags/fqdn%3Aloki.example.org")
        ask("PUT", loki, {"tags": ["fqdn:loki.example.org", "run:1"]})
        ask("POST", f"{loki}/reboot")
        ask("POST", f"{loki}/shutdown")
        ask("POST", f"{loki}/rebuild", {"image": "linode/ubuntu24.04", "root_pass": PASSWORD, "authorized_keys": [KEY],
                                        "metadata": {"user_data": data}, "booted": False})

        # Laid out by hand.
        bare = one(ask("POST", "/linode/instances", {"region": "us-east", "type": "g6-standard-1", "label": "bare"})["id"])
        root = ask("POST", f"{bare}/disks", {"label": "root", "size": 4096, "image": "linode/debian12", "root_pass": PASSWORD})
        swap = ask("POST", f"{bare}/disks", {"label": "swap", "size": 512, "filesystem": "swap"})
        get(f"{bare}/disks/{root['id']}")
        ask("PUT", f"{bare}/disks/{root['id']}", {"label": "slash"})
        ask("POST", f"{bare}/disks/{root['id']}/resize", {"size": 5000})
        config = ask("POST", f"{bare}/configs", {"label": "ours", "kernel": "linode/grub2", "root_device": "/dev/sda",
                                                 "devices": {"sda": {"disk_id": root["id"]}, "sdb": {"disk_id": swap["id"]}}})
        get(f"{bare}/configs/{config['id']}")
        ask("PUT", f"{bare}/configs/{config['id']}", {"comments": "as laid out"})
        ask("POST", f"{bare}/ips", {"type": "ipv4", "public": False})
        ask("POST", f"{bare}/boot", {"config_id": config["id"]})

        # Volumes.
        volume = ask("POST", "/volumes", {"label": "opt", "region": "us-east", "size": 20, "tags": ["fqdn:bare"]})
        path = f"/volumes/{volume['id']}"
        get(path)
        ask("PUT", path, {"label": "srv"})
        ask("POST", f"{path}/attach", {"linode_id": int(bare.rsplit("/", 1)[1]), "config_id": config["id"]})
        get(f"{bare}/volumes"), get("/volumes", search={"tags": "fqdn:bare"}), get("/tags/fqdn%3Abare")
        ask("POST", f"{path}/detach")
        ask("POST", f"{path}/resize", {"size": 30})
        ask("DELETE", path)

        ask("POST", f"{bare}/shutdown")
        ask("DELETE", f"{bare}/configs/{config['id']}")
        ask("DELETE", f"{bare}/disks/{swap['id']}")
        client.token = fake.add_token(restricted=True)
        assert get("/profile/grants")["global"]["add_linodes"] is False
        client.token = fake.token
        ask("DELETE", bare), ask("DELETE", loki)
        get("/account/events")
        get("/networking/ips")

        get("/profile/grants", want=204)

        said = {asked.name for asked in fake.requests if asked.status == 200}
        silent = [f"{method} {pattern.pattern}" for method, pattern, _, _ in ROUTES
                  if not any(name.startswith(method + " ") and pattern.fullmatch(name.split(" ", 1)[1].replace("%2F", "/")) for name in said)]
        assert not silent, f"never asked, so never judged: {silent}"
        assert judge.judged == len(fake.requests)


@takes(4)
def test_errors_are_as_published(place):
    with LinodeFake() as fake, Judge(place, fake) as judge:
        client = Client(fake, judge.url)
        loki = fake.add_machine(**{**LOKI, "tags": []})
        ours, token = one(loki.id), fake.token

        assert client.refused("POST", "/linode/instances", LOKI) == ("Label must be unique among your linodes", "label")
        fake.quota = 1
        assert client.refused("POST", "/linode/instances", {**LOKI, "label": "odin"}) == \
            ("Account Limit reached. Please open a support ticket.", None)
        assert client.refused("GET", one(1), status=404) == ("Not found", None)
        assert client.refused("PUT", ours, {"tags": ["no"]})[1] == "tags"

        fake.limit(1, 60, "GET /volumes")
        client.get("/volumes")
        assert client.refused("GET", "/volumes", status=429) == ("Too many requests", None)
        assert client.headers["Retry-After"] == "60"
        fake.fail_next("GET " + ours, 503, "Please try again", headers={"Retry-After": "2"})
        assert client.refused("GET", ours, status=503) == ("Please try again", None)
        assert client.headers["Retry-After"] == "2"
        client.get(ours)

        # What is not to be asked is told too, in the request and not only in the reply.
        judge.check()
        for method, path, body in (("POST", "/linode/instances", {**LOKI, "lable": "odin"}), ("PUT", ours, {"tags": "one"}),
                                   ("POST", "/linode/instances", {"region": "us-east"}), ("GET", "/linode/instances?page_size=7", None),
                                   ("POST", f"{ours}/shutdown", {}), ("PUT", "/networking/ips/192.0.2.1", {"rdns": 5})):
            fake.fail_next()
            client.ask(method, path, body, want=500)
            assert judge.take(), f"{method} {path} {body}: the judge has nothing against it"
        client.token = None
        assert client.refused("GET", ours, status=401) == ("Invalid Token", None)
        assert judge.take()  # the description wants a token

        # And so is a reply that is wrong.
        client.token = token
        loki.status = "asleep"
        client.get(ours)
        assert ["response.body.status"] == [found.where for found in judge.take()]


def test_tokens_and_their_rights(_place):
    with LinodeFake() as fake:
        client = Client(fake)
        loki, reader = fake.add_machine("loki"), fake.add_token("linodes:read_only images:read_only")
        client.token = reader
        client.get(one(loki.id)), client.get("/images")
        assert client.headers["X-OAuth-Scopes"] == "linodes:read_only images:read_only"
        for method, path in (("DELETE", one(loki.id)), ("GET", "/volumes"), ("GET", "/account/events")):
            assert client.refused(method, path, status=401) == ("Your OAuth token is not authorized to use this endpoint.", None)
        client.token = fake.add_token(restricted=True)
        client.get("/account/events")
        assert client.refused("DELETE", one(loki.id), status=403) == ("Unauthorized", None)
        fake.tokens[reader].expired = True
        for client.token in (reader, "unknown", None):
            assert client.refused("GET", one(loki.id), status=401) == ("Invalid Token", None)
            client.get("/regions"), client.get("/linode/types"), client.get("/linode/kernels")
        assert loki.status == "running"


def test_events_come_before_states(_place):
    with LinodeFake() as fake:
        fake.polls = 2
        client = Client(fake)
        made = client.ask("POST", "/linode/instances", LOKI)
        number = made["id"]
        assert made["status"] == "provisioning"
        busy = client.refused("POST", f"{one(number)}/reboot")
        assert busy == ("Linode busy.", None)
        seen = []
        while not seen or seen[-1] != ("finished", 100):
            event, = client.get("/account/events", search={"action": "linode_create", "entity.id": number, "entity.type": "linode"})["data"]
            seen.append((event["status"], event["percent_complete"]))
        assert seen == [("scheduled", 0), ("started", 50), ("finished", 100)], seen
        # It was created, and is booted now.
        assert statuses(client, number, "running") == ["booting", "running"]
        for ask, between, end in (("shutdown", "shutting_down", "offline"), ("boot", "booting", "running"),
                                  ("reboot", "rebooting", "running")):
            client.ask("POST", f"{one(number)}/{ask}")
            assert statuses(client, number, end) == [between, end]
        assert fake.machines[number].boots == 3

        # Several in a row, newest first; a page at a time.
        page = client.get("/account/events?page_size=25")
        numbers = [event["id"] for event in page["data"]]
        assert numbers == sorted(numbers, reverse=True) and page["results"] == 5, page
        assert client.get("/account/events", search={"id": {"+gt": numbers[1]}})["data"][0]["action"] == "linode_reboot"

        # By the clock, and one that fails.
        fake.seconds = 0.2
        fake.fail_event("linode_shutdown", "the host is down")
        client.ask("POST", f"{one(number)}/shutdown")
        assert until(lambda: ended(client, number), "the event has ended") == "failed"
        assert fake.machines[number].status == "running"
        fake.seconds, fake.polls = None, math.inf
        client.ask("DELETE", one(number))
        assert client.get(one(number))["status"] == "deleting"
        fake.finish("linode_delete")
        client.get(one(number), want=404)


def ended(client, number):
    """How the newest event of the machine ended, or None."""
    status = client.get("/account/events", search={"entity.id": number})["data"][0]["status"]
    return status if status not in ("scheduled", "started") else None


def test_rebuild_lays_everything_out_anew(_place):
    with LinodeFake() as fake:
        client, data = Client(fake), base64.b64encode(b"#!/bin/sh\n").decode()
        loki = fake.add_machine(**{**LOKI, "label": "loki"})
        disks, addresses, profiles = set(loki.disks), list(loki.ipv4), set(loki.configs)
        client.ask("POST", f"{one(loki.id)}/rebuild",
                   {"image": "linode/ubuntu24.04", "root_pass": "Another-horse-8", "metadata": {"user_data": data}})
        assert not disks & set(loki.disks) and not profiles & set(loki.configs)
        assert (loki.status, loki.image, loki.ipv4, loki.root_pass, loki.authorized_keys, loki.user_data) == \
            ("running", "linode/ubuntu24.04", addresses, "Another-horse-8", [], b"#!/bin/sh\n")
        for body, field in (({"image": "linode/nothing", "root_pass": PASSWORD}, "image"), ({"image": "linode/debian12"}, "root_pass"),
                            ({"image": "linode/debian12", "root_pass": "aaaaaaaa"}, "root_pass"),
                            ({"image": "linode/debian10", "root_pass": PASSWORD, "metadata": {"user_data": data}}, "metadata.user_data"),
                            ({"image": "linode/debian12", "root_pass": PASSWORD, "metadata": {"user_data": "???"}}, "metadata.user_data")):
            assert client.refused("POST", f"{one(loki.id)}/rebuild", body)[1] == field, body
        assert loki.image == "linode/ubuntu24.04", "a refusal changed something"


def test_disks_and_profiles(_place):
    with LinodeFake() as fake:
        client = Client(fake)
        number = client.ask("POST", "/linode/instances", {"region": "us-east", "type": "g6-nanode-1", "label": "bare"})["id"]
        bare = fake.machines[number]
        assert (bare.status, bare.disks, bare.configs) == ("offline", {}, {})
        assert client.refused("POST", f"{one(number)}/boot")[1] == "config_id"
        sizes = {"root": 20000, "swap": 512, "data": 5088}
        disks = {label: client.ask("POST", f"{one(number)}/disks", {"label": label, "size": size})["id"] for label, size in sizes.items()}
        assert bare.free() == 0
        reason, field = client.refused("POST", f"{one(number)}/disks", {"label": "more", "size": 1})
        assert "space" in reason and field == "size"
        devices = {"sda": {"disk_id": disks["root"]}, "sdb": {"disk_id": disks["swap"]}}
        assert client.refused("POST", f"{one(number)}/configs", {"label": "x", "devices": devices, "kernel": "linode/none"})[1] == "kernel"
        assert client.refused("POST", f"{one(number)}/configs", {"label": "x", "devices": {"sda": {"disk_id": 1}}})[1] == "devices.sda.disk_id"
        config = client.ask("POST", f"{one(number)}/configs", {"label": "x", "devices": devices})
        client.ask("POST", f"{one(number)}/boot", {"config_id": config["id"]})
        assert bare.status == "running"
        assert "in use" in client.refused("DELETE", f"{one(number)}/disks/{disks['swap']}")[0]
        client.ask("DELETE", f"{one(number)}/disks/{disks['data']}")
        client.ask("POST", f"{one(number)}/shutdown")
        client.ask("POST", f"{one(number)}/disks/{disks['root']}/resize", {"size": 25088})
        assert bare.free() == 0


def test_volumes_outlive_their_machine(_place):
    with LinodeFake() as fake:
        client = Client(fake)
        loki, thor = fake.add_machine("loki", "us-east"), fake.add_machine("thor", "us-west")
        volume = client.ask("POST", "/volumes", {"label": "opt", "size": 10, "linode_id": loki.id})
        path = f"/volumes/{volume['id']}"
        assert volume["status"] == "creating" and client.get(path)["status"] == "active" and volume["linode_id"] == loki.id
        assert "detached" in client.refused("DELETE", path)[0]
        client.ask("POST", f"{path}/detach")
        assert client.refused("POST", f"{path}/attach", {"linode_id": thor.id})[1] == "linode_id"
        client.ask("POST", f"{path}/attach", {"linode_id": loki.id})
        assert {"volume_id": volume["id"]} in next(iter(loki.configs.values()))["devices"].values()
        client.ask("DELETE", one(loki.id))
        left = client.get(path)
        assert left["linode_id"] is None and loki.id not in fake.machines
        client.ask("DELETE", path)
        assert not fake.volumes
        for body, field in (({"label": "x y", "region": "us-east"}, "label"), ({"label": "x", "region": "us-east", "size": 5}, "size"),
                            ({"label": "x"}, "region"), ({"label": "x", "region": "nowhere"}, "region")):
            assert client.refused("POST", "/volumes", body)[1] == field, body


def test_pages_and_filters(_place):
    with LinodeFake() as fake:
        client = Client(fake)
        for number in range(60):
            fake.add_machine(f"host{number}", tags=[f"run:{number % 2}"])

        def found(search, path="/linode/instances"):
            return [row["label"] for row in client.get(path, search=search)["data"]]
        pages = [client.get(f"/linode/instances?page={page}&page_size=25") for page in (1, 2, 3)]
        assert [len(page["data"]) for page in pages] == [25, 25, 10] and {page["pages"] for page in pages} == {3}
        assert len({row["id"] for page in pages for row in page["data"]}) == 60
        client.get("/linode/instances?page=4&page_size=25", want=404)
        assert client.refused("GET", "/linode/instances?page_size=501") == ("Must be 25-500", "page_size")
        assert found({"label": "host7"}) == ["host7"] and found({"label": "nobody"}) == []
        assert len(found({"tags": "run:1"})) == 30
        assert found({"+or": [{"label": "host3"}, {"label": "host5"}]}) == ["host3", "host5"]
        assert found({"+and": [{"tags": "run:1"}, {"label": {"+contains": "ST1"}}]}) == [f"host{n}" for n in (1, 11, 13, 15, 17, 19)]
        assert found({"memory": {"+gte": 4096, "+lt": 16384}, "class": "standard", "+order_by": "memory", "+order": "desc"}, "/linode/types") == \
            ["Linode 8GB", "Linode 4GB"]
        for search, words in (({"status": "running"}, "Cannot filter on status"), ({"label": {"+like": "x"}}, "operator")):
            error, = client.get("/linode/instances", search=search, want=400)["errors"]
            assert words in error["reason"]
        fake.hidden.add(fake.machine("host7").id)
        assert found({"label": "host7"}) == [] and client.get(one(fake.machine("host7").id))["label"] == "host7"
        assert client.refused("POST", "/linode/instances", {**LOKI, "label": "host7"})[1] == "label"


def test_faults_are_scripted(_place):
    with LinodeFake(addresses=["127.9.9.9", "127.9.9.8"]) as fake:
        client = Client(fake)
        fake.fail_next("POST /linode/instances", done=True, drop=True)
        try:
            client.ask("POST", "/linode/instances", LOKI)
            raise AssertionError("there was a reply")
        except (OSError, http.client.HTTPException):
            pass
        assert fake.machine("loki.example.org").ipv4 == ["127.9.9.9"], "what was asked was not done"
        fake.fail_next("GET /regions", 502, raw="<html>Bad Gateway</html>")
        request = urllib.request.Request(fake.url + "/regions")
        try:
            urllib.request.urlopen(request, timeout=20)
            raise AssertionError("no error")
        except urllib.error.HTTPError as error:
            with error:
                assert (error.code, error.read(), error.headers["Content-Type"]) == (502, b"<html>Bad Gateway</html>", "text/html")

        # A reply that is withheld: what was asked is done meanwhile.
        go, asked = threading.Event(), threading.Thread(target=client.ask, args=("DELETE", one(fake.machine("loki.example.org").id)))
        fake.fail_next("DELETE .*", status=None, hold=go)
        asked.start()
        until(lambda: not fake.machines, "the machine is gone")
        assert asked.is_alive() and fake.requests[-1].status is None
        go.set()
        asked.join()
        assert fake.requests[-1].status == 200

        seen = []
        fake.before, fake.after = seen.append, seen.append
        client.get("/regions")
        assert [asked.name for asked in seen] == ["GET /regions"] * 2

        fake.unavailable.add(("g6-nanode-1", "us-southeast"))
        assert client.refused("POST", "/linode/instances", {**LOKI, "label": "odin"})[1] == "type"
        assert [asked.status for asked in fake.named("POST /linode/instances")] == [None, 400]
        assert fake.requests[0].body["root_pass"] == PASSWORD


@takes(4)
@each("alone", "judged")
def test_linode_cli_drives_it(place, how):
    """Linode's own client, over TLS; it is built from a newer description than the judge's."""
    program = simulator("linode-cli") / "bin/linode-cli"
    authority = Authority(place.path("authority"))
    certificate = authority.issue("127.0.0.1")
    with contextlib.ExitStack() as servers:
        fake = servers.enter_context(LinodeFake(certificate=certificate if how == "alone" else None))
        front = servers.enter_context(Judge(place, fake, certificate=certificate)) if how == "judged" else fake
        environment = {"PATH": os.environ["PATH"], "HOME": str(place.directory), "LINODE_CLI_TOKEN": fake.token,
                       "LINODE_CLI_API_HOST": front.host, "LINODE_CLI_API_SCHEME": "https", "LINODE_CLI_API_VERSION": "v4",
                       "LINODE_CLI_CA": str(authority.certificate), "LINODE_CLI_SUPPRESS_VERSION_WARNING": "1"}

        def run(*arguments, status=0):
            done = subprocess.run([program, "--json", *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=60, check=False, cwd=place.directory)
            assert done.returncode == status, f"{arguments}: {done}"
            return json.loads(done.stdout) if done.stdout.strip() else done.stderr

        assert "Atlanta, GA" in [region["label"] for region in run("regions", "list")]
        made, = run("linodes", "create", "--label", "loki.example.org", "--region", "us-southeast", "--type", "g6-nanode-1", "--image",
                    "linode/debian12", "--root_pass", PASSWORD, "--authorized_keys", KEY, "--tags", "fqdn:loki.example.org")
        loki = fake.machine("loki.example.org")
        assert (made["id"], made["status"], loki.tags, loki.authorized_keys) == (loki.id, "provisioning", ["fqdn:loki.example.org"], [KEY])
        listed, = run("linodes", "list", "--label", "loki.example.org")
        assert listed["status"] == "running" and listed["ipv4"] == loki.ipv4
        assert "Label must be unique" in str(run("linodes", "create", "--label", "loki.example.org", "--region", "us-southeast", "--type",
                                                 "g6-nanode-1", "--no-defaults", status=2))
        assert [event["action"] for event in run("events", "list")] == ["linode_boot", "linode_create"]
        run("linodes", "delete", str(loki.id))
        assert run("linodes", "list") == [] and not fake.machines
