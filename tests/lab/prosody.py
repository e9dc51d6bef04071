"""A prosody of the test's own: the domain xmpp.test with accounts, rooms that show real JIDs (conference.xmpp.test) and
rooms that do not (anonymous.xmpp.test), a certificate by an authority of its own. As root it runs as `nobody`."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from .certificates import Authority
from .ports import free_port
from .waiting import until

DOMAIN = "xmpp.test"
OPEN_ROOMS, ANONYMOUS_ROOMS = f"conference.{DOMAIN}", f"anonymous.{DOMAIN}"
COMPONENT = f"rooms.{DOMAIN}"  # for a service that a test brings along (XEP-0114), secret "secret"
NOBODY = 65534

CONFIGURATION = """
interfaces = {{ "{address}" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{}}
s2s_ports = {{}}
http_ports = {{}}
https_ports = {{}}
component_ports = {{ {component_port} }}
component_interfaces = {{ "{address}" }}
data_path = "{directory}/data"
pidfile = "{directory}/prosody.pid"
log = {{ {{ levels = {{ min = "debug" }}, to = "file", filename = "{directory}/prosody.log" }} }}
modules_enabled = {{ "roster", "saslauth", "tls", "disco", "ping", "posix", "offline", "presence", "message", "iq", "smacks" }}
modules_disabled = {{ "s2s" }}
c2s_require_encryption = true
authentication = "internal_hashed"
disable_sasl_mechanisms = {{ "{disabled_mechanisms}" }}
limits = {{}}
c2s_stanza_size_limit = 10485760
muc_room_locking = false
muc_room_default_persistent = true
muc_room_cache_size = 1000
VirtualHost "{domain}"
  ssl = {{ key = "{directory}/{name}.key", certificate = "{directory}/{name}.pem", protocol = "{tls}" }}
Component "{open}" "muc"
  muc_room_default_public_jids = true
Component "{anonymous}" "muc"
  muc_room_default_public_jids = false
Component "{component}"
  component_secret = "secret"
"""


class Prosody:
    def __init__(self, place, address=None, certified=DOMAIN, tls="tlsv1_2+", disabled_mechanisms="none"):
        """`certified`: the name in the server's certificate."""
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="prosody."))
        self.directory.chmod(0o755)
        self.address = address or place.addresses.replace("0/24", "1")
        self.port = free_port(self.address)
        self.component_port = free_port(self.address)
        self.authority = Authority(self.directory)
        self.authority.issue(certified, f"*.{certified}")
        (self.directory / "data").mkdir()
        (self.directory / "prosody.cfg.lua").write_text(CONFIGURATION.format(
            address=self.address, port=self.port, component_port=self.component_port, component=COMPONENT, directory=self.directory, domain=DOMAIN, open=OPEN_ROOMS,
            anonymous=ANONYMOUS_ROOMS, name=certified, tls=tls,
            disabled_mechanisms=disabled_mechanisms), encoding="ascii")
        if os.getuid() == 0:
            for path in [self.directory, *self.directory.rglob("*")]:
                os.chown(path, NOBODY, NOBODY)
        self._process = None
        self.passwords = {}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        if error[0]:
            print(f"--- log of prosody\n{self.log()[-6000:]}")
        self.close()

    def close(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def ca_file(self):
        return str(self.authority.certificate)

    @property
    def server(self):
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def pings(self):
        """How many pings the server had so far, by its log."""
        return len(re.findall(rf"Received\[c2s\]: <iq (?=[^>]*type='get')[^>]*to='{DOMAIN}'", self.log()))

    def log(self):
        path = self.directory / "prosody.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def _run(self, *command, **more):
        switch = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.getuid() == 0 else []
        return subprocess.Popen([*switch, *command], stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(self.directory)},
                                cwd=self.directory, **more)

    def account(self, name, password="secret"):
        """Makes an account; its JID."""
        self.passwords[name] = password
        made = self._run("prosodyctl", "--config", str(self.directory / "prosody.cfg.lua"), "register", name, DOMAIN, password,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = made.communicate(timeout=60)
        assert made.returncode == 0, said
        return f"{name}@{DOMAIN}"

    def start(self):
        with open(self.directory / "output", "ab") as output:
            self._process = self._run("prosody", "--config", str(self.directory / "prosody.cfg.lua"), "-F", stdout=output,
                                      stderr=output)
        until(lambda: self._answers() or self._process.poll() is not None, "prosody listens")
        assert self._process.poll() is None, self.log() + (self.directory / "output").read_text()

    def _answers(self):
        try:
            socket.create_connection((self.address, self.port), 1).close()
            return True
        except OSError:
            return False

    def kill(self):
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def hang(self):
        """Connections stay open, nothing answers."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)
