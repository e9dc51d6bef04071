"""What the IRC servers of the tests have in common: a directory, ports, a certificate, starting, hanging, ending."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from .certificates import Authority
from .waiting import until

NOBODY = 65534


class IrcServer:
    """As root it runs as `nobody`. Subclasses write the configuration and name the command. `names`: in its certificate."""

    def __init__(self, place, address=None, names=()):
        self.address = address or place.addresses.replace("0/24", "1")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="irc."))
        self.directory.chmod(0o755)
        self.port, self.tls_port, self.link_port = free_ports(self.address, 3)
        self.authority = Authority(self.directory / "authority")
        self.certificate, self.key = self.authority.issue(*(names or (self.address, "irc.test")), stem="server")
        self._processes = []

    def __enter__(self):
        try:
            self.configure()
            self.own_files()
            self.start()
        except BaseException:
            print(f"--- log of the server\n{self.log()[-6000:]}")
            self.kill()
            raise
        return self

    def __exit__(self, *error):
        if error[0]:
            print(f"--- log of the server\n{self.log()[-6000:]}")
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def ca_file(self):
        return str(self.authority.certificate)

    def client_certificate(self, name):
        return self.authority.issue(name)

    def fingerprint(self, certificate):
        """SHA-256 of the certificate, as servers show it."""
        done = subprocess.run(["openssl", "x509", "-in", str(certificate), "-noout", "-fingerprint", "-sha256"],
                              check=True, capture_output=True, text=True)
        return done.stdout.strip().partition("=")[2].replace(":", "").lower()

    def write(self, name, text):
        (self.directory / name).write_text(text, encoding="ascii")
        return self.directory / name

    def own_files(self):
        if os.getuid() == 0:
            for path in [self.directory, *self.directory.rglob("*")]:
                os.chown(path, NOBODY, NOBODY)

    def spawn(self, *command):
        switch = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.getuid() == 0 else []
        with open(self.directory / "output", "ab") as output:
            process = subprocess.Popen([*switch, *map(str, command)], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       cwd=self.directory, env={**os.environ, "HOME": str(self.directory)})
        self._processes.append(process)
        return process

    def start(self):
        process = self.spawn(*self.command())
        until(lambda: process.poll() is not None or all(map(self._listens, self.ports())), "the IRC server listens")
        assert process.poll() is None, self.log()

    def ports(self):
        """All that it listens on: whoever comes next finds none of them free."""
        return self.port, self.tls_port

    def _listens(self, port):
        try:
            socket.create_connection((self.address, port), 1).close()
            return True
        except OSError:
            return False

    def log(self):
        return "".join(f"--- {path.name}\n" + path.read_text(encoding="utf-8", errors="replace")
                       for path in sorted(self.directory.glob("*")) if path.name == "output" or path.suffix == ".log")

    def kill(self):
        """Ends it as a crash would: no farewell."""
        for process in reversed(self._processes):
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
        self._processes.clear()

    def hang(self):
        """Connections stay open, nothing answers."""
        self._processes[0].send_signal(signal.SIGSTOP)

    def go_on(self):
        self._processes[0].send_signal(signal.SIGCONT)


def free_ports(address, count):
    """Ports that nobody listens on, below 32768, where no outgoing connection takes them."""
    found = []
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in range(20000 + os.getpid() * 7 % 9000, 32700):
        with socket.socket(family) as probe:
            try:
                probe.bind((address, port))
                found.append(port)
            except OSError:
                continue
        if len(found) == count:
            return found
    raise AssertionError(f"no free ports at {address}")
