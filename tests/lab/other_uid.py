"""Somebody else on this machine: commands run with another uid than the one that holds the state directory."""
import os
import pathlib
import pwd
import shutil
import socket
import subprocess

from .place import Result


def uid_of(number):
    """The uid that `Stranger(place, number)` has: as root that very one, else one of /etc/subuid."""
    if os.getuid() == 0:
        return 64000 + number
    name = pwd.getpwuid(os.getuid()).pw_name
    for line in pathlib.Path("/etc/subuid").read_text(encoding="ascii").splitlines():
        who, first, _ = line.split(":")
        if who in (name, str(os.getuid())):
            return int(first) + number
    raise AssertionError(f"/etc/subuid has no line for {name}")


class Stranger:
    def __init__(self, place, number=1):
        self.place, self.number, self.uid = place, number, uid_of(number)
        self.directory = place.path(f"stranger-{number}")
        self.directory.mkdir(exist_ok=True)
        self.directory.chmod(0o777)
        for above in (place.directory, place.directory.parent):
            above.chmod(0o711)
        # The checkout may lie where nobody else may look.
        self.programs = place.path("programs")
        if not self.programs.exists():
            self.programs.mkdir()
            for program in place.binary.parent.glob("jarvis*"):
                if program.is_file() and os.access(program, os.X_OK):
                    shutil.copy(program, self.programs)

    def switch(self):
        if os.getuid() == 0:
            return ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        return ["unshare", "--user", "--map-auto", f"--setuid={self.number}", f"--setgid={self.number}"]

    def does(self, *command, input=b"", seconds=60):
        done = subprocess.run([*self.switch(), *map(str, command)], input=input, capture_output=True, check=False, cwd=self.directory,
                              timeout=seconds * float(os.environ.get("JARVIS_TEST_PATIENCE", "1")),
                              env=self.place.environment(HOME=str(self.directory)))
        return Result(["", *map(str, command)], done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def run(self, *arguments, **more):
        """jarvis, as this person."""
        return self.does(self.programs / "jarvis", "-c", self.place.path("jarvis.yaml"), *arguments, **more)

    def expect(self, status, *arguments, **more):
        result = self.run(*arguments, **more)
        assert result.status == status, f"expected exit status {status}:\n{result!r}"
        return result


class Connection:
    """A program that speaks to the control socket itself."""

    def __init__(self, place):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(place.state / "socket"))

    def ends(self):
        """Reads until jarvis closes; what it said."""
        said = b""
        while True:
            try:
                got = self.socket.recv(65536)
            except ConnectionResetError:
                return said
            if not got:
                return said
            said += got
