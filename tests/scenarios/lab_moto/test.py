"""Is the EC2 that scenarios are tested against what they think it is? Asked by clients that others wrote."""
import json
import subprocess

from lab import moto, takes
from lab.metadata import MetadataService
from lab.moto import Key, Moto, Refused

SHARED = (moto.preloaded,)


def refusal(call):
    try:
        call()
    except Refused as refused:
        return refused.status, refused.code
    return None


def test_signatures_and_rights_are_checked(place):
    with Moto(place.host) as ec2:
        run = {"ImageId": "ami-1", "InstanceType": "t3.micro", "MinCount": "1", "MaxCount": "1"}
        assert ec2.call("RunInstances", key=ec2.key, **run)["instancesSet"][0]["instanceId"]
        assert refusal(lambda: ec2.call("RunInstances", key=ec2.poor_key, **run)) == (403, "AccessDenied")
        assert ec2.call("DescribeInstances", key=ec2.poor_key)["reservationSet"]
        assert refusal(lambda: ec2.call("DescribeInstances", key=Key(ec2.key.id, "wrong"))) == (401, "AuthFailure")
        assert refusal(lambda: ec2.call("DescribeInstances", key=Key("AKIAIOSFODNN7NOBODY0", "wrong")))[0] == 401
        assert refusal(lambda: ec2.call("CreateUser", key=ec2.key, api="iam", UserName="x")) == (403, "AccessDenied")
        session = ec2.session()
        assert ec2.call("DescribeInstances", key=session)["reservationSet"]
        assert refusal(lambda: ec2.call("DescribeInstances", key=Key(session.id, "wrong", session.token)))[0] == 401
        assert len(ec2.machines()) == 1


@takes(5)
def test_the_packaged_client_makes_what_we_see(place):
    with Moto(place.host) as ec2:
        image = next(iter(ec2.images(architecture="x86_64")))
        made = ec2.aws("run-instances", "--image-id", image, "--instance-type", "t3.micro", "--tag-specifications",
                       "ResourceType=instance,Tags=[{Key=Name,Value=loki.example.org}]")["Instances"][0]["InstanceId"]
        assert [(one["id"], one["name"], one["state"]) for one in ec2.machines()] == [(made, "loki.example.org", "running")]
        assert ec2.volumes() and not ec2.addresses()
        ec2.tag_outside(made, "jarvis:fqdn", "loki.example.org")
        assert ec2.machines()[0]["tags"] == {"Name": "loki.example.org", "jarvis:fqdn": "loki.example.org"}
        ec2.tag_outside(made, "Name", None)
        assert ec2.machines()[0]["name"] is None
        ec2.terminate_outside(made)
        assert not ec2.machines() and len(ec2.machines(every=True)) == 1


def test_every_test_has_a_server_of_its_own(place):
    with Moto(place.host) as one, Moto(place.host) as other:
        one.run_outside("loki.example.org")
        assert len(one.machines()) == 1 and not other.machines()


def test_many_machines_are_all_seen(place):
    with Moto(place.host) as ec2:
        ec2.call("RunInstances", ImageId="ami-1", InstanceType="t3.micro", MinCount="120", MaxCount="120")
        assert len(ec2.machines()) == 120


@takes(5)
def test_the_packaged_client_gets_the_role_of_its_machine(place):
    with Moto(place.host) as ec2, MetadataService(place.host, ec2.session()) as metadata:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(place.directory), "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url + "/",
                       "AWS_DEFAULT_REGION": ec2.region, "AWS_PAGER": ""}
        done = subprocess.run(["/usr/bin/aws", "--output", "json", "--endpoint-url", ec2.url, "ec2", "describe-instances"],
                              env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and json.loads(done.stdout) == {"Reservations": []}, done
        assert metadata.requests[0] == ("PUT", "/latest/api/token"), metadata.requests
