"""Does the proxy that stands in front of the APIs fail as it says, and is it else not to be noticed?"""
import http.client
import http.server
import json
import ssl
import subprocess
import threading
import urllib.error
import xml.etree.ElementTree

from lab import each, moto, takes, until
from lab.certificates import Authority
from lab.dialects import Ec2, Linode, Plain
from lab.fault_proxy import FaultProxy
from lab.moto import Key, Moto, Refused
from lab.ports import free_port

SHARED = (moto.preloaded,)
RUN = {"ImageId": "ami-1", "InstanceType": "t3.micro", "MinCount": "1", "MaxCount": "1"}
FAILS = (urllib.error.URLError, http.client.HTTPException, OSError, xml.etree.ElementTree.ParseError, KeyError)


def outcome(call):
    """What the client saw: a status with its code, or the kind of failure."""
    try:
        call()
        return "ok"
    except Refused as refused:
        return f"{refused.status} {refused.code}".strip()
    except FAILS as failure:
        return type(getattr(failure, "reason", failure)).__name__


def in_background(function):
    """Runs it in a thread; a function that waits for its result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()), daemon=True)
    thread.start()

    def result():
        thread.join(30)
        assert results, "it did not end"
        return results[0]
    return result


EXPECTED = {"429": "429 RequestLimitExceeded", "500": "500 InternalError", "503": "503 Unavailable", "401": "401 AuthFailure",
            "expired": "400 RequestExpired", "reset": "ConnectionResetError", "half": "IncompleteRead", "invalid": "ParseError",
            "html": "KeyError"}  # the page is good XML, of something else


@each(*EXPECTED)
def test_a_client_sees(place, kind):
    with Moto(place.host) as ec2, FaultProxy(place.host, ec2.url, Ec2()) as proxy:
        def run():
            return outcome(lambda: ec2.call("RunInstances", url=proxy.url, **RUN)["instancesSet"])
        fault = proxy.fault(kind, when="RunInstances", nth=2)
        assert run() == "ok"
        assert outcome(lambda: ec2.call("DescribeInstances", url=proxy.url)) == "ok"
        assert run() == EXPECTED[kind]
        assert run() == "ok"
        passed = 3 if kind in ("half", "invalid") else 2
        assert len(ec2.machines()) == passed, "a failed request was passed on, or was not"
        assert proxy.operations() == ["RunInstances", "DescribeInstances", "RunInstances", "RunInstances"]
        assert fault.requests == [proxy.requests[2]] and proxy.requests[2].answer == kind
        proxy.fault("500", when="RunInstances", after=True)
        assert run() == "500 InternalError" and len(ec2.machines()) == passed + 1, "it was to happen all the same"


def test_retry_after_and_the_apis_own_words(place):
    with FaultProxy(place.host, "http://127.0.0.1:1", Linode()) as proxy:
        proxy.fault("429", retry_after=7)
        said = subprocess.run(["curl", "-si", proxy.url + "/v4/linode/instances"], capture_output=True, text=True,
                              check=True).stdout
        assert said.startswith("HTTP/1.1 429 "), said
        assert "\nRetry-After: 7\n" in said and '\n{"errors": [{"reason":' in said, said
        proxy.refuse(400, "label", "Label must be unique among your linodes", when="POST /v4/*")
        said = subprocess.run(["curl", "-s", "-d", "{}", proxy.url + "/v4/linode/instances"], capture_output=True, text=True,
                              check=True).stdout
        assert json.loads(said) == {"errors": [{"reason": "Label must be unique among your linodes", "field": "label"}]}


def test_held_before_and_kept_after(place):
    with Moto(place.host) as ec2, FaultProxy(place.host, ec2.url, Ec2()) as proxy:
        def run():
            return outcome(lambda: ec2.call("RunInstances", url=proxy.url, **RUN))
        held = proxy.fault("hold", when="RunInstances")
        first = in_background(run)
        assert held.reached().operation == "RunInstances" and not ec2.machines()
        held.release()
        assert first() == "ok" and len(ec2.machines()) == 1

        forgotten = proxy.fault("hold", when="RunInstances")
        second = in_background(run)
        forgotten.reached()
        forgotten.drop()
        assert second() in ("ConnectionResetError", "RemoteDisconnected") and len(ec2.machines()) == 1

        kept = proxy.fault("withhold", when="RunInstances")
        third = in_background(run)
        assert kept.reached().passed and len(ec2.machines()) == 2
        kept.drop()
        assert third() in ("ConnectionResetError", "RemoteDisconnected")

        hung = proxy.fault("hang")
        fourth = in_background(run)
        hung.reached()
        proxy.calm()
        assert fourth() in ("ConnectionResetError", "RemoteDisconnected") and len(ec2.machines()) == 2


def test_client_tokens_are_honoured(place):
    with Moto(place.host) as ec2, FaultProxy(place.host, ec2.url, Ec2()) as proxy:
        def run(**more):
            made = ec2.call("RunInstances", url=proxy.url, **{**RUN, "ClientToken": "step-1", **more})
            return made["instancesSet"][0]["instanceId"]
        assert outcome(lambda: ec2.call("DescribeInstances", url=proxy.url, key=Key(ec2.key.id, "wrong"))) == "401 AuthFailure"
        proxy.fault("withhold", when="RunInstances").drop()
        assert outcome(run) != "ok"
        made = ec2.machines()[0]["id"]
        assert run() == made == run() and len(ec2.machines()) == 1
        assert outcome(lambda: run(InstanceType="t3.small")) == "400 IdempotentParameterMismatch"
        assert run(ClientToken="step-2") != made and len(ec2.machines()) == 2
        assert outcome(lambda: run(ClientToken="step-3", DryRun="true")) == "412 DryRunOperation"
        assert run(ClientToken="step-3") != made, "a call that failed was remembered"


def test_new_machines_are_hidden_from_listings(place):
    with Moto(place.host) as ec2, FaultProxy(place.host, ec2.url, Ec2()) as proxy:
        old = ec2.run_outside("old.example.org")
        hiding = proxy.hide_new([old])
        new = ec2.run_outside("new.example.org")

        def listed(**filters):
            reservations = ec2.call("DescribeInstances", url=proxy.url, **filters)["reservationSet"]
            return sorted(one["instanceId"] for reservation in reservations or [] for one in reservation["instancesSet"])
        assert listed() == [old] and hiding.count == 1
        assert listed(Filter_1_Name="tag:Name", Filter_1_Value_1="new.example.org") == []
        assert outcome(lambda: listed(InstanceId_1=new)) == "400 InvalidInstanceID.NotFound"
        hiding.reveal()
        assert listed() == sorted([old, new])
        proxy.hide_new([old], listings=2)
        assert [len(listed()) for _ in range(3)] == [1, 1, 2]


@takes(5)
def test_tls_signatures_and_a_strangers_certificate(place):
    authority = Authority(place.path("ca"))
    with Moto(place.host) as ec2, FaultProxy(place.host, ec2.url, Ec2(), authority=authority) as proxy:
        assert proxy.url.startswith("https://")
        assert ec2.aws("describe-instances", url=proxy.url, ca=proxy.ca) == {"Reservations": []}
        reset = proxy.fault("reset", times=None)

        def get():
            curl = ["curl", "-s", "-o", "/dev/null", "-w", "%{exitcode} %{http_code}", "--cacert", proxy.ca, proxy.url]
            return subprocess.run(curl, capture_output=True, text=True, check=False).stdout
        assert get() == "56 000" and reset.requests
        proxy.calm()
        assert get().startswith("0 ")
        proxy.fault("certificate")
        assert get() == "60 000" and get().startswith("0 "), "one connection was to see the stranger"


def test_an_https_api_is_verified(place):
    authority = Authority(place.path("ca"))
    server = http.server.HTTPServer((place.host, free_port(place.host)), http.server.SimpleHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(place.host))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with FaultProxy(place.host, f"https://{place.host}:{server.server_address[1]}", upstream_ca=authority.certificate) as proxy:
        connection = http.client.HTTPConnection(proxy.address, proxy.port)
        for path, status in (("/", 200), ("/nothing?x=1", 404)):
            connection.request("GET", path)
            reply = connection.getresponse()
            reply.read()
            assert reply.status == status
        assert proxy.operations() == ["GET /", "GET /nothing"]


def test_linode_listings_lose_what_is_new(place):
    pages = {"data": [{"id": 1, "label": "old"}, {"id": 2, "label": "new"}], "page": 1, "pages": 1, "results": 2}

    class Api(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802, the library's name
            body = json.dumps(pages).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass
    server = http.server.HTTPServer((place.host, free_port(place.host)), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with FaultProxy(place.host, f"http://{place.host}:{server.server_address[1]}/v4", Linode()) as proxy:
        def get(path):
            return json.loads(subprocess.run(["curl", "-s", proxy.url + path], capture_output=True, check=True).stdout)
        assert get("/linode/instances") == pages
        proxy.hide_new([1])
        assert get("/linode/instances?page=1") == {"data": [{"id": 1, "label": "old"}], "page": 1, "pages": 1, "results": 1}
        assert get("/linode/types") == pages


def test_how_many_came_at_once(place):
    with FaultProxy(place.host, "http://127.0.0.1:1", Plain()) as proxy:
        proxy.fault("500", times=None)
        clients = [in_background(lambda: subprocess.run(["curl", "-s", proxy.url], check=False)) for _ in range(8)]
        until(lambda: len(proxy.requests) == 8, "all have asked")
        assert [client() for client in clients] and proxy.busiest(seconds=60) == 8 and 1 <= proxy.busiest(seconds=0.0) <= 8
