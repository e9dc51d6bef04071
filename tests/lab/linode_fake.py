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
import socket
import ssl
import threading
import time
import urllib.parse

from .linode_account import Account, Refusal
from .ports import free_port

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


class Token:
    """`scopes` as Linode writes them, "*" or "linodes:read_only images:read_only"; `expired`: refused like an unknown one;
    `restricted`: its user has no grant to add or change anything."""

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
        self.stopped = threading.Event()
        self._faults, self._windows = [], {}
        self._server = _Server((address, port or free_port(address)), type("LinodeRequest", (_Request,), {"fake": self}))
        if certificate:
            self._server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._server.tls.load_cert_chain(*map(str, certificate))
        self.host = f"{address}:{self._server.server_address[1]}"
        self.root = f"{'https' if certificate else 'http'}://{self.host}"
        self.url = f"{self.root}/v4"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What a test asks for

    def add_token(self, scopes="*", expired=False, restricted=False):
        """A new one; fake.tokens[it] can be changed later."""
        name = f"{len(self.tokens):04x}" + "".join(f"{byte:02x}" for byte in ssl.RAND_bytes(30))
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
        with self.lock:
            self.requests.append(asked)
            fault = next((fault for fault in self._faults if fault.left > 0 and fault.pattern.fullmatch(asked.name)), None)
            if fault:
                fault.left -= 1
            right = self._right(asked) if not fault or fault.done else None
        if fault and fault.hold:
            while not fault.hold.wait(0.05) and not self.stopped.is_set():
                pass
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
            function, names, scope = self._find(asked)
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
            return 200, reply, headers
        except Refusal as refusal:
            return refusal.status, _errors(refusal), {**headers, **refusal.headers}

    def _find(self, asked):
        methods = set()
        for method, pattern, scope, function in ROUTES:
            found = pattern.fullmatch(asked.path)
            if found and method == asked.method:
                return function, {name: urllib.parse.unquote(text) if name in ("name", "address") else int(text)
                                  for name, text in found.groupdict().items()}, scope
            if found:
                methods.add(method)
        raise Refusal(405, "Method Not Allowed", headers={"Allow": ", ".join(sorted(methods))}) if methods else Refusal(404, "Not found")

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
        rows = _filtered(rows, asked.headers.get("X-Filter"), filterable)
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


# X-Filter, as Linode documents it

COMPARISONS = {"+gt": lambda have, want: have > want, "+gte": lambda have, want: have >= want,
               "+lt": lambda have, want: have < want, "+lte": lambda have, want: have <= want,
               "+neq": lambda have, want: have != want, "+contains": lambda have, want: want.lower() in have.lower()}


def _filtered(rows, text, filterable):
    if not text:
        return rows
    try:
        wanted = json.loads(text)
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict):
        raise Refusal(400, "X-Filter is not a valid JSON object")
    order, backwards = wanted.pop("+order_by", None), wanted.pop("+order", "asc") == "desc"
    _check_filter(wanted, filterable)
    rows = [row for row in rows if _matches(row, wanted)]
    if order is not None:
        if order not in filterable:
            raise Refusal(400, f"Cannot order by {order}")
        rows.sort(key=lambda row: _value(row, order), reverse=backwards)
    return rows


def _check_filter(wanted, filterable):
    for name, value in wanted.items():
        if name in ("+and", "+or"):
            if not isinstance(value, list):
                raise Refusal(400, f"{name} needs a list")
            for one in value:
                _check_filter(one, filterable)
        elif name not in filterable:
            raise Refusal(400, f"Cannot filter on {name}")
        elif isinstance(value, dict) and not (value and set(value) <= set(COMPARISONS)):
            raise Refusal(400, f"unknown operator for {name}")


def _value(row, name):
    for part in name.split("."):
        row = (row or {}).get(part)
    return row


def _matches(row, wanted):
    for name, value in wanted.items():
        if name == "+and" and not all(_matches(row, one) for one in value):
            return False
        if name == "+or" and not any(_matches(row, one) for one in value):
            return False
        if name[0] == "+":
            continue
        have = _value(row, name)
        haves = have if isinstance(have, list) else [have]
        comparisons = value.items() if isinstance(value, dict) else [("=", value)]
        for operator, want in comparisons:
            try:
                if operator == "+neq":
                    fits = want not in haves
                else:
                    fits = any(one == want if operator == "=" else COMPARISONS[operator](one, want) for one in haves if one is not None)
            except (TypeError, AttributeError):
                fits = False
            if not fits:
                return False
    return True


# The server

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
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
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


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    tls = None

    def finish_request(self, request, client_address):
        # In the connection's own thread, so that one client cannot hold up the others.
        with self.tls.wrap_socket(request, server_side=True) if self.tls else request as connection:
            self.RequestHandlerClass(connection, client_address, self)

    def handle_error(self, request, client_address):
        pass  # a client that does not accept the certificate


# What is answered: `fake` first, then the request and the numbers in its path. Scopes as the description has them.

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
