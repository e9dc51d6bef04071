"""A network of a test's own: a network namespace that nothing leaves, and the servers on it. An ordinary user needs what
local hosts need (docs/local.md): uidmap and a range in /etc/subuid."""
import json
import os
import pathlib
import subprocess
import sys

from .processes import Process, exe_of
from .waiting import until

CLIENT = pathlib.Path(__file__).resolve().parent / "dhcp_client.py"


class Island:
    """`enter` goes before a command that is to run there. `server` and `client` are two ends of a cable; the server has `address`."""

    address, network = "10.20.0.1", "10.20.0.0/24"

    def __init__(self, place, mac="52:54:00:0a:0b:01"):
        self.place, self.mac = place, mac
        as_root = os.geteuid() == 0
        # The whole range of an ordinary user (/etc/subuid): tftpd becomes nobody, which must be somebody.
        unshare = ["unshare", *([] if as_root else ["--user", "--map-auto", "--map-root-user"]), "--net", "cat"]
        self._holder = place.background(Process(unshare, place.path("island.log"), place.directory, dict(os.environ),
                                                stdin=subprocess.PIPE))
        until(lambda: exe_of(self._holder.pid) == "cat" or not self._holder.running(), "the island is there")
        assert self._holder.running(), self._holder.output()
        self.enter = ["nsenter", "-t", str(self._holder.pid), *([] if as_root else ["-U", "--preserve-credentials"]), "-n"]
        for line in ("link set lo up", "link add server type veth peer name client", f"address add {self.address}/24 dev server",
                     f"link set client address {mac}", "link set server up", "link set client up"):
            self.run("ip", *line.split())

    def run(self, *command, status=0, input=b"", **more):
        done = subprocess.run([*self.enter, *map(str, command)], input=input, capture_output=True, check=False, timeout=60, **more)
        assert done.returncode == status, f"{command}: exit status {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, name, *command):
        return self.place.background(Process([*self.enter, *map(str, command)], self.place.path(f"{name}.log"), self.place.directory,
                                             dict(os.environ)))

    def until_bound(self, server, port, protocol="udp"):
        """Waits until a socket of the island has this port, which `server` opens."""
        def bound():
            lines = pathlib.Path(f"/proc/{self._holder.pid}/net/{protocol}").read_text(encoding="ascii").splitlines()[1:]
            return any(int(line.split()[1].split(":")[1], 16) == port for line in lines)
        until(lambda: bound() or not server.running(), f"port {port} is bound")
        assert server.running(), f"it ended:\n{server.output()}"

    def dhcp_offer(self, mac=None):
        """What a client at the other end of the cable is offered."""
        return json.loads(self.run(sys.executable, CLIENT, "client", mac or self.mac).stdout)

    def tftpd(self, root):
        """tftpd-hpa serves the directory, as nobody."""
        server = self.start("tftpd", "/usr/sbin/in.tftpd", "-L", "-a", f"{self.address}:69", "-u", "nobody", "-s", root)
        self.until_bound(server, 69)
        return server

    def dhcpd(self, slapd, name):
        """ISC dhcpd whose configuration is in the directory: the dhcpServer called `name`."""
        folder = self.place.path("dhcpd")
        folder.mkdir()
        # A copy, because what AppArmor may know of the original's place does not hold for these files.
        binary = folder / "dhcpd"
        binary.write_bytes(pathlib.Path("/usr/sbin/dhcpd").read_bytes())
        binary.chmod(0o755)
        (folder / "leases").touch()
        (folder / "conf").write_text(
            f'ldap-server "{slapd.address}";\nldap-port {slapd.port};\nldap-base-dn "{slapd.base}";\nldap-method dynamic;\n'
            f'ldap-dhcp-server-cn "{name}";\nldap-ssl off;\n', encoding="ascii")
        server = self.start("dhcpd-log", binary, "-4", "-f", "-d", "-cf", folder / "conf", "-lf", folder / "leases", "-pf",
                            folder / "pid", "server")
        self.until_bound(server, 67)
        return server
