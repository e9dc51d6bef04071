"""ircd-hybrid: a third grammar; no SASL, no tags, but accounts and fingerprints in WHOIS where there are services.

Its Debian package conflicts with ngircd's, so it is not installed: the package is unpacked, once per build directory, and its
files are laid over /usr in a mount space of the server's own, for it finds its modules only there.
"""
import fcntl
import os
import pathlib
import shutil
import subprocess

from .irc_server import IrcServer

CONFIGURATION = """
serverinfo {{
  name = "irc.test"; description = "test"; network_name = "Test"; network_description = "Test"; sid = "0HY"; hub = no;
  default_max_clients = 500; max_nick_length = 20;
  rsa_private_key_file = "{key}"; tls_certificate_file = "{certificate}";
}};
admin {{ name = "a"; description = "a"; email = "<a@irc.test>"; }};
class {{ name = "users"; ping_time = 90 seconds; number_per_ip_local = 100; number_per_ip_global = 100; max_number = 500;
  sendq = 1 megabyte; recvq = 8000 bytes; }};
class {{ name = "opers"; ping_time = 90 seconds; number_per_ip_local = 100; max_number = 50; sendq = 1 megabyte; recvq = 8000 bytes; }};
listen {{ host = "{address}"; port = {port}; flags = tls; port = {tls_port}; }};
auth {{ user = "*@*"; class = "users"; flags = exceed_limit, kline_exempt, resv_exempt, no_tilde; }};
operator {{ name = "root"; user = "*@*"; password = "root"; encrypted = no; class = "opers"; }};
channel {{ disable_fake_channels = no; max_channels = 25; max_bans = 100; default_join_flood_count = 0; }};
general {{ throttle_count = 1000; throttle_time = 1 second; anti_nick_flood = no; ping_cookie = no; default_floodcount = 0;
  pace_wait = 1 second; pace_wait_simple = 1 second; disable_auth = yes; }};
"""


def unpacked():
    """The directory of the unpacked package."""
    made = pathlib.Path(os.environ["JARVIS_BUILD"]) / "lab/ircd-hybrid"
    made.parent.mkdir(exist_ok=True)
    with open(made.with_suffix(".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "usr/sbin/ircd-hybrid").exists() and not (made / "usr/bin/ircd-hybrid").exists():
            load = made.with_suffix(".load")
            shutil.rmtree(load, ignore_errors=True)
            load.mkdir()
            subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", "ircd-hybrid"], cwd=load, check=True)
            subprocess.run(["dpkg-deb", "-x", str(next(load.glob("*.deb"))), str(load / "root")], check=True)
            shutil.rmtree(made, ignore_errors=True)
            (load / "root").rename(made)
            shutil.rmtree(load)
    return made


class Hybrid(IrcServer):
    def configure(self):
        self.write("ircd.conf", CONFIGURATION.format(address=self.address, port=self.port, tls_port=self.tls_port,
                                                     certificate=self.certificate, key=self.key))
        self.root = unpacked()
        for name in ("ircd.motd", "kline.db", "dline.db", "xline.db", "resv.db"):
            self.write(name, "")

    def own_files(self):
        pass  # root in a user space of its own

    def spawn(self, *command):
        with open(self.directory / "output", "ab") as output:
            process = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       cwd=self.directory)
        self._processes.append(process)
        return process

    def command(self):
        program = "/usr/sbin/ircd-hybrid" if (self.root / "usr/sbin/ircd-hybrid").exists() else "/usr/bin/ircd-hybrid"
        return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                f'mount -t overlay overlay -o lowerdir="{self.root}/usr:/usr" /usr && '
                f"exec unshare --user --map-user=1000 {program} -foreground -configfile {self.directory}/ircd.conf "
                f"-logfile {self.directory}/ircd.log -pidfile {self.directory}/ircd.pid -klinefile {self.directory}/kline.db "
                f"-dlinefile {self.directory}/dline.db -xlinefile {self.directory}/xline.db -resvfile {self.directory}/resv.db"]
