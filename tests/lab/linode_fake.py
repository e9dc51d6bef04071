"""Linode's API v4 as a stateful fake: `with LinodeFake(address) as fake:` answers at fake.url (which ends in /v4).

`fake` is the account too (linode_account.py): a test reads and changes fake.machines, fake.volumes, fake.quota, fake.polls ...
Faults are asked for by the test, one by one or by a limit; there is no behaviour by name. Threads in the test's process; it
ends with the block. Whether what is asked and answered is what Linode published, prism says (prism.py).
"""
import collections
import http.server
import json
import math
import re
import secrets
import socket
import ssl
import threading
import time
import urllib.parse

from .linode_account import Account
from .linode_events import Refusal
from .linode_filter import filtered
from .linode_routes import PUBLIC, find
from .web_server import WebServer


class Token:
    """`scopes` as Linode writes them, "*" or "linodes:read_only images:read_only"; `expired`: refused like an unknown one;
    `restricted`: its user may look and has no grant to add or change anything."""

    def __init__(self, scopes="*", expired=False, restricted=False):
        self.scopes, self.expired, self.restricted = scopes, expired, restricted

    def allows(self, scope):
        room, _, right = scope.partition(":")
        owned = self.scopes.replace(",", " ").split()
        return "*" in owned or f"{room}:read_write" in owned or (right == "read_only" and f"{room}:read_only" in owned)


class Asked:
    """A request as it came, and in the record what was answered: `status`, `reply`."""

    def __init__(self, method, path, query, headers, body):
        self.method, self.path, self.query, self.headers, self.raw = method, path, query, headers, body
        self.name = f"{method} {path}"  # such as "POST /linode/instances"; without the version
        self.token = re.sub(r"(?i)^bearer\s+", "", headers.get("Authorization", "")) or None
        self.body = {}
        self.status = self.reply = None
        self.moment = time.monotonic()

    def __repr__(self):
        return f"{self.name} -> {self.status}"


class Fault:
    def __init__(self, pattern, times, status, reason, field, headers, raw, done, drop, hold):
        self.pattern, self.left = re.compile(pattern), times
        self.status, self.reason, self.field, self.headers = status, reason, field, headers
        self.raw, self.done, self.drop, self.hold = raw, done, drop, hold


class LinodeFake(Account):
    def __init__(self, address="127.0.0.1", addresses="127.77.0.0/16", certificate=None, port=None):
        """`addresses`: the machines' IPv4 ones, a network or a list; `certificate`: (certificate, key) files for https."""
        super().__init__(addresses)
        self.lock = threading.RLock()
        self.requests = []
        self.limits = []  # (pattern of Asked.name, count, seconds): more than that in a window is answered with 429
        self.tokens = {}
        self.token = self.add_token()
        # Functions of the Asked, called without the lock before it is looked at, and before its reply is sent.
        self.before = self.after = None
        self.stopped = threading.Event()
        self._faults, self._windows = [], {}
        self._server = WebServer(address, type("LinodeRequest", (_Request,), {"fake": self}), certificate, port)
        self.host, self.root = self._server.host, self._server.root
        self.url = f"{self.root}/v4"

    def close(self):
        self.stopped.set()
        self._server.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What a test asks for

    def add_token(self, scopes="*", expired=False, restricted=False):
        """A new one; fake.tokens[it] can be changed later."""
        name = secrets.token_hex(32)
        self.tokens[name] = Token(scopes, expired, restricted)
        return name

    def fail_next(self, pattern=".*", status=500, reason="An unexpected error occurred", field=None, times=1, headers=None, raw=None,
                  done=False, drop=False, hold=None):
        """The next `times` requests whose name ("POST /linode/instances/5/boot") matches whole are answered with this error.

        `raw`: the body, in place of the errors object; `done`: what was asked is done first, and only the reply is wrong;
        `drop`: the connection is closed in place of a reply; `hold`: a threading.Event that the reply waits for.
        With status=None and no drop the right reply is sent, after `hold`.
        """
        fault = Fault(pattern, times, status, reason, field, headers or {}, raw, done or status is None, drop, hold)
        with self.lock:
            self._faults.append(fault)
        return fault

    def limit(self, count, seconds, pattern=".*"):
        """Per token, no more than `count` requests of these names in `seconds`; the next get 429 with Retry-After."""
        self.limits.append((re.compile(pattern), count, seconds))

    def machine(self, label):
        """The only machine of this label, or None."""
        found = [machine for machine in self.machines.values() if machine.label == label]
        assert len(found) < 2, f"{len(found)} machines are called {label}"
        return found[0] if found else None

    def named(self, pattern):
        """The recorded requests whose names match whole."""
        with self.lock:
            return [asked for asked in self.requests if re.fullmatch(pattern, asked.name)]

    # Answering

    def answer(self, asked):
        """(status, reply or raw bytes, headers) or None: the connection is to be dropped. Records the request."""
        if self.before:
            self.before(asked)
        with self.lock:
            self.requests.append(asked)
            fault = next((fault for fault in self._faults if fault.left > 0 and fault.pattern.fullmatch(asked.name)), None)
            if fault:
                fault.left -= 1
            right = self._right(asked) if not fault or fault.done else None
        if fault and fault.hold:
            while not fault.hold.wait(0.05) and not self.stopped.is_set():
                pass
        if self.after:
            self.after(asked)
        if fault and fault.drop:
            return None
        if fault and fault.status is not None:
            body = fault.raw if fault.raw is not None else _errors(Refusal(fault.status, fault.reason, fault.field))
            right = fault.status, body, {**({"Content-Type": "text/html"} if fault.raw is not None else {}), **fault.headers}
        asked.status, asked.reply = right[0], right[1]
        return right

    def _right(self, asked):
        headers = {}
        try:
            self.tick()
            function, names, scope = find(asked.method, asked.path)
            self._admit(asked, scope, headers)
            self._count(asked, headers)
            if asked.raw:
                try:
                    asked.body = json.loads(asked.raw)
                except ValueError:
                    raise Refusal(400, "Invalid JSON") from None
                if not isinstance(asked.body, dict):
                    raise Refusal(400, "Invalid JSON")
            reply = function(self, asked, **names)
            if not self.polls and self.seconds is None:
                reply = json.loads(json.dumps(reply))  # as it was; what is under way ends behind it
                self.tick()
                self.tick()  # and what came after that
            return (204, b"", headers) if reply is None else (200, reply, headers)
        except Refusal as refusal:
            return refusal.status, _errors(refusal), {**headers, **refusal.headers}

    def _admit(self, asked, scope, headers):
        if scope is PUBLIC:
            return
        token = self.tokens.get(asked.token)
        if not token or token.expired:
            raise Refusal(401, "Invalid Token")
        headers["X-OAuth-Scopes"] = token.scopes
        headers["X-Accepted-OAuth-Scopes"] = scope or "*"
        for one in scope.split():
            if not token.allows(one):
                raise Refusal(401, "Your OAuth token is not authorized to use this endpoint.")
        if token.restricted and asked.method != "GET":
            raise Refusal(403, "Unauthorized")

    def _count(self, asked, headers):
        now = time.monotonic()
        for number, (pattern, count, seconds) in enumerate(self.limits):
            if not pattern.fullmatch(asked.name):
                continue
            window = self._windows.setdefault((number, asked.token), collections.deque())
            while window and window[0] <= now - seconds:
                window.popleft()
            wait = max(1, math.ceil(window[0] + seconds - now)) if window else 0
            headers.update({"X-RateLimit-Limit": str(count), "X-RateLimit-Remaining": str(max(0, count - len(window) - 1)),
                            "X-RateLimit-Reset": str(int(time.time()) + wait)})
            if len(window) >= count:
                raise Refusal(429, "Too many requests", headers={"Retry-After": str(wait)})
            window.append(now)

    def page(self, asked, rows, filterable):
        """One page of what X-Filter leaves."""
        rows = filtered(rows, asked.headers.get("X-Filter"), filterable)
        size, page = (_number(asked.query, name, default) for name, default in (("page_size", 100), ("page", 1)))
        if not 25 <= size <= 500:
            raise Refusal(400, "Must be 25-500", "page_size")
        pages = max(1, math.ceil(len(rows) / size))
        if not 1 <= page <= pages:
            raise Refusal(404, "Not found")
        return {"data": rows[(page - 1) * size:page * size], "page": page, "pages": pages, "results": len(rows)}

    def show(self, machines=(), volumes=(), events=()):
        """These are in the reply: what is under way with them comes a step nearer its end, behind the reply."""
        numbers, volume_numbers = {machine.id for machine in machines}, {volume["id"] for volume in volumes}
        told = {event.id for event in events}
        self.shown([event for event in self.open_events() if event.id in told or (event.machine and event.machine.id in numbers) or
                    (event.entity["type"] == "volume" and event.entity["id"] in volume_numbers)])


def _errors(refusal):
    return {"errors": [{"reason": refusal.reason, **({"field": refusal.field} if refusal.field else {})}]}


def _number(query, name, default):
    text = query.get(name, [str(default)])[0]
    if not re.fullmatch("[0-9]{1,9}", text):
        raise Refusal(400, "Must be an integer", name)
    return int(text)


class _Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake = None  # set by the fake, in a subclass of its own

    def _answer(self):
        address = urllib.parse.urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        version, _, rest = address.path.lstrip("/").partition("/")
        asked = Asked(self.command, f"/{rest}" if version in ("v4", "v4beta") else f"//{version}/{rest}",
                      urllib.parse.parse_qs(address.query), self.headers, raw)
        answer = self.fake.answer(asked)
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, body, headers = answer
        if not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        for name, value in headers.items():
            if status != 204 or not name.startswith("Content-"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _served(self):
        try:
            self._answer()
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError, OSError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _served  # noqa: N815, the library's names

    def log_message(self, *_):
        pass
