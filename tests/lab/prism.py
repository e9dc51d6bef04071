"""Prism as the judge of what goes to and fro: client -> Judge -> prism -> fake.

`with Judge(place, fake) as judge:` answers at judge.url as the fake would; each thing that the published description forbids,
in a request or in a reply, is put into judge.violations, and what is there when the block ends well fails the test.
"""
import http.client
import http.server
import json
import os
import socket
import ssl
import threading
import urllib.parse

from .linode_description import description
from .ports import free_port
from .processes import Process
from .simulators import simulator
from .waiting import until
from .web_server import WebServer

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "sl-violations", "upgrade", "te", "trailer"}


class Violation:
    def __init__(self, name, status, where, text):
        self.name, self.status, self.where, self.text = name, status, where, text

    def __repr__(self):
        return f"{self.name} -> {self.status}: {self.where}: {self.text}"


class Judge:
    def __init__(self, place, fake, address="127.0.0.1", certificate=None):
        """`certificate`: (certificate, key) files when the client is to speak https."""
        program, described = simulator("prism") / "node_modules/.bin/prism", description()
        self.violations, self.judged = [], 0
        self._lock = threading.Lock()
        self.prism = (address, free_port(address))
        log = place.path(f"logs/prism-{self.prism[1]}.log")
        log.parent.mkdir(exist_ok=True)
        arguments = [str(program), "proxy", "-h", address, "-p", str(self.prism[1]), str(described), fake.root]
        self._process = place.background(Process(arguments, log, place.directory, {**os.environ, "HOME": str(place.directory)}))
        until(self._listens, "prism listens")
        self._server = WebServer(address, type("JudgeRequest", (_Front,), {"judge": self}), certificate)
        self.host, self.root = self._server.host, self._server.root
        self.url = f"{self.root}/v4"

    def _listens(self):
        assert self._process.running(), f"prism ended:\n{self._process.output()[-3000:]}"
        try:
            socket.create_connection(self.prism).close()
            return True
        except OSError:
            return False

    def close(self):
        self._server.close()
        if self._process.running():
            self._process.kill()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.close()
        if kind is None:
            self.check()

    def check(self):
        """Fails when anything was against the description."""
        assert not self.violations, "against the description:\n" + "\n".join(map(repr, self.violations))

    def take(self):
        """The violations so far, which do not count any more: the test wanted them."""
        with self._lock:
            taken, self.violations = self.violations, []
        return taken

    def note(self, name, status, text):
        with self._lock:
            self.judged += 1
            if not text:
                return
            try:
                found = json.loads(text)
            except ValueError:
                found = [{"location": ["?"], "message": text}]
            self.violations += [Violation(name, status, ".".join(one.get("location", [])), one.get("message")) for one in found]


class _Front(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    judge = None

    def _relay(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        name = f"{self.command} {urllib.parse.urlsplit(self.path).path}"
        headers = {key: value for key, value in self.headers.items() if key.lower() not in HOP | {"host", "expect"}}
        upstream = http.client.HTTPConnection(*self.judge.prism)
        try:
            upstream.request(self.command, self.path, body, headers)
            reply = upstream.getresponse()
            said = reply.read()
        finally:
            upstream.close()
        if "problem+json" in (reply.headers.get("Content-Type") or ""):
            # Of prism, not of the fake: it got no reply, so the client gets none either.
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.judge.note(name, reply.status, reply.headers.get("sl-violations"))
        self.send_response(reply.status, reply.reason)
        for key, value in reply.headers.items():
            if key.lower() not in HOP and not key.lower().startswith("access-control-"):
                self.send_header(key, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def _served(self):
        try:
            self._relay()
        except (OSError, http.client.HTTPException, ssl.SSLError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _served  # noqa: N815, the library's names

    def log_message(self, *_):
        pass
