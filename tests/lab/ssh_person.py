"""Somebody who logs in to a host that was deployed, with OpenSSH's own client and a key pair of the test's (id_ed25519)."""
import subprocess


def public_key(place):
    """The public half of the key pair, which is made if there is none: one line."""
    private = place.path("id_ed25519")
    if not private.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(private)], check=True)
    return private.with_suffix(".pub").read_text(encoding="ascii").strip()


def login(place, board, *command):
    """Logs in as root, and only where the host shows a key of the clipboard's known_hosts; what the command prints. The host's shell
    takes the words apart once more."""
    known = place.write("known_hosts", "\n".join(board["known_hosts"]) + "\n", 0o600)
    options = ["BatchMode=yes", f"UserKnownHostsFile={known}", "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=none",
               "IdentitiesOnly=yes", "ConnectTimeout=10"]
    done = subprocess.run(["ssh", "-F", "none", "-i", str(place.path("id_ed25519")), "-p", str(board["ssh_port"]),
                           *(word for option in options for word in ("-o", option)), f"root@{board['ipaddress'][0]}", "--", *command],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done
    return done.stdout


def host_keys_of(board):
    """The keys with which the host answers."""
    done = subprocess.run(["ssh-keyscan", "-T", "10", "-p", str(board["ssh_port"]), board["ipaddress"][0]], capture_output=True,
                          text=True, check=False)
    return [line.split()[2] for line in done.stdout.splitlines() if not line.startswith("#")]
