"""A proxy in front of an HTTP API that records what is asked, and fails as networks and clouds do, when the test says so.

    with FaultProxy(place.host, ec2.url, Ec2()) as proxy:
        proxy.fault("503", when="RunInstances")                  # the next one; nth=2: the one after; times=None: all from then on
        stop = proxy.fault("hold", nth=3)                        # stops right before the third request from now is passed on
        stop.reached(); worker.kill(); stop.drop()
        lost = proxy.fault("withhold", when="RunInstances")      # passed on, but the reply stays here
        proxy.hide_new(ids, listings=2)                          # what was made since is missing from the next two listings

What is signed stays as it was: the Host header is passed on.
"""
import fnmatch
import http.client
import http.server
import socket
import ssl
import struct
import threading
import time
import urllib.parse

from .certificates import Authority
from .dialects import Plain, form_of
from .ports import free_port
from .waiting import until

HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Welcome to the hotel's network</h1></body></html>\n"
# kind: is the request passed on before it fails? (unless `after` says otherwise)
KINDS = {"429": False, "500": False, "503": False, "401": False, "expired": False, "html": False, "reset": False, "hang": False,
         "hold": False, "half": True, "invalid": True, "withhold": True, "refuse": False}


class Asked:
    """A request: `number` (from 1), `method`, `path`, `headers`, `body`, `form`, `operation`, `moment`; and how it went:
    `passed` on or not, `status` of the API, what the client got: `answer` (a status, or the kind of fault)."""

    def __init__(self, number, method, path, headers, body):
        self.number, self.method, self.path, self.headers, self.body = number, method, path, headers, body
        self.form = form_of(body, headers.get("Content-Type", ""))
        self.moment, self.operation = time.monotonic(), ""
        self.passed, self.status, self.answer = False, None, None

    def __repr__(self):
        return f"{self.number} {self.operation}: {self.answer}" + ("" if self.passed else " (not passed on)")


class Fault:
    """One that was asked for. `requests`: those that met it."""

    def __init__(self, kind, when, nth, times, after, said):
        self.kind, self.when, self.after, self.said = kind, when, after, said
        self.first, self.times = nth, times
        self.requests, self._matching = [], 0
        self._lock, self._decided, self._dropped = threading.Lock(), threading.Event(), False

    def takes(self, request):
        """Is it this request's turn? Counts."""
        fits = self.when(request) if callable(self.when) else fnmatch.fnmatchcase(request.operation, self.when or "*")
        if not fits:
            return False
        with self._lock:
            self._matching += 1
            return self._matching >= self.first and (self.times is None or self._matching < self.first + self.times)

    def reached(self, seconds=30):
        """Waits until a request met it: of a withheld reply, until the API has answered. The request."""
        until(lambda: self.requests, f"a request meets the fault {self.kind} on {self.when or 'any'}", seconds)
        return self.requests[0]

    def release(self):
        """Lets what waits go on: a held request, a withheld reply."""
        self._decided.set()

    def drop(self):
        """What waits is forgotten, its connection reset: of a held request the API never hears."""
        self._dropped = True
        self._decided.set()

    def wait(self):
        self._decided.wait()
        return not self._dropped


class _Reset(Exception):
    """The connection ends here, without a word."""


class _Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy = None  # set by the proxy, in a subclass of its own
    _upstream = None

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self.proxy.answer(self, self.proxy.note(self.command, self.path, self.headers, body))
        except _Reset:
            self._reset()
        except (BrokenPipeError, ConnectionError, ssl.SSLError, http.client.HTTPException):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _any  # noqa: N815, the library's names

    def _reset(self):
        self.close_connection = True
        # Zero seconds of linger: the peer sees a reset, and not an end.
        raw = self.connection
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            self.wfile.flush()
        finally:
            self.server.forget(raw)
            socket.socket(fileno=raw.detach()).close()

    def pass_on(self, request):
        """(status, headers, body) of the API."""
        headers = {name: value for name, value in self.headers.items()
                   if name.lower() not in ("accept-encoding", "connection", "expect", "content-length")}
        for attempt in (1, 2):
            fresh = self._upstream is None
            if fresh:
                self._upstream = self.proxy.dial()
            try:
                self._upstream.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
                for name, value in headers.items():
                    self._upstream.putheader(name, value)
                if request.body or request.method in ("POST", "PUT", "PATCH"):
                    self._upstream.putheader("Content-Length", str(len(request.body)))
                self._upstream.endheaders(request.body)
                reply = self._upstream.getresponse()
                body = reply.read()
                if reply.will_close:
                    self._drop_upstream()
                return reply.status, list(reply.getheaders()), body
            except (ConnectionError, http.client.BadStatusLine):
                # The API closed a connection that had served before: it did not read this request.
                self._drop_upstream()
                if fresh or attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def _drop_upstream(self):
        if self._upstream:
            self._upstream.close()
            self._upstream = None

    def finish(self):
        self._drop_upstream()
        try:
            super().finish()
        except (OSError, ValueError):
            pass

    def say(self, status, headers, body, length=None):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "keep-alive"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    proxy = None

    def __init__(self, *arguments):
        self.open, self._lock = set(), threading.Lock()
        super().__init__(*arguments)

    def finish_request(self, request, client_address):
        # In the connection's own thread, so that one client cannot hold up the others.
        with self._lock:
            self.open.add(request)
        connection = request
        try:
            context = self.proxy.certificate_for_next()
            if context:
                connection = context.wrap_socket(request, server_side=True)
                self.forget(request)
                with self._lock:
                    self.open.add(connection)
            self.RequestHandlerClass(connection, client_address, self)
        finally:
            self.forget(connection)
            if connection.fileno() >= 0:
                connection.close()

    def shutdown_request(self, request):
        # Wrapped or reset, it is not this object any more that owns the descriptor.
        if request.fileno() >= 0:
            super().shutdown_request(request)

    def forget(self, connection):
        with self._lock:
            self.open.discard(connection)

    def cut(self):
        """Ends every open connection."""
        with self._lock:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def handle_error(self, request, client_address):
        pass  # a client that does not accept the certificate, or that went away


class Hiding:
    """While it lasts, listings lack what is not `known`. `count`: of listings that were cut."""

    def __init__(self, known, seconds, listings):
        self.known, self.count = set(known), 0
        self._until = time.monotonic() + seconds if seconds else None
        self._listings, self._over = listings, False

    def reveal(self):
        self._over = True

    def lasts(self):
        return not self._over and (self._until is None or time.monotonic() < self._until)

    def counted(self):
        self.count += 1
        if self._listings and self.count >= self._listings:
            self._over = True


class FaultProxy:
    """`url`. `requests`: all that came (Asked). With an authority it speaks TLS, and `ca` is its certificate; `upstream_ca`: by
    which an https upstream is verified. `rewrite`: a function of every reply's body, before its client gets it."""

    def __init__(self, address, upstream, dialect=None, authority=None, upstream_ca=None):
        self.dialect, self.rewrite = dialect or Plain(), lambda body: body
        self._upstream = urllib.parse.urlsplit(upstream)
        self._upstream_tls = ssl.create_default_context(cafile=str(upstream_ca)) if self._upstream.scheme == "https" else None
        self.requests, self.faults, self._hiding, self._strange = [], [], None, 0
        self._lock, self._authority, self._stranger, self._tls = threading.Lock(), authority, None, None
        if authority:
            self._tls = self._context(authority, address)
            self.ca = authority.certificate
        handler = type("ProxyConnection", (_Connection,), {"proxy": self})
        self.server = _Server((address, free_port(address)), handler)
        self.server.proxy = self
        self.address, self.port = self.server.server_address[:2]
        path = self._upstream.path.rstrip("/")
        self.url = f"http{'s' if authority else ''}://{address}:{self.port}{path}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @staticmethod
    def _context(authority, address):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue(address, stem=f"proxy-{address}"))
        return context

    def close(self):
        for fault in self.faults:
            fault.drop()
        self.server.shutdown()
        self.server.server_close()
        self.server.cut()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What the test asks for

    def fault(self, kind, when=None, nth=1, times=1, after=None, retry_after=None):
        """Lets the nth request from now that matches fail, and `times` - 1 matching ones after it (None: all of them).

        `when`: an operation (DescribeInstances, CloneVM_Task, "POST /v4/linode/instances"; `*` fits anything), or a function of a
        request. `after`: is the request passed on all the same, so that what it asked for happens? Kinds:
        429 (with retry_after) 500 503 401 expired html half invalid reset; hang: no answer until release() or drop(), which both
        end the connection; hold: stops before it is passed on; withhold: passed on, stops before the reply; certificate: the next
        `times` connections see a stranger's certificate.
        """
        if kind == "certificate":
            return self._show_strangers_certificate(times)
        return self._add(Fault(kind, when, nth, times, KINDS[kind] if after is None else after, retry_after))

    def refuse(self, status, code, text, when=None, nth=1, times=1):
        """The API says no in its own words: code InstanceLimitExceeded of EC2, a field of Linode, a fault's type of vSphere."""
        return self._add(Fault("refuse", when, nth, times, False, (status, self.dialect.refusal(status, code, text))))

    def _add(self, fault):
        with self._lock:
            self.faults.append(fault)
        return fault

    def calm(self):
        """No more faults; what waits is dropped."""
        with self._lock:
            faults, self.faults = self.faults, []
        for fault in faults:
            fault.drop()
        self._strange = 0

    def _show_strangers_certificate(self, times):
        assert self._tls, "a proxy without TLS has no certificate"
        if not self._stranger:
            stranger = Authority(self._authority.directory / "stranger", "somebody else's authority")
            self._stranger = self._context(stranger, self.address)
        self._strange = float("inf") if times is None else times
        self.server.cut()
        return None

    def hide_new(self, known=(), seconds=None, listings=None):
        """From now on listings lack the machines whose ids are not `known`: until reveal(), for so long, or so many listings."""
        self._hiding = Hiding(known, seconds, listings)
        return self._hiding

    # What came of it

    def asked(self, when="*"):
        """The requests whose operation fits."""
        return [request for request in list(self.requests) if fnmatch.fnmatchcase(request.operation, when)]

    def operations(self):
        return [request.operation for request in list(self.requests)]

    def busiest(self, seconds=1.0):
        """The most requests that came within so many seconds."""
        moments, most, first = sorted(request.moment for request in list(self.requests)), 0, 0
        for last, moment in enumerate(moments):
            while moment - moments[first] > seconds:
                first += 1
            most = max(most, last - first + 1)
        return most

    # For its connections

    def certificate_for_next(self):
        with self._lock:
            if self._strange > 0:
                self._strange -= 1
                return self._stranger
        return self._tls

    def dial(self):
        host, port = self._upstream.hostname, self._upstream.port
        if self._upstream_tls:
            return http.client.HTTPSConnection(host, port, context=self._upstream_tls, timeout=600)
        return http.client.HTTPConnection(host, port, timeout=600)

    def note(self, method, path, headers, body):
        with self._lock:
            request = Asked(len(self.requests) + 1, method, path, headers, body)
            request.operation = self.dialect.operation(request)
            self.requests.append(request)
        return request

    def answer(self, connection, request):
        with self._lock:
            faults = list(self.faults)
        met = [fault for fault in faults if fault.takes(request)]
        fault = met[0] if met else None
        if fault is None:
            return self._say(connection, request, *self._passed_on(connection, request))
        reply = None
        if fault.kind == "hold":
            request.answer = "held"
            fault.requests.append(request)
            if not fault.wait():
                raise _Reset
            return self._say(connection, request, *self._passed_on(connection, request))
        if fault.after:
            reply = self._passed_on(connection, request)
        request.answer = fault.kind
        fault.requests.append(request)
        return self._fail(connection, request, fault, reply)

    def _fail(self, connection, request, fault, reply):
        kind, typed = fault.kind, [("Content-Type", self.dialect.content)]
        if kind in ("429", "500", "503", "401"):
            wait = [("Retry-After", str(fault.said))] if fault.said is not None else []
            return connection.say(int(kind), typed + wait, self.dialect.temporary(int(kind)))
        if kind == "refuse":
            return connection.say(fault.said[0], typed, fault.said[1])
        if kind == "expired":
            status, body = self.dialect.expired()
            return connection.say(status, typed, body)
        if kind == "html":
            return connection.say(200, [("Content-Type", "text/html; charset=utf-8")], HTML)
        if kind == "withhold":
            if not fault.wait():
                raise _Reset
            return self._say(connection, request, *reply)
        if kind in ("half", "invalid") and reply is None:
            reply = 200, typed, HTML
        if kind == "invalid":
            return connection.say(reply[0], reply[1], self.dialect.broken(reply[2]))
        if kind == "half":
            # At least one byte is missing, and the end comes in order: only the length tells.
            connection.say(reply[0], reply[1], reply[2][:len(reply[2]) // 2], length=max(1, len(reply[2])))
            connection.close_connection = True
            return None
        if kind == "hang":
            fault.wait()
        raise _Reset

    def _passed_on(self, connection, request):
        known = self.dialect.answered_already(request)
        if known:
            return known[0], [("Content-Type", self.dialect.content)], known[1]
        status, headers, body = connection.pass_on(request)
        request.passed, request.status = True, status
        self.dialect.remember(request, status, body)
        return status, headers, body

    def _say(self, connection, request, status, headers, body):
        hiding = self._hiding
        if hiding and hiding.lasts():
            cut = self.dialect.without(request, status, body, hiding.known)
            if cut:
                hiding.counted()
                status, body = cut
        request.answer = status
        connection.say(status, headers, self.rewrite(body))
