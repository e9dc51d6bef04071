"""EC2: moto's server with signatures and policies checked, asked by jarvis and by Amazon's own client."""
import base64
import http.server
import json
import re
import threading

import yaml

from lab import each, moto, takes
from lab.dialects import Ec2
from lab.fault_proxy import FaultProxy
from lab.moto import Key, Moto

SHARED = (moto.preloaded,)
FQDN = "loki.example.org"
AMAZON = "137112412989"
IMAGES = {"Some Linux": {"owner": AMAZON, "name": "amzn2-ami-hvm-*"}}
SECRET_PART = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKj3+Qy2vOwmsLCSkPLrsmOtWE0bZZPcQvqWnAT7yW7i thor@example.org"


def cloud(place, ec2, key=None, url=None, **more):
    """jarvis.yaml for this EC2, with the part of the built-in lists that needs no host to log in to."""
    key = key or ec2.key
    place.write("ec2.key", key.secret + "\n", 0o600)
    settings = {"region": ec2.region, "endpoint": url or ec2.url, "access_key_id": key.id, "secret_key_file": "ec2.key",
                "images": IMAGES, "rate": 1000, "poll": "50ms", **more}
    place.configure(providers={"ec2": {name: value for name, value in settings.items() if value is not None}})
    place.plan("ec2", deploy=["keys:prepare", "ec2:deploy", "ec2:get_address"], destroy=["ec2:shutdown", "ec2:destroy"],
               redeploy=["ec2:can_deploy", "ec2:shutdown", "ec2:delete_machine", "keys:forget", "keys:prepare", "ec2:deploy"],
               console=["ec2:console"])


def spec(place, hostname="loki", **keys):
    keys = {"provider": "EC2", "guestid": "Some Linux", "datacenter": "us-east-1a", "size": "t3.micro", "sshpubkey": SECRET_PART, **keys}
    return place.spec(hostname, **{key: json.dumps(value) for key, value in keys.items() if value is not None})


def would(place, task, clipboard):
    """What a task that deletes says in plan mode."""
    environment = place.environment(JARVIS_MODE="plan")
    asked = place.expect(6, "task", task, input=clipboard, environment=environment)
    code = re.search(r"--confirm (\S+)\s*$", asked.text)[1]
    return place.expect(0, "task", task, "--confirm", code, input=clipboard, environment=environment).err


def key_pairs(ec2):
    return ec2.call("DescribeKeyPairs")["keySet"] or []


def data_volumes(ec2):
    return {one["tags"]["jarvis:volume"]: one for one in ec2.volumes() if "jarvis:volume" in one["tags"]}


def stored(place):
    """All that jarvis keeps."""
    return b"".join(path.read_bytes() for path in place.state.rglob("*") if path.is_file())


def nothing_left(ec2):
    assert not ec2.machines() and not ec2.volumes() and not ec2.addresses() and not key_pairs(ec2), (
        ec2.machines(), ec2.volumes(), ec2.addresses(), key_pairs(ec2))


@takes(6)
def test_deploy_again_destroy_again(place):
    with Moto(place.host) as ec2, FaultProxy(place.host, ec2.url, Ec2()) as proxy:
        cloud(place, ec2, url=proxy.url)
        planned = place.expect(5, "plan", spec(place, size=1000))
        assert "create ec2 loki.example.org: t3.micro (2 CPUs, 1024 MB) in us-east-1a from amzn2-ami-hvm-" in planned.text, planned
        assert not ec2.machines() and not key_pairs(ec2)
        place.expect(0, "deploy", spec(place))
        [machine] = ec2.machines()
        clipboard = place.facts()
        assert clipboard["instance_id"] == machine["id"]
        assert clipboard["ipaddress"] == [machine["ipAddress"], machine["privateIpAddress"]]
        assert clipboard["macaddrs"] and clipboard["created"].startswith("20"), clipboard
        run = place.status("loki")["run"]
        assert machine["tags"] == {"Name": FQDN, "jarvis:fqdn": FQDN, "jarvis:run": run, "jarvis:step": machine["tags"]["jarvis:step"]}
        [asked] = [request for request in proxy.asked("RunInstances") if "DryRun" not in request.form]
        form = asked.form
        assert len(form["ClientToken"]) <= 64 and form["MetadataOptions.HttpTokens"] == "required", form
        assert form["InstanceInitiatedShutdownBehavior"] == "stop"
        user_data = base64.b64decode(form["UserData"]).decode()
        assert SECRET_PART in user_data and "ed25519_private" in user_data and "password" not in user_data.lower(), user_data
        [pair] = key_pairs(ec2)
        assert pair["keyName"] == form["KeyName"] and pair["keyName"].startswith(f"jarvis-{FQDN}-")
        [root] = ec2.volumes()
        assert root["tags"]["jarvis:fqdn"] == FQDN

        changes = len(proxy.asked("RunInstances"))
        place.expect(0, "plan", spec(place))
        place.expect(0, "deploy", spec(place))
        assert len(ec2.machines()) == 1 and len(proxy.asked("RunInstances")) == changes
        assert place.facts()["instance_id"] == machine["id"]

        place.confirmed(0, "destroy", "loki")
        nothing_left(ec2)
        assert "instance_id" not in place.facts()
        place.confirmed(0, "destroy", "loki")
        assert ec2.key.secret.encode() not in stored(place)


@takes(10)
def test_volumes_and_address_outlive_the_machine(place):
    with Moto(place.host) as ec2:
        cloud(place, ec2)
        things = {"volumes": {"data": 20, "logs": 5}, "elastic": True}
        place.expect(0, "deploy", spec(place, **things))
        first = place.facts()
        volumes, [address] = data_volumes(ec2), ec2.addresses()
        assert {name: one["size"] for name, one in volumes.items()} == {"data": "20", "logs": "5"}
        assert all(one["attachmentSet"][0]["instanceId"] == first["instance_id"] for one in volumes.values()), volumes
        assert first["ipaddress"][0] == address["publicIp"] and address["instanceId"] == first["instance_id"]
        for name, letter in (("data", "f"), ("logs", "g")):
            by_id = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_" + volumes[name]["id"].replace("-", "")
            assert first["devices"][name] == [by_id, f"/dev/xvd{letter}", f"/dev/sd{letter}"], first["devices"]
        place.expect(0, "plan", spec(place, **things))

        # A machine that lacks something is told and mended, not made anew.
        ec2.call("DisassociateAddress", AssociationId=address["associationId"])
        assert f"make the association with {address['publicIp']} of ec2 " in place.expect(5, "plan", spec(place, **things)).text
        place.expect(0, "deploy", spec(place, **things))
        assert ec2.addresses()[0]["instanceId"] == first["instance_id"]

        place.confirmed(0, "redeploy", spec(place, **things))
        second = place.facts()
        assert second["instance_id"] != first["instance_id"] and second["ipaddress"][0] == address["publicIp"]
        kept = data_volumes(ec2)
        assert {name: one["id"] for name, one in kept.items()} == {name: one["id"] for name, one in volumes.items()}
        assert all(one["attachmentSet"][0]["instanceId"] == second["instance_id"] for one in kept.values()), kept

        board = place.clipboard("loki")
        assert "delete " not in would(place, "ec2:delete_machine", board).replace("delete ec2", "").replace("delete key pair", "")
        said = would(place, "ec2:delete_machine", board + "wipe: [logs]\n")
        assert re.search(r"change: delete volume logs \(vol-", said) and "volume data" not in said, said
        said = would(place, "ec2:destroy", board)
        for line in (r"volume data \(vol-", r"volume logs \(vol-", f"elastic address {address['publicIp']}", f"key pair jarvis-{FQDN}"):
            assert re.search(f"change: delete {line}", said), said
        asked = place.confirmed(0, "redeploy", spec(place, wipe=["logs"], **things)).asked
        assert "also the disks that the spec wipes: logs" in asked and "delete volume logs (vol-" in asked, asked
        after = data_volumes(ec2)
        assert after["data"]["id"] == kept["data"]["id"] and after["logs"]["id"] != kept["logs"]["id"]
        place.expect(0, "deploy", spec(place, **things))
        place.confirmed(0, "destroy", "loki")
        nothing_left(ec2)


@takes(8)
def test_what_a_refusal_leaves_is_what_was_there(place):
    """The creation is taken back: machine, key pair and new volume go; the data of before stays."""
    with Moto(place.host) as ec2, FaultProxy(place.host, ec2.url, Ec2()) as proxy:
        cloud(place, ec2, url=proxy.url)
        place.expect(0, "deploy", spec(place, volumes={"data": 20}))
        data = data_volumes(ec2)["data"]["id"]
        proxy.refuse(400, "VolumeLimitExceeded", "You have exceeded your maximum gp3 storage limit.",
                     when=lambda asked: asked.operation == "CreateVolume" and "DryRun" not in asked.form)
        asked = place.expect(6, "redeploy", spec(place, volumes={"data": 20, "more": 10}))
        failed = place.expect(1, "confirm", asked.code)
        assert "exceeded your maximum gp3 storage limit. [VolumeLimitExceeded]" in failed.text, failed
        assert "what this step created is removed" in failed.text, failed
        assert not ec2.machines() and not key_pairs(ec2)
        assert [one["id"] for one in ec2.volumes()] == [data] and ec2.volumes()[0]["status"] == "available"
        # The same step again, whose first machine is terminated: another one, with the data of before.
        place.expect(0, "retry", "loki")
        [machine] = ec2.machines()
        volumes = data_volumes(ec2)
        assert volumes["data"]["id"] == data and volumes["data"]["attachmentSet"][0]["instanceId"] == machine["id"]
        place.confirmed(0, "destroy", "loki")
        nothing_left(ec2)


@takes(6)
def test_a_right_that_is_missing_is_said_before_anything_is_touched(place):
    with Moto(place.host) as ec2:
        cloud(place, ec2)
        place.expect(0, "deploy", spec(place))
        [machine] = ec2.machines()
        cloud(place, ec2, key=ec2.poor_key)
        for command in (["plan", spec(place, "odin")], ["deploy", spec(place, "odin")], ["redeploy", spec(place)]):
            said = place.expect(2, *command)
            assert re.search(r"EC2 RunInstances: \S+ answers 403 Forbidden: .*RunInstances", said.text), said
        assert [one["id"] for one in ec2.machines()] == [machine["id"]] and machine["state"] == "running"


def test_wrong_credentials(place):
    with Moto(place.host) as ec2:
        cloud(place, ec2, key=Key(ec2.key.id, "planted-wrong-secret"))
        said = place.expect(2, "deploy", spec(place))
        assert "AWS was not able to validate the provided access credentials [AuthFailure]" in said.text, said
        assert "look at the credentials of `providers: ec2:`" in said.text and "planted-wrong-secret" not in said.text, said


@each("guestid", "image_gone", "size", "size_mb", "region", "zone", "group", "subnet", "volume", "mounts", "wipe", "elastic")
def test_what_is_not_offered(place, key):
    wrong = {"guestid": ({"guestid": "Some Linx"}, "the configuration knows Some Linux"),
             "image_gone": ({"guestid": "ami-00000000000000000"}, "EC2 offers no such image in us-east-1"),
             "size": ({"size": "t3.mikro"}, "size: t3.mikro is no instance type here; nearest: t3.micro"),
             "size_mb": ({"size": 99999999}, "size: no instance type here has 99999999 MB; the largest is "),
             "region": ({"datacenter": "eu-west-1"}, "in no region of the configuration (us-east-1)"),
             "zone": ({"datacenter": "us-east-1x"}, "us-east-1x is no zone of us-east-1; nearest: us-east-1a"),
             "group": ({"security_groups": ["defalt"]}, "security_groups: defalt is not there in network vpc-"),
             "subnet": ({"subnet": "subnet-12345678"}, "subnet: subnet-12345678 is not there in us-east-1"),
             "volume": ({"volumes": {"data": "20GB"}}, "volumes: data: `20GB` is no size in GB"),
             "mounts": ({"volumes": {"data": 20}, "mounts": {"dta": "/srv"}}, "mounts: `dta` is no data disk and no volume of the spec"),
             "wipe": ({"wipe": ["dta"], "volumes": {"data": 20}}, "wipe: dta is no volume of this host"),
             "elastic": ({"elastic": "maybe"}, "elastic: `maybe` is neither yes nor no")}
    keys, words = wrong[key]
    with Moto(place.host) as ec2:
        cloud(place, ec2)
        said = place.expect(2, "deploy", spec(place, **keys))
        assert words in said.text, said
        assert not ec2.machines()


@takes(6)
def test_other_places_and_ways_to_say_them(place):
    with Moto(place.host) as ec2:
        subnet = ec2.call("DescribeSubnets", region="us-west-2")["subnetSet"][0]
        image = next(iter(ec2.images(architecture="x86_64", name="amzn2-ami-hvm-*")))
        group = ec2.call("CreateSecurityGroup", GroupName="web", GroupDescription="w",
                         VpcId=ec2.call("DescribeVpcs")["vpcSet"][0]["vpcId"])["groupId"]
        cloud(place, ec2, regions=["us-west-2"], security_groups=["web"])
        place.expect(0, "deploy", spec(place, "loki", datacenter="us-west-2", subnet=subnet["subnetId"], guestid=f"{AMAZON}/amzn2-ami-hvm-*",
                                       size="m5.large"))
        place.expect(0, "deploy", spec(place, "odin", datacenter="use1-az1", guestid=image, size=4096, disk=30))
        place.expect(0, "deploy", spec(place, "thor", datacenter=None))
        [west] = ec2.machines(region="us-west-2")
        assert west["subnetId"] == subnet["subnetId"] and west["instanceType"] == "m5.large" and west["name"] == FQDN
        here = {one["name"]: one for one in ec2.machines()}
        odin = here["odin.example.org"]
        assert odin["imageId"] == image and odin["instanceType"] == "t3.medium", odin
        assert [one["groupId"] for one in odin["groupSet"]] == [group]
        assert [one["size"] for one in ec2.volumes() if one["tags"].get("jarvis:fqdn") == "odin.example.org"] == ["30"]
        # Looked for in all of the configuration's regions, whatever the spec says by now.
        said = place.expect(1, "deploy", spec(place, "loki", datacenter="us-east-1", size="m5.large"))
        assert "datacenter is us-west-2" in said.text and "`redeploy` changes that" in said.text, said
        assert len(ec2.machines()) == 2


@takes(8)
def test_side_by_side_with_amazons_own_client(place):
    with Moto(place.host) as ec2:
        cloud(place, ec2)
        place.expect(0, "deploy", spec(place, volumes={"data": 7}))
        [reservation] = ec2.aws("describe-instances", "--filters", f"Name=tag:jarvis:fqdn,Values={FQDN}")["Reservations"]
        [seen] = reservation["Instances"]
        clipboard = place.facts()
        assert (seen["InstanceId"], seen["PublicIpAddress"]) == (clipboard["instance_id"], clipboard["ipaddress"][0])
        assert seen["InstanceType"] == "t3.micro" and seen["State"]["Name"] == "running"
        [volume] = ec2.aws("describe-volumes", "--filters", "Name=tag:jarvis:volume,Values=data")["Volumes"]
        assert volume["Size"] == 7 and volume["Attachments"][0]["InstanceId"] == seen["InstanceId"]

        tags = "ResourceType=instance,Tags=[{Key=Name,Value=odin.example.org}]"
        image = seen["ImageId"]
        made = ec2.aws("run-instances", "--image-id", image, "--instance-type", "t3.small", "--tag-specifications", tags)
        odin = made["Instances"][0]["InstanceId"]
        said = place.expect(1, "deploy", spec(place, "odin"))
        assert f"ec2 odin.example.org ({odin}) has the name of this host and is not jarvis's" in said.text, said
        assert "adopt odin.example.org" in said.text, said

        # What its owner made for it stays its owner's: neither tagged nor on the clipboard, and a destroy takes only what dies with it.
        disk, dying = attach(ec2, odin, "/dev/sdh", False), attach(ec2, odin, "/dev/sdi", True)
        address = ec2.call("AllocateAddress", Domain="vpc")["allocationId"]
        ec2.call("AssociateAddress", AllocationId=address, InstanceId=odin)
        place.confirmed(0, "adopt", "odin.example.org")
        adopted = place.facts("odin")
        assert adopted["instance_id"] == odin and adopted["size"] == "t3.small" and adopted["guestid"] == image, adopted
        assert "volumes" not in adopted and "elastic" not in adopted, adopted
        assert ec2.machines()[1]["tags"]["jarvis:fqdn"] == "odin.example.org"
        assert not [one for one in ec2.volumes() + ec2.addresses() if one["tags"].get("jarvis:fqdn") == "odin.example.org"]
        # Nor is it forgotten: who confirms is told what will be without a machine, and cost money all the same.
        stays = f"leave behind elastic address {ec2.addresses()[0]['publicIp']} ({address}), which is not this host's"
        board = place.clipboard("odin")
        assert stays in would(place, "ec2:delete_machine", board + "wipe: [sda1, sdh, sdi]\n")
        asked = place.confirmed(0, "destroy", "odin").asked
        assert f"delete disk sdi ({dying}, 3 GB)" in asked and stays in asked, asked
        assert f"leave behind disk sdh ({disk}, 3 GB), which is not this host's" in asked, asked
        assert [one["id"] for one in ec2.volumes() if one["id"] in (disk, dying)] == [disk]
        assert [one["id"] for one in ec2.addresses()] == [address]
        states = ec2.aws("describe-instances", "--instance-ids", odin)["Reservations"][0]["Instances"][0]["State"]["Name"]
        assert states == "terminated"
        assert [one["name"] for one in ec2.machines()] == [FQDN]


@takes(4)
def test_the_built_in_lists(place):
    with Moto(place.host) as ec2:
        cloud(place, ec2)
        place.path("plans/ec2.yaml").unlink()
        planned = place.expect(5, "plan", spec(place, size="t3.nano"))
        assert "t3.nano (2 CPUs, 512 MB) in us-east-1a" in planned.text and "wait for ssh" in planned.text, planned
        assert "ec2: adopt, deploy, destroy, redeploy" in place.expect(0, "providers").text
        assert "t3.nano" in place.expect(0, "providers", "ec2", "type", "512").text
        place.expect(0, "task", "ec2:deploy", input=f"hostname: loki\nfqdn: {FQDN}\nguestid: Some Linux\nsize: t3.nano\n")
        listed = place.expect(0, "hosts").text
        assert re.search(r"loki\.example\.org: ec2 machine i-\w+, t3\.nano in us-east-1\w, running", listed), listed


class Metadata(http.server.BaseHTTPRequestHandler):
    """The metadata service of a machine with a role, version 2: nothing without a token."""
    key = None

    def do_PUT(self):  # noqa: N802
        self.answer("a-token" if self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"] else None)

    def do_GET(self):  # noqa: N802
        base = "/latest/meta-data/iam/security-credentials/"
        known = {base: "jarvis-role", f"{base}jarvis-role": json.dumps(
            {"Code": "Success", "AccessKeyId": self.key.id, "SecretAccessKey": self.key.secret, "Token": self.key.token})}
        self.answer(known.get(self.path) if self.headers["X-aws-ec2-metadata-token"] == "a-token" else None)

    def answer(self, text):
        self.send_response(200 if text else 401)
        self.send_header("Content-Length", str(len(text or "")))
        self.end_headers()
        self.wfile.write((text or "").encode())

    def log_message(self, *_):
        pass


@takes(5)
def test_credentials_of_sessions_and_of_a_machines_role(place):
    with Moto(place.host) as ec2:
        session = ec2.session()
        place.write("token", session.token + "\n", 0o600)
        cloud(place, ec2, key=session, session_token_file="token")
        place.expect(0, "deploy", spec(place))
        server = http.server.ThreadingHTTPServer((place.host, 0), type("OfThisKey", (Metadata,), {"key": session}))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cloud(place, ec2, access_key_id=None, secret_key_file=None, credentials="instance",
              metadata=f"http://{place.host}:{server.server_address[1]}")
        place.expect(0, "deploy", spec(place, "odin"))
        assert len(ec2.machines()) == 2
        place.configure(providers={"ec2": {"region": "us-east-1", "credentials": "instance", "metadata": f"http://{place.host}:"
                                           f"{server.server_address[1]}/elsewhere"}})
        said = place.expect(2, "deploy", spec(place, "thor"))
        assert "credentials: instance: this machine has no IMDSv2" in said.text, said
        server.shutdown()
        said = said.text + "".join(place.run("logs", host).text + place.run("clipboard", host).text for host in ("loki", "odin"))
        everything = said.encode() + stored(place)
        for secret in (session.secret, session.token):
            assert secret.encode() not in everything, f"{secret[:12]}..."


@takes(5)
def test_lists_and_the_console(place):
    with Moto(place.host) as ec2:
        cloud(place, ec2)
        place.expect(0, "deploy", spec(place, volumes={"data": 20}, elastic=True))
        listed = yaml.safe_load(place.expect(0, "task", "ec2:machines", input="{}").out)["machines"]
        assert sorted((one["kind"], one["fqdn"], one["machine"] is None) for one in listed) == [
            ("address", FQDN, False), ("machine", FQDN, True), ("volume", FQDN, False)], listed
        offers = yaml.safe_load(place.expect(0, "task", "ec2:offers", input="{}").out)["offers"]
        assert {"us-east-1", "t3.micro"} <= {one["id"] for one in offers}
        assert [one["shown"] for one in offers if one["label"] == "Some Linux"], offers
        console = place.expect(0, "task", "ec2:console", input=place.clipboard("loki"))
        assert "console: " in console.err, console


@takes(5)
def test_one_machine_when_answers_are_lost_and_images_change(place):
    with Moto(place.host) as ec2, FaultProxy(place.host, ec2.url, Ec2()) as proxy:
        cloud(place, ec2, url=proxy.url)

        def really(asked):
            return asked.operation == "RunInstances" and "DryRun" not in asked.form
        proxy.fault("reset", when=really, after=True)
        hiding = proxy.hide_new([], listings=4)
        place.expect(0, "deploy", spec(place, elastic=True))
        assert len(ec2.machines()) == 1 and hiding.count == 4
        forms = [asked.form for asked in proxy.asked("RunInstances") if really(asked)]
        assert len(forms) > 1 and len({json.dumps(form, sort_keys=True) for form in forms}) == 1, forms


class WithTokens(Ec2):
    """Says of `machine` that it was made with the token that is asked for, whichever that is."""

    machine = None

    def answered_already(self, request):
        form = request.form
        if form.get("Action") == "DescribeInstances" and form.get("Filter.1.Name") == "client-token" and self.machine:
            return 200, (f"<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>{self.machine}</instanceId>"
                         "<instanceState><name>running</name></instanceState></item></instancesSet></item></reservationSet>"
                         "</DescribeInstancesResponse>").encode()
        return super().answered_already(request)


@takes(5)
def test_tokens_of_machines_that_were_there(place):
    with Moto(place.host) as ec2:
        dialect = WithTokens()
        with FaultProxy(place.host, ec2.url, dialect) as proxy:
            cloud(place, ec2, url=proxy.url)

            def really(asked):
                return asked.operation == "RunInstances" and "DryRun" not in asked.form
            proxy.refuse(400, "IdempotentInstanceTerminated", "The machine of this token is terminated.", when=really)
            place.expect(0, "deploy", spec(place))
            tokens = [asked.form["ClientToken"] for asked in proxy.asked("RunInstances") if really(asked)]
            assert len(tokens) == 2 and tokens[0][:-1] == tokens[1][:-1] and tokens[0].endswith("-0") and tokens[1].endswith("-1")
            assert len(ec2.machines()) == 1

            # The newest image is another one by the time that the step is asked again: what it made is found by its token.
            dialect.machine = ec2.run_outside("odin.example.org", **{"jarvis:fqdn": "odin.example.org", "jarvis:step": "x", "jarvis:run": "x"})
            proxy.hide_new([place.facts()["instance_id"]], listings=6)
            proxy.refuse(400, "IdempotentParameterMismatch", "Arguments are inconsistent.", when=really)
            place.expect(0, "deploy", spec(place, "odin"))
            assert place.facts("odin")["instance_id"] == dialect.machine and len(ec2.machines()) == 2


@takes(6)
def test_protected_from_termination(place):
    """Said before a redeploy or destroy turns anything off; and what is refused all the same loses nothing."""
    with Moto(place.host) as ec2:
        cloud(place, ec2)
        place.expect(0, "deploy", spec(place, volumes={"data": 20}, elastic=True))
        [machine] = ec2.machines()
        ec2.aws("modify-instance-attribute", "--instance-id", machine["id"], "--disable-api-termination")
        said = place.run("redeploy", spec(place, volumes={"data": 20}))
        assert said.status == 2 and "is protected from termination (disableApiTermination)" in said.text, said
        assert ec2.machines()[0]["state"] == "running"
        board = place.clipboard("loki")
        asked = place.expect(6, "task", "ec2:destroy", input=board)
        code = re.search(r"--confirm (\S+)\s*$", asked.text)[1]
        said = place.expect(1, "task", "ec2:destroy", "--confirm", code, input=board)
        assert "[OperationNotPermitted]" in said.text, said
        assert ec2.machines()[0]["state"] == "running" and ec2.addresses()[0]["instanceId"] == machine["id"]
        disks = {one["ebs"]["volumeId"]: one["ebs"]["deleteOnTermination"] for one in ec2.machines()[0]["blockDeviceMapping"]}
        assert disks[data_volumes(ec2)["data"]["id"]] == "false", disks


@takes(8)
def test_an_address_that_is_somebody_elses_by_now(place):
    """Ours by its tags, and with another machine or at a network interface: never taken away, and said before anything goes."""
    with Moto(place.host) as ec2:
        cloud(place, ec2)
        place.expect(0, "deploy", spec(place, elastic=True))
        [address] = ec2.addresses()
        other = ec2.run_outside("other.example.org")

        def give_to(**whom):
            ec2.call("DisassociateAddress", AssociationId=ec2.addresses()[0]["associationId"])
            ec2.call("AssociateAddress", AllocationId=address["id"], **whom)
        give_to(InstanceId=other)
        refused = (f"address {address['publicIp']} ({address['id']}) of this host is with {other} (other.example.org); "
                   "jarvis does not take it away")
        said = place.expect(1, "destroy", "loki")
        assert refused in said.text, said
        [machine] = [one for one in ec2.machines() if one["name"] == FQDN]
        assert machine["state"] == "running" and ec2.addresses()[0]["instanceId"] == other

        subnet = ec2.call("DescribeSubnets")["subnetSet"][0]["subnetId"]
        card = ec2.call("CreateNetworkInterface", SubnetId=subnet)["networkInterface"]["networkInterfaceId"]
        give_to(NetworkInterfaceId=card)
        said = place.expect(1, "destroy", "loki")
        assert f"is with network interface {card}; jarvis does not take it away" in said.text, said
        said = place.expect(1, "deploy", spec(place, elastic=True))
        assert f"is with network interface {card}; jarvis does not take it away" in said.text, said

        # It came to be there after the question was answered, and the machine is gone.
        give_to(InstanceId=machine["id"])
        board = place.clipboard("loki")
        asked = place.expect(6, "task", "ec2:destroy", input=board)
        give_to(InstanceId=other)
        ec2.terminate_outside(machine["id"])
        said = place.expect(1, "task", "ec2:destroy", "--confirm", re.search(r"--confirm (\S+)\s*$", asked.text)[1], input=board)
        assert refused in said.text and ec2.addresses()[0]["instanceId"] == other, said


@takes(6)
def test_what_is_taken_back_leaves_an_address_with_others(place):
    with Moto(place.host) as ec2, FaultProxy(place.host, ec2.url, Ec2()) as proxy:
        cloud(place, ec2, url=proxy.url)
        other = ec2.run_outside("other.example.org")
        held = proxy.fault("hold", when="CreateVolume")
        deploying = place.start("deploy", spec(place, elastic=True, volumes={"data": 5}))
        held.reached()
        [address] = ec2.addresses()
        ec2.call("DisassociateAddress", AssociationId=address["associationId"])
        ec2.call("AssociateAddress", AllocationId=address["id"], InstanceId=other)
        held.drop()
        deploying.wait()
        said = deploying.output()
        assert f"is with {other} (other.example.org); jarvis does not take it away" in said, said
        assert [one["instanceId"] for one in ec2.addresses()] == [other]
        assert [one["id"] for one in ec2.machines()] == [other] and not key_pairs(ec2)


def host_tags(kind, **tags):
    """TagSpecification of something that carries these tags, with `jarvis:` before their names."""
    made = {"TagSpecification_1_ResourceType": kind}
    for number, (name, value) in enumerate({"fqdn": FQDN, "run": "r", "step": "r.1", **tags}.items(), 1):
        made |= {f"TagSpecification_1_Tag_{number}_Key": f"jarvis:{name}", f"TagSpecification_1_Tag_{number}_Value": value}
    return made


@takes(8)
def test_what_the_question_names_is_of_all_regions(place):
    with Moto(place.host) as ec2:
        cloud(place, ec2, regions=["us-west-2"])
        place.expect(0, "deploy", spec(place, volumes={"logs": 5}))
        west = ec2.call("CreateVolume", region="us-west-2", AvailabilityZone="us-west-2a", Size="7",
                        **host_tags("volume", volume="data"))["volumeId"]
        board = place.clipboard("loki")
        assert west not in would(place, "ec2:delete_machine", board)
        assert f"change: delete volume data ({west}, 7 GB)" in would(place, "ec2:delete_machine", board + "wipe: [data]\n")
        asked = place.confirmed(0, "destroy", "loki").asked
        assert f"delete volume data ({west}, 7 GB)" in asked and asked.count("delete volume logs (") == 1, asked
        nothing_left(ec2)
        assert not ec2.volumes(region="us-west-2")


def attach(ec2, machine, device, dies, **more):
    """A new disk at a machine; its id."""
    zone = next(one for one in ec2.machines() if one["id"] == machine)["placement"]["availabilityZone"]
    disk = ec2.call("CreateVolume", AvailabilityZone=zone, Size="3", **more)["volumeId"]
    ec2.call("AttachVolume", VolumeId=disk, InstanceId=machine, Device=device)
    ec2.call("ModifyInstanceAttribute", InstanceId=machine, BlockDeviceMapping_1_DeviceName=device,
             BlockDeviceMapping_1_Ebs_DeleteOnTermination="true" if dies else "false")
    return disk


@each("dies", "stays", "of_the_image")
@takes(8)
def test_a_disk_that_is_no_volume(place, which):
    """A redeploy would lose it: refused before anything is touched, unless the spec's `wipe` names it; a destroy says what goes."""
    with Moto(place.host) as ec2:
        cloud(place, ec2)
        place.expect(0, "deploy", spec(place, volumes={"data": 20}))
        [machine] = ec2.machines()
        board = place.clipboard("loki")
        asked = place.expect(6, "task", "ec2:delete_machine", input=board)
        tags = host_tags("volume") if which == "of_the_image" else {}
        disk = attach(ec2, machine["id"], "/dev/sdh", which == "dies", **tags)
        fate = "would go along with the machine" if which == "dies" else "would be left behind"
        refused = f"disk sdh ({disk}, 3 GB) of ec2 {FQDN} ({machine['id']}) {fate}, for it is no volume of this host"
        # It came after the question.
        said = place.expect(1, "task", "ec2:delete_machine", "--confirm", re.search(r"--confirm (\S+)\s*$", asked.text)[1], input=board)
        assert refused in said.text and "`wipe: [sdh]` gives it up" in said.text, said
        said = place.expect(1, "redeploy", spec(place, volumes={"data": 20}))
        assert refused in said.text, said
        assert [(one["id"], one["state"]) for one in ec2.machines()] == [(machine["id"], "running")]

        said = would(place, "ec2:destroy", board)
        assert (f"change: delete disk sdh ({disk}, 3 GB)" in said) == (which != "stays"), said
        assert "change: delete volume data (" in said and said.count(disk) == 1, said
        assert (f"change: leave behind disk sdh ({disk}, 3 GB), which is not this host's" in said) == (which == "stays"), said
        asked = place.confirmed(0, "redeploy", spec(place, volumes={"data": 20}, wipe=["sdh"])).asked
        assert f"delete disk sdh ({disk}, 3 GB)" in asked and "delete volume" not in asked, asked
        assert disk not in [one["id"] for one in ec2.volumes()] and data_volumes(ec2)["data"]["attachmentSet"]
        last = attach(ec2, ec2.machines()[0]["id"], "/dev/sdh", which == "dies", **tags)
        place.confirmed(0, "destroy", "loki")
        assert [one["id"] for one in ec2.volumes()] == ([last] if which == "stays" else []), ec2.volumes()
        assert not ec2.machines() and not key_pairs(ec2)


@takes(6)
def test_a_volume_that_stays_although_it_was_to_go(place):
    """DeleteOnTermination of a data volume, by somebody or of a destroy that was cut off: a redeploy keeps the volume all the same."""
    with Moto(place.host) as ec2:
        cloud(place, ec2)
        place.expect(0, "deploy", spec(place, volumes={"data": 20}))
        data, [machine] = data_volumes(ec2)["data"], ec2.machines()
        ec2.call("ModifyInstanceAttribute", InstanceId=machine["id"], BlockDeviceMapping_1_DeviceName=data["attachmentSet"][0]["device"],
                 BlockDeviceMapping_1_Ebs_DeleteOnTermination="true")
        place.confirmed(0, "redeploy", spec(place, volumes={"data": 20}))
        assert data_volumes(ec2)["data"]["id"] == data["id"]


@takes(6)
def test_a_volume_that_is_wiped_and_not_wanted_any_more(place):
    """The machine that comes after it is made of a spec whose `wipe` names what is gone by then."""
    with Moto(place.host) as ec2:
        cloud(place, ec2)
        place.expect(0, "deploy", spec(place, volumes={"data": 20, "logs": 5}))
        place.confirmed(0, "redeploy", spec(place, volumes={"data": 20}, wipe=["logs"]))
        assert list(data_volumes(ec2)) == ["data"] and len(ec2.machines()) == 1


@takes(6)
def test_a_volume_that_was_taken_back_is_made_again(place):
    """Of two new volumes the second is refused, and the first goes again; `retry` is the same step, and makes both."""
    with Moto(place.host) as ec2, FaultProxy(place.host, ec2.url, Ec2()) as proxy:
        cloud(place, ec2, url=proxy.url)

        def really(asked):
            return asked.operation == "CreateVolume"
        proxy.refuse(400, "VolumeLimitExceeded", "You have exceeded your maximum gp3 storage limit.", when=really, nth=2)
        said = place.expect(1, "deploy", spec(place, volumes={"data": 20, "logs": 5}))
        assert "what this step created is removed" in said.text, said
        nothing_left(ec2)
        retried = place.start("retry", "loki")
        place.until_state("loki", "succeeded", seconds=20)
        retried.wait()
        assert sorted(data_volumes(ec2)) == ["data", "logs"] and len(ec2.machines()) == 1


class InBetween:
    """What moto does at once takes EC2 a while: each state is shown as the one on the way to it, the first `looks` times. The states
    and their codes are those of the API's reference (InstanceState, Volume, VolumeAttachment)."""

    WAY = {"running": (0, "pending"), "stopped": (64, "stopping"), "terminated": (32, "shutting-down"),
           "available": (None, "creating"), "attached": (None, "attaching")}

    def __init__(self, looks):
        self.looks, self.seen, self.shown = looks, {}, set()

    def __call__(self, body):
        for kind, id, state in (("instance", "instanceId", rb"<instanceState>\s*<code>(\d+)</code>\s*<name>([a-z-]+)</name>"),
                                ("volume", "volumeId", rb"<status>()(available)</status>"),
                                ("attachment", "volumeId", rb"<attachmentSet>(?:(?!</attachmentSet>).)*?<status>()(attached)</status>")):
            tag = id.encode()
            body = re.sub(rb"<%s>([^<]*)</%s>(?:(?!<%s>).)*?%s" % (tag, tag, tag, state),
                          lambda found, kind=kind: self._earlier(kind, found), body, flags=re.S)
        return body

    def _earlier(self, kind, found):
        key, state = (kind, found[1]), found[3].decode()
        before, count = self.seen.get(key, ("", 0))
        count = count + 1 if before == state else 1
        self.seen[key] = state, count
        if count > self.looks or state not in self.WAY:
            return found[0]
        code, earlier = self.WAY[state]
        self.shown.add(earlier)
        start, end = found.start(3) - found.start(0), found.end(3) - found.start(0)
        text = found[0][:start] + earlier.encode() + found[0][end:]
        if code is not None:
            start, end = found.start(2) - found.start(0), found.end(2) - found.start(0)
            text = text[:start] + str(code).encode() + text[end:]
        return text


@takes(15)
def test_states_in_between(place):
    """Nothing is done to a machine, a volume or an address before it can take it, and one that is on its way out is gone."""
    with Moto(place.host) as ec2, FaultProxy(place.host, ec2.url, Ec2()) as proxy:
        cloud(place, ec2, url=proxy.url)
        proxy.rewrite = between = InBetween(3)
        things = {"volumes": {"data": 20, "logs": 5}, "elastic": True}
        place.expect(0, "deploy", spec(place, **things))
        asked = [one.operation for one in proxy.requests]
        assert between.shown == {"pending", "creating", "attaching"}, between.shown
        waited = asked[asked.index("RunInstances"):asked.index("AttachVolume")]
        assert waited.count("DescribeInstances") >= 3, asked
        first, [address] = place.facts(), ec2.addresses()
        assert first["ipaddress"][0] == address["publicIp"]
        place.expect(0, "deploy", spec(place, **things))
        place.confirmed(0, "redeploy", spec(place, **things))
        assert {"stopping", "shutting-down"} <= between.shown
        assert place.facts()["instance_id"] != first["instance_id"] and len(ec2.machines()) == 1
        assert len(data_volumes(ec2)) == 2 and ec2.addresses()[0]["instanceId"] == place.facts()["instance_id"]
        place.confirmed(0, "destroy", "loki")
        nothing_left(ec2)
