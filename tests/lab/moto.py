"""EC2 by moto's server, with signatures and policies checked, and a look behind its curtain.

Where moto falls short of EC2: it does not know ClientToken (the fault proxy does), machines are running and terminated at once,
an unknown image is accepted, the console says always the same, DescribeInstances without MaxResults is incomplete past a hundred.
Of its thousand instance types only some families are offered (simulators.d/moto_server.py), since listing them all takes seconds.
"""
import atexit
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

from .marks import Skip
from .ports import free_port
from .processes import alive
from .simulators import SCRIPT, simulator
from .waiting import until

REGION = "us-east-1"
VERSIONS = {"ec2": "2016-11-15", "iam": "2010-05-08", "sts": "2011-06-15"}
MAY_DO_EVERYTHING = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
MAY_DO_EC2 = [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]
_PRELOADED = "JARVIS_TEST_MOTO"  # pid and directory of the process that servers are forked from


def preloaded():
    """Starts the process that servers are forked from, and does not wait for it; a function that ends it. Name it under SHARED in
    a module of scenarios, so that its tests start their servers in milliseconds instead of seconds."""
    try:
        python = simulator("moto") / "bin/python"
    except Skip:  # the tests say so, one by one
        return lambda: None
    directory = pathlib.Path(tempfile.mkdtemp(prefix="moto.", dir=os.environ.get("JARVIS_TEST_DIR")))
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen([python, SCRIPT.parent / "simulators.d/moto_server.py", directory / "socket"],
                                   stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)
    os.environ[_PRELOADED] = f"{process.pid} {directory}"

    def end():
        os.environ.pop(_PRELOADED, None)
        process.stdin.close()
        process.wait(30)
        shutil.rmtree(directory, ignore_errors=True)
    return end


def _fork_server(address, port):
    """A server of the preloaded moto; the connection that keeps it alive."""
    pid, directory = os.environ[_PRELOADED].split(maxsplit=1)
    path, log = pathlib.Path(directory, "socket"), pathlib.Path(directory, "log")
    until(lambda: path.exists() or not alive(int(pid)), "moto is imported", 60)
    assert path.exists(), f"moto ended:\n{log.read_text(encoding='utf-8')}"
    life = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    life.connect(str(path))
    life.sendall(f"{address} {port}\n".encode())
    assert life.recv(10) == b"ready\n", f"moto's server did not start:\n{log.read_text(encoding='utf-8')}"
    return life


class Refused(Exception):
    """The answer of an API that says no: `status`, `code`."""

    def __init__(self, status, text):
        self.status, self.text = status, text
        self.code = "".join(re.findall("<Code>(.*?)</Code>", text)[:1])
        super().__init__(f"{status} {text}")


def _name(element):
    return element.tag.rpartition("}")[2]


def _plain(element):
    """An answer as dictionaries; what repeats (item, member) as lists."""
    if not len(element):
        return element.text or ""
    if all(_name(child) in ("item", "member") for child in element):
        return [_plain(child) for child in element]
    return {_name(child): _plain(child) for child in element}


class Key:
    """Credentials of a user: `id`, `secret`, and `token` of a session."""

    def __init__(self, id, secret, token=None):
        self.id, self.secret, self.token = id, secret, token


def _policy(statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _signed(url, body, key, api, region):
    """A request with AWS Signature Version 4."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8", "host": urllib.parse.urlsplit(url).netloc,
               "x-amz-date": moment, **({"x-amz-security-token": key.token} if key.token else {})}
    names = ";".join(sorted(headers))
    canonical = "\n".join(["POST", "/", "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names,
                           hashlib.sha256(body).hexdigest()])
    scope = f"{moment[:8]}/{region}/{api}/aws4_request"
    signature = f"AWS4{key.secret}".encode()
    for part in [*scope.split("/"), "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])]:
        signature = hmac.digest(signature, part.encode(), "sha256")
    authorization = f"AWS4-HMAC-SHA256 Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signature.hex()}"
    return urllib.request.Request(url + "/", data=body, headers={**headers, "authorization": authorization}, method="POST")


class Moto:
    """`url`; `owner` may do everything, `key` everything with EC2, `poor_key` all of EC2 but RunInstances."""

    def __init__(self, address, region=REGION):
        simulator("moto")
        if _PRELOADED not in os.environ:
            atexit.register(preloaded())
        self.address, self.port, self.region = address, free_port(address), region
        self.url = f"http://{address}:{self.port}"
        self._life = _fork_server(address, self.port)
        self.owner = Key("AKIAIOSFODNN7EXAMPLE", "not-checked-yet")
        self.owner = self.user("owner", MAY_DO_EVERYTHING)
        self.key = self.user("deployer", MAY_DO_EC2)
        self.poor_key = self.user("poor", [*MAY_DO_EC2, {"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*"}])

    def close(self):
        self._life.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # People

    def user(self, name, statements):
        """Makes a user with this policy; the credentials."""
        self.call("CreateUser", api="iam", UserName=name)
        made = self.call("CreateAccessKey", api="iam", UserName=name)["CreateAccessKeyResult"]["AccessKey"]
        self.call("PutUserPolicy", api="iam", UserName=name, PolicyName="p", PolicyDocument=_policy(statements))
        return Key(made["AccessKeyId"], made["SecretAccessKey"])

    def session(self, name="visitor", statements=None):
        """Credentials of a role that was assumed: with a session token."""
        trust = _policy([{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}])
        role = self.call("CreateRole", api="iam", RoleName=name, AssumeRolePolicyDocument=trust)["CreateRoleResult"]["Role"]["Arn"]
        self.call("PutRolePolicy", api="iam", RoleName=name, PolicyName="p", PolicyDocument=_policy(statements or MAY_DO_EC2))
        made = self.call("AssumeRole", api="sts", RoleArn=role, RoleSessionName="s")["AssumeRoleResult"]["Credentials"]
        return Key(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])

    # Calls

    def call(self, action, key=None, api="ec2", url=None, region=None, **parameters):
        """One signed call of the Query API; the answer as dictionaries and lists. Names with _ for a dot."""
        form = {"Action": action, "Version": VERSIONS[api], **{name.replace("_", "."): value for name, value in parameters.items()}}
        sent = _signed(url or self.url, urllib.parse.urlencode(form).encode(), key or self.owner, api, region or self.region)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sent, timeout=30) as reply:
                return _plain(xml.etree.ElementTree.fromstring(reply.read()))
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode()) from None

    def aws(self, *arguments, key=None, url=None, ca=None):
        """Debian's own client, `aws ec2 ARGUMENTS`; what its JSON says."""
        key = key or self.key
        environment = {"PATH": "/usr/bin:/bin", "HOME": os.devnull, "AWS_ACCESS_KEY_ID": key.id,
                       "AWS_SECRET_ACCESS_KEY": key.secret, "AWS_DEFAULT_REGION": self.region,
                       "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "",
                       **({"AWS_SESSION_TOKEN": key.token} if key.token else {})}
        trust = ["--ca-bundle", str(ca)] if ca else []
        done = subprocess.run(["/usr/bin/aws", *trust, "--output", "json", "--endpoint-url", url or self.url, "ec2", *arguments],
                              env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"aws {' '.join(arguments)}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    # Behind the curtain

    def machines(self, every=False, region=None):
        """What runs or can be started again: id, name, tags (a dictionary), state and more; `every`: the terminated ones too."""
        found, token = [], {}
        while True:
            answer = self.call("DescribeInstances", region=region, MaxResults="100", **token)
            for reservation in answer["reservationSet"] or []:
                found += [_machine(one) for one in reservation["instancesSet"]]
            if not answer.get("nextToken"):
                break
            token = {"NextToken": answer["nextToken"]}
        return [one for one in found if every or one["state"] not in ("terminated", "shutting-down")]

    def volumes(self, region=None):
        return [{**one, "id": one["volumeId"], "tags": _tags(one)}
                for one in self.call("DescribeVolumes", region=region)["volumeSet"] or []]

    def addresses(self, region=None):
        return [{**one, "id": one["allocationId"], "tags": _tags(one)}
                for one in self.call("DescribeAddresses", region=region)["addressesSet"] or []]

    def images(self, **filters):
        """Names of the images that are offered, by id: images(name="debian-12*")."""
        parameters = {}
        for number, (name, value) in enumerate(filters.items(), 1):
            parameters |= {f"Filter_{number}_Name": name.replace("_", "-"), f"Filter_{number}_Value_1": value}
        return {one["imageId"]: one["name"] for one in self.call("DescribeImages", **parameters)["imagesSet"] or []}

    def run_outside(self, name, image="ami-00000001", **tags):
        """Somebody else makes a machine; its id. (moto takes any image, and needs a second to list its thousand.)"""
        parameters = {"ImageId": image, "InstanceType": "t3.micro", "MinCount": "1", "MaxCount": "1",
                      "TagSpecification_1_ResourceType": "instance"}
        for number, (key, value) in enumerate({"Name": name, **tags}.items(), 1):
            parameters |= {f"TagSpecification_1_Tag_{number}_Key": key, f"TagSpecification_1_Tag_{number}_Value": value}
        return self.call("RunInstances", **parameters)["instancesSet"][0]["instanceId"]

    def terminate_outside(self, machine):
        """Somebody else ends a machine."""
        self.call("TerminateInstances", InstanceId_1=machine)

    def tag_outside(self, thing, key, value):
        """Somebody else sets a tag; value None takes it away."""
        if value is None:
            self.call("DeleteTags", ResourceId_1=thing, Tag_1_Key=key)
        else:
            self.call("CreateTags", ResourceId_1=thing, Tag_1_Key=key, Tag_1_Value=value)


def _tags(thing):
    return {tag["key"]: tag["value"] for tag in thing.get("tagSet") or []}


def _machine(one):
    tags = _tags(one)
    return {**one, "id": one["instanceId"], "name": tags.get("Name"), "tags": tags, "state": one["instanceState"]["name"]}
