"""Servers of moto by fork: moto is imported once (two seconds), each test gets a fresh copy of the process (milliseconds).

Run by the Python of moto's virtual environment: moto_server.py SOCKET. Each connection to SOCKET sends "ADDRESS PORT\n", is
answered "ready\n" when the server listens there, and keeps the server alive: when it closes, the server ends. Ends itself when its
standard input does. The first three calls to a server need no signature; from then on signatures and policies are checked.
"""
import os
import random
import select
import signal
import socket
import sys
import threading

# Read by moto when it is imported.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "3"

import moto.ec2.urls  # noqa: E402, F401
import moto.iam.urls  # noqa: E402, F401
import moto.sts.urls  # noqa: E402, F401
from moto.core.authorization import ActionAuthenticatorMixin  # noqa: E402
from moto.ec2.models.instance_types import InstanceTypeBackend  # noqa: E402
from moto.ec2.utils import filter_dict_attribute_mapping  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402
from werkzeug.test import Client  # noqa: E402

# Moto ignores MaxResults and takes seconds to print its thousand types: these families are enough to choose from.
FAMILIES = ("t2", "t3", "t3a", "t4g", "m5", "m6g", "c5", "r5")
InstanceTypeBackend.instance_types = [one for one in InstanceTypeBackend.instance_types
                                      if one["InstanceType"].partition(".")[0] in FAMILIES]
# It knows the token of an instance, and not the filter that asks for it.
filter_dict_attribute_mapping["client-token"] = "client_token"


class Quiet(MotoRequestHandler):
    def log(self, *_):
        pass


def warm():
    """An application that has read its models of EC2 and IAM: a second that the tests need not spend."""
    application = DomainDispatcherApplication(create_backend_app)
    for api, action in (("ec2", "DescribeInstances"), ("iam", "ListUsers")):
        scope = f"AKIAIOSFODNN7EXAMPLE/20200101/us-east-1/{api}/aws4_request"
        signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
        Client(application).post("/", data={"Action": action}, headers=signed)
    ActionAuthenticatorMixin.request_count = 0
    return application


def serve(application, connection, address, port):
    os.environ["MOTO_PORT"] = port
    random.seed()
    server = make_server(address, int(port), application, threaded=True, request_handler=Quiet)
    connection.sendall(b"ready\n")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connection.recv(1)


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    application = warm()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(sys.argv[1] + ".new")
    listener.listen(64)
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            try:
                serve(application, connection, *connection.recv(200).decode().split())
            finally:
                os._exit(0)
        connection.close()


main()
